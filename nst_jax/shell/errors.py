"""Errors that a user can correct. Every other error is a bug and keeps its traceback."""


class UserError(Exception):
    """A mistake of the user's or of the surroundings. Its message says what, where and what to do. Exit code 2."""


class NoWeights(UserError):
    """There are no weights for the network, and none could be downloaded."""


class Ended(Exception):
    """The command ends, and the exit code is not 0. Everything is reported already.

    Attributes:
      code: the exit code.
      early: whether a signal came before there was anything to save, which is not reported yet.
    """

    def __init__(self, code: int, *, early: bool = False) -> None:
        super().__init__(f"exit code {code}")
        self.code, self.early = code, early
