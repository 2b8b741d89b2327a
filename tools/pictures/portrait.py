"""A woman's head and shoulders, modelled as a smooth solid and lit from a window on the left."""

import numpy as np

from tools.pictures import head
from tools.pictures.fields import Array, cloud, gradient, grid, mix, noise, ramp

HEIGHT, WIDTH = 512, 384
_PIXEL = 2.75 / WIDTH  # in units of the model
_LAMP = np.array([-0.66, 0.50, 0.56], np.float32)
_FILL = np.array([0.93, 0.05, 0.35], np.float32)
_FRONT = 1.3  # z where the rays start


def draw(rng: np.random.Generator) -> Array:
    """The picture, (height, width, 3) RGB in [0, 1]."""
    back = _background(rng).reshape(-1, 3)
    points, miss = _march(_screen())
    seen = np.flatnonzero(miss < _PIXEL)
    points = points[seen]
    normal, kind = _normals(points), np.argmin(head.distances(points), axis=-1)
    colour = _paint(rng, points, kind, seen)
    lit = colour * _light(points, normal) + _gloss(normal, kind)[:, None]
    cover = np.clip(1 - miss[seen] / _PIXEL, 0, 1)
    back[seen] = mix(back[seen], lit, cover)
    return np.clip(back.reshape(HEIGHT, WIDTH, 3), 0, 1)


def _screen() -> Array:
    y, x = grid(HEIGHT, WIDTH)
    x, y = (x - WIDTH / 2) * _PIXEL, (HEIGHT / 2 - y) * _PIXEL - 0.22
    return np.stack([x, y, np.full_like(x, _FRONT)], -1).reshape(-1, 3).astype(np.float32)


def _march(points: Array) -> tuple[Array, Array]:
    """Walk straight into the picture until a surface is met; and how near each ray came to one."""
    points, closest = points.copy(), points.copy()
    miss = np.full(len(points), 9.0, np.float32)
    active = np.arange(len(points))
    for _ in range(70):
        gap = head.distances(points[active]).min(-1)
        nearer = gap < miss[active]
        closest[active[nearer]], miss[active[nearer]] = points[active[nearer]], gap[nearer]
        points[active, 2] -= 0.8 * gap
        active = active[(gap > 0.001) & (points[active, 2] > -1.2)]
    return closest, np.where(miss < 0.004, 0, miss)


def _normals(points: Array) -> Array:
    step = 0.004
    slopes = [
        head.distances(points + offset).min(-1) - head.distances(points - offset).min(-1)
        for offset in np.eye(3, dtype=np.float32) * step
    ]
    normal = np.stack(slopes, -1)
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


def _light(points: Array, normal: Array) -> Array:
    """A warm window on the left with its shadow, cool light from the right, dark hollows."""
    key = np.maximum(normal @ (_LAMP / np.linalg.norm(_LAMP)), 0) * _shadow(points, normal)
    fill = np.maximum(normal @ (_FILL / np.linalg.norm(_FILL)), 0)
    hollow = np.clip(head.distances(points + 0.12 * normal).min(-1) / 0.12, 0.15, 1)
    sky = (0.5 + 0.5 * normal[:, 1]) * hollow
    warm, cool, air = np.array([1.10, 0.98, 0.82]), np.array([0.30, 0.37, 0.50]), np.array([0.28, 0.27, 0.30])
    return key[:, None] * warm + fill[:, None] * cool * hollow[:, None] + sky[:, None] * air + 0.05


def _shadow(points: Array, normal: Array) -> Array:
    """1 in the light, 0 in the shadow, soft where something passes close by."""
    way, free = 0.04, np.ones(len(points))
    start = points + 0.012 * normal
    for _ in range(12):
        gap = head.distances(start + way * _LAMP).min(-1)
        free = np.minimum(free, 7 * gap / way)
        way += 0.075
    return np.clip(free, 0.16, 1)  # the room throws some light back


def _gloss(normal: Array, kind: Array) -> Array:
    half = _LAMP / np.linalg.norm(_LAMP) + np.array([0, 0, 1])
    shine = np.maximum(normal @ (half / np.linalg.norm(half)), 0)
    strength, sharp = np.array([0.10, 0.0, 0.03, 0.8]), np.array([18, 10, 8, 90])
    return strength[kind] * shine ** sharp[kind]


def _paint(rng: np.random.Generator, points: Array, kind: Array, seen: Array) -> Array:
    face = head.rotate(points)
    paints = [_skin(rng, face, seen), _strands(rng, face), _weave(rng, points, seen), _iris(face)]
    return np.choose(kind[:, None], paints)


