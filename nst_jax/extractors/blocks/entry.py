"""The entry of a network that is a table."""

from functools import partial
from typing import Any

from nst_jax.extractors.base import Architecture
from nst_jax.extractors.blocks.params import draw, keras_order
from nst_jax.extractors.blocks.sizes import fits_around, shapes, windows
from nst_jax.extractors.blocks.stack import PAYS, Stack, prepare
from nst_jax.extractors.blocks.table import (
    Block,
    Pool,
    convolutions,
    every_convolution,
    kernels,
    layers,
    raw_outputs,
    up_to,
)

FLAT = ("zero", "reflect", "replicate")  # paddings of every network
CYCLIC = ("circular", "circular_x", "circular_y")  # of those whose layers keep the strides of the picture


def needs(blocks: tuple[Block, ...], taps: tuple[str, ...]) -> tuple[str, ...]:
    """The convolutions up to the deepest tap, with all of its block."""
    deepest = max(len(up_to(blocks, tap)) for tap in taps)
    return tuple(conv.name for conv in every_convolution(blocks[:deepest]))


def build(
    name: str,
    blocks: tuple[Block, ...],
    roundings: tuple[str, ...],
    taps: tuple[str, ...],
    *,
    pool: str,
    rounding: str,
    padding: str,
    checkpoint: bool = False,
) -> Stack:
    """The network with these taps. Raises ValueError for a setting that it lacks."""
    paddings = FLAT + (CYCLIC if fits_around(blocks, rounding=rounding) else ())
    own = {"pool": (("max",), pool), "rounding": (roundings, rounding), "padding": (paddings, padding)}
    for key, (known, wanted) in own.items():
        if wanted not in known:
            raise ValueError(f"{key}={wanted}: {name} has {key}={' or '.join(known)} only")
    return Stack(blocks, taps, rounding, padding, checkpoint)


def describe(name: str, blocks: tuple[Block, ...], **known: Any) -> Architecture:
    """The architecture of a network of these blocks.

    Args:
      name: of the network.
      blocks: its table.
      known: what the table does not say: `roundings`, those that the network has, its own first; `pays`, channels in
        times channels out from which Winograd's method is the faster, or None; and fields of `Architecture`.
    """
    roundings, pays = known.pop("roundings"), known.pop("pays", PAYS)
    stages = [tuple(conv.name for conv in convolutions(block.part)) for block in blocks]
    fields: dict[str, Any] = {
        "stages": tuple(stage for stage in stages if stage),
        "packaged": None,
        "fingerprint": None,
        "profile": name,
        "convention": "relative",
        "rounding": roundings[0],
        "choices": tuple(block.name for block in blocks if not isinstance(block.part, Pool)),
        "aliases": {conv.name: conv.name for conv in every_convolution(blocks)},
        "eps": {conv.name: conv.eps for conv in every_convolution(blocks) if conv.eps is not None},
        "keras_order": keras_order(blocks),
        "raw": {layer: name for block in blocks for layer, name in raw_outputs(block.part).items()},
    }
    return Architecture(
        name=name,
        layers=layers(blocks),
        build=partial(build, name, blocks, roundings),
        shapes=shapes,
        windows=partial(windows, blocks),
        kernels=kernels(blocks),
        needs=partial(needs, blocks),
        random=partial(draw, blocks=blocks),
        prepare=partial(prepare, blocks, pays=pays),
        **{**fields, **known},
    )
