"""SqueezeNet 1.1 (Iandola et al. 2016, arXiv 1602.07360, table 1 and figure 2; the release notes of 1.1), to fire9.

Taps: `input`, the preprocessing; `conv1` and `fire2` ... `fire9`, each after its ReLU. The weights are one of two
files. The input of the Keras file (github.com/rcmalli/keras-squeezenet, no top) is BGR in 0..255 minus (103.939,
116.779, 123.68), and its poolings see whole windows only. The poolings of torchvision's file round up: rounding=ceil.
"""

from nst_jax.extractors.addresses import PUBLISHED
from nst_jax.extractors.blocks.entry import describe
from nst_jax.extractors.blocks.table import Block, Chain, Conv, Join, Part, Pool, every_convolution

POOL = Pool("max", 3, 2)  # down or up, as the setting `rounding` says


def fire(name: str, *before: Part, squeezed: int, expand: int) -> Block:
    """Figure 1: few channels by 1 x 1, then many by 1 x 1 and by 3 x 3. The pooling before it is part of its way."""
    return Block(name, Chain((
        *before,
        Conv(f"{name}_squeeze1x1", squeezed),
        Join((Conv(f"{name}_expand1x1", expand), Conv(f"{name}_expand3x3", expand, (3, 3)))),
    )))  # fmt: skip


BLOCKS = (
    Block("conv1", Conv("conv1", 64, (3, 3), 2, same=False)),
    fire("fire2", POOL, squeezed=16, expand=64),
    fire("fire3", squeezed=16, expand=64),
    fire("fire4", POOL, squeezed=32, expand=128),
    fire("fire5", squeezed=32, expand=128),
    fire("fire6", POOL, squeezed=48, expand=192),
    fire("fire7", squeezed=48, expand=192),
    fire("fire8", squeezed=64, expand=256),
    fire("fire9", squeezed=64, expand=256),
)
NAMES = tuple(one.name for one in every_convolution(BLOCKS))
PLACES = {"conv1": 0, "fire2": 3, "fire3": 4, "fire4": 6, "fire5": 7}  # among torchvision's `features`
PLACES |= {"fire6": 9, "fire7": 10, "fire8": 11, "fire9": 12}


def name_in_torch(name: str) -> str:
    """The name of a convolution in torchvision's files: features.3.squeeze for fire2_squeeze1x1."""
    layer, _, part = name.partition("_")
    return f"features.{PLACES[layer]}" + (f".{part.replace('squeeze1x1', 'squeeze')}" if part else "")


ARCHITECTURES = {
    "squeezenet": describe(
        "squeezenet",
        BLOCKS,
        roundings=("floor", "ceil"),
        aliases={n: n for n in NAMES} | {n.replace("_", "/"): n for n in NAMES} | {name_in_torch(n): n for n in NAMES},
        sources={name: PUBLISHED["squeezenet", name] for name in ("keras", "torchvision")},
        inputs={"torch": "torchvision", "keras": "caffe"},
    )
}
