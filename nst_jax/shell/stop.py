"""Ctrl-C and SIGTERM: asked once, a run saves what there is; asked twice, it ends at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Stop:
    """The signal that asked for the end, if any."""

    asked: signal.Signals | None = None


@contextmanager
def listening() -> Iterator[Stop]:
    """Within, the first signal is noted, and a second one of them interrupts as usual."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may hear signals
        return
    former = {number: signal.getsignal(number) for number in EXIT}

    def heard(number: int, _frame: FrameType | None) -> None:
        stop.asked = signal.Signals(number)
        for n, handler in former.items():
            signal.signal(n, handler)

    for number in EXIT:
        signal.signal(number, heard)
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
