"""The precision in which sums are taken."""

import jax.numpy as jnp
from jax import Array


def widen(a: Array) -> Array:
    """The array in float32 if it has less precision. float64 stays float64."""
    return a.astype(jnp.promote_types(a.dtype, jnp.float32))
