"""Ctrl-C and SIGTERM. After the first one a run saves its result; the second one ends it at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nst_jax.shell.errors import Ended

EXIT = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Stop:
    """Whether a signal asks for the end."""

    asked: signal.Signals | None = None  # the signal
    came: signal.Signals | None = None  # the same, before other processes know of it
    shared: bool = False  # with other processes: `asked` is what they have agreed on

    def hear(self, number: int) -> None:
        """Take note of a signal."""
        self.came = signal.Signals(number)
        if not self.shared:
            self.asked = self.came

    def share(self, *, with_others: bool) -> None:
        """From now on, stop when other processes do, if there are any. Raises Ended if a signal has come by now."""
        self.shared = with_others
        self.check()

    def check(self) -> None:
        """Raise Ended if a signal has come: for the time before there is something to save."""
        if self.asked:
            raise Ended(EXIT[self.asked], early=True)


@contextmanager
def catch_signals() -> Iterator[Stop]:
    """Within, the first SIGINT or SIGTERM sets `asked`; the next one has its usual effect.

    No exception is raised where the signal happens to arrive: in the middle of an import it can crash an extension, and
    in a callback it is swallowed. Within another such block the same Stop is yielded.
    """
    outer = getattr(signal.getsignal(signal.SIGINT), "stop", None)
    if outer is not None:
        yield outer
        return
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may handle signals
        return
    former = {number: signal.getsignal(number) for number in EXIT}

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.hear(number)
        for n, handler in former.items():
            signal.signal(n, handler)

    handle.stop = stop  # pyright: ignore[reportFunctionMemberAccess]
    for number in EXIT:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
