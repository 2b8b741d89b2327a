"""Which way a program is computed: the whole image at once where it fits, or else the quickest way that does."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import jax

from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.images.tiles import lay
from nst_jax.losses.term import IMAGE, Terms, taps
from nst_jax.methods import tiled
from nst_jax.methods.texture import PADDING
from nst_jax.shell.errors import UserError
from nst_jax.shell.running import cost
from nst_jax.shell.running.cost import Seen, Way, gib, lesser_ways, on_cpu, tiled_way, whole_way
from nst_jax.shell.running.device import free_memory, mesh_sides
from nst_jax.shell.running.networks import tap
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.texture import axes_of
from nst_jax.types import Image, Params

SHARE = 0.8  # of the free memory that a plan may take


def see(config: Config, arch: Architecture, terms: Terms, params: Params, image: Image, *, pairs: int) -> Seen:
    """The network and the image, for the plan. pairs: that L-BFGS keeps; 0: another optimiser."""
    padding = PADDING.get(axes_of(config), config.network.padding)  # where borders meet, convolutions wrap around
    as_seen = lambda checkpoint: tap(config, arch, taps(terms), padding=padding, checkpoint=checkpoint)
    kept = {t.tap for t in terms if t.of and t.tap != IMAGE and not hasattr(t.aim, "summary")}
    height, width, _ = image.shape
    return Seen(
        arch, as_seen, params, config.network.rounding, padding, height, width, pairs=pairs, kept=tuple(sorted(kept))
    )


class Choice(NamedTuple):
    """The way that is taken, and the one that is taken where it needs more memory than there is."""

    way: Way
    seen: Seen  # what it is chosen for
    retreat: Callable[[Way], Way | None]  # the quickest way that needs less; None: there is none


def choose(config: Config, seen: Seen, terms: Terms, log: Callable[[str], object]) -> Choice:
    """The quickest way of those that the settings allow, of those that fit by the model. One line says which.

    Raises UserError for tiles that are asked for and cannot be.
    """
    asked, free = config.device.tiles, free_memory()
    again = config.device.checkpoint is True
    whole = whole_way(seen, checkpoint=again)
    devices = mesh_sides(config.device.mesh, devices=len(jax.devices()))[1]
    if devices > 1:
        share = whole._replace(memory=whole.memory / devices)
        log(f"{describe(share, seen, free)}, on each of {devices} devices")
        return Choice(share, seen, lambda _: None)
    if asked not in ("auto", "none"):
        check(terms, seen.net)
        way = tiled_way(seen, int(asked)) or whole
        log(describe(way, seen, free) + ("" if way.tiles else "; one tile holds the image"))
        return Choice(way, seen, lambda _: None)
    allowed = {"checkpoint": config.device.checkpoint == "auto" and not on_cpu()}
    allowed |= {"tiles": asked == "auto" and not obstacle(terms, seen.net)}
    others = partial(lesser_ways, seen, **allowed)  # costs a while, and is seldom asked
    retreat = lambda way: min((w for w in others() if w.memory < way.memory), key=attrgetter("work"), default=None)
    if whole.memory <= SHARE * free:
        log(describe(whole, seen, free))
        return Choice(whole, seen, retreat)
    found = [whole, *others()]
    way = min((w for w in found if w.memory <= SHARE * free), key=attrgetter("work"), default=found[-1])
    why = f"; whole: about {gib(whole.memory)}" if way is not whole else f"; {excuse(terms, seen.net, asked)}"
    log(describe(way, seen, free) + why)
    return Choice(way, seen, retreat)


def excuse(terms: Terms, net: Extractor, asked: str) -> str:
    """Why the whole image is computed at once though it does not fit."""
    if asked == "none":
        return "device.tiles=none"
    return obstacle(terms, net) or f"the smallest tile, of {cost.SIDES[-1]} pixels, holds the image"


def obstacle(terms: Terms, net: Extractor) -> str:
    """Why the terms, or the network, cannot be computed in tiles; "" where they can."""
    try:
        tiled.check(terms, net)
    except tiled.CannotTile as error:
        return str(error)
    return ""


def check(terms: Terms, net: Extractor) -> None:
    """Raise UserError for terms, or a network, that cannot be computed in tiles."""
    if why := obstacle(terms, net):
        raise UserError(f"{why}; device.tiles=none computes the whole image at once")


def describe(way: Way, seen: Seen, free: int) -> str:
    """The way, in a line."""
    many = f"{lay(way.tiles, height=seen.height, width=seen.width).many} " if way.tiles else ""
    return f"plan: {many}{way.name}, about {gib(way.memory)} of {gib(free)} free"
