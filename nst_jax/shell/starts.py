"""Where the image starts, by the settings."""

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp

from nst_jax import canvas
from nst_jax.image import cover
from nst_jax.shell import files
from nst_jax.shell.errors import UserError
from nst_jax.shell.lookup import named, number
from nst_jax.shell.schema import Config
from nst_jax.types import Image

Log = Callable[[str], object]


def start(config: Config, content: Image, style: Image, log: Log) -> Image:
    """Where the image starts, at the content's shape."""
    h, w, _ = content.shape
    key, settings = jax.random.key(config.seed), dict(config.canvas)
    kind = settings.pop("start", None)
    if kind == "file":
        given = files.read(settings["path"], background=config.background, max_pixels=config.max_pixels, log=log)
        return cover(jnp.asarray(given.image), height=h, width=w)
    starts: dict[str, Callable[..., Image]] = {
        "content": lambda: content,
        "style": lambda: cover(style, height=h, width=w),
        "white": lambda: canvas.plain(height=h, width=w, level=1.0),
        "gray": lambda: canvas.plain(height=h, width=w, level=0.5),
        "noise": lambda sigma: canvas.noise(key, height=h, width=w, sigma=sigma),
        "blend": lambda ratio, spread: canvas.blend(key, content, ratio=ratio, spread=spread),
    }
    make = named(starts, str(kind), "canvas.start")
    wanted = inspect.signature(make).parameters
    if settings.keys() != wanted.keys():
        raise UserError(f"canvas {kind} takes {', '.join(wanted) or 'no settings'}; got {', '.join(settings)}")
    return make(**{k: number(f"canvas.{k}", v) for k, v in settings.items()})
