"""Starting images."""

import jax
import jax.numpy as jnp
from jax import Array

from nst_jax.types import Image


def noise(key: Array, *, height: int, width: int, sigma: Array | float) -> Image:
    """Normal noise of standard deviation `sigma` around mid-grey."""
    return 0.5 + sigma * jax.random.normal(key, (height, width, 3))


def plain(*, height: int, width: int, level: Array | float) -> Image:
    """One shade of gray: 1 is white, 0 is black."""
    return jnp.full((height, width, 3), level, jnp.float32)


def blend(key: Array, content: Image, *, ratio: Array | float, spread: Array | float) -> Image:
    """ratio * noise + (1 - ratio) * content, with noise uniform in 1/2 +- `spread`.

    The "noise ratio" of many tutorials is 0.6, with a spread of 20/255 around the mean that the network subtracts.
    """
    around = 0.5 + jax.random.uniform(key, content.shape, minval=-spread, maxval=spread)
    return ratio * around + (1 - ratio) * content
