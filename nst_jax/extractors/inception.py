"""Inception v3 (Szegedy, Vanhoucke, Ioffe, Shlens & Wojna 2016, CVPR, arXiv 1512.00567, table 1 and figures 5 to 7).

Taps have torchvision's names, `Conv2d_1a_3x3` ... `Mixed_7c`, and Keras' `mixed0` ... `mixed10` for `Mixed_5b` ...
`Mixed_7c`; each is the value after its ReLU. The names of figures and branches are torchvision's.

The raw output of each convolution, before its normalisation and ReLU, has Keras' name: `conv2d`, `conv2d_1` ...
`conv2d_93`. Keras counts as it builds, which is the order of these tables.

An average of 3 x 3 at the border: torchvision's divides by 9, `inception_v3`; TensorFlow's by the number of pixels
inside, `inception_v3_keras`. Both publishers' weights were trained with TensorFlow's. Both see 2 x - 1.
"""

from functools import partial

from nst_jax.extractors.addresses import PUBLISHED
from nst_jax.extractors.base import Architecture
from nst_jax.extractors.blocks.entry import describe
from nst_jax.extractors.blocks.table import Block, Chain, Conv, Join, Pool, every_convolution, with_raw

conv = partial(Conv, eps=1e-3)  # torchvision's BasicConv2d and Keras' conv2d_bn
valid = partial(conv, same=False)
HALVE = Pool("max", 3, 2, ceil=False)


def figure_5(name: str, pool: Pool, *, pooled: int) -> Join:
    """35 x 35."""
    return Join((
        conv(f"{name}.branch1x1", 64),
        Chain((conv(f"{name}.branch5x5_1", 48), conv(f"{name}.branch5x5_2", 64, (5, 5)))),
        Chain((
            conv(f"{name}.branch3x3dbl_1", 64),
            conv(f"{name}.branch3x3dbl_2", 96, (3, 3)),
            conv(f"{name}.branch3x3dbl_3", 96, (3, 3)),
        )),
        Chain((pool, conv(f"{name}.branch_pool", pooled))),
    ))  # fmt: skip


def reduce_35(name: str) -> Join:
    """35 x 35 to 17 x 17, as figure 10."""
    return Join((
        valid(f"{name}.branch3x3", 384, (3, 3), 2),
        Chain((
            conv(f"{name}.branch3x3dbl_1", 64),
            conv(f"{name}.branch3x3dbl_2", 96, (3, 3)),
            valid(f"{name}.branch3x3dbl_3", 96, (3, 3), 2),
        )),
        HALVE,
    ))  # fmt: skip


def figure_6(name: str, pool: Pool, *, width: int) -> Join:
    """17 x 17, with n = 7."""
    return Join((
        conv(f"{name}.branch1x1", 192),
        Chain((
            conv(f"{name}.branch7x7_1", width),
            conv(f"{name}.branch7x7_2", width, (1, 7)),
            conv(f"{name}.branch7x7_3", 192, (7, 1)),
        )),
        Chain((
            conv(f"{name}.branch7x7dbl_1", width),
            conv(f"{name}.branch7x7dbl_2", width, (7, 1)),
            conv(f"{name}.branch7x7dbl_3", width, (1, 7)),
            conv(f"{name}.branch7x7dbl_4", width, (7, 1)),
            conv(f"{name}.branch7x7dbl_5", 192, (1, 7)),
        )),
        Chain((pool, conv(f"{name}.branch_pool", 192))),
    ))  # fmt: skip


def reduce_17(name: str) -> Join:
    """17 x 17 to 8 x 8."""
    return Join((
        Chain((conv(f"{name}.branch3x3_1", 192), valid(f"{name}.branch3x3_2", 320, (3, 3), 2))),
        Chain((
            conv(f"{name}.branch7x7x3_1", 192),
            conv(f"{name}.branch7x7x3_2", 192, (1, 7)),
            conv(f"{name}.branch7x7x3_3", 192, (7, 1)),
            valid(f"{name}.branch7x7x3_4", 192, (3, 3), 2),
        )),
        HALVE,
    ))  # fmt: skip


