"""The views of a step of a training: pieces of pictures, changed so that all of them differ."""

from collections.abc import Sequence

import numpy as np

Rng = np.random.Generator


def crop(rng: Rng, pictures: Sequence[np.ndarray], *, side: int) -> np.ndarray:
    """A piece (side, side, 3) of one of the pictures, RGB in [0, 1], turned over at random."""
    picture = pictures[int(rng.integers(len(pictures)))]
    top, left = (rng.integers(0, n - side + 1) for n in picture.shape[:2])
    piece = picture[top : top + side, left : left + side].astype(np.float32) / 255
    piece = piece[:, ::-1] if rng.random() < 0.5 else piece
    return piece.transpose(1, 0, 2) if rng.random() < 0.25 else piece


def crops(rng: Rng, pictures: Sequence[np.ndarray], *, side: int, count: int) -> np.ndarray:
    """(count, side, side, 3)."""
    return np.stack([crop(rng, pictures, side=side) for _ in range(count)])


def views(rng: Rng, pictures: Sequence[np.ndarray], *, side: int, count: int) -> np.ndarray:
    """Pieces with other colours and contrasts, with noise, mixed with each other, and pieces that are noise alone.

    (count, side, side, 3), within -0.05 and 1.05: optimised images leave [0, 1] a little.
    """
    made = [recolour(rng, crop(rng, pictures, side=side)) for _ in range(count)]
    for i, chance in enumerate(rng.random(count)):
        if chance < 0.3:
            made[i] = made[i] + rng.uniform(0, 0.25) * rng.standard_normal(made[i].shape)
        elif chance < 0.4:
            made[i] = noise(rng, side=side)
        elif chance < 0.6:
            share = np.clip(smooth(rng, side=side, cells=max(2, side // 8), channels=1), 0, 1)
            made[i] = share * made[i] + (1 - share) * made[int(rng.integers(count))]
    return np.clip(np.stack(made), -0.05, 1.05).astype(np.float32)


def recolour(rng: Rng, piece: np.ndarray) -> np.ndarray:
    """The piece with its colours exchanged, in three of ten, and another contrast and brightness, in half."""
    if rng.random() < 0.3:
        piece = piece[..., rng.permutation(3)]
    if rng.random() < 0.5:
        middle = piece.mean()
        piece = (piece - middle) * rng.uniform(0.5, 1.8) + middle + rng.normal(0, 0.1)
    return piece


def noise(rng: Rng, *, side: int) -> np.ndarray:
    """White noise, or spots of some size."""
    cells = side // 2 ** int(rng.integers(0, 5))
    return rng.random((side, side, 3)) if cells == side else smooth(rng, side=side, cells=cells, channels=3)


def smooth(rng: Rng, *, side: int, cells: int, channels: int) -> np.ndarray:
    """A smooth random field (side, side, channels) of so many cells along a side."""
    grid = rng.random((cells + 2, cells + 2, channels))
    places = np.linspace(0.5, cells + 0.5, side)
    low = places.astype(int)
    part = places - low
    part = part * part * (3 - 2 * part)
    for axis in (0, 1):
        shape = [1, 1, 1]
        shape[axis] = side
        weight = part.reshape(shape)
        grid = np.take(grid, low, axis) * (1 - weight) + np.take(grid, low + 1, axis) * weight
    return 1.4 * (grid - 0.5) + 0.5
