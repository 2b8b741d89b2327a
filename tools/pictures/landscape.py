"""Evening at a lake: hills behind hills, a house at the shore, all of it again in the water."""

from collections.abc import Iterator

import numpy as np
from PIL import ImageDraw

from tools.pictures.fields import Array, array, blur, bytes_of, cloud, gradient, grid, halve, mix, noise, ramp, relief
from tools.pictures.fields import picture as to_picture
from tools.pictures.plants import bushes, conifer, grass, tree

HEIGHT, WIDTH = 768, 1024  # drawn twice as large as kept
_SHORE, _BANK = 470, 660  # rows where the water begins and ends
_SUN = (655, 215)  # x, y
PARTS = {"sky": (60, 120, 220), "land": (60, 160, 60), "lake": (20, 40, 120), "bank": (200, 180, 40)}
_SKY = {
    0.0: (0.20, 0.36, 0.62),
    0.35: (0.44, 0.60, 0.78),
    0.65: (0.88, 0.76, 0.66),
    0.85: (0.99, 0.76, 0.46),
    1.0: (0.99, 0.66, 0.36),
}


def draw(rng: np.random.Generator) -> Array:
    """The picture, (height, width, 3) RGB in [0, 1]."""
    *_, scene = _layers(rng)
    y, x = grid(HEIGHT, WIDTH)
    distance = np.hypot(x - _SUN[0], y - _SUN[1])
    glow = (np.exp(-distance / 260) + 1.6 * np.exp(-distance / 50))[..., None]
    return halve(np.clip(scene + 0.16 * glow * np.array([1.0, 0.7, 0.35]), 0, 1))


def _layers(rng: np.random.Generator) -> Iterator[Array]:
    """The picture as it grows: the sky; with hills and shore; with the lake; with the near bank."""
    yield (scene := _sky(rng))
    yield (scene := _shore(rng, _hills(rng, scene)))
    yield (scene := _lake(rng, scene))
    yield _foreground(rng, scene)


def parts(rng: np.random.Generator) -> dict[str, Array]:
    """A mask for each part of the picture, (height, width) in [0, 1]: sky, land, lake, bank. They sum to 1."""
    sky, land, lake, whole = _layers(rng)
    changed = [np.abs(a - b).max(-1) > 1 / 255 for a, b in ((land, sky), (lake, land), (whole, lake))]  # 8 bits: _shore
    lake_below = np.broadcast_to(grid(HEIGHT, WIDTH)[0] >= _SHORE, changed[0].shape)
    number = np.where(changed[2], 3, np.where(lake_below, 2, np.where(changed[0], 1, 0)))
    return {name: halve((number == i)[..., None].astype(float))[..., 0] for i, name in enumerate(PARTS)}


def _sky(rng: np.random.Generator) -> Array:
    y, x = grid(HEIGHT, WIDTH)
    sky = gradient(_SKY, y / _SHORE)
    density = cloud(rng, HEIGHT, WIDTH, cell=(70, 260), octaves=6) + 0.25 * cloud(
        rng, HEIGHT, WIDTH, cell=(160, 400), octaves=2
    )
    cover = ramp(density, -0.05, 0.55) * (1 - ramp(y, 330, 430))
    light = relief(blur(-density, 3.0), strength=-26.0)  # the sun is low: bellies are lit
    shade = mix((0.50, 0.46, 0.60), (1.0, 0.86, 0.70), 0.55 + 0.45 * light)
    sky = mix(sky, shade, 0.85 * cover)
    distance = np.hypot(x - _SUN[0], y - _SUN[1])
    return mix(sky, np.broadcast_to((1.0, 0.97, 0.82), sky.shape), 1 - ramp(distance, 34, 40))


def _crest(rng: np.random.Generator, *, level: float, swing: float, bump: float, rough: float) -> Array:
    line = np.zeros(WIDTH)
    for octave in range(7):
        line += rough**octave * noise(rng, 4, WIDTH, cell=(4, bump * 0.5**octave))[2]
    return level - swing * line


def _hills(rng: np.random.Generator, scene: Array) -> Array:
    """Four ranges; each is nearer, greener, darker and less in the haze than the one before."""
    ranges = [
        (250, 85, 330, 0.55, (0.52, 0.55, 0.72), 0.5),
        (325, 60, 260, 0.52, (0.42, 0.50, 0.60), 0.6),
        (390, 42, 300, 0.44, (0.34, 0.46, 0.36), 0.9),
        (440, 24, 220, 0.42, (0.24, 0.36, 0.18), 1.1),
    ]
    for level, swing, bump, rough, colour, depth in ranges:
        crest = _crest(rng, level=level, swing=swing, bump=bump, rough=rough)
        scene = _hill(rng, scene, crest, colour=colour, depth=depth)
    return scene


def _hill(
    rng: np.random.Generator, scene: Array, crest: Array, *, colour: tuple[float, float, float], depth: float
) -> Array:
    y, _ = grid(HEIGHT, WIDTH)
    below = y - crest[None, :]
    rock = cloud(rng, HEIGHT, WIDTH, cell=(90, 110), octaves=6)
    folds = 1 - np.abs(rock)  # ridges where the noise passes through zero
    side = relief(blur(folds - below / 260, 1.4), strength=26.0 if depth < 0.8 else 14.0)
    fields = ramp(cloud(rng, HEIGHT, WIDTH, cell=(34, 120), octaves=3), -0.1, 0.3)
    tone = mix(np.array(colour) * 0.62, np.array(colour) * 1.25 + np.array([0.10, 0.06, 0.0]), 0.5 + 0.5 * side)
    tone = mix(tone, tone * np.array([1.35, 1.18, 0.7]), fields * 0.6 * (depth > 0.8))
    snow = ramp(-below - 6 + 60 * rock, -75, -25) * (depth < 0.55)
    tone = mix(tone, mix((0.66, 0.66, 0.84), (1.0, 0.92, 0.86), 0.5 + 0.5 * side), snow)
    haze = ramp(below, 0, 170) * 0.45
    tone = mix(tone, np.broadcast_to((0.95, 0.80, 0.66), tone.shape), haze * (depth < 1))
    return mix(scene, tone, ramp(below, -1, 1))


