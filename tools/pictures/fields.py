"""What all the pictures are drawn from: smooth random fields, blends, and shrinking."""

import numpy as np
from PIL import Image

Array = np.ndarray
Colour = tuple[float, float, float]


def grid(height: int, width: int) -> tuple[Array, Array]:
    """Row and column of each pixel, float."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return y, x


def noise(rng: np.random.Generator, height: int, width: int, *, cell: tuple[float, float]) -> Array:
    """Smooth noise in about [-1, 1]: random values every `cell` (rows, columns) pixels, joined cubically."""
    rows, columns = int(height / cell[0]) + 3, int(width / cell[1]) + 3
    coarse = Image.fromarray(rng.uniform(-1, 1, (rows, columns)).astype(np.float32))
    box = (0.5, 0.5, 0.5 + width / cell[1], 0.5 + height / cell[0])
    smooth = coarse.resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(smooth, np.float64)


def cloud(rng: np.random.Generator, height: int, width: int, *, cell: tuple[float, float], octaves: int = 5) -> Array:
    """Noise over noise, each octave half as large and half as strong; about [-1, 1]."""
    total = np.zeros((height, width))
    for octave in range(octaves):
        scale = 0.5**octave
        total += scale * noise(rng, height, width, cell=(cell[0] * scale, cell[1] * scale))
    return total / 1.4


def ramp(values: Array | float, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((np.asarray(values) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array | Colour, b: Array | Colour, t: Array | float) -> Array:
    """From colour a to colour b by t, which may be a field."""
    t = np.asarray(t)[..., None]
    return np.asarray(a) * (1 - t) + np.asarray(b) * t


def gradient(stops: dict[float, Colour], t: Array) -> Array:
    """A colour for each value of t, linear between the stops."""
    places, colours = list(stops), np.array(list(stops.values()))
    return np.stack([np.interp(t, places, colours[:, i]) for i in range(3)], -1)


def blur(field: Array, radius: float) -> Array:
    """Gaussian, along both axes of a single field."""
    reach = int(3 * radius) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    kernel /= kernel.sum()
    for _ in range(2):
        padded = np.pad(field, ((reach, reach), (0, 0)), mode="edge")
        field = np.sum([k * padded[i : i + len(field)] for i, k in enumerate(kernel)], axis=0).T
    return field


def relief(height: Array, *, strength: float) -> Array:
    """Light from the upper left over a height field: about -1 (shade) to 1 (light)."""
    slope_y, slope_x = np.gradient(height)
    return np.tanh(strength * -(slope_x + slope_y))


def picture(array: Array) -> Image.Image:
    """An 8-bit Pillow picture of RGB in [0, 1]."""
    return Image.fromarray((np.clip(array, 0, 1) * 255 + 0.5).astype(np.uint8))


def array(image: Image.Image) -> Array:
    """RGB in [0, 1] of a Pillow picture."""
    return np.asarray(image, np.float64) / 255


def bytes_of(colour: Array | Colour) -> tuple[int, ...]:
    """A colour as Pillow's pen wants it."""
    return tuple(int(255 * min(max(c, 0), 1) + 0.5) for c in colour)


def halve(image: Array) -> Array:
    """Every second pixel each way, averaged: all is drawn twice as large as it is kept."""
    return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4
