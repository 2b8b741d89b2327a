"""The direction of L-BFGS, by inner products: each step reads the memory twice, in two matrix products.

This is algorithm 7.4 of Nocedal & Wright 2006 (two loops) on coefficients. Every vector of the recursion is a
combination of the steps s_i, the changes of the gradient y_i and the gradient g. The inner products S.Y, Y.Y, S.g and
Y.g are therefore enough (cf. Byrd, Nocedal & Schnabel 1994, section 3). Two loops on the vectors themselves read the
memory vector by vector, which is far slower for an image.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax
from jax import Array, lax
from jaxtyping import Float, Int

from nst_jax.types import Active, Scalar

Variable = Float[Array, "..."]
Numbers = Float[Array, " m"]  # one for each pair


class Memory(NamedTuple):
    """The last pairs (s, y), in a ring buffer, and their inner products."""

    pairs: Int[Array, ""]  # the number of pairs kept so far; -1 before the first gradient
    x: Variable  # of the last gradient
    gradient: Variable
    s: Float[Array, "m n"]  # steps, flat: in another shape XLA would copy both memories three times a step
    y: Float[Array, "m n"]  # changes of the gradient
    sy: Float[Array, "m m"]  # s_i . y_j
    yy: Float[Array, "m m"]  # y_i . y_j


def quasi_newton(
    first: Callable[[Variable, Active], Scalar], *, memory: int, least: float
) -> optax.GradientTransformationExtraArgs:
    """The gradient times L-BFGS's estimate of the inverse Hessian; while no pair is known, times first(gradient, ...).

    A pair is kept if s . y > least. With the others the estimate is not positive definite, and a step can point uphill.

    Args:
      first: (gradient, whether there was a step before) -> the scale of a step without pairs. optax's own is
        min(1, 1 / |g|_2): up to a thousand times longer than torch's at 512 x 512 x 3, and so short for an objective of
        1e-8 that nine line searches of 17 evaluations fail.
      memory: pairs.
      least: of s . y.

    Returns:
      A transformation with update(gradient, memory, x, fresh=...). If `fresh` is False the gradient is not that of a
      new point, and the memory stays as it is.
    """

    def init(x: Any) -> Memory:
        room, square = (jnp.zeros((memory, n), x.dtype) for n in (x.size, memory))
        return Memory(jnp.int32(-1), jnp.zeros_like(x), jnp.zeros_like(x), room, room, square, square)

    def update(gradient: Any, old: Memory, x: Any = None, *, fresh: Active) -> tuple[Variable, Memory]:
        known, sg, yg = remember(old, x, gradient, fresh, least=least)
        scale = jnp.where(known.pairs <= 0, first(gradient, old.pairs >= 0), initial_scale(known))
        alpha, delta = coefficients(known, sg, yg, scale)
        back = combine(known.s, delta) - scale * combine(known.y, alpha)
        return scale * gradient + back.reshape(gradient.shape), known

    return optax.GradientTransformationExtraArgs(init, update)  # pyright: ignore[reportArgumentType]


def remember(
    old: Memory, x: Variable, gradient: Variable, fresh: Active, *, least: float
) -> tuple[Memory, Numbers, Numbers]:
    """The memory with the newest pair in the place of the oldest, and S.g and Y.g. The first gradient makes no pair.

    If the gradient is not fresh, or the pair has s . y of `least` or less, the row is overwritten with itself: a choice
    between the old memory and the new one would copy it.
    """
    started = old.pairs >= 0
    place = newest_row(old.pairs + 1, memory=old.s.shape[0])
    step = jnp.where(started, x - old.x, 0)
    change = jnp.where(started, gradient - old.gradient, 0)
    kept = fresh & started & (jnp.vdot(step, change, precision=lax.Precision.HIGHEST) > least)
    s = old.s.at[place].set(jnp.where(kept, step.ravel(), old.s[place]))
    y = old.y.at[place].set(jnp.where(kept, change.ravel(), old.y[place]))
    along, sg = inner_products(s, change, gradient)
    across, square, yg = inner_products(y, step, change, gradient)
    sy = jnp.where(kept, old.sy.at[:, place].set(along).at[place].set(across), old.sy)
    yy = jnp.where(kept, old.yy.at[:, place].set(square).at[place].set(square), old.yy)
    last = jnp.where(fresh, x, old.x), jnp.where(fresh, gradient, old.gradient)
    pairs = jnp.where(fresh & ~started, 0, old.pairs + kept)
    return Memory(pairs, *last, s, y, sy, yy), sg, yg


def newest_row(pairs: Array, *, memory: int) -> Int[Array, ""]:
    """The row of the newest pair."""
    return jnp.maximum(pairs - 1, 0) % memory


def inner_products(memory: Float[Array, "m n"], *vectors: Variable) -> tuple[Numbers, ...]:
    """The inner products of each vector with all rows, in one pass over the memory.

    The memory must stay the left factor: as the right one, XLA's CPU backend packs it again in each call.
    """
    columns = jnp.matmul(memory, jnp.stack([v.ravel() for v in vectors]).T, precision=lax.Precision.HIGHEST)
    return tuple(columns[:, i] for i in range(len(vectors)))


def combine(memory: Float[Array, "m n"], numbers: Numbers) -> Float[Array, " n"]:
    """The sum of the rows, each times its number."""
    return jnp.matmul(numbers, memory, precision=lax.Precision.HIGHEST)


def initial_scale(known: Memory) -> Scalar:
    """gamma = s.y / y.y of the newest pair: Nocedal & Wright, eq. 7.20."""
    i = newest_row(known.pairs, memory=known.s.shape[0])
    return jnp.where(known.yy[i, i] > 0, known.sy[i, i] / known.yy[i, i], 1.0)


def coefficients(known: Memory, sg: Numbers, yg: Numbers, scale: Scalar) -> tuple[Numbers, Numbers]:
    """The coefficients of each y, which the two loops subtract (times `scale`), and of each s, which they add."""
    memory, dot = sg.shape[0], partial(jnp.vdot, precision=lax.Precision.HIGHEST)
    curved = jnp.diagonal(known.sy)
    rho = jnp.where(curved == 0, 0.0, 1 / curved)
    order = (known.pairs + jnp.arange(memory)) % memory  # the oldest first

    def back(k: Array | int, alpha: Array) -> Array:
        i = order[memory - 1 - k]
        return alpha.at[i].set(rho[i] * (sg[i] - dot(known.sy[i], alpha)))

    alpha = lax.fori_loop(0, memory, back, jnp.zeros_like(sg))
    middle = scale * (yg - jnp.matmul(known.yy, alpha, precision=lax.Precision.HIGHEST))

    def forth(k: Array | int, delta: Array) -> Array:
        i = order[k]
        return delta.at[i].set(alpha[i] - rho[i] * (middle[i] + dot(known.sy[:, i], delta)))

    return alpha, lax.fori_loop(0, memory, forth, jnp.zeros_like(sg))
