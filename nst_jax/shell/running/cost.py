"""The cost of computing a program: the whole image at once, or by a way that needs less memory.

A way that needs less computes blocks of the network again for the gradient, or the image in tiles.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nst_jax.extractors.base import Architecture, Extractor, activations
from nst_jax.images.tiles import Grid, Tiles, lay
from nst_jax.methods import tiled

# Of a value and gradient, the compiler's working memory in parts of all that the network computes on the way forward:
# 0.18 to 0.39 at 512 pixels, 0.22 to 0.29 for distilled, VGG-16 and VGG-19 (python -m benchmarks.plans)
PART = 0.3
# The same with checkpoints, in parts of that without: by arithmetic, for VGG-19: what the terms look at, what is
# between the blocks, and the first block's own. On a CPU it is 1 (BENCHMARKS.md, "Tiles").
CHECKPOINTED = 0.65
IMAGES = 16  # arrays of the image's size beside it: the optimiser's state, the total variation, the best image
SIDES = (2048, 1536, 1024, 768, 512, 384, 256)  # of the tiles that are tried, in pixels


class Way(NamedTuple):
    """A way to compute, and what it takes by the model."""

    network: Extractor  # as the image sees it
    tiles: Tiles | None
    checkpoint: bool  # whether the network computes a block again for its gradient
    memory: float  # bytes
    work: float  # in parts of that of the whole image

    @property
    def name(self) -> str:
        """In words."""
        whole = "checkpointed" if self.checkpoint else "whole"
        return whole if self.tiles is None else f"tiles of {self.tiles.side}"


def intermediates(net: Extractor, params: Any, *, height: int, width: int) -> int:
    """Bytes of all that the network computes of an image on the way forward. Nothing is computed.

    params: arrays, or their shapes.
    """
    image = jax.ShapeDtypeStruct((height, width, 3), jnp.float32)
    shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), params)
    traced = jax.make_jaxpr(lambda p, x: dict(activations(net, p, x)))(shapes, image)
    found = [variable.aval for equation in traced.eqns for variable in equation.outvars]
    return sum(a.size * a.dtype.itemsize for a in found)  # pyright: ignore[reportAttributeAccessIssue]


class Seen(NamedTuple):
    """A network and what it sees."""

    arch: Architecture
    tap: Callable[[bool], Extractor]  # whether it computes a block again -> the network as the image sees it
    params: Any  # or their shapes
    rounding: str
    padding: str
    height: int  # of the image, in pixels
    width: int
    pairs: int  # that L-BFGS keeps; 0: another optimiser
    kept: tuple[str, ...]  # the layers that are aimed at position by position: their activations are kept

    @property
    def net(self) -> Extractor:
        """The network that keeps all that it has computed."""
        return self.tap(False)

    def tiles(self, side: int) -> tuple[Tiles, Grid]:
        """Tiles of so many pixels, and their windows."""
        found = tiled.tiles_of(self.arch, self.net.taps, side=side, rounding=self.rounding, padding=self.padding)
        return found, lay(found, height=self.height, width=self.width)


def fixed_bytes(seen: Seen) -> int:
    """Bytes of the image, of the arrays of its size, and of the activations aimed at position by position."""
    found = seen.arch.shapes(seen.net, height=seen.height, width=seen.width)
    images = 3 * seen.height * seen.width * (IMAGES + 2 * seen.pairs)
    return 4 * (images + sum(math.prod(found[layer]) for layer in seen.kept))


def whole_way(seen: Seen, *, checkpoint: bool = False) -> Way:
    """The whole image at once. It asks the network for nothing but its activations."""
    needed = PART * intermediates(seen.net, seen.params, height=seen.height, width=seen.width)
    part = CHECKPOINTED if checkpoint and not on_cpu() else 1.0
    return Way(seen.tap(checkpoint), None, checkpoint, fixed_bytes(seen) + part * needed, 4 / 3 if checkpoint else 1.0)


def on_cpu() -> bool:
    """Whether jax computes on a CPU."""
    return jax.default_backend() == "cpu"


def tiled_way(seen: Seen, side: int) -> Way | None:
    """Tiles of so many pixels; None: one of them holds the image."""
    tiles, grid = seen.tiles(side)
    if grid.many == 1:
        return None
    needed = PART * intermediates(seen.net, seen.params, height=grid.rows.window, width=grid.columns.window)
    return Way(seen.net, tiles, False, fixed_bytes(seen) + needed, work(tiles, seen.height, seen.width))


def lesser_ways(seen: Seen, *, checkpoint: bool, tiles: bool) -> list[Way]:
    """Ways that need less memory than the whole image at once. tiles: from the largest to the smallest."""
    again = [whole_way(seen, checkpoint=True)] if checkpoint else []
    return again + [way for side in SIDES if tiles and (way := tiled_way(seen, side))]


def work(tiles: Tiles | None, height: int, width: int) -> float:
    """The work of a step relative to the whole image: forward twice and backward once, over all windows."""
    if tiles is None:
        return 1.0
    grid = lay(tiles, height=height, width=width)
    return 4 / 3 * grid.many * grid.rows.window * grid.columns.window / (height * width)


def gib(size: int | float) -> str:
    """Bytes, in words."""
    return f"{size / 2**30:.2g} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
