"""How one step is taken: optax's optimisers and two kinds of L-BFGS, each a pair of pure functions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Bool, Float, Int

from nst_jax.optim import zoom
from nst_jax.optim.lbfgs import quasi_newton
from nst_jax.types import Active, Scalar

Variable = Float[Array, "..."]
Parts = Any  # a tree of numbers that the objective is made of
Objective = Callable[[Variable], Scalar | tuple[Scalar, Parts]]
Transformation = optax.GradientTransformation | optax.GradientTransformationExtraArgs

# Root mean square of the first trial step, of pixels in [0, 1]. The first step takes two or three evaluations; from a
# Euclidean length of 1 it took four to six.
FIRST = 0.03


class Info(NamedTuple):
    """One iteration: the objective at the point where it started, and what it cost."""

    value: Scalar
    grad_norm: Scalar  # Euclidean
    evaluations: Int[Array, ""]  # of the objective with its gradient
    parts: Parts = ()  # of the value


def evaluate(objective: Objective, x: Variable) -> tuple[Scalar, Parts, Variable]:
    """The objective, its parts if it has some, and its gradient."""

    def pair(x: Variable) -> tuple[Scalar, Parts]:
        found = objective(x)
        return found if isinstance(found, tuple) else (found, ())

    (value, parts), gradient = jax.value_and_grad(pair, has_aux=True)(x)
    return value, parts, gradient


Turn = tuple[Variable, Any, Info, Bool[Array, ""]]


class Solver(NamedTuple):
    """How a step is taken: init(x, parts) -> opt; turn(objective, x, opt, active) -> (x, opt, info, ended).

    `parts` is a tree of zeros, of the structure of the objective's parts.

    A turn is one evaluation of the objective with its gradient. An iteration of Adam is one turn; an iteration with a
    line search is as many turns as the search needs. The turn with `ended` true returns the x and the info of its
    iteration.

    `powers` says what of the state is of the shape of x, by the field's name, and which power of the gradient it holds:
    Adam's `mu` the first, `nu` the second. A solver without them begins again where x changes its shape.

    If `active` is False, x and opt must stay as they are. The solver itself does this: a choice between the old state
    and the new one outside of it, as vmap makes in a loop, would copy the memory of L-BFGS in each turn.
    """

    init: Callable[..., Any]
    turn: Callable[[Objective, Variable, Any, Active], Turn]
    powers: tuple[tuple[str, int], ...] = ()  # see `carry`


def first_order(transform: optax.GradientTransformationExtraArgs, *, clamp: bool, **powers: int) -> Solver:
    """A solver of one evaluation an iteration.

    Args:
      transform: its `update` takes a flag `fresh`, whether the gradient counts. `hold` adds it to one of optax.
      clamp: clip x to [0, 1] after each iteration.
      **powers: the fields of its state that are of the shape of x; see `Solver`.
    """

    def turn(objective: Objective, x: Variable, opt: Any, active: Active) -> Turn:
        value, parts, grad = evaluate(objective, x)
        updates, opt = transform.update(grad, opt, x, fresh=active)
        new = x + updates  # pyright: ignore[reportOperatorIssue]
        new = jnp.clip(new, 0.0, 1.0) if clamp else new
        info = Info(value, optax.tree.norm(grad), jnp.int32(1), parts)
        return jnp.where(active, new, x), opt, info, jnp.bool_(True)

    return Solver(lambda x, parts=(): transform.init(x), turn, tuple(powers.items()))


def carry(solver: Solver, old: Any, fresh: Any, change: Callable[..., Array]) -> Any:
    """The state of a solver for an x of another shape.

    Args:
      solver: whose state it is.
      old: its state at the old shape.
      fresh: its state at the start of a run at the new shape. It is the result where the solver has no `powers`.
      change: (an array of the shape of x, power=of the gradient that it holds) -> the same at the new shape.
    """
    powers = dict(solver.powers)
    if not powers:
        return fresh

    def one(path: tuple[Any, ...], leaf: Array) -> Array:
        names = [key.name for key in path if hasattr(key, "name") and key.name in powers]
        return change(leaf, power=powers[names[-1]]) if names else leaf

    return jax.tree_util.tree_map_with_path(one, old)


def hold(tx: Transformation) -> optax.GradientTransformationExtraArgs:
    """The same transformation, with a flag `fresh`: while it is False the state stays as it is."""

    def update(gradient: Any, old: Any, x: Any = None, *, fresh: Active) -> tuple[Any, Any]:
        updates, new = tx.update(gradient, old, x)
        return updates, zoom.select(fresh, new, old)

    return optax.GradientTransformationExtraArgs(tx.init, update)  # pyright: ignore[reportArgumentType]


class LineSearch(NamedTuple):
    """The state of a line search between turns."""

    memory: Any  # the transform's
    direction: Variable  # from x
    search: zoom.Search  # along it
    norm: Scalar  # of the gradient at x
    spent: Int[Array, ""]  # evaluations of this iteration
    known: Bool[Array, ""]  # False before the very first evaluation: that of x itself


def line_search(transform: optax.GradientTransformationExtraArgs, *, evaluations: int) -> Solver:
    """A solver that moves against the transformed gradient, by a step length of a zoom search.

    Args:
      transform: its `update` takes a flag `fresh`, whether there is a new point. Within a search there is none, and its
        result is not used.
      evaluations: of a search, at most.
    """

    def init(x: Variable, parts: Parts = ()) -> LineSearch:
        still, zero = jnp.zeros_like(x), jnp.zeros((), x.dtype)
        return LineSearch(
            transform.init(x), still, zoom.begin(zero, still, still, parts), zero, jnp.int32(0), jnp.bool_(False)
        )

    def turn(objective: Objective, x: Variable, old: LineSearch, active: Active) -> Turn:
        at = jnp.where(old.known, zoom.propose(old.search), 0.0)
        value, parts, slope = evaluate(objective, x + at * old.direction)
        search = zoom.judge(old.search, at, value, slope, old.direction, evaluations=evaluations, parts=parts)
        ended = old.known & zoom.is_over(search)
        fresh = active & (ended | ~old.known)
        info = Info(search.start.value, old.norm, old.spent + 1, search.start.parts)
        here = zoom.Point(jnp.zeros_like(value), value, search.last.slope, parts)
        new, gradient = zoom.select(old.known, zoom.outcome(search), (here, slope))
        x = jnp.where(fresh, x + new.at * old.direction, x)
        direction, memory = transform.update(gradient, old.memory, x, fresh=fresh)
        direction = -direction  # pyright: ignore[reportOperatorIssue]
        anew = (direction, zoom.begin(new.value, gradient, direction, new.parts), optax.tree.norm(gradient))
        kept = zoom.select(fresh, anew, (old.direction, zoom.select(active, search, old.search), old.norm))
        spent = jnp.where(active, jnp.where(ended, 0, old.spent + 1), old.spent)
        return x, LineSearch(memory, *kept, spent, old.known | active), info, ended

    return Solver(init, turn)


def adam(
    *, learning_rate: Scalar, b1: Scalar, b2: Scalar, eps: Scalar, clamp: bool, falloff: Scalar | None = None
) -> Solver:
    """Kingma & Ba 2015, arXiv 1412.6980. falloff: what the rate is multiplied by after each step; None: it stays."""
    make = lambda learning_rate: optax.adam(learning_rate, b1, b2, eps)
    tx = make(learning_rate) if falloff is None else fall(make, learning_rate, falloff)
    return first_order(hold(tx), clamp=clamp, mu=1, nu=2)


def fall(make: Callable[[Scalar], Transformation], learning_rate: Scalar, falloff: Scalar) -> Transformation:
    """`make` with a learning rate that is multiplied by `falloff` after each step. Its first state counts the steps."""

    def update(gradient: Any, old: Any, x: Any = None) -> tuple[Any, Any]:
        return make(learning_rate * falloff ** old[0].count).update(gradient, old, x)

    return optax.GradientTransformation(make(learning_rate).init, update)  # pyright: ignore[reportArgumentType]


def sgd(*, learning_rate: Scalar, momentum: Scalar, clamp: bool) -> Solver:
    """Gradient descent with heavy-ball momentum."""
    return first_order(hold(optax.sgd(learning_rate, momentum)), clamp=clamp, trace=1)


def adagrad(*, learning_rate: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Duchi, Hazan & Singer 2011. The accumulator starts at 0, as in the paper and in torch."""
    tx = optax.adagrad(learning_rate, 0.0, eps)  # pyright: ignore[reportArgumentType]
    return first_order(hold(tx), clamp=clamp, sum_of_squares=2)


