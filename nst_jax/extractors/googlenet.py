"""GoogLeNet, or Inception v1 (Szegedy et al. 2015, CVPR, arXiv 1409.4842, table 1), as torchvision has it.

Taps have torchvision's names, each after its ReLU: `conv1` ... `inception5b`. It has batch normalisation (Ioffe &
Szegedy 2015, arXiv 1502.03167), no local response normalisation, and 3 x 3 where table 1 says 5 x 5: a mistake that the
weights were trained with (pytorch/vision#906). Its input is 2 x - 1. The network of DeepDream and of lucid, with true
5 x 5, is another one.
"""

from functools import partial

from nst_jax.extractors.addresses import PUBLISHED
from nst_jax.extractors.blocks.entry import describe
from nst_jax.extractors.blocks.table import Block, Chain, Conv, Join, Pool, every_convolution

conv = partial(Conv, eps=1e-3)
HALVE = Pool("max", 3, 2)  # up, unless the setting `rounding` says down


def inception(name: str, *widths: int) -> Block:
    """The block of figure 2b. widths: `#1x1`, `#3x3 reduce`, `#3x3`, `#5x5 reduce`, `#5x5`, `pool proj` (table 1)."""
    own, reduce_3, three, reduce_5, five, pooled = widths
    return Block(name, Join((
        conv(f"{name}.branch1", own),
        Chain((conv(f"{name}.branch2.0", reduce_3), conv(f"{name}.branch2.1", three, (3, 3)))),
        Chain((conv(f"{name}.branch3.0", reduce_5), conv(f"{name}.branch3.1", five, (3, 3)))),
        Chain((Pool("max", 3, 1, 1), conv(f"{name}.branch4.1", pooled))),
    )))  # fmt: skip


BLOCKS = (
    Block("conv1", conv("conv1", 64, (7, 7), 2)),
    Block("maxpool1", HALVE),
    Block("conv2", conv("conv2", 64)),
    Block("conv3", conv("conv3", 192, (3, 3))),
    Block("maxpool2", HALVE),
    inception("inception3a", 64, 96, 128, 16, 32, 32),
    inception("inception3b", 128, 128, 192, 32, 96, 64),
    Block("maxpool3", HALVE),
    inception("inception4a", 192, 96, 208, 16, 48, 64),
    inception("inception4b", 160, 112, 224, 24, 64, 64),
    inception("inception4c", 128, 128, 256, 24, 64, 64),
    inception("inception4d", 112, 144, 288, 32, 64, 64),
    inception("inception4e", 256, 160, 320, 32, 128, 128),
    Block("maxpool4", Pool("max", 2, 2)),
    inception("inception5a", 256, 160, 320, 32, 128, 128),
    inception("inception5b", 384, 192, 384, 48, 128, 128),
)
NAMES = tuple(one.name for one in every_convolution(BLOCKS))

ARCHITECTURES = {
    "googlenet": describe(
        "googlenet",
        BLOCKS,
        roundings=("ceil", "floor"),
        aliases={name: name for name in NAMES} | {f"{name}.conv": name for name in NAMES},
        norms={f"{name}.bn": name for name in NAMES},
        sources={"torchvision": PUBLISHED["googlenet", "torchvision"]},
        inputs={"torch": "tf"},  # 2 x - 1
    )
}
