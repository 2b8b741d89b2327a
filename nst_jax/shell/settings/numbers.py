"""Numbers of the settings."""

from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.shell.errors import UserError


def number(key: str, value: Any) -> jax.Array:
    """A float32 that the program takes as an argument. Raises UserError for a value that is not a number."""
    try:
        return jnp.float32(float(value))
    except (TypeError, ValueError):
        raise UserError(f"{key} must be a number; got {value!r}") from None
