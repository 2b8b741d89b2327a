"""Nearest patches: Li & Wand 2016, CVPR, arXiv 1601.04589, as chuanli11/CNNMRF computes them."""

from nst_jax.losses import matching
from nst_jax.losses.differences import mean_of_squares
from nst_jax.losses.smoothness import squared_steps
from nst_jax.losses.term import itself
from nst_jax.published.base import (
    ORIGINAL,
    Convention,
    Losses,
    Profile,
    Program,
    content,
    one,
    option,
    smooth,
    style,
)
from nst_jax.types import Activation, Scalar


def patches(f: Activation, a: matching.Neighbours) -> Scalar:
    """Eqs. 2 and 3 of Li & Wand 2016, times 1 / 18.

    mylib/mrf.lua moves each position to the mean over the 9 patches that hold it: 1 / (2 * 9) of the paper's sum,
    exactly so away from the border.
    """
    return matching.patch_error(f, a) / 18


MRF = Convention(  # chuanli11/CNNMRF @fddcf4d
    content_term=content(mean_of_squares),  # mylib/content.lua
    style_term=style(patches, itself, matching.neighbours, additive=False),
    smooth_term=smooth(squared_steps),  # as neural-style, from which it comes
    share=one,
)

LOSSES = (
    Losses(
        name="mrf",
        source="Li & Wand 2016 as released: nearest patches; use layers=mrf",
        convention=MRF,
        content_weight=20.0,
        style_weight=1e-4,
        tv_weight=0.001,
    ),
)

PROFILES = (
    Profile(
        name="mrf",
        source="chuanli11/CNNMRF cnnmrf.lua: layers 12 and 21 of VGG-19 for patches, 21 for content.",
        content={"relu4_1": 1.0},
        style={"relu3_1": 1.0, "relu4_1": 1.0},
    ),
)

PROGRAMS = (
    Program(
        name="mrf",
        source="chuanli11/CNNMRF @fddcf4d (Li & Wand 2016), cnnmrf.lua",
        needs="the original Caffe values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="mrf",
        convention="mrf",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=25, unit=255.0),
        start=option("content"),
        size=384,
        size_rule="long",
        steps=300,
        not_reproduced=(
            "three resolutions of 100 steps: here one of 300",
            "patches of the style at every second position only, and its rotated and scaled copies",
        ),
        notes=("Every patch is compared with every other: slow on a CPU.",),
    ),
)
