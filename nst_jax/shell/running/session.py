"""A session runs 1..N lanes of one program: in chunks of about a second, with snapshots, checkpoints and progress.

A single run is a session of one lane.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from signal import Signals
from typing import Any, NamedTuple

import jax
import numpy as np

from nst_jax.methods.multiscale import Passage
from nst_jax.optim.minimise import State
from nst_jax.parallel import layout
from nst_jax.parallel.lanes import images
from nst_jax.shell.running import checkpoint, folder, hosts, program
from nst_jax.shell.running.lane import Lane, summarise
from nst_jax.shell.running.program import ROOM, Program
from nst_jax.shell.running.stop import Stop

SECONDS = 1.0  # a chunk's length: short enough for Ctrl-C, long enough to cost nothing
SHARE = 20  # checkpoints take at most this part of the time


class Rules(NamedTuple):
    """How a session behaves."""

    checkpoint: float  # seconds between checkpoints; 0: none
    result_when_stopped: bool  # whether a signal writes the picture so far, beside the checkpoint
    stop_on_error: bool  # whether the first lane that fails ends the session
    facts: dict[str, Any]  # what else each lane's provenance says


Before = tuple[Passage, State]  # the states of the session before, and how they go on


class Pace:
    """How many evaluations fit into a chunk, by the speed of the last one."""

    def __init__(self) -> None:
        self.per_second = 1.0 / SECONDS

    def turns(self) -> int:
        """Evaluations of the next chunk."""
        return max(1, min(ROOM, round(self.per_second * SECONDS)))

    def update(self, turns: int, seconds: float) -> None:
        """Take note of a chunk."""
        self.per_second = turns / max(seconds, 1e-6)


class Session:
    """Lanes side by side, until the last of them has ended.

    Attributes:
      lanes: the lanes; one that has ended says so.
      states: of all lanes, with a leading axis.
    """

    def __init__(
        self,
        made: Program,
        lanes: Sequence[Lane],
        rules: Rules,
        stop: Stop,
        on_end: Callable[[Lane], None],
        before: Before | None = None,
    ) -> None:
        """The lanes at their starts, at their checkpoints, or where a session at another size has left them.

        Args:
          made: the program.
          lanes: not all of which have ended.
          rules: how it behaves.
          stop: whether a signal asks for the end.
          on_end: called for a lane that ends.
          before: the states of the session before, and how they go on.
        """
        self.made, self.lanes, self.rules, self.stop, self.on_end = made, list(lanes), rules, stop, on_end
        for lane in lanes:
            lane.job = program.adopt(made, lane.job)
            lane.before, lane.compiling = lane.seconds, lane.compiling + made.seconds
        live = next(lane.job for lane in lanes if not lane.ended)
        jobs = [live if lane.ended else lane.job for lane in lanes]
        filled = [*jobs, *[jobs[-1]] * (made.width - len(lanes))]  # the last one fills up; its copies take no step
        self.problems, states = program.begin(made, filled) if before is None else program.go_on(made, filled, *before)
        self.states = self._restore(states)
        self.weights = [jax.device_get(job.problem.weights) for job in jobs]
        self.began, self.pace = time.perf_counter(), Pace()
        self.due, self.saves, self.turns = self.began + rules.checkpoint, False, 1

    def run(self, news: Callable[["Session"], None]) -> None:
        """Run from the first step to the last. news: called after each chunk."""
        try:
            self._run(news)
        finally:
            for lane in self.lanes:
                folder.release(lane.folder)

    def _run(self, news: Callable[["Session"], None]) -> None:
        self._look()
        self._decide()
        news(self)
        if self.rules.checkpoint and any(lane.stage for lane in self.lanes):
            self._save()  # what came before is not computed again
        while not self._must_stop() and any(wanted := [lane.next_steps() for lane in self.lanes]):
            self._advance(wanted)
            self._look()
            news(self)
            self._decide()
            if self.saves:
                self._save()
        if self._must_stop():
            self._save()
            if self.rules.result_when_stopped:
                self._look(at_once=True)

    def values(self, number: int) -> dict[str, Any]:
        """A record of the terms of one lane, measured now."""
        values = program.measure(self.made, self.problems, images(self.states))
        return summarise({k: v[number] for k, v in values.items()}, self.weights[number])

    def _values_of_best(self, number: int) -> dict[str, Any]:
        """The terms of the best image of one lane."""
        values = program.measure(self.made, self.problems, self.states.best)
        return {name: each[number] for name, each in values.items()}

    def _restore(self, states: State) -> State:
        """The states; those of the lanes' checkpoints where there are any."""
        leaves, tree = jax.tree.flatten(states)
        shapes = [leaf.shape[1:] for leaf in leaves]
        found = {i: known for i, lane in enumerate(self.lanes) if (known := self._restore_lane(lane, shapes))}
        if not found:
            return states
        whole = [np.array(leaf) for leaf in layout.fetch(leaves)]
        for i, known in found.items():
            for old, new in zip(whole, known, strict=True):
                old[i] = new
        return jax.tree.unflatten(tree, layout.put(whole, [leaf.sharding for leaf in leaves]))

    def _restore_lane(self, lane: Lane, shapes: list[tuple[int, ...]]) -> list[np.ndarray] | None:
        """The leaves of one lane's checkpoint, and room for its result. Its trouble is its own."""
        try:
            if lane.ended:
                return None
            lane.reserve()
            return lane.restore(shapes)
        except Exception as error:
            self._fail(lane, error)
            return None

    def _fail(self, lane: Lane, error: Exception) -> None:
        """End a lane that has failed. The others go on."""
        lane.error, lane.ended = error, True
        self.on_end(lane)

    def _decide(self) -> None:
        """Decide by the clock how long the next chunk is, and whether a checkpoint is due, in all processes.

        The first one's clock counts, and a signal to any of them.
        """
        due = bool(self.rules.checkpoint) and time.perf_counter() > self.due
        self.turns, self.saves = self.pace.turns(), due
        if self.across:
            known = hosts.gather([self.stop.came or 0, self.turns, due])
            self.turns, self.saves = int(known[0, 1]), bool(known[0, 2])
            self.stop.asked = Signals(known[:, 0].max()) if known[:, 0].any() else None

    @property
    def across(self) -> bool:
        """Whether its program is one of several processes."""
        return layout.spans_processes(self.made.mesh)

    def _must_stop(self) -> bool:
        """Whether a signal, or a lane that failed, ends the session."""
        return bool(self.stop.asked) or (self.rules.stop_on_error and any(map(has_failed, self.lanes)))

    def _advance(self, wanted: Sequence[int]) -> None:
        """Take up to so many iterations of each lane, as far as they go in about a second."""
        began, before = time.perf_counter(), np.array(self.states.evaluations)
        limits = {"steps": wanted, "turns": self.turns}
        self.states, infos = program.advance(self.made, self.problems, self.states, **limits)
        now, done = time.perf_counter(), np.asarray(self.states.steps)
        self.pace.update(int((np.asarray(self.states.evaluations) - before).max()), now - began)
        curve = {"total": infos.value, "grad_norm": infos.grad_norm, "evaluations": infos.evaluations}
        curve |= infos.parts
        curve = {k: np.asarray(v) for k, v in curve.items()}
        for i, lane in enumerate(self.lanes):
            if wanted[i]:
                lane.extend({k: v[i] for k, v in curve.items()}, int(done[i]), now - self.began)

    def _look(self, *, at_once: bool = False) -> None:
        """Record the lanes that are due, and finish those that are over. at_once: finish all."""
        finite = np.asarray(self.states.finite)
        due = [i for i in self._active() if at_once or self.lanes[i].is_due(bool(finite[i]))]
        if not due:
            return
        values = program.measure(self.made, self.problems, images(self.states))
        for i in due:
            self._settle(i, {k: v[i] for k, v in values.items()}, bool(finite[i]), at_once=at_once)

    def _active(self) -> list[int]:
        """The numbers of the lanes that are under way at this size."""
        return [i for i, lane in enumerate(self.lanes) if not lane.ended and not lane.is_idle()]

    def _settle(self, number: int, values: dict[str, Any], finite: bool, *, at_once: bool) -> None:
        """Record one lane, and finish it if it is over. Its trouble is its own: the others go on."""
        lane, state = self.lanes[number], bare_state(self.states, number)
        try:
            total = summarise(values, self.weights[number])["total"]
            if lane.is_over(finite) and lane.is_above_start(total):
                lane.keep_best(total)
                state, values = state._replace(x=state.best, average=None), self._values_of_best(number)
            lane.record(values, self.weights[number], state)
            if lane.is_over(finite) or at_once:
                facts = {"width": self.made.width, **program.facts(self.made), **self.rules.facts}
                lane.finish(state, lanes=len(self.lanes), facts=facts)
                lane.ended = True
                if lane.is_over(finite):
                    checkpoint.drop(lane.folder)
                self.on_end(lane)
        except Exception as error:
            self._fail(lane, error)

    def _save(self) -> None:
        """Write a checkpoint of every lane that has not ended."""
        began = time.perf_counter()
        leaves = layout.fetch(jax.tree.leaves(self.states))
        for i in self._active():
            self.lanes[i].attempt(
                partial(self.lanes[i].save, [np.asarray(leaf[i]) for leaf in leaves]), "the checkpoint"
            )
        now = time.perf_counter()
        self.due = now + max(self.rules.checkpoint, SHARE * (now - began))


def has_failed(lane: Lane) -> bool:
    """Whether the lane has ended badly."""
    return lane.ended and (lane.error is not None or not lane.finite)


def bare_state(states: State, lane: int) -> State:
    """One lane's state without the optimiser's part."""
    return jax.tree.map(lambda a: a[lane], layout.fetch(states._replace(opt=())))
