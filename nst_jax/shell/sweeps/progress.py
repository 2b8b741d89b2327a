"""One line for each program: lanes done, steps, time left for the whole sweep."""

import logging
import time
from collections.abc import Sequence

from tqdm import tqdm

from nst_jax.shell.running.lane import Lane
from nst_jax.shell.running.program import Program

LOG = logging.getLogger("nst_jax")


class Progress:
    """The progress bar over all lanes of all programs of this process, in iterations."""

    def __init__(self, programs: Sequence[int]) -> None:
        self.programs = programs  # iterations of all lanes, for each program
        self.number, self.bar, self.before = -1, None, 0
        self.busy, self.last, self.taken = 0.0, time.perf_counter(), 0

    def next(self) -> None:
        """Begin the next program."""
        self.close()
        self.number += 1
        self.before, self.last = 0, time.perf_counter()

    def update(self, made: Program, lanes: Sequence[Lane]) -> None:
        """Show where the lanes are."""
        if self.bar is None:
            title = f"program {self.number + 1}/{len(self.programs)}: {len(lanes)} lanes"
            self.bar = tqdm(total=self.programs[self.number], desc=title, unit="step", dynamic_ncols=True, disable=None)
            if self.bar.disable:  # no terminal
                LOG.info(title)
            self.before = sum(lane.done for lane in lanes)
            self.bar.update(self.before)
            self.last = time.perf_counter()
        done, now = sum(lane.done for lane in lanes), time.perf_counter()
        self.busy, self.taken, self.last = self.busy + now - self.last, self.taken + done - self.before, now
        ended = sum(lane.ended for lane in lanes)
        self.bar.set_postfix_str(f"{ended}/{len(lanes)} lanes done, {self.time_left(done)} left in all", refresh=False)
        self.bar.update(done - self.before)
        self.before = done

    def time_left(self, done: int) -> str:
        """The time left for the whole sweep, at the pace so far."""
        steps = sum(self.programs[self.number :]) - done
        return tqdm.format_interval(steps * self.busy / self.taken) if self.taken else "?"

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None
