"""Minimising a function of one array. Nothing here knows that the array is an image.

A `Solver` is a pair of pure functions. `advance` takes many steps in one program; the shell calls it
again and again with the state it returned.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Int

from nst_jax.solvers import Info, Objective, Solver, Variable
from nst_jax.types import Mask, Scalar


class State(NamedTuple):
    """All that the next step needs."""

    x: Variable
    opt: Any
    steps: Int[Array, ""]  # iterations done
    evaluations: Int[Array, ""]  # of the objective with its gradient, those of an unfinished iteration too
    best: Variable  # where the lowest finite value was seen
    lowest: Scalar
    finite: Bool[Array, ""]  # False: the last step met a value that is not finite, and nothing moves any more


class Walk(NamedTuple):
    """A call of `advance` on its way."""

    state: State
    infos: Info  # an entry for each iteration
    steps: Int[Array, ""]  # ended so far


def begin(solver: Solver, x: Variable) -> State:
    """The state before the first step."""
    zero = jnp.int32(0)
    state = State(x, solver.init(x), zero, zero, x, jnp.float32(jnp.inf), jnp.bool_(True))
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
) -> tuple[State, Info]:
    """Up to `steps` iterations, fewer if a value is not finite.

    Every turn of the loop is one evaluation, whatever it is for. `sweep.advance` does the same for many lanes.
    steps: may be traced, so that one program serves every chunk; at most `room`. turns: evaluations at most, which
    may end within an iteration; the next call goes on with it.
    Returns the infos of each iteration as arrays of length `room`, NaN and 0 where none was ended.
    """
    go = partial(turned, objective, solver, active=True)
    walk = turning(partial(going, steps=steps), go, begun(state, room=room), turns=turns)
    return walk.state, walk.infos


def begun(state: State, *, room: int) -> Walk:
    """Before the first turn, with room for the infos of so many iterations."""
    blank = Info(jnp.full(room, jnp.nan), jnp.full(room, jnp.nan), jnp.zeros(room, jnp.int32))
    return Walk(state, blank, jnp.int32(0))


def turning(
    again: Callable[[Walk], Bool[Array, ""]],
    go: Callable[[Walk], Walk],
    walk: Walk,
    *,
    turns: Int[Array, ""] | int | None,
) -> Walk:
    """One turn after the other as long as there are to be more, and at most `turns` of them."""

    def more(carry: tuple[Walk, Array]) -> Bool[Array, ""]:
        wanted = again(carry[0])
        return wanted if turns is None else wanted & (carry[1] < turns)

    return lax.while_loop(more, lambda carry: (go(carry[0]), carry[1] + 1), (walk, jnp.int32(0)))[0]


def going(walk: Walk, *, steps: Int[Array, ""] | int) -> Bool[Array, ""]:
    """Whether there is to be another turn."""
    return (walk.steps < jnp.minimum(steps, walk.infos.value.shape[0])) & walk.state.finite


def turned(objective: Objective, solver: Solver, walk: Walk, *, active: Mask) -> Walk:
    """One turn; with `active` False the evaluation is for nothing, and all stays as it is."""
    state = walk.state
    x, opt, info, ended = solver.turn(objective, state.x, state.opt, active)
    ended = ended & active
    state, info = followed(x, opt, info, ended, active, state)
    place = jnp.where(ended, walk.steps, len(walk.infos.value))  # beyond the end: written nowhere
    infos = jax.tree.map(lambda all, new: all.at[place].set(new, mode="drop"), walk.infos, info)
    return Walk(state, infos, walk.steps + ended)


def followed(x: Variable, opt: Any, info: Info, ended: Array, active: Mask, state: State) -> tuple[State, Info]:
    """The state after a turn: what was counted, and the best point so far."""
    finite = jnp.isfinite(info.value) & jnp.isfinite(info.grad_norm)
    better = ended & finite & (info.value < state.lowest)
    best = jnp.where(better, state.x, state.best)
    lowest = jnp.where(better, info.value, state.lowest)
    evaluations = state.evaluations + active
    return State(x, opt, state.steps + ended, evaluations, best, lowest, finite | ~ended), info
