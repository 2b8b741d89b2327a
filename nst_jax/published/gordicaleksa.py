"""gordicaleksa/pytorch-neural-style-transfer."""

from nst_jax.losses.differences import mean_of_squares
from nst_jax.losses.grams import gram_sum_per_entry
from nst_jax.losses.smoothness import absolute_steps
from nst_jax.published.base import TORCHVISION, Convention, Losses, Program, content, mean, option, smooth, style

GORDICALEKSA = Convention(  # gordicaleksa/pytorch-neural-style-transfer @a244dc6
    content_term=content(mean_of_squares),  # neural_style_transfer.py:19
    style_term=style(gram_sum_per_entry),  # :24, a sum; utils/utils.py:130: G / (N M)
    smooth_term=smooth(absolute_steps),  # utils/utils.py:140
    share=mean,  # :25
)

LOSSES = (
    Losses(
        name="gordicaleksa",
        source="gordicaleksa/pytorch-neural-style-transfer",
        convention=GORDICALEKSA,
        content_weight=1e5,
        style_weight=3e4,
        tv_weight=1.0,
    ),
)

PROFILES = ()

PROGRAMS = (
    Program(
        name="gordicaleksa",
        source="gordicaleksa/pytorch-neural-style-transfer @a244dc6",
        needs="torchvision's",
        otherwise=TORCHVISION,
        weights=option("torchvision"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="gordicaleksa",
        solver=option("lbfgs", memory=100, evaluations=25),  # torch's defaults
        start=option("content"),
        size=400,
        size_rule="height",
        steps=1000,
        not_reproduced=("RGB 0..255 less the mean is fed to weights made for [0, 1], 57 times too large: not so here",),
        notes=(
            "Its conv4_2 is after the ReLU, which is in place.",
            "Strong Wolfe, 100 pairs, at most 25 evaluations in a search: torch's defaults.",
        ),
    ),
)
