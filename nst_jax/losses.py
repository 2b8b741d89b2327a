"""What is compared, and how the comparisons add up to one number.

Style is compared through `Moments` unless a convention keeps something else: sums over positions, so that
they add over tiles, devices, masks and styles, and the Gram matrix, the covariance and the channel means
are all functions of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.types import Activation, Activations, Image, Scalar


class Moments(NamedTuple):
    """Sums over the positions of an activation; they add over tiles, devices and styles."""

    mass: Scalar  # number of positions
    first: Float[Array, " c"]  # sum of f
    second: Float[Array, "c c"]  # sum of f f^T


def moments(activation: Activation) -> Moments:
    """The moments of one activation, in float32 whatever the precision of the convolutions."""
    f = activation.astype(jnp.float32)
    h, w, _ = f.shape
    return Moments(jnp.float32(h * w), f.sum((0, 1)), correlation(f))


@jax.custom_vjp
def correlation(f: Float[Array, "h w c"]) -> Float[Array, "c c"]:
    """The sum of f f^T over positions.

    Its gradient is f (g + g^T), one product; jax's own rule takes two, and keeps both: 5 % of a step of VGG-19.
    Without the barrier the ReLU before it is computed again for each factor, and one of them copied: 8 % at 512.
    """
    flat = lax.optimization_barrier(f.reshape(-1, f.shape[2]))
    return jnp.matmul(flat.T, flat, precision=lax.Precision.HIGHEST)


def _forward(f: Array) -> tuple[Array, Array]:
    return correlation(f), f


def _backward(f: Array, grad: Array) -> tuple[Array]:
    return (jnp.matmul(f, grad + grad.T, precision=lax.Precision.HIGHEST),)


correlation.defvjp(_forward, _backward)


def gram(m: Moments) -> Float[Array, "c c"]:
    """Mean over positions of f f^T. The papers' Gram matrix is `mass` times this."""
    return m.second / m.mass


def channels(kept: Any) -> int:
    """N of the papers: the number of feature maps. Moments and every other summary end with that axis."""
    return jax.tree.leaves(kept)[-1].shape[-1]


def as_it_is(key: Array | None, summary: Any) -> Any:
    """The summary of the style picture is itself the target, and nothing is drawn."""
    return summary


class Convention(NamedTuple):
    """One published way to compute the terms. Arrays in, a number out; the constants are the convention's own.

    Most conventions compare `Moments`. Another says what it keeps of a style layer's activation, and what it
    aims at: whatever can be computed, or drawn with `key`, once before the run. The last array of either,
    in the order of its fields, has the channels as its last axis.
    """

    content: Callable[[Activation, Activation], Scalar]  # of the image, of the content picture
    style: Callable[[Any, Any, int], Scalar]  # summary of the image, aim of the style picture, pixels of the image
    smooth: Callable[[Image], Scalar]  # of the image, RGB in [0, 1]
    profile: Callable[[int, int], float]  # a style layer's share of the weight: its channels, number of layers
    summary: Callable[[Activation], Any] = moments  # what is kept of a style layer's activation
    aim: Callable[[Array | None, Any], Any] = as_it_is  # key, summary of the style picture -> the target


class Targets(NamedTuple):
    """What is aimed at, by layer name."""

    content: Activations
    style: Mapping[str, Any]  # the convention's aims: Moments for most


class Terms(NamedTuple):
    """One number for each part of the loss; values, and also weights. The two dicts go by layer name."""

    content: Mapping[str, Scalar]
    style: Mapping[str, Scalar]
    smooth: Scalar


def terms(convention: Convention, targets: Targets, seen: Activations, image: Image) -> Terms:
    """The unweighted terms of `image`, whose activations are `seen`."""
    pixels = image.shape[0] * image.shape[1]
    kept = {layer: convention.summary(seen[layer]) for layer in targets.style}
    style = {layer: convention.style(kept[layer], target, pixels) for layer, target in targets.style.items()}
    content = {layer: convention.content(seen[layer], target) for layer, target in targets.content.items()}
    return Terms(content, style, convention.smooth(image))


def total(weights: Terms, values: Terms) -> Scalar:
    """<weights, values>. A layer with a value but no weight, or the reverse, is a ValueError."""
    return jax.tree.reduce(jnp.add, jax.tree.map(jnp.multiply, weights, values))


def sse(a: Array, b: Array) -> Scalar:
    """The sum of squared errors."""
    return jnp.sum((a.astype(jnp.float32) - b.astype(jnp.float32)) ** 2)


def mse(a: Array, b: Array) -> Scalar:
    """The mean squared error."""
    return jnp.mean((a.astype(jnp.float32) - b.astype(jnp.float32)) ** 2)


def steps_down(image: Image) -> Float[Array, "below width 3"]:
    """Each pixel minus the one above it."""
    return image[1:] - image[:-1]


def steps_right(image: Image) -> Float[Array, "height beside 3"]:
    """Each pixel minus the one to its left."""
    return image[:, 1:] - image[:, :-1]


def nothing(image: Image) -> Scalar:
    """No smoothness term."""
    return jnp.zeros(())
