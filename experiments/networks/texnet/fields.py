"""Scalar fields on a square: noise with a given spectrum, bent coordinates, cells. What the textures are made of.

Everything draws from a numpy Generator that is passed in, so that a picture is a function of its seeds. Lengths are
in pixels, frequencies in cycles per pixel, angles in radians.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

Field = np.ndarray  # (size, size) float32


class Cells(NamedTuple):
    """Worley's cellular basis (1996): distances to the nearest and second nearest seed, and the nearest's number."""

    first: Field
    second: Field
    number: np.ndarray


def grid(size: int) -> tuple[Field, Field]:
    """Row and column of each pixel."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return y, x


def rotate(y: Field, x: Field, angle: float) -> tuple[Field, Field]:
    """Coordinates (along, across) a direction."""
    along = x * np.cos(angle) + y * np.sin(angle)
    return along, y * np.cos(angle) - x * np.sin(angle)


def frequencies(size: int) -> tuple[Field, Field]:
    """Length and direction of each wave vector of `numpy.fft.rfft2`; the constant has a tiny length, not 0."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    return np.hypot(fy, fx) + 1e-3, np.arctan2(fy, fx)


def shape_noise(draw: Generator, envelope: np.ndarray, *, size: int) -> Field:
    """Gaussian noise whose amplitude spectrum is `envelope`; mean 0, standard deviation 1, periodic."""
    waves = np.fft.rfft2(draw.standard_normal((size, size), dtype=np.float32)) * envelope
    waves[0, 0] = 0
    field = np.fft.irfft2(waves, s=(size, size)).astype(np.float32)
    return field / (field.std() + 1e-6)


def smooth(draw: Generator, *, size: int, scale: float) -> Field:
    """Noise without structure below `scale` pixels."""
    radius, _ = frequencies(size)
    return shape_noise(draw, np.exp(-((radius * scale) ** 2)), size=size)


def fractal(draw: Generator, *, size: int, slope: float) -> Field:
    """Noise with the spectrum 1 / f^slope: 1 as in photographs, 2 like clouds."""
    radius, _ = frequencies(size)
    return shape_noise(draw, 1 / radius**slope, size=size)


def band_noise(draw: Generator, *, size: int, frequency: float, width: float, angle: float, focus: float) -> Field:
    """Noise around one frequency (log-normal band of `width`) and, with focus > 0, around one direction."""
    radius, direction = frequencies(size)
    band = np.exp(-(np.log(radius / frequency) ** 2) / (2 * width**2))
    return shape_noise(draw, band * np.exp(focus * (np.cos(2 * (direction - angle)) - 1)), size=size)


def bend(draw: Generator, *, size: int, amount: float, scale: float) -> tuple[Field, Field]:
    """Rows and columns displaced by smooth noise of `amount` pixels."""
    y, x = grid(size)
    return y + amount * smooth(draw, size=size, scale=scale), x + amount * smooth(draw, size=size, scale=scale)


def cells(draw: Generator, y: Field, x: Field, *, pitch: float, disorder: float) -> Cells:
    """The cells of a square lattice of seeds `pitch` apart; disorder 0: squares, 1: as if at random."""
    row, column = np.floor(y / pitch).astype(int), np.floor(x / pitch).astype(int)
    row, column, y, x = row - row.min() + 1, column - column.min() + 1, y - y.min(), x - x.min()
    shape = (int(row.max()) + 2, int(column.max()) + 2)
    seeds = 0.5 + disorder * (draw.random((*shape, 2), dtype=np.float32) - 0.5)
    steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    distances = np.stack([_distance(seeds, row + i, column + j, y / pitch, x / pitch) for i, j in steps])
    nearest = distances.argmin(0)
    di, dj = np.array(steps).T
    number = (row + di[nearest]) * shape[1] + column + dj[nearest]
    first, second = np.partition(distances, 1, axis=0)[:2] * pitch
    return Cells(first, second, number)


def _distance(seeds: np.ndarray, row: np.ndarray, column: np.ndarray, y: Field, x: Field) -> Field:
    at = seeds[row, column]
    return np.hypot(row - 1 + at[..., 0] - y, column - 1 + at[..., 1] - x).astype(np.float32)


def unit(field: Field) -> Field:
    """Stretched to [0, 1]."""
    low, high = field.min(), field.max()
    return (field - low) / (high - low + 1e-6)


def soft(distance: Field) -> Field:
    """Coverage of a pixel by a shape whose edge is `distance` pixels away, inside positive: no jagged edges."""
    return np.clip(distance + 0.5, 0, 1)


def lit(height: Field, *, angle: float, strength: float) -> Field:
    """How bright a relief is under light from `angle`; 1 where it is flat."""
    dy, dx = np.gradient(height)
    return np.clip(1 + strength * (dx * np.cos(angle) + dy * np.sin(angle)), 0.3, 1.7)
