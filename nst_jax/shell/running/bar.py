"""The progress bar of a single run."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from nst_jax.shell.running.job import Job
from nst_jax.shell.running.lane import CURVE, Lane, Record
from nst_jax.shell.running.session import Session
from nst_jax.shell.settings.scale import Stage, work

SHARE = 20  # the bar's terms are measured at most every 20 times as long as it takes


def place(job: Job) -> tuple[int, int]:
    """The position of the job's size among the run's sizes, counted from 1, and the number of sizes."""
    return job.plan.stage.number + 1, job.plan.stage.many


class Bar:
    """The progress bar of one lane: steps, and the parts of the loss now and then.

    Of several sizes it shows which it is, and the time left by the pixels that the steps still have.
    """

    def __init__(self, bar: Any, stages: Sequence[Stage]) -> None:
        self.bar, self.stages, self.record, self.due, self.left = bar, stages, Record(), 0.0, TimeLeft(stages)
        if len(stages) > 1:
            self.bar.bar_format = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"

    def __call__(self, session: Session) -> None:
        """Show where the lane is. The numbers are of one evaluation."""
        lane = session.lanes[0]
        began = time.perf_counter()
        if lane.records and lane.records[-1]["step"] == lane.done:
            self.record = lane.records[-1]
        elif session.across:  # no process may measure alone, by its own clock
            self.record = last_of_curve(lane.curve())
        elif began > self.due:
            self.record = session.values(0)
            self.due = time.perf_counter() + SHARE * (time.perf_counter() - began)
        parts = ", ".join(f"{part} {value:.3g}" for part, value in self.record["weighted"].items())
        where = ""
        if len(self.stages) > 1:
            height, width = lane.job.start.shape[:2]
            number, many = place(lane.job)
            where = f"{self.left.words(lane)}, scale {number} of {many} ({width} x {height}), "
        self.bar.set_postfix_str(f"{where}total {self.record['total']:.4g}, {parts}", refresh=False)
        self.bar.update(lane.done - self.bar.n)


def last_of_curve(curve: Mapping[str, np.ndarray]) -> Record:
    """The total and its parts, as the last iteration saw them."""
    last = {name: float(values[-1]) for name, values in curve.items()}
    return {"total": last["total"], "weighted": {name: last[name] for name in last if name not in CURVE}}


class TimeLeft:
    """How long a run of several sizes still takes, at the pace of the last chunk in pixels a second."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages, self.done, self.seconds, self.pace = stages, 0.0, 0.0, 0.0

    def words(self, lane: Lane) -> str:
        """The time left."""
        done = work(self.stages, done=lane.done)
        if done > self.done and lane.seconds > self.seconds:
            self.pace = (done - self.done) / (lane.seconds - self.seconds)
        self.done, self.seconds = done, lane.seconds
        left = work(self.stages, done=self.stages[-1].until) - done
        return f"{tqdm.format_interval(left / self.pace)} left" if self.pace else "? left"
