"""Differences of two arrays: squares, scaled squares, gradients of one size, and Laplacians of the picture."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.nn.precision import widen
from nst_jax.types import Activation, Places, Scalar


def sse(a: Array, b: Array) -> Scalar:
    """The sum of squared errors."""
    return jnp.sum((widen(a) - widen(b)) ** 2)


def mse(a: Array, b: Array) -> Scalar:
    """The mean squared error."""
    return jnp.mean((widen(a) - widen(b)) ** 2)


def relative_error(a: Array, b: Array) -> Scalar:
    """The sum of squared errors relative to the second array's energy."""
    return sse(a, b) / energy(b)


class Errors(NamedTuple):
    """Sums over the numbers of two activations F and P; they add over tiles."""

    squares: Scalar  # sum of (F - P)^2
    absolute: Scalar  # sum of |F - P|
    energy: Scalar  # sum of P^2
    number: Scalar  # how many numbers: channels times positions


def errors(f: Activation, p: Activation, where: Places | None = None) -> Errors:
    """The sums of the errors of F. The compiler leaves out everything that a comparison does not use.

    where: (height, width): the positions that count; None: all.
    """
    p = widen(p)
    d, number = widen(f) - p, jnp.float32(f.size)
    if where is not None:
        d, p = (jnp.where(where[..., None], a, 0) for a in (d, p))
        number = where.sum(dtype=jnp.float32) * f.shape[2]
    return Errors(jnp.sum(d**2), jnp.sum(jnp.abs(d)), jnp.sum(p**2), number)


def sum_of_squares(e: Errors, aim: Any = None) -> Scalar:
    """Sum (F - P)^2."""
    return e.squares


def half_sum(e: Errors, aim: Any = None) -> Scalar:
    """Sum (F - P)^2 / 2: Gatys et al. 2016, eq. 1."""
    return e.squares / 2


def mean_of_squares(e: Errors, aim: Any = None) -> Scalar:
    """Mean (F - P)^2."""
    return e.squares / e.number


def root_mean(e: Errors, aim: Any = None) -> Scalar:
    """Sum (F - P)^2 / (2 sqrt(N) sqrt(M)), N channels and M positions: halfway between a sum and a mean."""
    return e.squares / (2 * jnp.sqrt(e.number))


def relative_squares(e: Errors, aim: Any = None) -> Scalar:
    """Sum (F - P)^2 / sum P^2."""
    return e.squares / jnp.maximum(e.energy, 1e-12)


def scaled_squares(e: Errors, aim: Any = None) -> Scalar:
    """Sum d^2 / (sum |d| + 1e-8), d = F - P: style-transfer-pytorch @1107fe6, ScaledMSELoss."""
    return e.squares / (e.absolute + 1e-8)


def scaled_error(a: Array, b: Array) -> Scalar:
    """`scaled_squares` of two arrays."""
    d = widen(a) - widen(b)
    return jnp.sum(d**2) / (jnp.sum(jnp.abs(d)) + 1e-8)


def energy(a: Array) -> Scalar:
    """The sum of the squares; not quite 0 for an array of zeros."""
    return jnp.maximum(jnp.sum(widen(a) ** 2), 1e-12)


class Pair(NamedTuple):
    """Both activations whole, for a comparison that needs all positions at once."""

    f: Activation
    p: Activation


def pair(f: Activation, p: Activation) -> Pair:
    """Keep both activations."""
    return Pair(f, p)


def half(f: Activation, p: Activation) -> Scalar:
    """Half the squared error."""
    return sse(f, p) / 2


def scale_gradient(loss: Callable[[Activation, Any], Scalar], f: Activation, aim: Any) -> Scalar:
    """The loss with its own value, but a gradient with respect to `f` that is scaled to a mean |.| of 1.

    crowsonkb/style_transfer num_utils.py:85-87, normalize: every layer counts the same, however large its error.
    """
    f = widen(f)
    value, grad = jax.value_and_grad(loss)(lax.stop_gradient(f), aim)
    along = jnp.sum(f * (grad / (jnp.abs(grad).mean() + jnp.finfo(jnp.float32).eps)))
    return value + along - lax.stop_gradient(along)


def half_of_one_gradient(both: Pair, aim: Any = None) -> Scalar:
    """Half the squared error, its gradient with respect to F scaled to a mean |.| of 1."""
    return scale_gradient(half, both.f, both.p)


def laplacian_error(f: Activation, p: Activation) -> Scalar:
    """Mean squared difference of the Laplacians of the pictures, averaged over 4 x 4 pixels, colours summed.

    Li et al. 2017, arXiv 1707.01253, eq. 6; askerlee/lapstyle lap_style.lua:26-27, 210-222.
    """
    return jnp.mean((laplacian(f, pool=4) - laplacian(p, pool=4)) ** 2)


def laplacian(f: Activation, *, pool: int) -> Float[Array, "h w"]:
    """4 times the pixel less its four neighbours, where all four exist, colours summed.

    pool: pixels of a side that are averaged before.
    """
    h, w = f.shape[0] // pool, f.shape[1] // pool
    x = f[: pool * h, : pool * w].reshape(h, pool, w, pool, -1).mean((1, 3)).sum(-1)
    return 4 * x[1:-1, 1:-1] - x[:-2, 1:-1] - x[2:, 1:-1] - x[1:-1, :-2] - x[1:-1, 2:]


def mean_or_laplacian(both: Pair, aim: Any = None) -> Scalar:
    """At the layer `input`, which is the picture, compare its Laplacian; at every other layer the values."""
    return laplacian_error(both.f, both.p) if both.f.shape[-1] == 3 else mse(both.f, both.p)
