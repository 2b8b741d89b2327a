"""Colours of a picture. Most classes get new ones for every picture, so that colours do not give the class away."""

import colorsys

import numpy as np
from numpy.random import Generator

Palette = np.ndarray  # (6, 3) RGB in [0, 1]
COLOURS = 6


def palette(draw: Generator) -> Palette:
    """Six colours, by one of four recipes: any, neighbouring hues, two opposite hues, nearly grey."""
    recipe = (anything, neighbours, opposites, mute)[draw.integers(4)]
    return recipe(draw).astype(np.float32)


def anything(draw: Generator) -> Palette:
    """Uniform in the RGB cube."""
    return draw.random((COLOURS, 3))


def neighbours(draw: Generator) -> Palette:
    """Hues near each other, any lightness: a meadow, a brick wall."""
    hues = draw.random() + draw.normal(0, 0.06, COLOURS)
    return _colours(hues, draw.uniform(0.2, 0.9, COLOURS), draw.uniform(0.15, 1, COLOURS))


def opposites(draw: Generator) -> Palette:
    """Two opposite hues: blue night and yellow lamps."""
    hues = draw.random() + 0.5 * draw.integers(2, size=COLOURS) + draw.normal(0, 0.05, COLOURS)
    return _colours(hues, draw.uniform(0.3, 1, COLOURS), draw.uniform(0.2, 1, COLOURS))


def mute(draw: Generator) -> Palette:
    """Little saturation, dark to light: ink, stone, fog."""
    hues = draw.random() + draw.normal(0, 0.2, COLOURS)
    return _colours(hues, draw.uniform(0, 0.25, COLOURS), np.linspace(0.1, 0.95, COLOURS)[draw.permutation(COLOURS)])


def _colours(hues: np.ndarray, saturations: np.ndarray, values: np.ndarray) -> Palette:
    return np.array([colorsys.hsv_to_rgb(h % 1, s, v) for h, s, v in zip(hues, saturations, values, strict=True)])


def jitter(colours: Palette, draw: Generator, *, amount: float) -> Palette:
    """The same palette, a little off."""
    return np.clip(colours + draw.normal(0, amount, colours.shape), 0, 1).astype(np.float32)


def ramp(colours: Palette, t: np.ndarray) -> np.ndarray:
    """A colour for each t in [0, 1], through the palette in its order."""
    knots = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(t, knots, colours[:, i]) for i in range(3)], -1).astype(np.float32)


def mix(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(1 - weight) a + weight b, by pixel."""
    return a + (b - a) * weight[..., None]
