"""Textures laid down one mark after the other: leaves, strokes, brushwork, lettering. Signature: see `noise`."""

import numpy as np
from numpy.random import Generator

from experiments.networks.texnet import fields
from experiments.networks.texnet.palettes import COLOURS, Palette


def leaves(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Dead leaves (Lee, Mumford & Huang 2001): shapes of all sizes, each hiding what it falls on."""
    shape, stretch, angle = variant.integers(3), variant.uniform(1, 3), variant.uniform(0, np.pi)
    smallest, power, spread = variant.uniform(1.5, 5), variant.uniform(1.5, 3), variant.choice([0.1, 3.0])
    shaded = variant.choice([0.0, 0.5])
    image = np.tile(colours[0], (size, size, 1))
    for _ in range(130):
        radius = min(smallest * (1 + draw.pareto(power)), size / 4)
        patch, along, across = _patch(draw, size=size, reach=radius * 1.5, angle=angle + draw.normal(0, spread))
        along, across = along / stretch**0.5, across * stretch**0.5
        distance = (np.hypot(along, across), np.maximum(abs(along), abs(across)), abs(along) + abs(across))[shape]
        light = 1 - shaded * np.clip(across / radius, -1, 1)
        _lay(image[patch], _colour(draw, colours)[None, None] * light[..., None], fields.soft(radius - distance))
    return np.clip(image, 0, 1)


def dashes(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Short flat strokes along a flow, of one width."""
    length, width, turn = variant.uniform(4, 14), variant.uniform(0.8, 2.5), variant.uniform(0.05, 0.8)
    angle, count = variant.uniform(0, np.pi), variant.integers(2, COLOURS + 1)
    flow = angle + turn * fields.smooth(draw, size=size, scale=40)
    image = np.tile(colours[0], (size, size, 1))
    for _ in range(round(1.4 * size**2 / (length * width * 4)) + 60):
        patch, along, across = _patch(draw, size=size, reach=length, angle=flow)
        inside = np.minimum(length - np.abs(along), width - np.abs(across))
        _lay(image[patch], _colour(draw, colours[:count]), fields.soft(inside))
    return np.clip(image, 0, 1)


def brushwork(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Oil paint: curved strokes with bristles, their ridges lit from one side (impasto)."""
    length, width, turn = variant.uniform(8, 18), variant.uniform(2, 6), variant.uniform(0.1, 1)
    angle, relief, light = variant.uniform(0, np.pi), variant.uniform(0.1, 0.7), variant.uniform(0, 2 * np.pi)
    bend, count = variant.uniform(0, 0.04), variant.integers(2, COLOURS + 1)
    flow = angle + turn * fields.smooth(draw, size=size, scale=40)
    canvas = np.concatenate([np.tile(colours[0], (size, size, 1)), np.zeros((size, size, 1))], -1).astype(np.float32)
    for _ in range(round(2.5 * size**2 / (length * width * 4)) + 20):
        patch, along, across = _patch(draw, size=size, reach=length, angle=flow)
        across = across + bend * draw.normal() * along**2
        bristles = _bristles(draw, across, width=width)
        inside = np.minimum(length * (0.75 + 0.25 * bristles) - np.abs(along), width - np.abs(across))
        paint = _colour(draw, colours[:count]) * (0.85 + 0.15 * bristles[..., None])
        _lay(canvas[patch], np.concatenate([paint, bristles[..., None]], -1), fields.soft(inside))
    shade = fields.lit(canvas[..., 3], angle=light, strength=relief)
    return np.clip(canvas[..., :3] * shade[..., None], 0, 1)


def _bristles(draw: Generator, across: np.ndarray, *, width: float) -> np.ndarray:
    """How much paint each hair of the brush leaves, in [-1, 1]."""
    hairs = draw.uniform(-1, 1, 2 * round(width) + 3)
    return np.interp(across, np.linspace(-width, width, len(hairs)), hairs)


def lettering(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Rows of made-up glyphs of straight and round strokes: what writing looks like to who cannot read it."""
    height, aspect, pen = variant.uniform(7, 20), variant.uniform(0.5, 0.9), variant.uniform(0.6, 1.8)
    strokes, angle, slant = variant.integers(2, 5), variant.choice([0.0, 0.4]), variant.normal(0, 0.2)
    leading, space = variant.uniform(1.2, 1.7), variant.uniform(0.05, 0.25)
    y, x = fields.rotate(*fields.grid(size), angle + draw.normal(0, 0.03))[::-1]
    row, column = np.floor(y / (height * leading)), np.floor(x / (height * aspect))
    v = y / (height * leading) % 1 * leading
    u = (x / (height * aspect) % 1) * aspect + slant * (v - 0.5)
    glyph = ((row - row.min()) * 31 + column - column.min()).astype(int)
    knots = draw.integers(0, 3, (glyph.max() + 1, strokes + 1, 2)) / 2 * (1, aspect * (1 - space))
    word = draw.random(glyph.max() + 1) > space
    near = np.min([_segment(v, u, knots[glyph, i], knots[glyph, i + 1]) for i in range(strokes)], 0) * height
    ink = fields.soft(pen - near) * word[glyph]
    return (colours[0] + (colours[1] - colours[0]) * ink[..., None]).astype(np.float32)


def _segment(v: np.ndarray, u: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of each pixel to the segment that belongs to it."""
    way, to = end - start, np.stack([v, u], -1) - start
    t = np.clip((to * way).sum(-1) / ((way**2).sum(-1) + 1e-6), 0, 1)
    return np.linalg.norm(to - t[..., None] * way, axis=-1)


def _patch(draw: Generator, *, size: int, reach: float, angle: float | np.ndarray) -> tuple:
    """Where a mark goes: the window around a random place, and coordinates (along, across) in it."""
    cy, cx = draw.uniform(-reach / 2, size + reach / 2, 2)
    rows = slice(max(0, int(cy - reach - 1)), max(0, int(cy + reach + 3)))
    columns = slice(max(0, int(cx - reach - 1)), max(0, int(cx + reach + 3)))
    if isinstance(angle, np.ndarray):
        angle = angle[min(max(int(cy), 0), size - 1), min(max(int(cx), 0), size - 1)]
    y = np.arange(*rows.indices(size), dtype=np.float32)[:, None] - cy
    x = np.arange(*columns.indices(size), dtype=np.float32)[None] - cx
    return (rows, columns), *fields.rotate(y, x, float(angle))


def _colour(draw: Generator, colours: Palette) -> np.ndarray:
    return np.clip(colours[draw.integers(len(colours))] + draw.normal(0, 0.06, 3), 0, 1)


def _lay(under: np.ndarray, paint: np.ndarray, cover: np.ndarray) -> None:
    """Paints over a part of the canvas, in place: the one thing here that is not pure, a stroke at a time."""
    under += (paint - under) * cover[..., None]
