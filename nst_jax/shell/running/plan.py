"""How a program is computed: the whole image at once, or in tiles where that does not fit into the memory."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nst_jax.extractors.base import Architecture, Extractor, activations
from nst_jax.images.tiles import Grid, Tiles, lay
from nst_jax.losses.term import Terms
from nst_jax.methods import tiled
from nst_jax.shell.errors import UserError
from nst_jax.shell.running.program import free_memory
from nst_jax.shell.settings.schema import Config

# Of a value and gradient, the compiler's working memory in parts of all that the network computes on the way forward:
# 0.22 to 0.29 for distilled, VGG-16 and VGG-19 at 256, 512 and 1024 pixels (python -m benchmarks.plans)
PART = 0.3
IMAGES = 16  # arrays of the image's size beside it: the optimiser's state, the total variation, the best image
SHARE = 0.8  # of the free memory that a plan may take
SIDES = (2048, 1536, 1024, 768, 512, 384, 256)  # of the tiles that are tried, in pixels


class Way(NamedTuple):
    """A way to compute, and what it takes by the model."""

    tiles: Tiles | None
    memory: float  # bytes
    work: float  # in parts of that of the whole image

    @property
    def name(self) -> str:
        """In words."""
        return "whole" if self.tiles is None else f"tiles of {self.tiles.side}"


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
    net: Extractor  # tapped
    params: Any  # or their shapes
    rounding: str
    padding: str
    height: int  # of the image, in pixels
    width: int

    def tiles(self, side: int) -> tuple[Tiles, Grid]:
        """Tiles of so many pixels, and their windows."""
        found = tiled.tiles_of(self.arch, self.net.taps, side=side, rounding=self.rounding, padding=self.padding)
        return found, lay(found, height=self.height, width=self.width)


def fixed_bytes(seen: Seen, *, memory: int) -> int:
    """Bytes of the image and of what has its size."""
    return 4 * 3 * seen.height * seen.width * (IMAGES + 2 * memory)


def whole_way(seen: Seen, *, memory: int) -> Way:
    """The whole image at once. It asks the network for nothing but its activations."""
    needed = PART * intermediates(seen.net, seen.params, height=seen.height, width=seen.width)
    return Way(None, fixed_bytes(seen, memory=memory) + needed, 1.0)


def ways(seen: Seen, *, memory: int) -> list[Way]:
    """The whole image, and tiles from the largest to the smallest.

    memory: pairs that L-BFGS keeps; 0: another optimiser.
    """
    height, width, whole = seen.height, seen.width, whole_way(seen, memory=memory)
    fixed, found = fixed_bytes(seen, memory=memory), [whole]
    needed = whole.memory - fixed
    for side in SIDES:
        tiles, grid = seen.tiles(side)
        if grid.many > 1:
            part = (grid.rows.window * grid.columns.window) / (height * width)
            found.append(Way(tiles, fixed + needed * part, work(tiles, height, width)))
    return found


def work(tiles: Tiles | None, height: int, width: int) -> float:
    """The work of a step in parts of that of the whole image: forward twice and backward once, over all windows."""
    if tiles is None:
        return 1.0
    grid = lay(tiles, height=height, width=width)
    return 4 / 3 * grid.many * grid.rows.window * grid.columns.window / (height * width)


def choose(config: Config, seen: Seen, terms: Terms, log: Callable[[str], object]) -> Tiles | None:
    """The tiles that `device.tiles` asks for; None: the whole image at once.

    Raises UserError for tiles that are asked for and cannot be.
    """
    asked, memory, room = config.device.tiles, int(config.optimiser.get("memory", 0)), SHARE * free_memory()
    if config.dry_run:
        for line in describe(ways(seen, memory=memory)):
            log(line)
    if asked == "none":
        return None
    if asked != "auto":
        check(terms, seen.net)
        tiles, grid = seen.tiles(int(asked))
        one = "plan: whole, since one tile holds the image"
        log(f"plan: {grid.many} tiles of {tiles.side} pixels" if grid.many > 1 else one)
        return tiles if grid.many > 1 else None
    whole = whole_way(seen, memory=memory)
    if whole.memory <= room:
        return None
    others = ways(seen, memory=memory)[1:]
    need = f"the whole image would take about {gib(whole.memory)}, of {gib(room / SHARE)} free"
    try:
        tiled.check(terms, seen.net)
    except tiled.CannotTile as error:
        log(f"plan: whole, though {need}: {error}")
        return None
    if not others:
        log(f"plan: whole, though {need}: the smallest tile, of {SIDES[-1]} pixels, holds the image")
        return None
    chosen = min([way for way in others if way.memory <= room], key=lambda way: way.work, default=others[-1])
    log(f"plan: {chosen.name} pixels, about {gib(chosen.memory)}; {need}")
    return chosen.tiles


def check(terms: Terms, net: Extractor) -> None:
    """Raise UserError for terms, or a network, that cannot be computed in tiles."""
    try:
        tiled.check(terms, net)
    except tiled.CannotTile as error:
        raise UserError(f"{error}; device.tiles=none computes the whole image at once") from None


def describe(found: list[Way]) -> list[str]:
    """A table of the ways."""
    return [f"plan, {way.name}: about {gib(way.memory)}, {way.work:.2g} x the time" for way in found]


def gib(size: float) -> str:
    """Bytes, in words."""
    return f"{size / 2**30:.2g} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