def _skin(rng: np.random.Generator, face: Array, seen: Array) -> Array:
    x, y, z = np.abs(face[:, 0]), face[:, 1], face[:, 2]
    blotch = cloud(rng, HEIGHT, WIDTH, cell=(40, 40), octaves=5).ravel()[seen]
    skin = np.array([0.90, 0.68, 0.55]) * (1 + 0.05 * blotch)[:, None]
    cheek = np.exp(-(((x - 0.30) / 0.17) ** 2) - ((y + 0.20) / 0.15) ** 2)
    skin = mix(skin, np.broadcast_to((0.88, 0.44, 0.38), skin.shape), 0.45 * cheek * (z > 0))
    edge = 1 - 0.6 * (x / 0.15) ** 2
    mouth = ramp(edge - np.abs((y + 0.455) / 0.072), -0.1, 0.25) * (z > 0.4)
    skin = mix(skin, np.broadcast_to((0.72, 0.22, 0.24), skin.shape), 0.85 * mouth)
    arch = 0.215 + 0.05 * np.cos((x - 0.27) * 6.5) - 0.03
    brow = ramp(0.026 - np.abs(y - arch), -0.012, 0.012) * ramp(x, 0.08, 0.13) * (1 - ramp(x, 0.36, 0.44))
    dark = brow * (z > 0.2) * 0.8
    skin = mix(skin, np.broadcast_to((0.17, 0.09, 0.06), skin.shape), 0.9 * dark)
    across, up = (x - 0.232) / 0.128, (y - 0.035) / 0.058
    lash = np.exp(-(((np.hypot(across, up) - 1.08) / 0.12) ** 2)) * (z > 0.3) * ramp(up, -0.9, 0.3)
    return mix(skin, np.broadcast_to((0.10, 0.05, 0.05), skin.shape), 0.9 * lash)


def _strands(rng: np.random.Generator, face: Array) -> Array:
    """Chestnut hair: fine strands along the fall of the hair, and two bands of light across them."""
    x, y, z = face.T
    fall = np.arctan2(x, 0.75 + 0.2 * z) * 1.0 + 0.06 * np.sin(6 * y + 2 * x)
    crown = np.hypot(x, z - 0.1)
    place = np.where(y > 0.3, np.arctan2(x, z + 0.35 * (1 - ramp(y, 0.3, 1.1)) + 0.25), fall)
    strips = noise(rng, 8, 4096, cell=(8, 14))[4] + 0.7 * noise(rng, 8, 4096, cell=(8, 5))[4]
    fine = strips[np.clip((place / 6.4 + 0.5) * 4095, 0, 4095).astype(int)]
    bend = y + 0.10 * np.sin(7 * x) + 0.05 * fine
    sheen = np.exp(-(((bend - 0.72) / 0.14) ** 2)) + 0.8 * np.exp(-(((bend + 0.30) / 0.20) ** 2))
    sheen = np.clip(sheen * (0.45 + 0.6 * fine) + 0.05 * crown, 0, 1)
    base = gradient({-1.0: (0.10, 0.05, 0.04), 0.0: (0.30, 0.15, 0.09), 1.0: (0.52, 0.28, 0.14)}, fine)
    return mix(base, np.broadcast_to((0.98, 0.72, 0.42), base.shape), 0.75 * sheen)


def _weave(rng: np.random.Generator, points: Array, seen: Array) -> Array:
    x, y, _ = points.T
    thread = noise(rng, HEIGHT, WIDTH, cell=(2, 5)).ravel()[seen]
    deep = np.array([0.13, 0.28, 0.42]) * (1 + 0.22 * thread)[:, None]
    # a printed pattern of rosettes
    u, v = x * 5.2 + 0.4 * np.sin(3 * y), y * 5.2 + 0.5 * np.floor(x * 5.2 + 0.4 * np.sin(3 * y))
    du, dv = u - np.floor(u) - 0.5, v - np.floor(v) - 0.5
    petal = 0.24 + 0.09 * np.cos(5 * np.arctan2(dv, du))
    flower = ramp(petal - np.hypot(du, dv), -0.03, 0.03)
    deep = mix(deep, np.broadcast_to((0.86, 0.62, 0.24), deep.shape), flower)
    return mix(deep, np.broadcast_to((0.70, 0.18, 0.16), deep.shape), ramp(0.09 - np.hypot(du, dv), -0.03, 0.03))


def _iris(face: Array) -> Array:
    x, y, _ = face.T
    side = np.sign(x)
    across, up = x - side * 0.235 + 0.012, y - 0.045
    far = np.hypot(across, up)
    rays = 0.8 + 0.25 * np.cos(18 * np.arctan2(up, across))
    white = np.broadcast_to((0.93, 0.91, 0.88), (len(x), 3))
    iris = np.array([0.26, 0.42, 0.38]) * rays[:, None]
    eye = mix(white, iris, 1 - ramp(far, 0.056, 0.064))
    return mix(eye, np.broadcast_to((0.03, 0.03, 0.04), eye.shape), 1 - ramp(far, 0.022, 0.030))


def _background(rng: np.random.Generator) -> Array:
    """A plastered wall, lit from the window, with the shadow of its bars."""
    y, x = grid(HEIGHT, WIDTH)
    plaster = cloud(rng, HEIGHT, WIDTH, cell=(90, 90), octaves=6)
    wall = gradient(
        {0.0: (0.20, 0.27, 0.27), 0.6: (0.38, 0.45, 0.40), 1.0: (0.62, 0.62, 0.48)},
        np.clip(0.95 - 0.75 * x / WIDTH - 0.35 * y / HEIGHT + 0.16 * plaster, 0, 1),
    )
    slant = x + 0.55 * y
    window = ramp(slant, 60, 76) * (1 - ramp(slant, 330, 352)) * ramp(y, 26, 40) * (1 - ramp(y, 300, 330))
    bars = ramp(np.abs((slant - 60) % 92 - 46), 38, 42) + ramp(np.abs((y - 40) % 96 - 48), 40, 44)
    beam = window * (1 - np.clip(bars, 0, 1))
    return wall + 0.20 * beam[..., None] * np.array([1.0, 0.86, 0.55])
