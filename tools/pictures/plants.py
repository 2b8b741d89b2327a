"""Trees, bushes and grass for the landscape, leaf by leaf."""

import numpy as np
from PIL import ImageDraw

from tools.pictures.fields import Array, bytes_of

_SHADE, _LEAF, _LIGHT = np.array([0.10, 0.17, 0.07]), np.array([0.27, 0.36, 0.10]), np.array([0.86, 0.66, 0.20])


def conifer(rng: np.random.Generator, pen: ImageDraw.ImageDraw, x: float, y: float, *, height: float) -> None:
    """Tiers of boughs, darker to the left: the light comes from the right."""
    tone = rng.uniform(0.8, 1.25)
    pen.line([(x, y), (x, y - height)], fill=(44, 34, 26), width=2)
    for share in np.linspace(0, 1, int(height / 2.6)):
        row, reach = y - height * share, 0.25 * height * (1 - share) * rng.uniform(0.75, 1.2) + 1
        pen.line([(x, row), (x - reach, row + 0.3 * reach)], fill=bytes_of(_SHADE * tone), width=3)
        pen.line([(x, row), (x + reach, row + 0.3 * reach)], fill=bytes_of(_LEAF * 0.8 * tone), width=3)


def bushes(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    columns: tuple[float, float],
    *,
    row: float,
    count: int,
    spread: float,
) -> None:
    """A hedge of leaf dabs along a row."""
    for x in rng.uniform(*columns, count):
        y, size = row + rng.normal(0, spread / 2), rng.uniform(2, 5)
        light = rng.random() ** 2
        colour = _SHADE * (1 - light) + (_LEAF + 0.1) * light
        pen.ellipse([x - size, y - size, x + size, y + 0.7 * size], fill=bytes_of(colour))


def grass(rng: np.random.Generator, pen: ImageDraw.ImageDraw, edge: Array, *, bottom: float, count: int) -> None:
    """Blades from far to near, longer and brighter as they come."""
    for near in np.sort(rng.random(count)):
        x = rng.uniform(0, len(edge))
        y = edge[int(x)] + near * (bottom + 30 - edge[int(x)])
        tall, lean = (9 + 26 * near) * rng.uniform(0.6, 1.3), rng.normal(3, 5)
        colour = _SHADE + (_LEAF * 1.5 - _SHADE) * rng.random() + (_LIGHT - _LEAF) * max(0, rng.normal(0, 0.35))
        bend = [(x, y), (x + 0.3 * lean, y - 0.6 * tall), (x + lean, y - tall)]
        pen.line(bend, fill=bytes_of(colour), width=1 + int(2 * near))


def tree(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    *,
    direction: float,
    length: float,
    width: float,
) -> None:
    """Trunk, boughs and leaves; a leaf is bright where it looks towards the sun on the left."""
    boughs: list[tuple[float, float]] = []
    _bough(rng, pen, boughs, x, y, direction=direction, length=length, width=width)
    centre = np.mean(boughs, axis=0)
    for bx, by in boughs:
        for _ in range(30):
            lx, ly = bx + rng.normal(0, 17), by + rng.normal(0, 13)
            light = 0.38 - (lx - centre[0]) / 420 - (ly - by) / 60 + rng.normal(0, 0.24)
            colour = _SHADE + (_LEAF - _SHADE) * min(max(2 * light, 0), 1)
            colour = colour + (_LIGHT - _LEAF) * min(max(1.6 * light - 0.8, 0), 1)
            size = rng.uniform(2, 4.6)
            pen.ellipse([lx - size, ly - 0.7 * size, lx + size, ly + 0.7 * size], fill=bytes_of(colour))


def _bough(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    boughs: list[tuple[float, float]],
    x: float,
    y: float,
    *,
    direction: float,
    length: float,
    width: float,
) -> None:
    for _ in range(5):
        direction += rng.normal(0, 0.09)
        tx, ty = x + length / 5 * np.cos(direction), y + length / 5 * np.sin(direction)
        pen.line([(x, y), (tx, ty)], fill=(52, 38, 28), width=max(2, round(width)))
        pen.line([(x - 0.3 * width, y), (tx - 0.3 * width, ty)], fill=(122, 84, 50), width=max(1, round(width / 6)))
        x, y, width = tx, ty, width * 0.93
    if length < 27:
        boughs.append((x, y))
        return
    for turn in (-0.52, -0.05, 0.48):
        angle, share = direction + turn + rng.normal(0, 0.12), rng.uniform(0.62, 0.82)
        _bough(rng, pen, boughs, x, y, direction=angle, length=length * share, width=width * 0.7)