def rmsprop(*, learning_rate: Scalar, decay: Scalar, eps: Scalar, clamp: bool) -> Solver:
    """Tieleman & Hinton 2012, lecture 6.5."""
    tx = optax.rmsprop(learning_rate, decay, eps)  # pyright: ignore[reportArgumentType]
    return first_order(hold(tx), clamp=clamp, nu=2)


def lbfgs(*, memory: int, evaluations: int) -> Solver:
    """L-BFGS with a zoom line search of at most `evaluations` a step (Nocedal & Wright 2006, 3.5 and 7.4).

    The first trial step is FIRST in root mean square, whatever the objective's scale and the number of variables.
    """

    def first(gradient: Variable, started: Active) -> Scalar:
        norm = optax.tree.norm(gradient)
        return jnp.where(norm > 0, FIRST * gradient.size**0.5 / norm, 1.0)  # at a minimum there is no direction

    return line_search(quasi_newton(first, memory=memory, least=0.0), evaluations=evaluations)


def lbfgs_torch(*, learning_rate: Scalar, memory: int, unit: Scalar) -> Solver:
    """L-BFGS as torch.optim.LBFGS runs it by default: no line search, and a first step of length one.

    pytorch/torch/optim/lbfgs.py: t = min(1, 1 / |g|_1) * lr at first, then lr; a pair counts if s . y > 1e-10. One
    evaluation a step. torch's tolerances, which end a run early, are left out.

    Args:
      learning_rate: of each step.
      memory: pairs.
      unit: the program's value for a pixel that is 1 here, which sets the length of the first step: 255 where the
        program's variable is a picture in 0..255.
    """
    first = lambda gradient, started: jnp.where(started, 1.0, jnp.minimum(1.0, 1.0 / jnp.abs(gradient).sum()))
    step = quasi_newton(first, memory=memory, least=1e-10)
    return first_order(in_units(step, unit=unit, learning_rate=learning_rate), clamp=False)


def in_units(
    transform: optax.GradientTransformationExtraArgs, *, unit: Scalar, learning_rate: Scalar
) -> optax.GradientTransformationExtraArgs:
    """Descent by `transform` on the variable unit * x."""

    def update(gradient: Any, old: Any, x: Any = None, *, fresh: Active) -> tuple[Any, Any]:
        direction, new = transform.update(gradient / unit, old, unit * x, fresh=fresh)
        return (-learning_rate / unit) * direction, new  # pyright: ignore[reportOperatorIssue]

    return optax.GradientTransformationExtraArgs(transform.init, update)  # pyright: ignore[reportArgumentType]


SOLVERS: dict[str, Callable[..., Solver]] = {f.__name__: f for f in (adam, sgd, adagrad, rmsprop, lbfgs, lbfgs_torch)}
