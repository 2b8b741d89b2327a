"""One line for each program: lanes done, steps, time left for the whole sweep."""

import time
from collections.abc import Sequence

from tqdm import tqdm

from nst_jax.shell.sweeps.lane import Lane
from nst_jax.shell.sweeps.program import Program


class Progress:
    """Counts the iterations of all lanes of all programs of this process."""

    def __init__(self, programs: Sequence[int]) -> None:
        self.programs = programs  # iterations of all lanes, for each program
        self.number, self.bar, self.before = -1, None, 0
        self.busy, self.seen_at, self.fresh = 0.0, time.perf_counter(), 0

    def next(self) -> None:
        """The next program starts."""
        self.close()
        self.number += 1
        self.before, self.seen_at = 0, time.perf_counter()

    def news(self, made: Program, lanes: Sequence[Lane]) -> None:
        """Lanes have moved."""
        if self.bar is None:
            title = f"program {self.number + 1}/{len(self.programs)}: {len(lanes)} lanes"
            self.bar = tqdm(total=self.programs[self.number], desc=title, unit="step", dynamic_ncols=True)
            self.before = sum(lane.done for lane in lanes)
            self.bar.update(self.before)
            self.seen_at = time.perf_counter()
        done, now = sum(lane.done for lane in lanes), time.perf_counter()
        self.busy, self.fresh, self.seen_at = self.busy + now - self.seen_at, self.fresh + done - self.before, now
        ended = sum(lane.ended for lane in lanes)
        self.bar.set_postfix_str(f"{ended}/{len(lanes)} lanes done, {self.left(done)} left in all", refresh=False)
        self.bar.update(done - self.before)
        self.before = done

    def left(self, done: int) -> str:
        """The time for all that is still to do, at the pace so far."""
        steps = sum(self.programs[self.number :]) - done
        return tqdm.format_interval(steps * self.busy / self.fresh) if self.fresh else "?"

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None
