"""A night of swirling strokes: thick paint along a flow field, lit from the side."""

import numpy as np
from PIL import Image, ImageDraw

from tools.pictures.fields import Array, array, blur, bytes_of, cloud, gradient, grid, halve, ramp, relief

SIDE = 768  # drawn twice as large as kept
_NIGHT = {
    -1.0: (0.03, 0.06, 0.22),
    -0.45: (0.07, 0.17, 0.46),
    -0.1: (0.15, 0.36, 0.66),
    0.2: (0.42, 0.63, 0.78),
    0.45: (0.09, 0.25, 0.55),
    0.75: (0.62, 0.76, 0.70),
    1.0: (0.93, 0.89, 0.62),
}
_LAMP = {
    0.0: (1.0, 0.95, 0.66),
    0.35: (0.99, 0.80, 0.22),
    0.65: (0.93, 0.55, 0.10),
    0.85: (0.80, 0.84, 0.62),
    1.0: (0.20, 0.45, 0.70),
}
# x, y, radius of its light, turn: lamps and eddies of the sky
_EDDIES = [
    (590, 165, 120, 1.0),
    (205, 130, 78, -1.0),
    (390, 345, 105, 1.1),
    (130, 395, 60, -1.0),
    (655, 440, 72, -1.0),
]


def draw(rng: np.random.Generator) -> Array:
    """The picture, (height, width, 3) RGB in [0, 1]."""
    angle, colours = _flow(rng), _colours(rng)
    paint, body = Image.new("RGB", (SIDE, SIDE), (12, 22, 60)), Image.new("L", (SIDE, SIDE), 60)
    for count, length, width in ((2600, 26, 17), (5200, 20, 11), (5200, 14, 7)):
        _layer(rng, paint, body, angle, colours, count=count, length=length, width=width)
    light = relief(blur(array(body), 0.9), strength=9.0)[..., None]
    lit = array(paint) * (1 + 0.38 * light) + 0.10 * np.maximum(light, 0) ** 2
    return halve(np.clip(lit, 0, 1))


def _flow(rng: np.random.Generator) -> Array:
    """Direction of the strokes: a drifting wind, and a turn around each eddy."""
    y, x = grid(SIDE, SIDE)
    wind = 0.25 + 0.9 * cloud(rng, SIDE, SIDE, cell=(300, 420), octaves=2)
    across, down = np.cos(wind), np.sin(wind)
    for cx, cy, radius, turn in _EDDIES:
        dx, dy = x - cx, y - cy
        distance = np.hypot(dx, dy) + 1
        pull = 4.0 * np.exp(-((distance / (1.5 * radius)) ** 2))
        across, down = across - turn * pull * dy / distance, down + turn * pull * dx / distance
    return np.arctan2(down, across)


def _colours(rng: np.random.Generator) -> Array:
    y, x = grid(SIDE, SIDE)
    bend = 60 * cloud(rng, SIDE, SIDE, cell=(220, 320), octaves=3)
    bands = np.sin((y + bend) / 46 + 1.4 * cloud(rng, SIDE, SIDE, cell=(130, 260), octaves=3))
    night = gradient(_NIGHT, 0.8 * bands - 0.15 + 0.25 * (y / SIDE - 0.5))
    for cx, cy, radius, _ in _EDDIES:
        t = np.hypot(x - cx, y - cy) / radius
        rings = t + 0.07 * np.sin(t * 24)
        glow = (1 - ramp(t, 0.75, 1.15))[..., None]
        night = night * (1 - glow) + gradient(_LAMP, rings) * glow
    return _hills(rng, night)


def _hills(rng: np.random.Generator, sky: Array) -> Array:
    """A dark ridge below, so that the picture has earth as well as air."""
    y, x = grid(SIDE, SIDE)
    edge = 610 + 55 * np.sin(x / 150 + 0.6) + 24 * np.sin(x / 57)
    earth = gradient(
        {-1.0: (0.04, 0.13, 0.16), 0.0: (0.10, 0.28, 0.24), 0.5: (0.34, 0.44, 0.18), 1.0: (0.76, 0.62, 0.18)},
        np.sin((y - edge) / 21 + 2 * cloud(rng, SIDE, SIDE, cell=(70, 160), octaves=2)) - 0.2,
    )
    below = ramp(y - edge, -3, 3)[..., None]
    return sky * (1 - below) + earth * below


def _layer(
    rng: np.random.Generator,
    paint: Image.Image,
    body: Image.Image,
    angle: Array,
    colours: Array,
    *,
    count: int,
    length: int,
    width: int,
) -> None:
    pens = ImageDraw.Draw(paint), ImageDraw.Draw(body)
    for start in rng.uniform(-8, SIDE + 8, (count, 2)):
        path = _path(start, angle, steps=int(length * rng.uniform(0.6, 1.3)))
        middle = np.clip(path[len(path) // 2].astype(int), 0, SIDE - 1)
        colour = colours[middle[1], middle[0]] * rng.uniform(0.82, 1.16) + rng.normal(0, 0.035, 3)
        _stroke(rng, pens, path, colour, width=width * rng.uniform(0.7, 1.2))


def _path(point: Array, angle: Array, *, steps: int) -> Array:
    points = [point]
    for _ in range(steps):
        column, row = np.clip(points[-1].astype(int), 0, SIDE - 1)
        turn = angle[row, column]
        points.append(points[-1] + 3.0 * np.array([np.cos(turn), np.sin(turn)]))
    return np.array(points)


def _stroke(
    rng: np.random.Generator,
    pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw],
    path: Array,
    colour: Array,
    *,
    width: float,
) -> None:
    """A stroke is its bristles: parallel lines, each with its own tint, thickness of paint and ends."""
    along = np.gradient(path, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / 3.0
    bristles = max(3, round(width / 2))
    for place in rng.permutation(bristles):
        offset = (place / (bristles - 1) - 0.5) * width
        first, last = rng.integers(0, 3), len(path) - rng.integers(0, 4)
        line = [tuple(p) for p in (path + normal * offset)[first:last]]
        tint = colour * rng.uniform(0.86, 1.16)
        # paint is pushed to the edges of a stroke and stands there
        heap = 110 + 90 * abs(2 * offset / width) + rng.uniform(-45, 45)
        pens[0].line(line, fill=bytes_of(tint), width=3, joint="curve")
        pens[1].line(line, fill=int(heap), width=3)
