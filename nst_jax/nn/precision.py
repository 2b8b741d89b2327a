"""The precision of sums."""

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float


def widen(a: Array) -> Array:
    """The array in float32 if it has less precision. float64 stays float64."""
    return a.astype(jnp.promote_types(a.dtype, jnp.float32))


def product(a: Float[Array, "*_ k"], b: Float[Array, "k c"]) -> Float[Array, "*_ c"]:
    """The matrix product in full precision, on every device."""
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)
