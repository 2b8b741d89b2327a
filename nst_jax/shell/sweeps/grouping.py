"""Which jobs can be lanes of one program: those that differ in numbers only. Nothing here starts a device."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from nst_jax import published
from nst_jax.losses.moments import moments
from nst_jax.optim.solvers import SOLVERS
from nst_jax.published import CONVENTIONS
from nst_jax.shell.names import find, look_up
from nst_jax.shell.running.inputs import scaled_shape, shape_of_file
from nst_jax.shell.running.networks import layers
from nst_jax.shell.running.prepare import static_options
from nst_jax.shell.settings import regions, texture
from nst_jax.shell.settings.config import plain, scales_of, styles_of
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.sweeps.cells import Cell


def groups(cells: Iterable[Cell], refuse: Callable[[Cell, Exception], Any]) -> list[list[Cell]]:
    """The jobs by program, in order. refuse: called for a job whose outline cannot be found."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        try:
            found.setdefault(outline(cell.config), []).append(cell)
        except Exception as error:
            refuse(cell, error)
    return list(found.values())


def outline(config: Config) -> str:
    """All that shapes a job's program."""
    settings = plain(config)
    static = [settings[key] for key in ("network", "weights", "device")]
    static += [settings["convention"][key] for key in ("name", "resolution", "reference", "positions")]
    static += [regions.outline(config), texture.outline(config)]
    photo = config.photo
    static += [[photo.laplacian > 0, photo.pool, photo.matting > 0]]
    static += [config.strokes.to if has_own_terms(config) else None, config.average > 0]
    static += [{k: v for k, v in config.scale.items() if k != "then"}]  # steps shape nothing
    content, style = layers(config)
    styles = styles_of(config)
    first = config.content or (styles[0] if styles else None)
    shapes = [shape_of(config, first, 1.0), style_shapes(config, first) if style else None]
    static += [len(styles) if config.style_mix == "terms" else min(len(styles), 1)]
    return json.dumps([static, options(config), list(content), list(style), shapes])


def has_own_terms(config: Config) -> bool:
    """Whether terms aim at the strokes. Strokes that repaint the style before the run do not shape the program."""
    return config.strokes.style is not None and config.strokes.mix == "layers"


def options(config: Config) -> dict[str, Any]:
    """The optimiser's name and the part of its settings that shapes the program."""
    solver = look_up(dict(SOLVERS), str(config.optimiser.get("name")), "optimiser.name")
    static = static_options(solver)
    return {k: v for k, v in sorted(config.optimiser.items()) if k == "name" or k in static}


def style_shapes(config: Config, first: str | None) -> list[tuple[int, int]] | None:
    """Height and width of the style pictures, where their aims grow with them; None for aims made of moments.

    first: the picture that stands in where there is no style.
    """
    convention = find(published.convention, CONVENTIONS, config.convention.name, "convention.name")
    if convention.style_term.measure is moments:
        return None
    pictures = list(zip(styles_of(config) or [first], scales_of(config), strict=True))
    if has_own_terms(config):
        pictures.append((config.strokes.style, config.strokes.scale))
    return [shape_of(config, path, scale) for path, scale in pictures]


def shape_of(config: Config, path: str | None, scale: float) -> tuple[int, int]:
    """Height and width of a picture at the size that the settings ask for."""
    assert path is not None
    height, width = shape_of_file(path, config.background, config.max_pixels)
    return scaled_shape(height, width, size=config.size, rule=config.size_rule, scale=scale)
