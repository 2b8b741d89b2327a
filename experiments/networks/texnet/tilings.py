"""Textures of cells, tiles and dots. The signature of a family is described in `noise`."""

import numpy as np
from numpy.random import Generator

from experiments.networks.texnet import fields
from experiments.networks.texnet.palettes import COLOURS, Palette, mix


def voronoi(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Cells of many colours with seams, flat or shaded to the middle: stones, skin, leaded glass."""
    pitch, disorder, seam = variant.uniform(6, 24), variant.uniform(0.4, 1), variant.choice([0.0, 1.0, 2.0])
    shade, bend, count = variant.choice([0.0, 0.6]), variant.choice([0.0, 2.0]), variant.integers(2, COLOURS)
    y, x = fields.bend(draw, size=size, amount=bend, scale=8)
    cell = fields.cells(draw, y, x, pitch=pitch, disorder=disorder)
    image = _paint(draw, cell.number, colours[:count]) * (1 - shade * np.clip(cell.first / pitch, 0, 1))[..., None]
    return mix(image, colours[-1], fields.soft(seam - (cell.second - cell.first)) if seam else np.zeros_like(y))


def _paint(draw: Generator, number: np.ndarray, colours: Palette) -> np.ndarray:
    """Each cell in a colour of its own, near one of the palette's."""
    cells = number.max() + 1
    own = colours[draw.integers(len(colours), size=cells)] + draw.normal(0, 0.05, (cells, 3))
    return np.clip(own, 0, 1).astype(np.float32)[number]


def cracks(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """A surface broken by thin cracks at two scales: glaze, dry mud, bark."""
    pitch, bend, width = variant.uniform(10, 30), variant.uniform(0.5, 4), variant.uniform(0.6, 2.5)
    fine, slope = variant.uniform(0, 0.8), variant.uniform(1, 2)
    y, x = fields.bend(draw, size=size, amount=bend, scale=6)
    large = fields.cells(draw, y, x, pitch=pitch, disorder=1)
    small = fields.cells(draw, y, x, pitch=pitch / 2.7, disorder=1)
    ground = mix(colours[0], colours[1], np.clip(0.5 + 0.25 * fields.fractal(draw, size=size, slope=slope), 0, 1))
    image = mix(ground, colours[2], fine * fields.soft(width / 2 - (small.second - small.first)))
    return mix(image, colours[2] * 0.5, fields.soft(width - (large.second - large.first)))


def mosaic(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Bricks or tesserae: rows of tiles, shifted or not, with joints and a lit bevel."""
    height, aspect, shift = variant.uniform(5, 16), variant.choice([1.0, 1.5, 2.5]), variant.choice([0.0, 0.5, 0.33])
    angle, joint, bevel = variant.uniform(0, np.pi), variant.uniform(0.6, 2), variant.uniform(0, 0.35)
    count, bend = variant.integers(1, COLOURS), variant.choice([0.3, 2.0])
    u, v = fields.rotate(*fields.bend(draw, size=size, amount=bend, scale=20), angle + draw.normal(0, 0.05))
    row = np.floor(v / height)
    column = np.floor(u / (height * aspect) + shift * row)
    a = (u / (height * aspect) + shift * row - column - 0.5) * height * aspect
    b = (v / height - row - 0.5) * height
    edge = np.minimum(height * aspect / 2 - np.abs(a), height / 2 - np.abs(b))
    number = ((row - row.min()) * 97 + (column - column.min())).astype(int)
    light = 1 + bevel * np.clip(b / height * 2, -1, 1) * np.clip(2 - edge / 2, 0, 1)
    image = np.clip(_paint(draw, number, colours[:count]) * light[..., None], 0, 1)
    return mix(image, colours[-1], fields.soft(joint - edge))


def stipple(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Dots on a ground, as large as the tone asks, of one colour or many: stippling, pointillism, half-tone."""
    pitch, disorder, many = variant.uniform(3.5, 11), variant.choice([0.0, 0.7, 0.9]), variant.integers(1, COLOURS)
    angle, fill, ring = variant.uniform(0, np.pi), variant.uniform(0.3, 0.55), variant.random() < 0.25
    y, x = fields.grid(size)
    y, x = fields.rotate(y, x, angle)
    dots = fields.cells(draw, y, x, pitch=pitch, disorder=disorder)
    tone = np.clip(1 + 0.5 * fields.smooth(draw, size=size, scale=25), 0.3, 1.3)
    inside = fill * pitch * tone - dots.first
    inside = 0.15 * pitch - np.abs(inside - 0.15 * pitch) if ring else inside
    ground = np.broadcast_to(colours[-1], (size, size, 3))
    return mix(ground, _paint(draw, dots.number, colours[:many]), fields.soft(inside))
