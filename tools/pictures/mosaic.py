"""A sun over the sea in tesserae: rows of cut stones that follow the forms, in dark grout."""

import numpy as np
from PIL import Image, ImageDraw

from tools.pictures.fields import Array, Colour, blur, cloud, grid, halve, ramp, relief

SIDE = 768  # drawn twice as large as kept
_SUN = (500.0, 250.0)  # x, y
_STONE = 25.0  # mean side in pixels as drawn
_GOLD: list[Colour] = [(0.96, 0.78, 0.26), (0.90, 0.62, 0.14), (0.98, 0.88, 0.52)]
_RED: list[Colour] = [(0.80, 0.24, 0.12), (0.66, 0.13, 0.12), (0.90, 0.42, 0.16)]
_CREAM: list[Colour] = [(0.96, 0.91, 0.78), (0.90, 0.82, 0.66), (0.84, 0.74, 0.60)]
_SKY: list[Colour] = [(0.36, 0.68, 0.72), (0.24, 0.54, 0.66), (0.56, 0.78, 0.76), (0.80, 0.86, 0.76)]
_DEEP: list[Colour] = [(0.06, 0.17, 0.40), (0.10, 0.28, 0.54), (0.05, 0.11, 0.28)]
_TEAL: list[Colour] = [(0.08, 0.45, 0.50), (0.14, 0.58, 0.56), (0.06, 0.34, 0.42)]


def draw(rng: np.random.Generator) -> Array:
    """The picture, (height, width, 3) RGB in [0, 1]."""
    angle, colour_at = _rows(), _design()
    owner = np.zeros((SIDE, SIDE), np.int32)
    stones: list[Array] = [np.array([0.20, 0.17, 0.15])]
    for x, y in _seeds(rng, angle):
        turn = angle[int(y), int(x)]
        stones += _lay(rng, owner, x, y, turn, colour_at(rng, x, y), number=len(stones))
    return halve(_lit(rng, owner, np.array(stones)))


def _wave(x: Array | float, *, level: float) -> Array:
    """Height of one of the sea's crests over x."""
    return level + 34 * np.sin(np.asarray(x) / 92 + level / 60) + 10 * np.sin(np.asarray(x) / 37)


def _rows() -> Array:
    """Direction of the rows: rings around the sun above, along the waves below."""
    y, x = grid(SIDE, SIDE)
    ring = np.arctan2(y - _SUN[1], x - _SUN[0]) + np.pi / 2
    slope = np.arctan(np.gradient(_wave(x, level=560.0), axis=1))
    return np.where(y < _wave(x, level=500.0), ring, slope)


def _design():
    def colour(rng: np.random.Generator, x: float, y: float) -> Array:
        stones = _sea(x, y) if y > _wave(x, level=500.0) else _air(x, y)
        return np.array(stones[rng.integers(len(stones))])

    return colour


def _air(x: float, y: float) -> list[Colour]:
    radius, turn = np.hypot(x - _SUN[0], y - _SUN[1]), np.arctan2(y - _SUN[1], x - _SUN[0])
    ray = 150 + 62 * np.abs(np.sin(6 * turn)) ** 0.7
    if radius < 122:
        return [_GOLD, _GOLD, _RED, _GOLD, _CREAM][int(radius / 25) % 5]
    if radius < ray:
        return _RED if radius > ray - 28 else _GOLD
    band = int((radius - 170) / _STONE) % 7
    return _CREAM if band == 3 else _DEEP[1:2] + _SKY[:2] if band == 6 else _SKY


def _sea(x: float, y: float) -> list[Colour]:
    depth = (y - _wave(x, level=500.0)) % 100
    if depth < 22:
        return _CREAM
    return _TEAL if depth < 50 else _DEEP if depth < 78 else _TEAL + _SKY[:1]


def _seeds(rng: np.random.Generator, angle: Array):
    """Places for stones, row by row: rings first, then waves, then what fills the gaps."""
    for radius in np.arange(6, 800, _STONE):
        count = max(1, round(2 * np.pi * radius / _STONE))
        turns = rng.uniform(0, 7) + np.arange(count) * 2 * np.pi / count
        for x, y in zip(_SUN[0] + radius * np.cos(turns), _SUN[1] + radius * np.sin(turns), strict=True):
            if 0 <= x < SIDE and 0 <= y < SIDE and y < _wave(x, level=500.0) - 0.3 * _STONE:
                yield x, y
    for level in np.arange(0.5, 14) * _STONE:
        for x in np.arange(rng.uniform(0, _STONE), SIDE, _STONE):
            y = float(_wave(x, level=500.0) + level)
            if 0 <= y < SIDE:
                yield x, y
    yield from rng.uniform(0, SIDE, (5000, 2))


def _lay(
    rng: np.random.Generator, owner: Array, x: float, y: float, turn: float, colour: Array, *, number: int
) -> list[Array]:
    """Mark a stone's pixels, cut to what is free; nothing where too little is."""
    half = _STONE / 2 - 1.6
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half + rng.normal(0, 1.3, (4, 2))
    across, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    corners = corners[:, :1] * across + corners[:, 1:] * down
    left, top = max(0, int(x) - 20), max(0, int(y) - 20)
    window = owner[top : int(y) + 21, left : int(x) + 21]
    mask = Image.new("L", window.shape[::-1])
    ImageDraw.Draw(mask).polygon([(x - left + a, y - top + b) for a, b in corners], fill=1)
    wanted = np.asarray(mask, bool)
    free = wanted & ~_near(window > 0)
    if free.sum() < 0.22 * (2 * half) ** 2:
        return []
    window[free] = number
    return [np.clip(colour * rng.uniform(0.84, 1.14) + rng.normal(0, 0.025, 3), 0, 1)]


def _near(taken: Array) -> Array:
    """Taken, and the joint of three pixels around it."""
    for _ in range(3):
        wide = np.pad(taken, 1)
        taken = wide[1:-1, 1:-1] | wide[2:, 1:-1] | wide[:-2, 1:-1] | wide[1:-1, 2:] | wide[1:-1, :-2]
    return taken


def _lit(rng: np.random.Generator, owner: Array, stones: Array) -> Array:
    """Each stone lies a little askew, has a worn rim and veins; the grout is sandy."""
    y, x = grid(SIDE, SIDE)
    tilt = rng.normal(0, 0.004, (len(stones), 2))
    count = np.maximum(np.bincount(owner.ravel(), minlength=len(stones)), 1)
    middle = [np.bincount(owner.ravel(), weights=f.ravel(), minlength=len(stones)) / count for f in (y, x)]
    slope = tilt[owner, 0] * (y - middle[0][owner]) + tilt[owner, 1] * (x - middle[1][owner])
    inside = (owner > 0).astype(float)
    rim = relief(blur(inside, 2.0), strength=3.2)
    veins = cloud(rng, SIDE, SIDE, cell=(14, 14), octaves=4)
    sand = cloud(rng, SIDE, SIDE, cell=(5, 5), octaves=3)
    bright = 1 + inside * (4 * slope + 0.10 * veins) + (1 - inside) * 0.35 * sand + 0.34 * rim
    gloss = inside * 0.12 * ramp(slope, 0.02, 0.09)
    return np.clip(stones[owner] * bright[..., None] + gloss[..., None], 0, 1)
