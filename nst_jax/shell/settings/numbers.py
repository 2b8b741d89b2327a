"""Numbers of the settings."""

from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.shell.errors import UserError

MOST = 10_000  # of a whole number that shapes a program: pairs of L-BFGS, evaluations of a line search


def number(key: str, value: Any) -> jax.Array:
    """A float32 that the program takes as an argument. Raises UserError for a value that is not a number."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return jnp.float32(float(value))
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{key} must be a number; got {value!r}") from None


def static(key: str, value: Any, kind: type) -> int | bool:
    """A flag or a whole number that shapes the program. Raises UserError for any other value.

    bool("off") is true, and so is every text: a flag must be one.
    """
    if kind is bool:
        if not isinstance(value, bool):
            raise UserError(f"{key} must be true or false; got {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise UserError(f"{key} must be a whole number from 1 to {MOST}; got {value!r}")
    return value
