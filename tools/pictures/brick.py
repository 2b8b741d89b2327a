"""A wall in running bond: fired bricks of uneven colour in rows, with sandy mortar between them."""

import numpy as np

from tools.pictures.fields import Array, Colour, blur, cloud, grid, halve, noise, ramp, relief

SIDE = 512  # drawn twice as large as kept
_LONG, _HIGH = 118.0, 50.0  # of a brick with its joint, in pixels as drawn
_JOINT = 9.0
_FIRED: list[Colour] = [(0.66, 0.30, 0.21), (0.58, 0.25, 0.18), (0.72, 0.37, 0.25), (0.50, 0.21, 0.17)]
_RARE: list[Colour] = [(0.36, 0.18, 0.17), (0.79, 0.50, 0.34), (0.44, 0.24, 0.24)]
_MORTAR: Colour = (0.74, 0.70, 0.62)


def draw(rng: np.random.Generator) -> Array:
    """The picture, (height, width, 3) RGB in [0, 1]."""
    owner, inside = _lay(rng)
    bricks = np.array([_fire(rng) for _ in range(owner.max() + 1)])
    return halve(_lit(rng, bricks[owner], inside))


def _lay(rng: np.random.Generator) -> tuple[Array, Array]:
    """The number of each pixel's brick, and how far inside it the pixel is: 0 in the joint, 1 on the brick."""
    y, x = grid(SIDE, SIDE)
    y = y + 1.6 * noise(rng, SIDE, SIDE, cell=(70, 90)) + 0.8 * noise(rng, SIDE, SIDE, cell=(9, 9))
    x = x + 1.6 * noise(rng, SIDE, SIDE, cell=(70, 90)) + 0.8 * noise(rng, SIDE, SIDE, cell=(9, 9))
    row = np.floor((y + 14) / _HIGH).astype(int)
    aside = rng.normal(0, 2.5, row.max() + 1)[row] + row % 2 * _LONG / 2
    column = np.floor((x + aside + 30) / _LONG).astype(int)
    column -= column.min()
    owner = row * (column.max() + 1) + column
    short, thin = rng.normal(0, 1.4, owner.max() + 1)[owner], rng.normal(0, 0.8, owner.max() + 1)[owner]
    across = np.minimum((x + aside + 30) % _LONG, _LONG - (x + aside + 30) % _LONG) - short
    down = np.minimum((y + 14) % _HIGH, _HIGH - (y + 14) % _HIGH) - thin
    return owner, ramp(np.minimum(across, down), _JOINT / 2 - 1.5, _JOINT / 2 + 2.5)


def _fire(rng: np.random.Generator) -> Array:
    """The colour of one brick."""
    colours = _RARE if rng.uniform() < 0.16 else _FIRED
    return np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.88, 1.12) + rng.normal(0, 0.012, 3)


def _lit(rng: np.random.Generator, colour: Array, inside: Array) -> Array:
    """Light from the upper left on rough faces; the mortar lies deeper, and is sandy."""
    rough = cloud(rng, SIDE, SIDE, cell=(26, 26), octaves=4)
    grain = rng.normal(0, 1, (SIDE, SIDE))
    pits = ramp(noise(rng, SIDE, SIDE, cell=(7, 7)), 0.62, 0.9)
    edge = relief(blur(inside, 2.2), strength=2.6)
    brick = colour * (1 + 0.16 * rough + 0.045 * grain - 0.30 * pits)[..., None]
    sand = np.array(_MORTAR) * (0.9 + 0.10 * cloud(rng, SIDE, SIDE, cell=(8, 8), octaves=3) + 0.05 * grain)[..., None]
    wall = sand * (1 - inside[..., None]) + brick * inside[..., None]
    return np.clip(wall * (1 + 0.30 * edge)[..., None], 0, 1)
