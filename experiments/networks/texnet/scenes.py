"""Scenes: regions of different textures, one in front of the other, with light and shadow.

Pure textures teach statistics; edges between textures, occlusion and shading are what a content layer has to see.
"""

import numpy as np
from numpy.random import Generator

from experiments.networks.texnet import fields
from experiments.networks.texnet.palettes import mix
from experiments.networks.texnet.textures import FAMILIES, picture


def scene(*, seed: int, size: int, variants: int) -> np.ndarray:
    """One scene (size, size, 3), RGB in [0, 1]: a textured ground, then three to seven textured shapes on it."""
    draw = np.random.default_rng((seed, 77))
    image = _texture(draw, size=size, variants=variants)
    for _ in range(draw.integers(3, 8)):
        cover = _shape(draw, size=size)
        shadow = np.roll(cover, tuple(draw.integers(-4, 5, 2)), (0, 1)) * draw.uniform(0, 0.6)
        image = mix(image * (1 - shadow[..., None]), _texture(draw, size=size, variants=variants), cover)
    light = 1 + draw.uniform(0, 0.3) * fields.smooth(draw, size=size, scale=60)
    return np.clip(image * light[..., None], 0, 1).astype(np.float32)


def _texture(draw: Generator, *, size: int, variants: int) -> np.ndarray:
    """A texture of some class, often nearly flat: most of a photograph is."""
    names, seed = list(FAMILIES), int(draw.integers(2**31))
    full = picture(names[draw.integers(len(names))], variant=int(draw.integers(variants)), seed=seed, size=size)
    return mix(full.mean((0, 1)) * np.ones_like(full), full, np.full((size, size), draw.uniform(0, 1) ** 0.7))


def _shape(draw: Generator, *, size: int) -> np.ndarray:
    """The coverage of a region: an ellipse, a box, a half plane or a blot, with a bent outline."""
    y, x = fields.bend(draw, size=size, amount=draw.choice([0.0, 2.0, 5.0]), scale=12)
    cy, cx = draw.uniform(0, size, 2)
    along, across = fields.rotate(y - cy, x - cx, draw.uniform(0, np.pi))
    a, b = draw.uniform(0.08, 0.4, 2) * size
    inside = (
        lambda: min(a, b) * (1 - np.hypot(along / a, across / b)),
        lambda: np.minimum(a - np.abs(along), b - np.abs(across)),
        lambda: across,
        lambda: 6 * (fields.smooth(draw, size=size, scale=25) - 0.7),
    )[draw.integers(4)]
    return fields.soft(inside())