def figure_7(name: str, pool: Pool) -> Join:
    """8 x 8."""
    return Join((
        conv(f"{name}.branch1x1", 320),
        Chain((
            conv(f"{name}.branch3x3_1", 384),
            Join((conv(f"{name}.branch3x3_2a", 384, (1, 3)), conv(f"{name}.branch3x3_2b", 384, (3, 1)))),
        )),
        Chain((
            conv(f"{name}.branch3x3dbl_1", 448),
            conv(f"{name}.branch3x3dbl_2", 384, (3, 3)),
            Join((conv(f"{name}.branch3x3dbl_3a", 384, (1, 3)), conv(f"{name}.branch3x3dbl_3b", 384, (3, 1)))),
        )),
        Chain((pool, conv(f"{name}.branch_pool", 192))),
    ))  # fmt: skip


def table_1(pool: Pool) -> tuple[Block, ...]:
    """The network. pool: the average of its branches."""
    blocks = (
        Block("Conv2d_1a_3x3", valid("Conv2d_1a_3x3", 32, (3, 3), 2)),
        Block("Conv2d_2a_3x3", valid("Conv2d_2a_3x3", 32, (3, 3))),
        Block("Conv2d_2b_3x3", conv("Conv2d_2b_3x3", 64, (3, 3))),
        Block("maxpool1", HALVE),
        Block("Conv2d_3b_1x1", valid("Conv2d_3b_1x1", 80)),
        Block("Conv2d_4a_3x3", valid("Conv2d_4a_3x3", 192, (3, 3))),
        Block("maxpool2", HALVE),
        Block("Mixed_5b", figure_5("Mixed_5b", pool, pooled=32), also="mixed0"),
        Block("Mixed_5c", figure_5("Mixed_5c", pool, pooled=64), also="mixed1"),
        Block("Mixed_5d", figure_5("Mixed_5d", pool, pooled=64), also="mixed2"),
        Block("Mixed_6a", reduce_35("Mixed_6a"), also="mixed3"),
        Block("Mixed_6b", figure_6("Mixed_6b", pool, width=128), also="mixed4"),
        Block("Mixed_6c", figure_6("Mixed_6c", pool, width=160), also="mixed5"),
        Block("Mixed_6d", figure_6("Mixed_6d", pool, width=160), also="mixed6"),
        Block("Mixed_6e", figure_6("Mixed_6e", pool, width=192), also="mixed7"),
        Block("Mixed_7a", reduce_17("Mixed_7a"), also="mixed8"),
        Block("Mixed_7b", figure_7("Mixed_7b", pool), also="mixed9"),
        Block("Mixed_7c", figure_7("Mixed_7c", pool), also="mixed10"),
    )
    numbers = {one.name: f"conv2d_{i}" if i else "conv2d" for i, one in enumerate(every_convolution(blocks))}
    return tuple(block._replace(part=with_raw(block.part, numbers)) for block in blocks)


TORCHVISION = table_1(Pool("avg", 3, 1, 1))
KERAS = table_1(Pool("avg_inside", 3, 1, 1))
NAMES = tuple(one.name for one in every_convolution(KERAS))


def entry(name: str, blocks: tuple[Block, ...], publisher: str) -> Architecture:
    """The architecture of Inception v3 in a publisher's variant."""
    return describe(
        name,
        blocks,
        roundings=("floor",),
        aliases={name: name for name in NAMES} | {f"{name}.conv": name for name in NAMES},
        norms={f"{name}.bn": name for name in NAMES},
        sources={publisher: PUBLISHED[name, publisher]},
        inputs={"torch": "tf", "keras": "tf"},  # 2 x - 1
        profile="inception_v3",
    )


ARCHITECTURES = {
    "inception_v3": entry("inception_v3", TORCHVISION, "torchvision"),
    "inception_v3_keras": entry("inception_v3_keras", KERAS, "keras"),
}
