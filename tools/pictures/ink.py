"""Mountains and an old pine in ink: pale washes, hatching along the slopes, a nib's uneven lines."""

import numpy as np
from PIL import Image, ImageDraw

from tools.pictures.fields import Array, array, blur, cloud, grid, halve, mix, noise, ramp

SIDE = 768  # drawn twice as large as kept
_PAPER, _INK = (0.94, 0.90, 0.81), (0.09, 0.09, 0.13)
_BLUE, _SEPIA = (0.45, 0.53, 0.60), (0.68, 0.50, 0.34)
# mean height of the crest, its swing, size of its bumps, darkness
_RIDGES = [(250, 120, 240, 0.30), (370, 100, 190, 0.5), (500, 80, 150, 0.72), (655, 50, 190, 0.9)]


def draw(rng: np.random.Generator) -> Array:
    """The picture, (height, width, 3) RGB in [0, 1]."""
    page = _paper(rng)
    lines = Image.new("L", (SIDE, SIDE), 255)
    crests = [_crest(rng, mean=m, swing=s, bump=b) for m, s, b, _ in _RIDGES]
    page = _sun(rng, page)
    for i, (*_, dark) in enumerate(_RIDGES):
        lower = crests[i + 1] if i + 1 < len(crests) else np.full(SIDE, SIDE + 60.0)
        page = _wash(rng, page, crests[i], dark=dark)
        _hatch(rng, ImageDraw.Draw(lines), crests[i], lower, dark=dark)
    _pine(rng, ImageDraw.Draw(lines))
    _birds(rng, ImageDraw.Draw(lines))
    ink = 1 - array(lines)
    ink *= 0.86 + 0.2 * noise(rng, SIDE, SIDE, cell=(3, 3))  # the grain of the paper takes it unevenly
    return halve(np.clip(mix(page, np.broadcast_to(_INK, page.shape), np.clip(ink, 0, 1)), 0, 1))


def _paper(rng: np.random.Generator) -> Array:
    grain = cloud(rng, SIDE, SIDE, cell=(6, 6), octaves=3)
    stain = cloud(rng, SIDE, SIDE, cell=(260, 260), octaves=4)
    return np.array(_PAPER) * (1 + 0.025 * grain + 0.035 * stain)[..., None]


def _sun(rng: np.random.Generator, page: Array) -> Array:
    y, x = grid(SIDE, SIDE)
    distance = np.hypot(x - 555, y - 150) + 4 * noise(rng, SIDE, SIDE, cell=(24, 24))
    disc = (1 - ramp(distance, 66, 70)) * (0.55 + 0.2 * cloud(rng, SIDE, SIDE, cell=(40, 40)))
    return page * (1 - disc[..., None] * (1 - np.array([0.86, 0.36, 0.26])))


def _crest(rng: np.random.Generator, *, mean: float, swing: float, bump: float) -> Array:
    """Row of a mountain's outline over the columns: sharp on top, as rock is."""
    line = np.zeros(SIDE)
    for octave in range(6):
        wave = noise(rng, 4, SIDE, cell=(4, bump * 0.5**octave))[2]
        line += 0.52**octave * (2 * np.abs(wave) - 0.6)
    return mean + swing * line


def _wash(rng: np.random.Generator, page: Array, crest: Array, *, dark: float) -> Array:
    """Thinned ink: full below the crest, lost in mist further down, with a dried rim."""
    y, x = grid(SIDE, SIDE)
    below = y - crest[np.clip(x.astype(int), 0, SIDE - 1)] + 5 * noise(rng, SIDE, SIDE, cell=(20, 20))
    bloom = 0.7 + 0.5 * cloud(rng, SIDE, SIDE, cell=(110, 150), octaves=5)
    body = ramp(below, 0, 3) * (1 - ramp(below, 30, 190)) * bloom
    rim = np.exp(-(((below - 4) / 3.0) ** 2)) * 0.35
    tint = mix(_BLUE, _SEPIA, ramp(cloud(rng, SIDE, SIDE, cell=(240, 240), octaves=3), -0.2, 0.5))
    cover = np.clip((0.85 * body + rim) * (0.45 + 0.5 * dark), 0, 1)[..., None]
    mist = (ramp(below, 0, 4) * (1 - ramp(below, 150, 230)) * 0.75)[..., None]  # it hides what is behind
    page = page * (1 - mist) + np.array(_PAPER) * mist
    return page * (1 - cover) + page * tint * cover


