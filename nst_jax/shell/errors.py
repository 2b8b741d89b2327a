"""What a user can mend. Everything else is a bug and keeps its traceback."""


class UserError(Exception):
    """A mistake or a circumstance of the user's: one message (what, where, what to do), exit code 2."""


class NoWeights(UserError):
    """The network's weights are not at hand."""


class Ended(Exception):
    """A sweep is over, all has been told, and the command's exit code is not 0."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code
