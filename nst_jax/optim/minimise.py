"""The loop that minimises a function of one array.

A `Solver` is a pair of pure functions. `advance` takes many steps in one program, and returns a state. The next call
goes on from it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Int

from nst_jax.optim.solvers import Info, Objective, Parts, Solver, Variable
from nst_jax.types import Active, Scalar


class Average(NamedTuple):
    """A mean of the iterates, where an older one counts less: total / weight."""

    total: Variable  # the sum of (1 - decay) decay^k x_k, k iterations ago
    weight: Scalar  # the sum of (1 - decay) decay^k: division by it is Adam's correction of the bias


class State(NamedTuple):
    """All that the next step needs."""

    x: Variable
    opt: Any
    steps: Int[Array, ""]  # iterations done
    evaluations: Int[Array, ""]  # of the objective with its gradient, those of an unfinished iteration too
    best: Variable  # the point of the lowest finite value
    lowest: Scalar
    finite: Bool[Array, ""]  # False: the last step met a value that is not finite; no more steps are taken
    average: Average | None = None  # of the iterates since the start; None: the last one is the result


class Chunk(NamedTuple):
    """The values that a call of `advance` carries through its loop."""

    state: State
    infos: Info  # an entry for each iteration
    steps: Int[Array, ""]  # iterations of this call that have ended


def begin(solver: Solver, x: Variable, parts: Parts = (), *, decay: Scalar | None = None) -> State:
    """The state before the first step.

    Args:
      solver: how a step is taken.
      x: the start. It is the first iterate of the mean, as in crowsonkb/style-transfer-pytorch, style_transfer.py:237.
      parts: zeros, of the structure of the objective's parts.
      decay: of the mean of the iterates; None: without.
    """
    zero, average = jnp.int32(0), None if decay is None else Average((1 - decay) * x, 1 - decay)
    state = State(x, solver.init(x, parts), zero, zero, x, jnp.asarray(jnp.inf, x.dtype), jnp.bool_(True), average)
    # without this the program is compiled twice: once for weak types, once for what it returns (optax PR 1108)
    return jax.tree.map(lambda a: jnp.array(a, dtype=jnp.asarray(a).dtype), state)


def advance(
    objective: Objective,
    solver: Solver,
    state: State,
    *,
    steps: Int[Array, ""] | int,
    room: int,
    turns: Int[Array, ""] | int | None = None,
    parts: Parts = (),
    decay: Scalar | None = None,
) -> tuple[State, Info]:
    """Take up to `steps` iterations, fewer if a value is not finite.

    Each turn of the loop is one evaluation of the objective. `parallel.lanes.advance` does the same for many lanes.

    Args:
      objective: the function to minimise.
      solver: how a step is taken.
      state: of `begin`, or of the last call.
      steps: iterations; at most `room`. It may be traced: one program serves every number.
      room: the length of the arrays of infos.
      turns: evaluations at most; None: no limit. The limit may fall within an iteration, which the next call ends.
      parts: zeros, of the structure of the objective's parts.
      decay: of the mean of the iterates, as in `begin`.

    Returns:
      The new state, and the infos of each iteration: arrays of length `room`, NaN and 0 after the last one.
    """
    go = partial(take_turn, objective, solver, active=True, decay=decay)
    chunk = run_turns(partial(wants_turn, steps=steps), go, begin_chunk(state, room=room, parts=parts), turns=turns)
    return chunk.state, chunk.infos


def begin_chunk(state: State, *, room: int, parts: Parts = ()) -> Chunk:
    """The chunk before its first turn, with room for the infos of so many iterations."""
    blank = jnp.full(room, jnp.nan, state.x.dtype)
    infos = Info(blank, blank, jnp.zeros(room, jnp.int32), jax.tree.map(lambda _: blank, parts))
    return Chunk(state, infos, jnp.int32(0))


def run_turns(
    again: Callable[[Chunk], Bool[Array, ""]],
    go: Callable[[Chunk], Chunk],
    chunk: Chunk,
    *,
    turns: Int[Array, ""] | int | None,
) -> Chunk:
    """Run turns while `again` is true, and at most `turns` of them."""

    def more(carry: tuple[Chunk, Array]) -> Bool[Array, ""]:
        wanted = again(carry[0])
        return wanted if turns is None else wanted & (carry[1] < turns)

    return lax.while_loop(more, lambda carry: (go(carry[0]), carry[1] + 1), (chunk, jnp.int32(0)))[0]


def wants_turn(chunk: Chunk, *, steps: Int[Array, ""] | int) -> Bool[Array, ""]:
    """Whether the loop takes another turn."""
    return (chunk.steps < jnp.minimum(steps, chunk.infos.value.shape[0])) & chunk.state.finite


def take_turn(
    objective: Objective, solver: Solver, chunk: Chunk, *, active: Active, decay: Scalar | None = None
) -> Chunk:
    """Take one turn. If `active` is False, the evaluation is discarded and the state is unchanged."""
    state = chunk.state
    x, opt, info, ended = solver.turn(objective, state.x, state.opt, active)
    ended = ended & active
    state, info = update_state(x, opt, info, ended, active, state, decay)
    place = jnp.where(ended, chunk.steps, len(chunk.infos.value))  # beyond the end: written nowhere
    infos = jax.tree.map(lambda all, new: all.at[place].set(new, mode="drop"), chunk.infos, info)
    return Chunk(state, infos, chunk.steps + ended)


def update_state(
    x: Variable, opt: Any, info: Info, ended: Array, active: Active, state: State, decay: Scalar | None
) -> tuple[State, Info]:
    """The state after a turn: its counts, the best point so far, and the mean."""
    finite = jnp.isfinite(info.value) & jnp.isfinite(info.grad_norm)
    better = ended & finite & (info.value < state.lowest)
    best = jnp.where(better, state.x, state.best)
    lowest = jnp.where(better, info.value, state.lowest)
    evaluations = state.evaluations + active
    still = state.finite & (finite | ~ended)  # a turn that is not active revives no lane
    average = None if decay is None else include(state.average, x, ended, decay=decay)
    return State(x, opt, state.steps + ended, evaluations, best, lowest, still, average), info


def include(average: Average | None, x: Variable, ended: Array, *, decay: Scalar) -> Average:
    """The mean with one more iterate, if an iteration has ended."""
    assert average is not None  # the state was begun with the decay
    new = Average(decay * average.total + (1 - decay) * x, decay * average.weight + (1 - decay))
    return jax.tree.map(partial(jnp.where, ended), new, average)


def outcome(state: State) -> Variable:
    """Where the run is: the last iterate or the mean; after a value that is not finite the best point before it."""
    x = state.x if state.average is None else state.average.total / state.average.weight
    return jnp.where(state.finite, x, state.best)
