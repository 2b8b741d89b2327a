"""Losses and layers of our own."""

from nst_jax.losses.differences import relative_squares
from nst_jax.losses.grams import relative_gram
from nst_jax.losses.moments import moments
from nst_jax.losses.smoothness import corner_mean
from nst_jax.losses.statistics import whitened_error, whitening
from nst_jax.published.base import Convention, Losses, Profile, content, mean, smooth, style

RELATIVE = Convention(  # each term in parts of its target, so that a weight means the same in every network
    content_term=content(relative_squares),
    style_term=style(relative_gram),
    smooth_term=smooth(corner_mean),
    share=mean,
)

WHITENED = RELATIVE._replace(  # along the eigenvectors of the style's Gram matrix
    style_term=style(whitened_error, moments, whitening),
)

LOSSES = (
    Losses(
        name="relative",
        source=(
            "Ours: content and style terms in parts of their targets' energy; weights mean the same in every network"
        ),
        convention=RELATIVE,
        content_weight=1.0,
        style_weight=100.0,
        tv_weight=0.0,
    ),
    Losses(
        name="whitened",
        source=(
            "Ours: relative, with the style's Gram matrices compared along the eigenvectors of the target, each in its "
            "own parts"
        ),
        convention=WHITENED,
        content_weight=1.0,
        style_weight=3.0,
        tv_weight=0.0,
    ),
    Losses(
        name="texnet",
        source=(
            "Ours, for network=texnet: Gram matrices along their eigenvectors, in parts of the target; found by a "
            "sweep (docs/explanations/texnet.md)"
        ),
        convention=WHITENED,
        content_weight=1.0,
        style_weight=3.0,
        tv_weight=4.0,
        same_as="whitened",
    ),
)

SWEPT = "Compared with seven other choices: docs/explanations/networks.md."
STRIDES = "Layers of the strides that Gatys et al. have in VGG: style from 2 to 16 pixels, content at 8."
RESNETS = {  # the last block of each stage but the last
    "resnet18": ("conv1", "layer1_1", "layer2_1", "layer3_1"),
    "resnet34": ("conv1", "layer1_2", "layer2_3", "layer3_5"),
    "resnet50": ("conv1", "layer1_2", "layer2_3", "layer3_5"),
    "resnet101": ("conv1", "layer1_2", "layer2_3", "layer3_22"),
    "resnet50_keras": ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out"),
}


def residual(name: str, stem: str, first: str, second: str, third: str) -> Profile:
    """The layers of a ResNet: those of Wang, Li & Vasconcelos 2021 (SWAG, arXiv 2104.05623) down to the third stage."""
    source = (
        "The stem and the last blocks of stages, as SWAG has them (arXiv 2104.05623), without the last stage. In "
        "ResNet-50 compared with other choices: docs/explanations/networks.md."
    )
    return Profile(name, source, {second: 1.0}, dict.fromkeys((stem, first, second, third), 1.0))


PROFILES = (
    Profile(
        name="blocks1-3",
        source="For weights that hold the first three blocks only.",
        content={"relu3_3": 1.0},
        style={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu3_4": 1.0},
    ),
    Profile(
        name="texnet",
        source="texnet has four blocks; found by a sweep (docs/explanations/texnet.md).",
        content={"relu3_2": 1.0},
        style={"relu1_1": 1.0, "relu1_2": 1.0, "relu2_1": 1.0, "relu2_2": 1.0, "relu3_1": 1.0, "relu4_1": 1.0},
    ),
    Profile(
        name="squeezenet",
        source=f"Layers of each stride from 2 to 16 pixels, after their ReLUs. {SWEPT}",
        content={"fire5": 1.0},
        style={"conv1": 1.0, "fire2": 1.0, "fire4": 1.0, "fire6": 1.0},
    ),
    Profile(
        name="inception_v3",
        source=f"{STRIDES} Two convolutions before the mixed layers, for strokes and grain. {SWEPT}",
        content={"mixed2": 1.0},
        style={"Conv2d_2b_3x3": 1.0, "Conv2d_4a_3x3": 1.0, "mixed0": 1.0, "mixed2": 1.0, "mixed4": 1.0},
    ),
    Profile(
        name="googlenet",
        source=f"{STRIDES} {SWEPT}",
        content={"inception3b": 1.0},
        style={"conv1": 1.0, "conv3": 1.0, "inception3a": 1.0, "inception3b": 1.0, "inception4c": 1.0},
    ),
    *(residual(name, *ends) for name, ends in RESNETS.items()),
)

PROGRAMS = ()
