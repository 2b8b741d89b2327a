"""Textures without edges of their own: noise of many spectra, and what thresholds, lights and bends make of it.

A family is a function (variant, draw, colours, *, size) -> (size, size, 3). It reads the parameters of its class from
`variant` and what differs from picture to picture from `draw`; it reads all of `variant` first, in a fixed order.
"""

import numpy as np
from numpy.random import Generator

from experiments.networks.texnet import fields
from experiments.networks.texnet.palettes import Palette, mix, ramp


def filter_noise(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Band-pass noise, with or without a direction, its three channels correlated as the class says."""
    frequency, width = np.exp(variant.uniform(np.log(0.03), np.log(0.3))), variant.uniform(0.15, 0.8)
    focus, angle = variant.choice([0.0, 1.0, 5.0]), variant.uniform(0, np.pi) + draw.normal(0, 0.1)
    grey = variant.choice([0.0, 0.6, 1.0])
    band = [
        fields.band_noise(draw, size=size, frequency=frequency, width=width, angle=angle, focus=focus) for _ in range(3)
    ]
    first = ramp(colours[:2], 0.5 + 0.25 * band[0])
    return np.clip(first + (1 - grey) * 0.15 * np.stack(band, -1), 0, 1)


def clouds(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """1 / f^a noise through a palette: plain, ridged or billowing."""
    slope, shape, bands = variant.uniform(0.7, 2.2), variant.integers(3), variant.integers(2, 6)
    z = fields.fractal(draw, size=size, slope=slope)
    folded = (z, -np.abs(z), np.abs(z + 0.3 * fields.fractal(draw, size=size, slope=slope)))[shape]
    return ramp(colours[:bands], fields.unit(folded))


def contours(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Noise cut at levels: flat islands with hard edges, or contour lines."""
    frequency, focus = np.exp(variant.uniform(np.log(0.02), np.log(0.12))), variant.choice([0.0, 3.0])
    angle, lines, cuts = variant.uniform(0, np.pi), variant.uniform(2, 8), np.sort(variant.uniform(-1.2, 1.2, 4))
    folded = variant.random() < 0.4
    z = fields.band_noise(draw, size=size, frequency=frequency, width=0.4, angle=angle, focus=focus)
    z = np.sin(lines * z) if folded else z
    steps = np.gradient(z)
    slope = np.hypot(*steps) + 0.02
    image = np.tile(colours[0], (size, size, 1))
    for colour, cut in zip(colours[1:5], cuts, strict=True):
        image = mix(image, colour, fields.soft((z - cut) / slope))
    return image


def reaction(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Spots and labyrinths of reaction and diffusion: Young's activator and inhibitor (1984), iterated."""
    scale, angle = variant.uniform(1.5, 4.5), variant.uniform(0, np.pi)
    balance, stretch = variant.uniform(-0.35, 0.35), variant.choice([0.0, 0.5])
    radius, direction = fields.frequencies(size)
    radius = radius * scale * (1 + stretch * np.cos(2 * (direction - angle)))
    kernel = np.exp(-20 * radius**2) - np.exp(-60 * radius**2)
    z = fields.shape_noise(draw, kernel, size=size)
    for _ in range(6):
        z = np.fft.irfft2(np.fft.rfft2(np.tanh(3 * z + balance)) * kernel, s=(size, size))
        z = (z / (z.std() + 1e-6)).astype(np.float32)
    return mix(colours[0], colours[1], 0.5 + 0.5 * np.tanh((4 if stretch else 2) * z + 2 * balance))


def marble(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Veins: waves whose phase is bent by fractal noise, the bend itself bent once more (Perlin 1985)."""
    period, amount, slope = variant.uniform(8, 40), variant.uniform(4, 18), variant.uniform(1.3, 2.2)
    angle, sharp, bands = variant.uniform(0, np.pi), variant.uniform(0.3, 3), variant.integers(2, 6)
    y, x = fields.grid(size)
    along, _ = fields.rotate(y, x, angle + draw.normal(0, 0.15))
    along = along + amount * fields.fractal(draw, size=size, slope=slope)
    wave = np.abs(np.sin(np.pi * along / period)) ** sharp
    return ramp(colours[:bands], fields.unit(wave + 0.1 * fields.fractal(draw, size=size, slope=slope)))


def relief(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """A lit surface of one or two colours: plaster, bark, hammered metal."""
    slope, frequency, focus = variant.uniform(0.8, 1.8), variant.uniform(0.04, 0.2), variant.choice([0.0, 4.0])
    angle, share, strength = variant.uniform(0, np.pi), variant.uniform(0, 1), variant.uniform(0.3, 1.2)
    light = variant.uniform(0, 2 * np.pi)
    band = fields.band_noise(draw, size=size, frequency=frequency, width=0.4, angle=angle, focus=focus)
    height = share * fields.fractal(draw, size=size, slope=slope) + (1 - share) * band
    shade = fields.lit(height, angle=light, strength=strength)
    return np.clip(ramp(colours[:3], fields.unit(height)) * shade[..., None], 0, 1)