def _shore(rng: np.random.Generator, scene: Array) -> Array:
    image = to_picture(scene)
    pen = ImageDraw.Draw(image)
    for x in np.sort(rng.uniform(0, WIDTH, 150)):
        if 215 < x < 420:
            continue
        tall = rng.uniform(26, 70) * (1.35 if x < 215 else 0.8)
        conifer(rng, pen, x, _SHORE - rng.uniform(0, 8), height=tall)
    bushes(rng, pen, (0, WIDTH), row=_SHORE - 6, count=700, spread=7)
    _house(rng, pen)
    bushes(rng, pen, (225, 420), row=_SHORE - 3, count=110, spread=5)
    return array(image)


def _house(rng: np.random.Generator, pen: ImageDraw.ImageDraw) -> None:
    """White walls, a tiled roof, and light in the windows."""
    pen.polygon([(262, 470), (262, 408), (292, 372), (322, 408), (322, 470)], fill=(232, 214, 190))
    pen.polygon([(322, 470), (322, 408), (398, 408), (398, 470)], fill=(196, 172, 154))
    pen.polygon([(384, 392), (384, 352), (370, 352), (370, 380)], fill=(126, 70, 56))
    pen.polygon([(288, 366), (328, 412), (406, 412), (374, 366)], fill=(156, 62, 44))
    pen.line([(256, 414), (290, 367), (328, 412)], fill=(96, 40, 32), width=6)
    for row in range(368, 412, 6):
        for x in range(288 + (row - 366), 372 + (row - 366) * 3 // 4, 7):
            tile = int(rng.integers(120, 215)), int(rng.integers(50, 96)), 48
            pen.line([(x, row), (x + 5, row + 1)], fill=tile, width=3)
    for x, y, w, h in ((280, 424, 22, 24), (336, 426, 18, 20), (368, 426, 18, 20)):
        pen.rectangle([x, y, x + w, y + h], fill=(255, 208, 104), outline=(92, 60, 44), width=2)
        pen.line([(x + w // 2, y), (x + w // 2, y + h)], fill=(92, 60, 44), width=2)
        pen.line([(x, y + h // 2), (x + w, y + h // 2)], fill=(92, 60, 44), width=2)


def _lake(rng: np.random.Generator, scene: Array) -> Array:
    """What is above, upside down, broken by ripples that grow towards the viewer."""
    y, x = grid(HEIGHT, WIDTH)
    near = np.clip((y - _SHORE) / (_BANK - _SHORE), 0, 2)
    ripple = noise(rng, HEIGHT, WIDTH, cell=(4, 60)) * (0.4 + near) + noise(rng, HEIGHT, WIDTH, cell=(9, 130)) * near
    row = np.clip(2 * _SHORE - y + 11 * ripple - 40 * near, 0, _SHORE - 1).astype(int)
    column = np.clip(x + 5 * ripple, 0, WIDTH - 1).astype(int)
    water = scene[row, column] * np.array([0.74, 0.82, 0.90])
    water = mix(water, np.broadcast_to((0.10, 0.24, 0.36), water.shape), 0.14 + 0.34 * ramp(ripple, 0.1, 1.1))
    path = np.exp(-(((x - _SUN[0]) / (18 + 60 * near)) ** 2)) * ramp(ripple, -0.05, 0.5)
    water = mix(water, np.broadcast_to((1.0, 0.88, 0.58), water.shape), 0.9 * path)
    return np.where((y >= _SHORE)[..., None], water, scene)


def _foreground(rng: np.random.Generator, scene: Array) -> Array:
    """The near bank with its grass and flowers, and one large tree against the light."""
    y, x = grid(HEIGHT, WIDTH)
    edge = _BANK - 60 * ramp(x, 560, 1000) + 26 * np.sin(x / 170) + 8 * noise(rng, 4, WIDTH, cell=(4, 40))[2]
    soil = mix((0.12, 0.19, 0.08), (0.34, 0.38, 0.13), 0.5 + 0.5 * cloud(rng, HEIGHT, WIDTH, cell=(30, 60)))
    image = to_picture(mix(scene, soil, ramp(y - edge, -2, 2)))
    pen = ImageDraw.Draw(image)
    grass(rng, pen, edge[0], bottom=HEIGHT, count=5200)
    tree(rng, pen, 868, 668, direction=-1.66, length=112, width=27)
    grass(rng, pen, edge[0] + 40, bottom=HEIGHT, count=1200)
    for fx, fy in zip(rng.uniform(0, WIDTH, 170), rng.uniform(0, 1, 170), strict=True):
        row, size = edge[0, int(fx)] + 14 + fy * (HEIGHT - _BANK), 2 + 2.4 * fy
        petal = [(0.95, 0.86, 0.40), (0.93, 0.45, 0.36), (0.96, 0.94, 0.90)][int(rng.integers(3))]
        pen.ellipse([fx - size, row - size, fx + size, row + size], fill=bytes_of(petal))
    return array(image)
