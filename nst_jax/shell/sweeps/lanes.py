"""A group of jobs of one Spec, run as lanes: chunks of about a second, with news between them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax import sweep
from nst_jax.optimise import State
from nst_jax.shell import device, provenance
from nst_jax.shell.loop import Pace
from nst_jax.shell.prepare import prepare
from nst_jax.shell.schema import Sweep
from nst_jax.shell.stop import Stop
from nst_jax.shell.sweeps import cells, program
from nst_jax.shell.sweeps.cells import Cell
from nst_jax.shell.sweeps.lane import Lane
from nst_jax.shell.sweeps.program import Program

SHARE = 20  # checkpoints take at most this part of the time
News = Callable[[Program, Sequence[Lane]], None]


def run(group: Sequence[Cell], how: Sweep, stop: Stop, news: News) -> None:
    """Run jobs that can be lanes of one program. What came of each is in its folder."""
    device.ready(group[0].config.device)
    lanes = begun(group, stop)
    if not lanes or stop.asked or (how.stop_on_error and len(lanes) < len(group)):
        return
    try:
        made = program.compiled([lane.job for lane in lanes], how)
    except Exception as error:
        for lane in lanes:
            cells.failed(lane.cell, error, " (compiling)")
        return
    for first in range(0, len(lanes), made.width):
        part = lanes[first : first + made.width]
        try:
            Run(made, part, how, stop).whole(lambda _, part=part: news(made, lanes))
        except Exception as error:  # of the program as a whole: memory, a device
            for lane in part:
                if not lane.ended:
                    lane.broke(error)
        if stop.asked or broken(how, part):
            return


def broken(how: Sweep, lanes: Sequence[Lane]) -> bool:
    """Whether a lane has failed, and that ends the sweep."""
    return how.stop_on_error and any(lane.row.get("status") == cells.FAILED for lane in lanes)


def begun(group: Sequence[Cell], stop: Stop) -> list[Lane]:
    """The jobs made ready. What they have in common is read once; one that cannot be is reported, and left out."""
    known: dict[Any, Any] = {}

    def once(key: Any, make: Callable[[], Any]) -> Any:
        if key not in known:
            known[key] = make()
        return known[key]

    lanes = []
    for cell in group:
        if stop.asked:
            break
        try:
            cells.opened(cell)
            job = prepare(cell.config, lambda text, cell=cell: cells.say(cell.folder, text), once)
            lanes.append(Lane(cell, job))
            told(lanes[-1])
        except Exception as error:
            cells.failed(cell, error)
    return lanes


def told(lane: Lane) -> None:
    """What a single run says before it starts, in the lane's log."""
    height, width = lane.job.start.shape[:2]
    cells.say(lane.folder, f"weights: {lane.job.weights.source}")
    cells.say(lane.folder, f"device: {provenance.device()}, {width} x {height} pixels")
    cells.say(lane.folder, f"folder: {lane.folder}")


class Run:
    """Lanes side by side, until the last of them has ended."""

    def __init__(self, made: Program, lanes: Sequence[Lane], how: Sweep, stop: Stop) -> None:
        self.made, self.lanes, self.how, self.stop = made, lanes, how, stop
        filled = [*lanes, *[lanes[-1]] * (made.width - len(lanes))]  # the last one stands in, and stands still
        self.problems, states = program.begun(made, [lane.job for lane in filled])
        self.states = self.restored(states)
        self.weights = [jax.device_get(lane.job.problem.weights) for lane in lanes]
        self.began, self.pace = time.perf_counter(), Pace()
        self.due = self.began + how.checkpoint

    def restored(self, states: State) -> State:
        """The states, those of earlier attempts where they left any."""
        leaves, tree = jax.tree.flatten(states)
        shapes = [np.empty(leaf.shape[1:], leaf.dtype) for leaf in leaves]
        found = {i: kept for i, lane in enumerate(self.lanes) if (kept := lane.restored(shapes)) is not None}
        if not found:
            return states
        whole = [np.array(leaf) for leaf in leaves]
        for i, kept in found.items():
            for old, new in zip(whole, kept, strict=True):
                old[i] = new
        put = [jax.device_put(new, old.sharding) for new, old in zip(whole, leaves, strict=True)]
        return jax.tree.unflatten(tree, put)

    def whole(self, news: Callable[["Run"], None]) -> None:
        """From the first step to the last."""
        self.look()
        news(self)
        while not self.halted() and any(asked := [lane.asked() for lane in self.lanes]):
            self.chunk(asked)
            self.look()
            news(self)
            if self.how.checkpoint and time.perf_counter() > self.due:
                self.save()
        if self.halted():
            self.save()

    def halted(self) -> bool:
        """Whether the end is asked for, by a signal or by a lane that has failed."""
        return bool(self.stop.asked) or broken(self.how, self.lanes)

    def chunk(self, asked: Sequence[int]) -> None:
        """Up to so many iterations of each lane, as far as they go in about a second."""
        began, before = time.perf_counter(), np.array(self.states.evaluations)
        steps = jnp.asarray([*asked, *[0] * (self.made.width - len(asked))], jnp.int32)
        if self.made.mesh:
            steps = jax.device_put(steps, self.states.steps.sharding)
        turns = np.int32(self.pace.turns())  # of no device: with several, jax lays it on all of them
        moved = self.made.advance(self.problems, self.states, steps=steps, turns=turns)
        states, infos = jax.block_until_ready(moved)
        self.states = program.spread(self.made, states)
        now, done = time.perf_counter(), np.asarray(self.states.steps)
        self.pace.seen(int((np.asarray(self.states.evaluations) - before).max()), now - began)
        seen = {"total": infos.value, "grad_norm": infos.grad_norm, "evaluations": infos.evaluations}
        seen = {k: np.asarray(v) for k, v in seen.items()}
        for i, lane in enumerate(self.lanes):
            if not lane.ended:
                lane.seen({k: v[i] for k, v in seen.items()}, int(done[i]), now - self.began)

    def look(self) -> None:
        """Snapshots that are due, and lanes that have ended."""
        finite = np.asarray(self.states.finite)
        due = [i for i, lane in enumerate(self.lanes) if lane.due(bool(finite[i]))]
        if not due:
            return
        values = jax.device_get(self.made.measure(self.problems, sweep.images(self.states)))
        for i in due:
            lane = self.lanes[i]
            state = shown(self.states, i)
            lane.keep(jax.tree.map(lambda a, i=i: a[i], values), self.weights[i], state)
            if lane.over(bool(finite[i])):
                lane.finish(state, self.made.seconds, i, len(self.lanes))

    def save(self) -> None:
        """A checkpoint of every lane that is on its way."""
        began = time.perf_counter()
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(self.states)]
        for i, lane in enumerate(self.lanes):
            if not lane.ended:
                lane.saved([np.asarray(leaf[i]) for leaf in leaves])
        now = time.perf_counter()
        self.due = now + max(self.how.checkpoint, SHARE * (now - began))


def shown(states: State, lane: int) -> State:
    """One lane's state, without the optimiser's part."""
    bare = states._replace(opt=())
    return jax.tree.map(lambda a: jnp.asarray(np.asarray(a)[lane]), bare)
