"""The sizes of a run, from coarse to fine: a session for each, and what it hands on to the next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax

from nst_jax.methods.multiscale import Passage
from nst_jax.shell.errors import Ended
from nst_jax.shell.running.inputs import Log, sizes_of_run
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.lane import Lane
from nst_jax.shell.running.once import Once, always, memory
from nst_jax.shell.running.prepare import prepare
from nst_jax.shell.running.program import Program
from nst_jax.shell.running.session import Rules, Session, has_failed
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.settings.scale import Stage
from nst_jax.shell.settings.schema import Config

Prepare = Callable[[Lane, Stage], Job]
Compile = Callable[[Stage, Sequence[Job]], Program]


def passage(scale: Mapping[str, Any]) -> Passage | None:
    """How one size hands on to the next, by the settings of `scale`; None: there is one only."""
    return Passage(scale["kernel"], scale["moments"]) if "kernel" in scale else None


def remember(config: Config) -> Once:
    """The sizes of a run make their common values once; a run of one size keeps nothing."""
    return always if len(sizes_of_run(config)) == 1 else memory()


def outline(config: Config, log: Log, once: Once) -> Job:
    """The job at the run's last size. Its aims are shapes alone: impossible settings fail before the long work.

    For a run of one size, it is the job itself.
    """
    if len(sizes_of_run(config)) == 1:
        return prepare(config, log, once)
    return prepare(without_painting(config), log, once, compute=jax.eval_shape)


def without_painting(config: Config) -> Config:
    """The settings without the time that the strokes take: a picture of the same shape is enough."""
    return replace(config, strokes=replace(config.strokes, steps=0))


def attempt(lane: Lane, work: Callable[[], object], on_end: Callable[[Lane], None]) -> None:
    """Do what a lane needs. Its trouble is its own: it ends, and the others go on."""
    if lane.ended:
        return
    try:
        work()
    except Ended:  # a signal is everybody's
        raise
    except Exception as error:
        lane.error, lane.ended = error, True
        on_end(lane)


def reach(lane: Lane, stage: Stage, make: Prepare) -> None:
    """Give the lane its job at a size. Of one size alone it has the job."""
    if stage.many > 1:
        lane.job = make(lane, stage)
        height, width = lane.job.start.shape[:2]
        lane.say(f"scale {stage.number + 1} of {stage.many}: {width} x {height} pixels, to step {stage.until}")
    lane.stage = max(lane.stage, stage.number)
    lane.write_made()


def run(
    lanes: Sequence[Lane],
    stages: Sequence[Sequence[Stage]],
    make: Prepare,
    compile_at: Compile,
    how: Passage | None,
    rules: Rules,
    stop: Stop,
    news: Callable[[Session], None],
    on_end: Callable[[Lane], None],
) -> None:
    """Run the lanes from the smallest size to the last one, or on from their checkpoints.

    Args:
      lanes: the lanes. Each has the job of one of the sizes.
      stages: the sizes of each lane. They differ in steps only.
      make: the job of a lane at a size.
      compile_at: the program of the jobs at a size.
      how: one size hands on to the next.
      rules: of each session.
      stop: whether a signal asks for the end.
      news: called after each chunk.
      on_end: called for a lane that ends.
    """
    for lane in lanes:
        attempt(lane, lane.find_checkpoint, on_end)
    before = None
    for number in range(min((lane.stage for lane in lanes if not lane.ended), default=0), len(stages[0])):
        for lane, own in zip(lanes, stages, strict=True):
            attempt(lane, partial(reach, lane, own[number], make), on_end)
        live = [lane for lane in lanes if not lane.ended]
        if not live or (rules.stop_on_error and len(live) < len(lanes)):
            return
        made = compile_at(stages[0][number], [lane.job for lane in live])
        session = Session(made, lanes, rules, stop, on_end, before)
        session.run(news)
        if stop.asked or (rules.stop_on_error and any(map(has_failed, lanes))):
            return
        before = how and (how, session.states)
