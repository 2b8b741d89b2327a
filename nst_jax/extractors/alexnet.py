"""AlexNet as torchvision has it (Krizhevsky 2014, arXiv 1404.5997, "one weird trick"), to its last convolution.

It is the trunk that the authors of LPIPS recommend (`analysis.perceptual`). It is not a network for style transfer
here: no setting's table of names has it. Taps: `conv1` ... `conv5`, each after its ReLU.
"""

from nst_jax.extractors.addresses import PUBLISHED
from nst_jax.extractors.blocks.entry import describe
from nst_jax.extractors.blocks.table import Block, Chain, Conv, Pool

POOL = Pool("max", 3, 2, ceil=False)
BLOCKS = (
    Block("conv1", Conv("conv1", 64, (11, 11), 4, around=2)),
    Block("conv2", Chain((POOL, Conv("conv2", 192, (5, 5))))),
    Block("conv3", Chain((POOL, Conv("conv3", 384, (3, 3))))),
    Block("conv4", Conv("conv4", 256, (3, 3))),
    Block("conv5", Conv("conv5", 256, (3, 3))),
)
PLACES = {"features.0": "conv1", "features.3": "conv2", "features.6": "conv3", "features.8": "conv4"}
PLACES |= {"features.10": "conv5"}  # in torchvision's files

ARCHITECTURES = {
    "alexnet": describe(
        "alexnet",
        BLOCKS,
        roundings=("floor",),
        aliases={name: name for name in PLACES.values()} | PLACES,
        sources={"torchvision": PUBLISHED["alexnet", "torchvision"]},
        inputs={"torch": "torchvision"},
    )
}
