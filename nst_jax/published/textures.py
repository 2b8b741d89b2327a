"""Textures without a content term: sliced Wasserstein distances, and Gram matrices beside them."""

from nst_jax.losses import matching
from nst_jax.losses.differences import mean_of_squares
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
    style,
)
from nst_jax.published.gatys import GATYS_RELEASED

SLICED_WASSERSTEIN = Convention(  # Heitz et al. 2021; tchambon/A-Sliced-Wasserstein-Loss @491ee6d; directions fixed
    content_term=content(mean_of_squares),
    style_term=style(matching.slice_error, itself, matching.draw_slices, additive=False),
    share=one,
)

TEXSYN_SLICED = (
    SLICED_WASSERSTEIN  # ryushinn/texsyn_sliceW @22b8852, metrics.py:165-187; directions anew each step there
)

TEXSYN_GRAM = GATYS_RELEASED._replace(  # ryushinn/texsyn_sliceW @22b8852, metrics.py:190-211
    share=one,
)

LOSSES = (
    Losses(
        name="texsyn_gram",
        source="ryushinn/texsyn_sliceW with Gram matrices: a texture, no content",
        convention=TEXSYN_GRAM,
        content_weight=0.0,
        style_weight=1.0,
        tv_weight=0.0,
    ),
    Losses(
        name="sliced_wasserstein",
        source="Heitz et al. 2021, tchambon/A-Sliced-Wasserstein-Loss: a texture, no content",
        convention=SLICED_WASSERSTEIN,
        content_weight=0.0,
        style_weight=1.0,
        tv_weight=0.0,
    ),
    Losses(
        name="texsyn_sliced",
        source="ryushinn/texsyn_sliceW with sliced Wasserstein: a texture, no content",
        convention=TEXSYN_SLICED,
        content_weight=0.0,
        style_weight=1.0,
        tv_weight=0.0,
    ),
)

PROFILES = (
    Profile(
        name="sliced",
        source="tchambon/A-Sliced-Wasserstein-Loss: a texture; every ReLU of blocks 1 to 4.",
        content={},
        style={
            "relu1_1": 1.0,
            "relu1_2": 1.0,
            "relu2_1": 1.0,
            "relu2_2": 1.0,
            "relu3_1": 1.0,
            "relu3_2": 1.0,
            "relu3_3": 1.0,
            "relu3_4": 1.0,
            "relu4_1": 1.0,
            "relu4_2": 1.0,
            "relu4_3": 1.0,
            "relu4_4": 1.0,
        },
    ),
    Profile(
        name="texsyn",
        source="ryushinn/texsyn_sliceW: a texture; the last ReLU of blocks 1 to 4.",
        content={},
        style={"relu1_2": 1.0, "relu2_2": 1.0, "relu3_4": 1.0, "relu4_4": 1.0},
    ),
)

EXEMPLAR_COLOUR = "noise around the exemplar's mean colour, here around mid-grey"
TWICE_AS_LARGE = "a result twice as large as the exemplar"

PROGRAMS = (
    Program(
        name="sliced_wasserstein",
        source=(
            "tchambon/A-Sliced-Wasserstein-Loss-for-Neural-Texture-Synthesis @491ee6d (Heitz et al. 2021): a texture"
        ),
        needs="a VGG-19 of its own (vgg_customized.h5); here the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="avg",
        rounding="floor",
        padding="reflect",
        layers="sliced",
        convention="sliced_wasserstein",
        solver=option("lbfgs", memory=10, evaluations=20),  # SciPy's defaults
        start=option("noise", sigma=1e-2),
        size=256,
        size_rule="area",
        steps=640,
        not_reproduced=(
            "its VGG-19",
            "directions drawn anew for each round: here once for the run",
            "clipping to [0, 1] between rounds",
            EXEMPLAR_COLOUR,
        ),
        notes=("10 rounds of 64 evaluations.",),
    ),
    Program(
        name="texsyn_sliced",
        source="ryushinn/texsyn_sliceW @22b8852 with sliced Wasserstein: a texture of the style picture",
        needs="the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="avg",
        rounding="floor",
        padding="reflect",
        layers="texsyn",
        convention="texsyn_sliced",
        solver=option("lbfgs", memory=10, evaluations=20),
        start=option("noise", sigma=1e-2),
        size=256,
        size_rule="area",
        steps=1000,
        not_reproduced=(
            "directions drawn anew for each step: here once for the run",
            TWICE_AS_LARGE,
            EXEMPLAR_COLOUR,
        ),
    ),
    Program(
        name="texsyn_gram",
        source="ryushinn/texsyn_sliceW @22b8852 with Gram matrices: a texture of the style picture",
        needs="the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="avg",
        rounding="floor",
        padding="reflect",
        layers="texsyn",
        convention="texsyn_gram",
        solver=option("lbfgs", memory=10, evaluations=20),
        start=option("noise", sigma=1e-2),
        size=256,
        size_rule="area",
        steps=1000,
        not_reproduced=(TWICE_AS_LARGE, EXEMPLAR_COLOUR),
    ),
)
