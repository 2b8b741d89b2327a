"""Textures of lines: stripes, swirls, hatching, weave. The signature of a family is described in `noise`."""

import numpy as np
from numpy.random import Generator

from experiments.networks.texnet import fields
from experiments.networks.texnet.palettes import Palette, mix, ramp


def stripes(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Bent stripes, soft or hard, alone or crossed by others."""
    period, amount, scale = variant.uniform(4, 18), variant.uniform(0, 5), variant.uniform(8, 40)
    hardness, angle = variant.uniform(0.8, 6), variant.uniform(0, np.pi)
    crossed, second = variant.random() < 0.4, variant.uniform(0.7, 2)
    y, x = fields.bend(draw, size=size, amount=amount, scale=scale)
    along, across = fields.rotate(y, x, angle + draw.normal(0, 0.1))
    period, phase = period * np.exp(draw.normal(0, 0.1)), draw.uniform(0, 6)
    wave = 0.5 + 0.5 * np.tanh(hardness * np.sin(2 * np.pi * along / period + phase))
    image = mix(colours[0], colours[1], wave)
    other = 0.5 + 0.5 * np.tanh(hardness * np.sin(2 * np.pi * across / (second * period)))
    return mix(image, colours[2], 0.6 * other) if crossed else image


def swirls(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Rings and spirals around a few centres, the stripes of each reaching as far as it is the nearest."""
    period, arms, hardness = variant.uniform(4, 12), variant.integers(-2, 3), variant.uniform(0.5, 5)
    pitch, amount, bands = variant.uniform(24, 60), variant.uniform(0, 1.5), variant.integers(2, 6)
    y, x = fields.bend(draw, size=size, amount=amount, scale=20)
    centres = draw.uniform(0, size, (max(1, round((size / pitch) ** 2)), 2))
    dy, dx = y[..., None] - centres[:, 0], x[..., None] - centres[:, 1]
    distance = np.hypot(dy, dx)
    nearest = distance.argmin(-1)[..., None]
    turn = np.take_along_axis(np.arctan2(dy, dx), nearest, -1)[..., 0]
    reach = np.take_along_axis(distance, nearest, -1)[..., 0]
    wave = np.tanh(hardness * np.sin(2 * np.pi * reach / period + arms * turn)) / np.tanh(hardness)
    return ramp(colours[:bands], np.clip(0.5 + 0.45 * wave + 0.1 * draw.normal() * reach / pitch, 0, 1))


def hatching(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Pen lines on paper in one to three directions, as thick as the tone asks (Winkenbach & Salesin 1994)."""
    period, angle = variant.uniform(3.5, 9), variant.uniform(0, np.pi)
    layers, wobble = variant.integers(1, 4), variant.uniform(0.2, 1.5)
    tone = 0.5 + 0.35 * fields.smooth(draw, size=size, scale=25)
    image, darkest = np.tile(colours[0], (size, size, 1)), colours[1]
    for layer in range(layers):
        y, x = fields.bend(draw, size=size, amount=wobble, scale=10)
        _, across = fields.rotate(y, x, angle + layer * 1.1 + draw.normal(0, 0.06))
        distance = np.abs((across / period) % 1 - 0.5) * period
        thickness = np.clip(period * 0.5 * (tone - 0.25 * layer), 0, period * 0.42)
        image = mix(image, darkest, fields.soft(thickness - distance))
    return image


def weave(variant: Generator, draw: Generator, colours: Palette, *, size: int) -> np.ndarray:
    """Threads over and under each other (plain, twill or basket), round and lit."""
    pitch, angle, gap = variant.uniform(4, 12), variant.uniform(0, np.pi), variant.uniform(0.05, 0.3)
    step, over, two = variant.integers(1, 3), variant.integers(1, 3), variant.integers(1, 3)
    y, x = fields.bend(draw, size=size, amount=0.5, scale=15)
    u, v = (c / pitch for c in fields.rotate(y, x, angle + draw.normal(0, 0.05)))
    i, j = np.floor(u / two), np.floor(v / two)
    warp_up = (i + step * j) % (over + 1) < over
    across, along = np.where(warp_up, u, v) % 1 - 0.5, np.where(warp_up, v, u) % 1 - 0.5
    round_ = np.sqrt(np.clip(1 - (2 * across / (1 - gap)) ** 2, 0, 1)) * (0.75 + 0.25 * np.cos(np.pi * along))
    thread = np.where(warp_up[..., None], colours[0], colours[1])
    return mix(colours[2] * 0.4, thread, round_)
