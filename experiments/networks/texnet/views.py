"""Two views of every picture: other places, scales, turns and colours, and a finish that the network has to name."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

FINISHES = 5  # as it is, blurred, sharpened until it rings, grain, fine ripple


class Jitter(NamedTuple):
    """How far views of one picture may differ."""

    zoom: float  # a view shows up to so many times its own side of the picture
    contrast: float  # factor, as a logarithm
    colour: float  # shift and gain of each channel
    faulty: float  # share of the views with a fault


def views(key: Array, pictures: Array, *, side: int, jitter: Jitter) -> tuple[Array, Array]:
    """(n, side, side, 3) in [0, 1] from (n, s, s, 3) of bytes, and the finish of each."""
    keys = jax.random.split(key, (4, len(pictures)))
    small = jax.vmap(lambda k, p: crop(k, p, side=side, zoom=jitter.zoom))(keys[0], pictures)
    lit = jax.vmap(lambda k, p: recolour(k, p, jitter=jitter))(keys[1], small)
    finish = jax.vmap(lambda k: fault(k, share=jitter.faulty))(keys[2])
    return jnp.clip(jax.vmap(apply_finish)(keys[3], lit, finish), 0, 1), finish


def crop(key: Array, picture: Array, *, side: int, zoom: float) -> Array:
    """A window of the picture, mirrored or not, shrunk by up to `zoom` with a triangle filter."""
    place, scale, mirror = jax.random.split(key, 3)
    factor = jnp.exp(jax.random.uniform(scale) * jnp.log(min(zoom, picture.shape[0] / side)))
    corner = jax.random.uniform(place, (2,)) * (picture.shape[0] - factor * side)
    flip = jnp.where(jax.random.bernoulli(mirror), -1.0, 1.0)
    wanted = (jnp.arange(side) - side / 2 + 0.5) * factor + side * factor / 2 - 0.5
    turned = (jnp.arange(side) - side / 2 + 0.5) * factor * flip + side * factor / 2 - 0.5
    rows, columns = (_filter(c + w, factor, picture.shape[0]) for c, w in zip(corner, (wanted, turned), strict=True))
    return jnp.einsum("ys,xt,stc->yxc", rows, columns, picture.astype(jnp.float32) / 255)


def _filter(at: Array, factor: Array, length: int) -> Array:
    """Weights (len(at), length) of the pixels that make each new one."""
    weight = jnp.maximum(0, 1 - jnp.abs(at[:, None] - jnp.arange(length)) / factor)
    return weight / weight.sum(1, keepdims=True)


def recolour(key: Array, picture: Array, *, jitter: Jitter) -> Array:
    """Contrast, and the gain and shift of each channel, a little off."""
    contrast, gain, shift = jax.random.split(key, 3)
    factor = jnp.exp(jitter.contrast * jax.random.uniform(contrast, minval=-1))
    gains = jnp.exp(jitter.colour * jax.random.normal(gain, (3,)))
    mean = picture.mean((0, 1))
    return mean + (picture - mean) * factor * gains + jitter.colour * jax.random.normal(shift, (3,)) * 0.5


def fault(key: Array, *, share: float) -> Array:
    """The number of a finish: 0, as it is, or with probability `share` one of the others."""
    which, whether = jax.random.split(key)
    return jnp.where(jax.random.bernoulli(whether, share), jax.random.randint(which, (), 1, FINISHES), 0)


def apply_finish(key: Array, picture: Array, finish: Array) -> Array:
    """The picture with one of the faults that optimised pictures have; how strong is chance."""
    amount, noise, phase = jax.random.split(key, 3)
    strength = jax.random.uniform(amount, minval=0.4, maxval=1.0)
    soft = blur(blur(picture))
    grain = 0.12 * jax.random.normal(noise, picture.shape)
    y, x = jnp.mgrid[: picture.shape[0], : picture.shape[1]]
    waves = jax.random.uniform(phase, (3,), minval=0.28, maxval=0.5) * 2 * jnp.pi
    ripple = 0.09 * (jnp.sin(waves[0] * x + waves[2] * y) + jnp.sin(waves[1] * y))[..., None]
    changes = jnp.stack([0 * picture, soft - picture, 2 * (picture - soft), grain, ripple + 0 * picture])
    return picture + strength * changes[finish]


def blur(picture: Array) -> Array:
    """A binomial filter [1 2 1] / 4 in both directions."""
    p = jnp.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
    p = (p[:-2] + 2 * p[1:-1] + p[2:]) / 4
    return (p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]) / 4
