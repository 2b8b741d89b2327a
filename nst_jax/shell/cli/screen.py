"""The output of the commands."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


@contextmanager
def log_to_screen(style: str = "full") -> Iterator[None]:
    """Within, the package's log goes to the screen: warnings and errors to standard error, the rest to standard output.

    style: "full" shows all the rest, "quiet" only the name of the result, and "json" only its record.
    """
    log, handlers = logging.getLogger("nst_jax"), (logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr))
    handlers[0].addFilter(lambda record: record.levelno < logging.WARNING)
    handlers[0].setFormatter(logging.Formatter("%(message)s"))
    if style != "full":
        handlers[0].addFilter(lambda record: getattr(record, "record", None) is not None)
        handlers[0].setFormatter(logging.Formatter("%(made)s") if style == "quiet" else Record())
    handlers[1].setLevel(logging.WARNING)
    handlers[1].setFormatter(logging.Formatter("nst: %(message)s"))
    level, propagate = log.level, log.propagate
    log.propagate = False
    log.setLevel(logging.INFO)
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


class Record(logging.Formatter):
    """The record of a result as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return json.dumps(record.record)  # pyright: ignore[reportAttributeAccessIssue]


class Forgiving:
    """A stream whose reader may leave, as in `nst --help | true`, or whose disk may be full. The rest is lost.

    Attributes:
      stream: the stream; None where the process was started without one.
      silent: whether progress is not wanted: what asks whether this is a terminal hears no.
    """

    silent = False

    def __init__(self, stream: Any) -> None:
        self.stream = open(os.devnull, "w") if stream is None else stream  # noqa: PTH123, SIM115  for the whole process
        if hasattr(self.stream, "reconfigure"):
            self.stream.reconfigure(errors="backslashreplace")  # a file's name may be no text

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return self.stream.write(text)
        except (OSError, ValueError):
            self._give_up()
            return len(text)

    def isatty(self) -> bool:
        """Whether a person looks at it, and wants to see progress."""
        return not self.silent and self.stream.isatty()

    def flush(self) -> None:
        """Flush what can be flushed."""
        try:
            self.stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _give_up(self) -> None:
        """Send the rest nowhere, so that Python does not complain at its end."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            pass


@contextmanager
def forgiving_screen() -> Iterator[None]:
    """Within, no write to standard output or standard error fails, nor does a log that cannot be written."""
    before, loud = (sys.stdout, sys.stderr), logging.raiseExceptions
    sys.stdout, sys.stderr, logging.raiseExceptions = Forgiving(sys.stdout), Forgiving(sys.stderr), False
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        (sys.stdout, sys.stderr), logging.raiseExceptions = before, loud


def command(name: str, advice: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A command's main function: on a forgiving screen, and with Ctrl-C as exit code 130.

    Args:
      name: of the command.
      advice: what Ctrl-C means for it.
    """

    def decorate(main: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(main)
        def run(*arguments: Any) -> Any:
            with forgiving_screen():
                try:
                    return main(*arguments)
                except KeyboardInterrupt:
                    print(f"{name}: interrupted{advice and f'; {advice}'}", file=sys.stderr)
                    sys.exit(130)

        return run

    return decorate
