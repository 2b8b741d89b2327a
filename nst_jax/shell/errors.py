"""What a user can mend. Everything else is a bug and keeps its traceback."""


class UserError(Exception):
    """A mistake or a circumstance of the user's: one message (what, where, what to do), exit code 2."""
