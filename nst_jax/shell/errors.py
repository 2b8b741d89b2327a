"""Errors that a user can correct. Every other error is a bug and keeps its traceback."""


class UserError(Exception):
    """A mistake of the user's or of the surroundings. Its message says what, where and what to do. Exit code 2."""


class NoWeights(UserError):
    """There are no weights for the network, and none could be downloaded."""


class Ended(Exception):
    """A sweep has ended, its jobs have reported their errors, and the exit code is not 0."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code
