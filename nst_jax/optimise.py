"""Minimising a function of one array. Nothing here knows that the array is an image.

A `Solver` is a pair of pure functions. `advance` takes many steps in one program; the shell calls it
again and again with the state it returned.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from nst_jax import zoom
from nst_jax.lbfgs import quasi_newton
from nst_jax.types import Scalar

Variable = Float[Array, "..."]
Objective = Callable[[Variable], Scalar]
Transformation = optax.GradientTransformation | optax.GradientTransformationExtraArgs


class State(NamedTuple):
    """All that the next step needs."""

    x: Variable
    opt: Any
    steps: Int[Array, ""]  # iterations done
    evaluations: Int[Array, ""]  # of the objective with its gradient
    best: Variable  # where the lowest finite value was seen
    lowest: Scalar
    finite: Bool[Array, ""]  # False: the last step met a value that is not finite, and nothing moves any more


class Info(NamedTuple):
    """What one step saw at the point it started from."""

    value: Scalar
    grad_norm: Scalar
    evaluations: Int[Array, ""]


class Solver(NamedTuple):
    """init(x) -> opt; step(objective, x, opt) -> (x, opt, info)."""

    init: Callable[[Variable], Any]
    step: Callable[[Objective, Variable, Any], tuple[Variable, Any, Info]]


def begin(solver: Solver, x: Variable) -> State:
    """The state before the first step."""
    zero = jnp.int32(0)
    state = State(x, solver.init(x), zero, zero, x, jnp.float32(jnp.inf), jnp.bool_(True))
    # without this the program is compiled twice: once for weak types, once for what it returns (optax PR 1108)
    return jax.tree.map(lambda a: jnp.array(a, dtype=jnp.asarray(a).dtype), state)


def advance(
    objective: Objective, solver: Solver, state: State, *, steps: Int[Array, ""] | int, room: int
) -> tuple[State, Info]:
    """Up to `steps` iterations, fewer if a value is not finite. Under vmap such a lane stands still.

    steps: may be traced, so that one program serves every chunk; at most `room`.
    Returns the infos of each step as arrays of length `room`, NaN and 0 where no step was taken.
    """
    blank = Info(jnp.full(room, jnp.nan), jnp.full(room, jnp.nan), jnp.zeros(room, jnp.int32))

    def going(carry: tuple[State, Info, Array]) -> Bool[Array, ""]:
        state, _, i = carry
        return (i < jnp.minimum(steps, room)) & state.finite

    def one(carry: tuple[State, Info, Array]) -> tuple[State, Info, Array]:
        state, infos, i = carry
        state, info = followed(solver.step(objective, state.x, state.opt), state)
        return state, jax.tree.map(lambda all, new: all.at[i].set(new), infos, info), i + 1

    state, infos, _ = lax.while_loop(going, one, (state, blank, jnp.int32(0)))
    return state, infos


def followed(moved: tuple[Variable, Any, Info], state: State) -> tuple[State, Info]:
    """The state after a step: what was counted, and the best point so far."""
    x, opt, info = moved
    finite = jnp.isfinite(info.value) & jnp.isfinite(info.grad_norm)
    better = finite & (info.value < state.lowest)
    best = jnp.where(better, state.x, state.best)
    lowest = jnp.where(better, info.value, state.lowest)
    return State(x, opt, state.steps + 1, state.evaluations + info.evaluations, best, lowest, finite), info


def first_order(tx: Transformation, *, clamp: bool) -> Solver:
    """Adam and its kin: one evaluation a step. clamp: x is clipped to [0, 1] after each step."""

    def step(objective: Objective, x: Variable, opt: Any) -> tuple[Variable, Any, Info]:
        value, grad = jax.value_and_grad(objective)(x)
        updates, opt = tx.update(grad, opt, x)
        x = x + updates  # pyright: ignore[reportOperatorIssue]
        x = jnp.clip(x, 0.0, 1.0) if clamp else x
        return x, opt, Info(value, optax.tree.norm(grad), jnp.int32(1))

    return Solver(tx.init, step)


class Searched(NamedTuple):
    """What a line search keeps between steps: it has already evaluated the point where it stopped."""

    direction: Any
    value: Scalar
    gradient: Variable
    known: Bool[Array, ""]  # False before the very first evaluation


def line_search(direction: optax.GradientTransformation, *, evaluations: int) -> Solver:
    """Along minus the direction, as far as a zoom search of at most so many evaluations says."""

    def init(x: Variable) -> Searched:
        return Searched(direction.init(x), jnp.float32(jnp.inf), jnp.zeros_like(x), jnp.bool_(False))

    def step(objective: Objective, x: Variable, opt: Searched) -> tuple[Variable, Searched, Info]:
        evaluate = jax.value_and_grad(objective)
        # a loop of one turn or none, not a lax.cond: under vmap that would copy the network's weights for each lane
        first = lambda seen: (*evaluate(x), jnp.bool_(True))
        value, gradient, _ = lax.while_loop(lambda seen: ~seen[2], first, (opt.value, opt.gradient, opt.known))
        way, memory = direction.update(gradient, opt.direction, x)
        way = -way  # pyright: ignore[reportOperatorIssue]
        found = zoom.search(evaluate, x, way, value, gradient, evaluations=evaluations)
        info = Info(value, optax.tree.norm(gradient), found.evaluations + jnp.where(opt.known, 0, 1))
        return x + found.step * way, Searched(memory, found.value, found.gradient, jnp.bool_(True)), info

    return Solver(init, step)


def adam(*, learning_rate: Scalar, b1: Scalar, b2: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Kingma & Ba 2015, arXiv 1412.6980."""
    return first_order(optax.adam(learning_rate, b1, b2, eps), clamp=clamp)


def sgd(*, learning_rate: Scalar, momentum: Scalar, clamp: bool) -> Solver:
    """Gradient descent with heavy-ball momentum."""
    return first_order(optax.sgd(learning_rate, momentum), clamp=clamp)


def adagrad(*, learning_rate: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Duchi, Hazan & Singer 2011. The accumulator starts at 0, as in the paper and in torch."""
    return first_order(optax.adagrad(learning_rate, 0.0, eps), clamp=clamp)  # pyright: ignore[reportArgumentType]


def rmsprop(*, learning_rate: Scalar, decay: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Tieleman & Hinton 2012, lecture 6.5."""
    return first_order(optax.rmsprop(learning_rate, decay, eps), clamp=clamp)  # pyright: ignore[reportArgumentType]


def lbfgs(*, memory: int, evaluations: int) -> Solver:
    """L-BFGS with a zoom line search of at most `evaluations` a step (Nocedal & Wright 2006, 3.5 and 7.4).

    The first trial step has the Euclidean length 1, whatever the objective's scale.
    """
    first = lambda gradient: 1.0 / optax.tree.norm(gradient)
    return line_search(quasi_newton(first, memory=memory), evaluations=evaluations)


def lbfgs_torch(*, learning_rate: Scalar, memory: int) -> Solver:
    """L-BFGS as torch.optim.LBFGS runs it by default: no line search, and a first step of length one.

    pytorch/torch/optim/lbfgs.py: t = min(1, 1 / |g|_1) * lr at first, then lr. One evaluation a step.
    """
    first = lambda gradient: jnp.minimum(1.0, 1.0 / jnp.abs(gradient).sum())
    return first_order(optax.chain(quasi_newton(first, memory=memory), optax.scale(-learning_rate)), clamp=False)


SOLVERS: dict[str, Callable[..., Solver]] = {f.__name__: f for f in (adam, sgd, adagrad, rmsprop, lbfgs, lbfgs_torch)}
