"""A head and shoulders as distances to smooth solids; x right, y up, z towards the viewer."""

import numpy as np

from tools.pictures.fields import Array

SKIN, HAIR, CLOTH, EYE = range(4)
_YAW, _TILT = 0.42, -0.10  # radians: she looks to our left, her head a little aslant
_CENTRE = np.array([0.05, 0.32, 0.0], np.float32)
EYES = ((-0.235, 0.05, 0.50), (0.235, 0.05, 0.50))
EYE_RADIUS = 0.125


def rotate(points: Array) -> Array:
    """From the room's coordinates to the head's."""
    x, y, z = (points - _CENTRE).T
    x, y = x * np.cos(_TILT) - y * np.sin(_TILT), x * np.sin(_TILT) + y * np.cos(_TILT)
    return np.stack([x * np.cos(_YAW) + z * np.sin(_YAW), y, z * np.cos(_YAW) - x * np.sin(_YAW)], -1)


def distances(points: Array) -> Array:
    """Distance of each point (n, 3) to skin, hair, cloth and eyes: (n, 4)."""
    face = rotate(points)
    mirrored = face * np.array([1, 1, 1], np.float32)
    mirrored[:, 0] = np.abs(face[:, 0])
    eye = _ball(mirrored, EYES[1], EYE_RADIUS)
    skin = _join(_face(face, mirrored), _neck(points), 0.10)
    return np.stack([skin, _hair(face, mirrored), _cloth(points), eye], -1)


def _face(p: Array, m: Array) -> Array:
    """m is p with the left half folded onto the right."""
    d = _egg(p, (0, 0.26, -0.10), (0.62, 0.72, 0.74))
    d = _join(d, _egg(p, (0, -0.26, 0.10), (0.47, 0.64, 0.50)), 0.16)
    d = _join(d, _ball(p, (0, -0.74, 0.40), 0.12), 0.16)
    d = _join(d, _egg(m, (0.29, -0.17, 0.38), (0.20, 0.17, 0.19)), 0.14)
    d = _join(d, _egg(m, (0.20, 0.21, 0.52), (0.20, 0.06, 0.10)), 0.09)
    d = _cut(d, _egg(m, (0.235, 0.055, 0.68), (0.155, 0.085, 0.16)), 0.09)
    d = _join(d, _rod(p, (0, 0.14, 0.57), (0, -0.19, 0.79), 0.050), 0.07)
    d = _join(d, _ball(p, (0, -0.205, 0.765), 0.068), 0.05)
    d = _join(d, _egg(m, (0.085, -0.225, 0.675), (0.055, 0.045, 0.07)), 0.04)
    d = _cut(d, _ball(m, (0.05, -0.265, 0.70), 0.022), 0.03)
    d = _join(d, _lid(m), 0.025)
    return _join(d, _lips(p), 0.030)


def _lid(m: Array) -> Array:
    """A shell around the eye, open in front: above and below the opening it is the eyelids."""
    shell = np.abs(_ball(m, EYES[1], EYE_RADIUS + 0.012)) - 0.010
    return _cut(shell, _egg(m, (0.232, 0.035, 0.62), (0.128, 0.058, 0.25)), 0.008)


def _lips(p: Array) -> Array:
    upper = _egg(p, (0, -0.418, 0.585), (0.165, 0.036, 0.075))
    lower = _egg(p, (0, -0.492, 0.575), (0.140, 0.046, 0.080))
    return _cut(np.minimum(upper, lower), _egg(p, (0, -0.452, 0.66), (0.19, 0.007, 0.08)), 0.012)


def _neck(p: Array) -> Array:
    d = _rod(p, (0.08, -0.25, -0.16), (0.10, -1.15, -0.22), 0.29)
    return _join(d, _egg(p, (0.08, -1.50, -0.16), (0.95, 0.42, 0.40)), 0.22)


def _hair(p: Array, m: Array) -> Array:
    wave = 0.035 * np.sin(9 * p[:, 1] + 3 * p[:, 0]) + 0.02 * np.sin(17 * p[:, 1] - 5 * p[:, 2])
    d = _egg(p, (0, 0.34, -0.16), (0.76, 0.80, 0.80))
    d = _join(d, _rod(m, (0.62, 0.25, -0.10), (0.60, -0.85, -0.16), 0.20) + wave, 0.15)
    d = _join(d, _egg(p, (0, -0.35, -0.50), (0.70, 0.85, 0.34)) + wave, 0.15)
    opening = _join(_egg(p, (0, -0.14, 0.72), (0.50, 0.68, 0.72)), _ball(p, (0.0, 0.32, 0.95), 0.42), 0.15)
    return _cut(d, opening, 0.05)


def _cloth(p: Array) -> Array:
    fold = 0.011 * np.sin(16 * p[:, 0] + 7 * p[:, 1]) + 0.008 * np.sin(29 * p[:, 0] - 11 * p[:, 1])
    body = _egg(p, (0.08, -2.02, -0.20), (1.30, 0.95, 0.55)) + fold
    collar = _egg(p, (0.02, -1.02, 0.22), (0.50, 0.40, 0.60))
    return _cut(body, collar, 0.04)


def _egg(p: Array, centre: tuple[float, ...], radii: tuple[float, ...]) -> Array:
    q = p - np.array(centre, np.float32)
    r = np.array(radii, np.float32)
    near, steep = np.linalg.norm(q / r, axis=-1), np.linalg.norm(q / (r * r), axis=-1)
    return near * (near - 1) / np.maximum(steep, 1e-6)


def _ball(p: Array, centre: tuple[float, ...], radius: float) -> Array:
    return np.linalg.norm(p - np.array(centre, np.float32), axis=-1) - radius


def _rod(p: Array, start: tuple[float, ...], end: tuple[float, ...], radius: float) -> Array:
    a, along = np.array(start, np.float32), np.array(end, np.float32) - np.array(start, np.float32)
    t = np.clip((p - a) @ along / (along @ along), 0, 1)
    return np.linalg.norm(p - a - t[:, None] * along, axis=-1) - radius


def _join(a: Array, b: Array, soft: float) -> Array:
    """The nearer of the two, with a fillet of the size `soft`."""
    h = np.maximum(soft - np.abs(a - b), 0) / soft
    return np.minimum(a, b) - h * h * soft / 4


def _cut(a: Array, b: Array, soft: float) -> Array:
    return -_join(-a, b, soft)
