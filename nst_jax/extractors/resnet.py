"""ResNets (He, Zhang, Ren & Sun 2016, CVPR, arXiv 1512.03385, table 1): 18, 34, 50 and 101 layers.

torchvision's have the stride of a bottleneck in its 3 x 3 ("v1.5"). Their taps are `conv1` after its ReLU, `maxpool`,
and `layer1_0` ... `layer4_2`, each block after its sum and ReLU: `layer1.0` ... there. `resnet50_keras` is the paper's,
with the stride in the first 1 x 1, and Keras' names: `conv1_relu`, `pool1_pool`, `conv2_block1_out` ...
"""

from collections.abc import Callable
from functools import partial

from nst_jax.extractors.addresses import PUBLISHED
from nst_jax.extractors.base import Architecture
from nst_jax.extractors.blocks.entry import describe
from nst_jax.extractors.blocks.stack import PAYS
from nst_jax.extractors.blocks.table import Block, Chain, Conv, Part, Pool, Sum, every_convolution

torch_conv = partial(Conv, eps=1e-5)
keras_conv = partial(Conv, eps=1.001e-5)
POOL = Pool("max", 3, 2, 1, ceil=False)
WIDTHS = (64, 128, 256, 512)
# The 3 x 3 of a bottleneck is a third of its products: Winograd's transforms cost more than they save (BENCHMARKS.md).
BOTTLENECK = None
FOUR = 4  # times the width of a bottleneck is that of its output


def basic(name: str, *, width: int, stride: int, project: bool) -> Sum:
    """Figure 5, left: two convolutions of 3 x 3."""
    shortcut = torch_conv(f"{name}.downsample.0", width, (1, 1), stride, rectify=False) if project else Chain()
    return Sum((shortcut, Chain((
        torch_conv(f"{name}.conv1", width, (3, 3), stride),
        torch_conv(f"{name}.conv2", width, (3, 3), rectify=False),
    ))))  # fmt: skip


def bottleneck(name: str, *, width: int, stride: int, project: bool) -> Sum:
    """Figure 5, right: 1 x 1, 3 x 3, 1 x 1."""
    shortcut = torch_conv(f"{name}.downsample.0", FOUR * width, (1, 1), stride, rectify=False) if project else Chain()
    return Sum((shortcut, Chain((
        torch_conv(f"{name}.conv1", width),
        torch_conv(f"{name}.conv2", width, (3, 3), stride),
        torch_conv(f"{name}.conv3", FOUR * width, rectify=False),
    ))))  # fmt: skip


def keras_bottleneck(name: str, *, width: int, stride: int, project: bool) -> Sum:
    """The same, with the stride in the first convolution."""
    shortcut = keras_conv(f"{name}_0", FOUR * width, (1, 1), stride, rectify=False) if project else Chain()
    return Sum((shortcut, Chain((
        keras_conv(f"{name}_1", width, (1, 1), stride),
        keras_conv(f"{name}_2", width, (3, 3)),
        keras_conv(f"{name}_3", FOUR * width, rectify=False),
    ))))  # fmt: skip


def table_1(unit: Callable[..., Part], numbers: tuple[int, ...]) -> tuple[Block, ...]:
    """The network as torchvision names it. numbers: of blocks in each stage."""
    blocks = [Block("conv1", torch_conv("conv1", 64, (7, 7), 2)), Block("maxpool", POOL)]
    for stage, (width, number) in enumerate(zip(WIDTHS, numbers, strict=True), 1):
        for i in range(number):
            name, first = f"layer{stage}_{i}", i == 0
            projects = first and (stage > 1 or unit is bottleneck)
            blocks.append(
                Block(name, unit(name, width=width, stride=2 if first and stage > 1 else 1, project=projects))
            )
    return tuple(blocks)


def keras_table() -> tuple[Block, ...]:
    """ResNet-50 as Keras has it."""
    blocks = [Block("conv1_relu", keras_conv("conv1", 64, (7, 7), 2)), Block("pool1_pool", POOL)]
    for stage, (width, number) in enumerate(zip(WIDTHS, (3, 4, 6, 3), strict=True), 2):
        for i in range(1, number + 1):
            name, first = f"conv{stage}_block{i}", i == 1
            unit = keras_bottleneck(name, width=width, stride=2 if first and stage > 2 else 1, project=first)
            blocks.append(Block(f"{name}_out", unit))
    return tuple(blocks)


def entry(name: str, unit: Callable[..., Part], numbers: tuple[int, ...]) -> Architecture:
    """The architecture of one of torchvision's."""
    blocks = table_1(unit, numbers)
    names = [one.name for one in every_convolution(blocks)]
    theirs = {one.replace("_", ".", 1) if one.startswith("layer") else one: one for one in names}
    return describe(
        name,
        blocks,
        roundings=("floor",),
        aliases={one: one for one in names} | theirs,
        norms={norm_of(path): one for path, one in theirs.items()},
        sources={"torchvision": PUBLISHED[name, "torchvision"]},
        inputs={"torch": "torchvision"},
        pays=BOTTLENECK if unit is bottleneck else PAYS,
    )


def norm_of(path: str) -> str:
    """The name of the normalisation that follows a convolution, in torchvision's files."""
    return path.replace("downsample.0", "downsample.1").replace("conv", "bn")


def keras_entry() -> Architecture:
    """The architecture of Keras' ResNet-50."""
    blocks = keras_table()
    names = [one.name for one in every_convolution(blocks)]
    return describe(
        "resnet50_keras",
        blocks,
        roundings=("floor",),
        aliases={one: one for one in names} | {f"{one}_conv": one for one in names},
        norms={f"{one}_bn": one for one in names},
        sources={"keras": PUBLISHED["resnet50_keras", "keras"]},
        inputs={"keras": "caffe"},
        pays=BOTTLENECK,
    )


TABLE = {
    "resnet18": (basic, (2, 2, 2, 2)),
    "resnet34": (basic, (3, 4, 6, 3)),
    "resnet50": (bottleneck, (3, 4, 6, 3)),
    "resnet101": (bottleneck, (3, 4, 23, 3)),
}
ARCHITECTURES = {name: entry(name, *row) for name, row in TABLE.items()} | {"resnet50_keras": keras_entry()}
