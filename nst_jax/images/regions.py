"""Regions of an image: a mask is a weight for each pixel, from 0 to 1, and the masks of an image sum to 1."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.types import Mask

Masks = Float[Array, "n h w"]


def resize_mask(mask: Mask, *, height: int, width: int) -> Mask:
    """The mask at height x width positions: linear, smoothed where it shrinks. It never leaves [0, 1].

    Gatys et al. 2017 (NeuralImageSynthesis @cced0b9) use splines of order 3, which overshoot. Masks that sum to 1 still
    do so afterwards.
    """
    if mask.shape == (height, width):
        return mask
    return jnp.clip(jax.image.resize(mask, (height, width), "linear", antialias=True), 0.0, 1.0)


def grow(mask: Mask, *, pixels: int) -> Mask:
    """The mask with its region wider by so many pixels on each side; narrower where the number is negative."""
    size = 2 * abs(pixels) + 1
    choose, neutral = (lax.max, -jnp.inf) if pixels > 0 else (lax.min, jnp.inf)
    return lax.reduce_window(mask, neutral, choose, (size, size), (1, 1), "SAME")


def partition(masks: Sequence[Mask]) -> tuple[Masks, Mask]:
    """The masks divided by their sum where it is above 1, and what they leave."""
    whole = jnp.stack(list(masks))
    total = whole.sum(0)
    return whole / jnp.maximum(total, 1.0), jnp.maximum(1.0 - total, 0.0)
