"""Ctrl-C and SIGTERM. After the first one a run saves its result; the second one ends it at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Stop:
    """Whether a signal asks for the end."""

    asked: signal.Signals | None = None  # the signal


@contextmanager
def hold_signals() -> Iterator[None]:
    """Within, SIGINT and SIGTERM wait. In the middle of an import an exception can crash an extension.

    Raises:
      KeyboardInterrupt: at the end of the block, after a SIGINT.
      SystemExit: after a SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    former = {number: signal.signal(number, lambda n, _frame: came.append(n)) for number in EXIT}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        if came and came[0] == signal.SIGINT:
            raise KeyboardInterrupt
        if came:
            raise SystemExit(EXIT[signal.SIGTERM])


@contextmanager
def catch_signals() -> Iterator[Stop]:
    """Within, the first SIGINT or SIGTERM sets `asked`; the next one has its usual effect."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may handle signals
        return
    former = {number: signal.getsignal(number) for number in EXIT}

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.asked = signal.Signals(number)
        for n, handler in former.items():
            signal.signal(n, handler)

    for number in EXIT:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
