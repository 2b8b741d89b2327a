"""The table of texture families, and pictures by class.

A class is a family and a variant of it: its parameters are drawn from the class's own seed, and what differs between
its pictures from the picture's. Two classes in three get new colours for every picture.
"""

from collections.abc import Callable

import numpy as np

from experiments.networks.texnet import lines, noise, strokes, tilings
from experiments.networks.texnet.palettes import Palette, jitter, palette

Family = Callable[..., np.ndarray]

FAMILIES: dict[str, Family] = {
    f.__name__: f
    for f in (
        *(noise.filter_noise, noise.clouds, noise.contours, noise.reaction, noise.marble, noise.relief),
        *(lines.stripes, lines.swirls, lines.hatching, lines.weave),
        *(tilings.voronoi, tilings.cracks, tilings.mosaic, tilings.stipple),
        *(strokes.leaves, strokes.dashes, strokes.brushwork, strokes.lettering),
    )
}
OWN_COLOURS = 3  # one variant in so many keeps its palette


def picture(family: str, *, variant: int, seed: int, size: int) -> np.ndarray:
    """One picture (size, size, 3) of a class, RGB in [0, 1]. Equal arguments give equal pictures."""
    kind = list(FAMILIES).index(family)
    parameters = np.random.default_rng((variant, kind))
    draw = np.random.default_rng((seed, variant, kind))
    colours = colours_of(variant, kind, draw)
    return np.clip(FAMILIES[family](parameters, draw, colours, size=size), 0, 1).astype(np.float32)


def colours_of(variant: int, kind: int, draw: np.random.Generator) -> Palette:
    """The class's own palette a little off, or a new one."""
    if variant % OWN_COLOURS:
        return palette(draw)
    return jitter(palette(np.random.default_rng((variant, kind, 1))), draw, amount=0.06)


def pictures(family: str, *, variant: int, seed: int, count: int, size: int) -> np.ndarray:
    """(count, size, size, 3) of one class, RGB in [0, 1]."""
    return np.stack([picture(family, variant=variant, seed=seed + i, size=size) for i in range(count)])
