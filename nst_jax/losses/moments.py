"""Moments: sums over positions. They add over tiles, devices, regions and styles.

The Gram matrix, the covariance and the channel means are functions of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.losses.term import View
from nst_jax.nn import rows
from nst_jax.nn.lifted import Lifted
from nst_jax.nn.precision import product, widen
from nst_jax.types import Activation, Mask, Places, Scalar


class Moments(NamedTuple):
    """Sums over the positions of an activation f, weighted by a mask m if there is one."""

    mass: Scalar  # sum of m: the number of positions
    first: Float[Array, " c"]  # sum of m f
    second: Float[Array, "c c"]  # sum of m f f^T


def moments(activation: Activation | Lifted, mask: Mask | None = None, where: Places | None = None) -> Moments:
    """The moments of one activation, in float32 whatever the precision of the convolutions.

    Those of a narrow activation are taken first and lifted then, at the cost of the narrow one.

    Args:
      activation: (height, width, channels).
      mask: (height, width), non-negative; the moments of masks that sum to 1 add up to those without a mask.
      where: (height, width): the positions that count; None: all.
    """
    if isinstance(activation, Lifted):
        return lift(moments(activation.narrow, mask, where), activation)
    f = widen(activation)
    h, w, _ = f.shape
    if where is not None:
        f = jnp.where(where[..., None], f, 0)
    if mask is None:
        mass = jnp.float32(h * w) if where is None else where.sum(dtype=jnp.float32)
        return Moments(mass, f.sum((0, 1)), correlation(f))
    m = widen(mask if where is None else jnp.where(where, mask, 0))[..., None]
    return Moments(m.sum(), (m * f).sum((0, 1)), correlation(jnp.sqrt(m) * f))


def lift(m: Moments, by: Lifted) -> Moments:
    """The moments of f Q + b, from those of f: Q^T S Q is the second one, and what the offset b adds."""
    first = product(m.first, by.lift)
    cross = jnp.outer(first, by.offset)
    offset = m.mass * jnp.outer(by.offset, by.offset)
    second = product(by.lift.T, product(m.second, by.lift)) + cross + cross.T + offset
    return Moments(m.mass, first + m.mass * by.offset, second)


@jax.custom_vjp
def correlation(f: Float[Array, "h w c"]) -> Float[Array, "c c"]:
    """The sum of f f^T over positions.

    Its gradient is f (g + g^T), one product. jax's own rule takes two and keeps both: 5 % of a step of VGG-19.
    Without the barrier XLA computes the ReLU before it again for each factor and copies one: 8 % at 512 pixels.
    """
    flat = lax.optimization_barrier(rows.fill(f, axis=0, by=1).reshape(-1, f.shape[2]))
    return jnp.matmul(flat.T, flat, precision=lax.Precision.HIGHEST)


def _forward(f: Array) -> tuple[Array, Array]:
    return correlation(f), f


def _backward(f: Array, grad: Array) -> tuple[Array]:
    return (jnp.matmul(f, grad + grad.T, precision=lax.Precision.HIGHEST),)


correlation.defvjp(_forward, _backward)


def gram(m: Moments) -> Float[Array, "c c"]:
    """Mean over positions of f f^T. The papers' Gram matrix is `mass` times this."""
    return m.second / m.mass


def channels(m: Moments) -> int:
    """N of the papers: the number of feature maps."""
    return m.first.shape[-1]


def mix(styles: Sequence[Moments], shares: Float[Array, " n"]) -> Moments:
    """The moments of several style pictures as one: means over positions, each times its share.

    jcjohnson/neural-style takes the mean of the Gram matrices (-style_blend_weights). crowsonkb/style-transfer-pytorch
    takes the mean of both raw moments. The covariance of the result has the distance of the pictures' means in it.

    shares: of each picture; they sum to 1.
    """
    all_of = jax.tree.map(lambda *each: jnp.stack(each), *styles)
    mass = jnp.sum(shares * all_of.mass)
    scale = shares * mass / all_of.mass
    first, second = (jnp.tensordot(scale, x, 1, precision=lax.Precision.HIGHEST) for x in (all_of.first, all_of.second))
    return Moments(mass, first, second)


class Sized(NamedTuple):
    """Moments, and the size of the image that is compared with them."""

    moments: Moments
    pixels: Scalar  # height times width of the image


def with_pixels(m: Moments, view: View) -> Sized:
    """The moments and the image's number of pixels."""
    return Sized(m, jnp.float32(view.pixels))


def rescale(whole: Moments | Sized, mass: Scalar) -> Moments | Sized:
    """The moments as of so many positions: all sums in proportion."""
    if isinstance(whole, Sized):
        return whole._replace(moments=rescale(whole.moments, mass))
    return jax.tree.map(lambda x: x * (mass / whole.mass), whole)
