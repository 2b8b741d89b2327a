"""The direction of L-BFGS, by inner products: each step reads the memory twice, in two matrix products.

Nocedal & Wright 2006, algorithm 7.4 (two loops), carried out on coefficients: every vector of the recursion
is a combination of the steps s_i, the changes of the gradient y_i and the gradient g, so that the inner
products S.Y, Y.Y, S.g and Y.g are all that it needs (cf. Byrd, Nocedal & Schnabel 1994, section 3). The two
loops on the vectors themselves pass over the memory vector by vector, far slower for an image.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax
from jax import Array, lax
from jaxtyping import Float, Int

from nst_jax.types import Mask, Scalar

Variable = Float[Array, "..."]
Numbers = Float[Array, " m"]  # one for each pair


class Memory(NamedTuple):
    """The last pairs (s, y), in a ring, and their inner products."""

    pairs: Int[Array, ""]  # seen so far, one fewer than gradients
    x: Variable  # of the last gradient
    gradient: Variable
    s: Float[Array, "m n"]  # steps, flat: in another shape XLA would copy both memories three times a step
    y: Float[Array, "m n"]  # changes of the gradient
    sy: Float[Array, "m m"]  # s_i . y_j
    yy: Float[Array, "m m"]  # y_i . y_j


def quasi_newton(first: Callable[[Variable], Scalar], *, memory: int) -> optax.GradientTransformationExtraArgs:
    """The gradient times L-BFGS's estimate of the inverse Hessian; at the very first step, times first(gradient).

    optax's own first step is min(1, 1 / |g|_2) times the gradient: up to a thousand times longer than torch's
    at 512 x 512 x 3, and so short for an objective of 1e-8 that nine line searches of 17 evaluations fail.
    update(..., fresh=False): the gradient is not that of a new point, and nothing is remembered.
    """

    def init(x: Any) -> Memory:
        room, square = jnp.zeros((memory, x.size), x.dtype), jnp.zeros((memory, memory))
        return Memory(jnp.int32(-1), jnp.zeros_like(x), jnp.zeros_like(x), room, room, square, square)

    def update(gradient: Any, old: Memory, x: Any = None, *, fresh: Mask) -> tuple[Variable, Memory]:
        known, sg, yg = remembered(old, x, gradient, fresh)
        scale = jnp.where(known.pairs == 0, first(gradient), curvature(known))
        alpha, delta = coefficients(known, sg, yg, scale)
        back = combined(known.s, delta) - scale * combined(known.y, alpha)
        return scale * gradient + back.reshape(gradient.shape), known

    return optax.GradientTransformationExtraArgs(init, update)  # pyright: ignore[reportArgumentType]


def remembered(old: Memory, x: Variable, gradient: Variable, fresh: Mask) -> tuple[Memory, Numbers, Numbers]:
    """The memory with the newest pair in the place of the oldest, and S.g and Y.g. The first gradient makes no pair.

    Unless the gradient is fresh, rows and numbers are written over by themselves: choosing between the old memory and
    the new one would copy it.
    """
    started = old.pairs >= 0
    place = newest(old.pairs + 1, memory=old.s.shape[0])
    step = jnp.where(started, x - old.x, 0)
    change = jnp.where(started, gradient - old.gradient, 0)
    s = old.s.at[place].set(jnp.where(fresh, step.ravel(), old.s[place]))
    y = old.y.at[place].set(jnp.where(fresh, change.ravel(), old.y[place]))
    along, sg = products(s, change, gradient)
    across, square, yg = products(y, step, change, gradient)
    sy = jnp.where(fresh, old.sy.at[:, place].set(along).at[place].set(across), old.sy)
    yy = jnp.where(fresh, old.yy.at[:, place].set(square).at[place].set(square), old.yy)
    last = jnp.where(fresh, x, old.x), jnp.where(fresh, gradient, old.gradient)
    return Memory(old.pairs + fresh, *last, s, y, sy, yy), sg, yg


def newest(pairs: Array, *, memory: int) -> Int[Array, ""]:
    """The row of the newest pair."""
    return jnp.maximum(pairs - 1, 0) % memory


def products(memory: Float[Array, "m n"], *vectors: Variable) -> tuple[Numbers, ...]:
    """The inner products of each vector with all rows, in one pass over the memory.

    Not to be transposed: XLA's CPU backend then packs the memory anew, in 147 ms for 315 MB where this takes 17.
    """
    columns = jnp.matmul(memory, jnp.stack([v.ravel() for v in vectors]).T, precision=lax.Precision.HIGHEST)
    return tuple(columns[:, i] for i in range(len(vectors)))


def combined(memory: Float[Array, "m n"], numbers: Numbers) -> Float[Array, " n"]:
    """The rows' sum, each times its number."""
    return jnp.matmul(numbers, memory, precision=lax.Precision.HIGHEST)


def curvature(known: Memory) -> Scalar:
    """gamma = s.y / y.y of the newest pair: Nocedal & Wright, eq. 7.20."""
    i = newest(known.pairs, memory=known.s.shape[0])
    return jnp.where(known.yy[i, i] > 0, known.sy[i, i] / known.yy[i, i], 1.0)


def coefficients(known: Memory, sg: Numbers, yg: Numbers, scale: Scalar) -> tuple[Numbers, Numbers]:
    """What the two loops subtract of each y (times `scale`) and add of each s."""
    memory = sg.shape[0]
    curved = jnp.diagonal(known.sy)
    rho = jnp.where(curved == 0, 0.0, 1 / curved)
    order = (known.pairs + jnp.arange(memory)) % memory  # the oldest first

    def back(k: Array | int, alpha: Array) -> Array:
        i = order[memory - 1 - k]
        return alpha.at[i].set(rho[i] * (sg[i] - known.sy[i] @ alpha))

    alpha = lax.fori_loop(0, memory, back, jnp.zeros(memory))
    middle = scale * (yg - jnp.matmul(known.yy, alpha, precision=lax.Precision.HIGHEST))

    def forth(k: Array | int, delta: Array) -> Array:
        i = order[k]
        return delta.at[i].set(alpha[i] - rho[i] * (middle[i] + known.sy[:, i] @ delta))

    return alpha, lax.fori_loop(0, memory, forth, jnp.zeros(memory))
