"""Minimising a function of one array. Nothing here knows that the array is an image.

A `Solver` is a pair of pure functions. `advance` takes many steps in one program; the shell calls it
again and again with the state it returned.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from nst_jax import zoom
from nst_jax.lbfgs import quasi_newton
from nst_jax.types import Mask, Scalar

Variable = Float[Array, "..."]
Objective = Callable[[Variable], Scalar]
Transformation = optax.GradientTransformation | optax.GradientTransformationExtraArgs


class State(NamedTuple):
    """All that the next step needs."""

    x: Variable
    opt: Any
    steps: Int[Array, ""]  # iterations done
    evaluations: Int[Array, ""]  # of the objective with its gradient, those of an unfinished iteration too
    best: Variable  # where the lowest finite value was seen
    lowest: Scalar
    finite: Bool[Array, ""]  # False: the last step met a value that is not finite, and nothing moves any more


class Info(NamedTuple):
    """What one iteration saw at the point it started from."""

    value: Scalar
    grad_norm: Scalar
    evaluations: Int[Array, ""]


Turned = tuple[Variable, Any, Info, Bool[Array, ""]]


class Solver(NamedTuple):
    """init(x) -> opt; turn(objective, x, opt, active) -> (x, opt, info, ended).

    A turn is one evaluation of the objective with its gradient. An iteration is one turn of Adam, and as many as
    its search needs of a line search: x and info are those of an iteration in the turn that has `ended` it.
    active: False leaves x and opt as they are. It is the solver that has to see to it: choosing between its old
    state and the new one, as vmap does in a loop, copies the memory of L-BFGS with every turn.
    """

    init: Callable[[Variable], Any]
    turn: Callable[[Objective, Variable, Any, Mask], Turned]


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


def first_order(direction: optax.GradientTransformationExtraArgs, *, clamp: bool) -> Solver:
    """One evaluation an iteration. clamp: x is clipped to [0, 1] after each.

    The direction's `update` is told by `fresh` whether the gradient counts; an optimiser of optax: see `held`.
    """

    def turn(objective: Objective, x: Variable, opt: Any, active: Mask) -> Turned:
        value, grad = jax.value_and_grad(objective)(x)
        updates, opt = direction.update(grad, opt, x, fresh=active)
        new = x + updates  # pyright: ignore[reportOperatorIssue]
        new = jnp.clip(new, 0.0, 1.0) if clamp else new
        return jnp.where(active, new, x), opt, Info(value, optax.tree.norm(grad), jnp.int32(1)), jnp.bool_(True)

    return Solver(direction.init, turn)


def held(tx: Transformation) -> optax.GradientTransformationExtraArgs:
    """The same, with a state that stays as it is while the gradient is not `fresh`."""

    def update(gradient: Any, old: Any, x: Any = None, *, fresh: Mask) -> tuple[Any, Any]:
        updates, new = tx.update(gradient, old, x)
        return updates, zoom.chosen(fresh, new, old)

    return optax.GradientTransformationExtraArgs(tx.init, update)  # pyright: ignore[reportArgumentType]


class Searched(NamedTuple):
    """What a line search keeps between turns."""

    memory: Any  # the direction's
    way: Variable  # from x
    search: zoom.Search  # along it
    norm: Scalar  # of the gradient at x
    spent: Int[Array, ""]  # evaluations of this iteration
    known: Bool[Array, ""]  # False before the very first evaluation: that of x itself


def line_search(direction: optax.GradientTransformationExtraArgs, *, evaluations: int) -> Solver:
    """Along minus the direction, as far as a zoom search of at most so many evaluations says.

    The direction's `update` is told by `fresh` whether there is a new point: in a turn within a search there is none,
    and what it returns is not used.
    """

    def init(x: Variable) -> Searched:
        still, zero = jnp.zeros_like(x), jnp.float32(0)
        return Searched(direction.init(x), still, zoom.begun(zero, still, still), zero, jnp.int32(0), jnp.bool_(False))

    def turn(objective: Objective, x: Variable, old: Searched, active: Mask) -> Turned:
        at = jnp.where(old.known, zoom.proposed(old.search), 0.0)
        value, slope = jax.value_and_grad(objective)(x + at * old.way)
        search = zoom.judged(old.search, at, value, slope, old.way, evaluations=evaluations)
        ended = old.known & zoom.over(search)
        fresh = active & (ended | ~old.known)
        info = Info(search.start.value, old.norm, old.spent + 1)
        step, value, gradient = zoom.chosen(old.known, zoom.found(search), (jnp.float32(0), value, slope))
        x = jnp.where(fresh, x + step * old.way, x)
        way, memory = direction.update(gradient, old.memory, x, fresh=fresh)
        way = -way  # pyright: ignore[reportOperatorIssue]
        anew = (way, zoom.begun(value, gradient, way), optax.tree.norm(gradient))
        kept = zoom.chosen(fresh, anew, (old.way, zoom.chosen(active, search, old.search), old.norm))
        spent = jnp.where(active, jnp.where(ended, 0, old.spent + 1), old.spent)
        return x, Searched(memory, *kept, spent, old.known | active), info, ended

    return Solver(init, turn)


def adam(*, learning_rate: Scalar, b1: Scalar, b2: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Kingma & Ba 2015, arXiv 1412.6980."""
    return first_order(held(optax.adam(learning_rate, b1, b2, eps)), clamp=clamp)


def sgd(*, learning_rate: Scalar, momentum: Scalar, clamp: bool) -> Solver:
    """Gradient descent with heavy-ball momentum."""
    return first_order(held(optax.sgd(learning_rate, momentum)), clamp=clamp)


def adagrad(*, learning_rate: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Duchi, Hazan & Singer 2011. The accumulator starts at 0, as in the paper and in torch."""
    return first_order(held(optax.adagrad(learning_rate, 0.0, eps)), clamp=clamp)  # pyright: ignore[reportArgumentType]


def rmsprop(*, learning_rate: Scalar, decay: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Tieleman & Hinton 2012, lecture 6.5."""
    return first_order(held(optax.rmsprop(learning_rate, decay, eps)), clamp=clamp)  # pyright: ignore[reportArgumentType]


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
