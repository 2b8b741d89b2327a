"""How one step is taken: optax's optimisers and two kinds of L-BFGS, each a pair of pure functions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Bool, Float, Int

from nst_jax import zoom
from nst_jax.lbfgs import quasi_newton
from nst_jax.types import Mask, Scalar

Variable = Float[Array, "..."]
Objective = Callable[[Variable], Scalar]
Transformation = optax.GradientTransformation | optax.GradientTransformationExtraArgs

FIRST = 0.03  # of [0, 1]: two or three evaluations for a first step that took four to six from a Euclidean length of 1


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

    The first trial step is FIRST in root mean square, whatever the objective's scale and the number of variables.
    """
    first = lambda gradient: FIRST * gradient.size**0.5 / optax.tree.norm(gradient)
    return line_search(quasi_newton(first, memory=memory), evaluations=evaluations)


def lbfgs_torch(*, learning_rate: Scalar, memory: int) -> Solver:
    """L-BFGS as torch.optim.LBFGS runs it by default: no line search, and a first step of length one.

    pytorch/torch/optim/lbfgs.py: t = min(1, 1 / |g|_1) * lr at first, then lr. One evaluation a step.
    """
    first = lambda gradient: jnp.minimum(1.0, 1.0 / jnp.abs(gradient).sum())
    return first_order(optax.chain(quasi_newton(first, memory=memory), optax.scale(-learning_rate)), clamp=False)


SOLVERS: dict[str, Callable[..., Solver]] = {f.__name__: f for f in (adam, sgd, adagrad, rmsprop, lbfgs, lbfgs_torch)}
