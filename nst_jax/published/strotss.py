"""STROTSS: Kolkin, Salavon & Shakhnarovich 2019, CVPR, arXiv 1904.12785."""

from nst_jax.losses import strotss
from nst_jax.losses.differences import pair
from nst_jax.published.base import Convention, Losses, Profile, Program, content, mean, option, style

STROTSS = Convention(  # nkolkin13/STROTSS @9a1543a
    content_term=content(strotss.content_error, pair, additive=False),
    style_term=style(strotss.style_error, strotss.grid, additive=False),
    share=mean,
)

LAYERS = ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu4_3", "relu5_3")

LOSSES = (
    Losses(
        name="strotss",
        source="nkolkin13/STROTSS at its first scale, layer by layer: alpha 16, halved at every further scale",
        convention=STROTSS,
        content_weight=16.0,
        style_weight=1.0,
        tv_weight=0.0,
    ),
)

PROFILES = (
    Profile(
        name="strotss",
        source="STROTSS: the nine layers of its hypercolumns, for VGG-16; here each for itself.",
        content=dict.fromkeys(LAYERS, 0.1111111111),  # 1/9
        style=dict.fromkeys(LAYERS, 1.0),
    ),
)

PROGRAMS = (
    Program(
        name="strotss",
        source="nkolkin13/STROTSS @9a1543a, layer by layer",
        needs="torchvision's VGG-16",
        otherwise=(
            "The original values (weights=keras) do too, but for the difference of the moments: it alone grows with "
            "the features, which are about 57 times larger."
        ),
        weights=option("torchvision"),
        network="vgg16",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="strotss",
        convention="strotss",
        solver=option("rmsprop", learning_rate=2e-3, decay=0.99, eps=1e-8, clamp=False),
        start=option("content"),
        size=512,
        size_rule="long",
        steps=250,
        not_reproduced=(
            "hypercolumns: one vector across all layers for each position",
            "the palette term, regions, positions drawn anew for each step",
            "scales of 64 x 2^k with the content's weight halved at each: here one scale, the first's weight",
            "a Laplacian pyramid as the variable, and style mean plus content's Laplacian as the start",
        ),
    ),
)
