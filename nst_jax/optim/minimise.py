"""The loop that minimises a function of one array.

A `Solver` is a pair of pure functions. `advance` takes many steps in one program, and returns a state from which the
next call goes on.
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


class State(NamedTuple):
    """All that the next step needs."""

    x: Variable
    opt: Any
    steps: Int[Array, ""]  # iterations done
    evaluations: Int[Array, ""]  # of the objective with its gradient, those of an unfinished iteration too
    best: Variable  # the point of the lowest finite value
    lowest: Scalar
    finite: Bool[Array, ""]  # False: the last step met a value that is not finite; no more steps are taken


class Chunk(NamedTuple):
    """What a call of `advance` carries through its loop."""

    state: State
    infos: Info  # an entry for each iteration
    steps: Int[Array, ""]  # iterations of this call that have ended


def begin(solver: Solver, x: Variable, parts: Parts = ()) -> State:
    """The state before the first step. parts: zeros, of the structure of the objective's parts."""
    zero = jnp.int32(0)
    state = State(x, solver.init(x, parts), zero, zero, x, jnp.asarray(jnp.inf, x.dtype), jnp.bool_(True))
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

    Returns:
      The new state, and the infos of each iteration: arrays of length `room`, NaN and 0 after the last one.
    """
    go = partial(take_turn, objective, solver, active=True)
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
    """Whether another turn is to be taken."""
    return (chunk.steps < jnp.minimum(steps, chunk.infos.value.shape[0])) & chunk.state.finite


def take_turn(objective: Objective, solver: Solver, chunk: Chunk, *, active: Active) -> Chunk:
    """Take one turn. If `active` is False, the evaluation is discarded and the state is unchanged."""
    state = chunk.state
    x, opt, info, ended = solver.turn(objective, state.x, state.opt, active)
    ended = ended & active
    state, info = update_state(x, opt, info, ended, active, state)
    place = jnp.where(ended, chunk.steps, len(chunk.infos.value))  # beyond the end: written nowhere
    infos = jax.tree.map(lambda all, new: all.at[place].set(new, mode="drop"), chunk.infos, info)
    return Chunk(state, infos, chunk.steps + ended)


def update_state(x: Variable, opt: Any, info: Info, ended: Array, active: Active, state: State) -> tuple[State, Info]:
    """The state after a turn: its counts, and the best point so far."""
    finite = jnp.isfinite(info.value) & jnp.isfinite(info.grad_norm)
    better = ended & finite & (info.value < state.lowest)
    best = jnp.where(better, state.x, state.best)
    lowest = jnp.where(better, info.value, state.lowest)
    evaluations = state.evaluations + active
    still = state.finite & (finite | ~ended)  # a turn that is not active revives no lane
    return State(x, opt, state.steps + ended, evaluations, best, lowest, still), info