def _hatch(rng: np.random.Generator, pen: ImageDraw.ImageDraw, crest: Array, lower: Array, *, dark: float) -> None:
    """Lines down the slopes, dense on the side away from the sun, and the outline itself."""
    rock = blur(cloud(rng, SIDE, SIDE, cell=(90, 70), octaves=4), 2.0)
    shade_x = np.gradient(rock, axis=1)
    _clear(pen, crest)
    for _ in range(int(5200 * dark)):
        column = int(rng.integers(0, SIDE))
        depth = rng.exponential(60) + 2
        row = crest[column] + depth
        if row >= min(SIDE - 1, lower[column] + 20):
            continue
        steep = np.gradient(crest)[max(column - 1, 0)]
        shadow = 0.5 + 14 * shade_x[int(max(row, 0)), column] + 0.35 * np.tanh(steep)
        if rng.random() < shadow * np.exp(-depth / 110):
            lean = np.tanh(steep) * 0.7 + 9 * shade_x[int(max(row, 0)), column]
            _line(rng, pen, (column, row), direction=np.pi / 2 - lean, length=rng.uniform(14, 46), dark=dark)
            if shadow > 0.85:
                _line(rng, pen, (column, row), direction=0.5, length=rng.uniform(8, 20), dark=0.8 * dark)
    for x in range(0, SIDE - 4, 4):
        if rng.random() < 0.94:  # the nib skips
            width = int(rng.integers(2, 3 + int(4 * dark)))
            tone = int(255 * (1 - min(1, 0.5 + dark / 2)))
            pen.line([(x, crest[x]), (x + 4, crest[min(x + 4, SIDE - 1)])], fill=tone, width=width)


def _clear(pen: ImageDraw.ImageDraw, crest: Array) -> None:
    """A nearer mountain hides the lines of those behind."""
    outline = [(x, float(crest[x])) for x in range(SIDE)]
    pen.polygon([*outline, (SIDE, SIDE), (0, SIDE)], fill=255)


def _line(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    start: tuple[float, float],
    *,
    direction: float,
    length: float,
    dark: float,
) -> None:
    """One stroke of the nib: it bends, swells in the middle and thins out."""
    x, y = start
    bend = rng.normal(0, 0.05)
    for i in range(6):
        to = x + length / 6 * np.cos(direction), y + length / 6 * np.sin(direction)
        width = 1 + round(2.2 * dark * np.sin(np.pi * (i + 1) / 7))
        pen.line([(x, y), to], fill=int(255 * (1 - min(1, 0.45 + 0.55 * dark))), width=width)
        (x, y), direction = to, direction + bend


def _pine(rng: np.random.Generator, pen: ImageDraw.ImageDraw) -> None:
    """An old tree leaning in from the left bank."""
    _branch(rng, pen, 96, 780, direction=-1.42, length=300, width=34, depth=0)


def _branch(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    *,
    direction: float,
    length: float,
    width: float,
    depth: int,
) -> None:
    for i in range(8):
        direction += rng.normal(0, 0.16)
        tx, ty = x + length / 8 * np.cos(direction), y + length / 8 * np.sin(direction)
        pen.line([(x, y), (tx, ty)], fill=12, width=max(2, round(width)))
        for _ in range(2 if width > 9 else 0):  # light between the plates of the bark
            across = rng.uniform(-0.4, 0.3) * width
            pen.line([(x + across, y), (tx + across, ty)], fill=int(rng.integers(90, 230)), width=1)
        x, y, width = tx, ty, width * 0.955
        if depth >= 2 and i > 2:
            _needles(rng, pen, x, y)
    if depth < 4:
        for turn in (-0.62, 0.0, 0.55) if depth else (-0.5, 0.1, 0.7):
            angle = direction + turn + rng.normal(0, 0.18)
            angle = 0.86 * angle + 0.14 * (-0.2)  # boughs of a pine level out
            share = rng.uniform(0.36, 0.46) if depth == 0 else rng.uniform(0.6, 0.8)
            _branch(rng, pen, x, y, direction=angle, length=length * share, width=width * 0.66, depth=depth + 1)


def _needles(rng: np.random.Generator, pen: ImageDraw.ImageDraw, x: float, y: float) -> None:
    for turn in rng.uniform(np.pi * 1.02, np.pi * 1.98, 7):
        reach = rng.uniform(6, 15)
        end = x + reach * np.cos(turn), y + reach * np.sin(turn)
        pen.line([(x, y), end], fill=int(rng.integers(10, 70)), width=1 + int(rng.random() < 0.5))


def _birds(rng: np.random.Generator, pen: ImageDraw.ImageDraw) -> None:
    for x, y in zip(rng.uniform(330, 480, 6), rng.uniform(60, 150, 6), strict=True):
        span = rng.uniform(8, 15)
        pen.line([(x - span, y - span / 2), (x, y), (x + span, y - span / 2)], fill=40, width=3)
