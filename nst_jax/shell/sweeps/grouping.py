"""Which jobs can be lanes of one program: those that differ in numbers only. Nothing here starts a device."""

import inspect
import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, cast

from nst_jax.conventions import CONVENTIONS
from nst_jax.image import SizeRule, target_shape
from nst_jax.losses import moments
from nst_jax.shell import files
from nst_jax.shell.config import plain
from nst_jax.shell.lookup import named
from nst_jax.shell.prepare import chosen
from nst_jax.shell.schema import Config
from nst_jax.shell.sweeps.cells import Cell
from nst_jax.solvers import SOLVERS


def groups(cells: Iterable[Cell], refused: Callable[[Cell, Exception], Any]) -> list[list[Cell]]:
    """The jobs by program, in order. `refused` is told of a job whose outline cannot be found."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        try:
            found.setdefault(outline(cell.config), []).append(cell)
        except Exception as error:
            refused(cell, error)
    return list(found.values())


def outline(config: Config) -> str:
    """All that shapes a job's program."""
    settings = plain(config)
    static = [settings[key] for key in ("network", "weights", "device")]
    static += [settings["convention"][key] for key in ("name", "resolution", "reference")]
    content, style = chosen(config)
    shapes = [shape(config), aimed(config) if style else None]
    return json.dumps([static, options(config), list(content), list(style), shapes])


def options(config: Config) -> dict[str, Any]:
    """The optimiser's name and the part of its settings that shapes the program."""
    solver = named(dict(SOLVERS), str(config.optimiser.get("name")), "optimiser.name")
    known = inspect.signature(solver).parameters
    whole = {k for k, p in known.items() if p.annotation in (int, bool)}
    return {k: v for k, v in sorted(config.optimiser.items()) if k == "name" or k in whole}


def shape(config: Config) -> tuple[int, int]:
    """Height and width of the result."""
    return scaled(config, config.content or config.style, 1.0)


def aimed(config: Config) -> tuple[int, int] | None:
    """Height and width of the style picture, where what is aimed at grows with it; moments do not."""
    convention = named(dict(CONVENTIONS), config.convention.name, "convention.name")
    return None if convention.summary is moments else scaled(config, config.style, config.style_scale)


def scaled(config: Config, path: str | None, scale: float) -> tuple[int, int]:
    """Height and width of a picture at the size that the settings ask for."""
    assert path is not None
    height, width = measured(path, config.background, config.max_pixels)
    size = max(1, round(config.size * scale))
    return target_shape(height=height, width=width, size=size, rule=cast(SizeRule, config.size_rule))


@cache
def measured(path: str, background: str, max_pixels: int) -> tuple[int, int]:
    """The size of a picture, upright."""
    read = files.read(path, background=background, max_pixels=max_pixels, log=lambda _: None)
    return read.image.shape[0], read.image.shape[1]
