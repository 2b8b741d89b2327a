"""Names and numbers out of the settings, with a plain word where one is off."""

from difflib import get_close_matches
from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.shell.errors import UserError


def named(table: dict[str, Any], name: str, key: str) -> Any:
    """The entry of that name. Raises UserError with the nearest name, and all of them where they are few."""
    if name in table:
        return table[name]
    close = get_close_matches(name, table, n=1, cutoff=0.4)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise UserError(f"{key}: there is no {name}.{hint} The names: {', '.join(table)}")


def number(key: str, value: Any) -> jax.Array:
    """A float32 that the program takes as an argument."""
    try:
        return jnp.float32(float(value))
    except (TypeError, ValueError):
        raise UserError(f"{key} must be a number; got {value!r}") from None
