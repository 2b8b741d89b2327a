"""The inputs of steps, made by threads ahead of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def ahead(make: Callable[[int], T], *, last: int, threads: int) -> Iterator[Callable[[int], T]]:
    """Within, a function of a step's number that returns `make` of it. Threads make what comes next meanwhile.

    Args:
      make: of a step's number alone, so that it does not matter which thread makes it, and when.
      last: the number of steps.
      threads: so many steps ahead.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="feed") as pool:
        waiting: dict[int, Future[T]] = {}

        def take(number: int) -> T:
            for n in range(number, min(number + threads + 1, last)):
                if n not in waiting:
                    waiting[n] = pool.submit(make, n)
            return waiting.pop(number).result()

        try:
            yield take
        finally:
            pool.shutdown(cancel_futures=True)
