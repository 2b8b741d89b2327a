"""Where the image starts, by name."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array

from nst_jax.images import starts
from nst_jax.images.size import cover
from nst_jax.shell.errors import UserError
from nst_jax.shell.names import look_up
from nst_jax.shell.settings.numbers import number
from nst_jax.types import Image


def start(
    settings: Mapping[str, Any],
    key: Array,
    content: Image,
    style: Image,
    read: Callable[[str], Any],
    paint: Callable[[Mapping[str, Any]], Image] | None = None,
) -> Image:
    """The first image, at the content's shape. To add a start, add it to the table.

    Args:
      settings: `start`, its name, and its numbers by name.
      key: of what it draws.
      content, style: the pictures at their sizes.
      read: reads a picture file as an array (height, width, 3) in [0, 1].
      paint: paints the content by a trained network, by the settings of `instant`.

    Raises:
      UserError: a name that is none, or numbers that this start does not take.
    """
    numbers = dict(settings)
    name = str(numbers.pop("start", None))
    shape = {"height": content.shape[0], "width": content.shape[1]}
    if name == "file":
        return cover(jnp.asarray(read(numbers["path"])), **shape)
    if name == "instant" and paint is not None:
        return paint(numbers)
    table: dict[str, Callable[..., Image]] = {
        "content": lambda: content,
        "style": lambda: cover(style, **shape),
        "white": lambda: starts.plain(level=1.0, **shape),
        "gray": lambda: starts.plain(level=0.5, **shape),
        "noise": lambda sigma: starts.noise(key, sigma=sigma, **shape),
        "blend": lambda ratio, spread: starts.blend(key, content, ratio=ratio, spread=spread),
    }
    make = look_up(table, name, "canvas.start")
    wanted = inspect.signature(make).parameters
    if numbers.keys() != wanted.keys():
        raise UserError(f"canvas {name} takes {', '.join(wanted) or 'no settings'}; got {', '.join(numbers)}")
    return make(**{k: number(f"canvas.{k}", v) for k, v in numbers.items()})
