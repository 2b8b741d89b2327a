"""jcjohnson/neural-style, and the programs that compare the same Gram matrices.

neural-style-pt, anishathalye/neural-style, lengstrom/fast-style-transfer and lapstyle have its content and style terms,
and each its own smoothness or share.
"""

from nst_jax.losses.differences import mean_of_squares, mean_or_laplacian, pair
from nst_jax.losses.grams import gram_per_entry
from nst_jax.losses.smoothness import absolute_steps, mean_squared_steps, unseen_squared_steps
from nst_jax.published.base import (
    MEAN_COLOUR,
    ORIGINAL,
    Convention,
    Losses,
    Profile,
    Program,
    content,
    mean,
    one,
    option,
    smooth,
    style,
)

NEURAL_STYLE = Convention(  # jcjohnson/neural-style @07c4b82, neural_style.lua
    content_term=content(mean_of_squares),  # :458
    style_term=style(gram_per_entry),  # :500, :544: G / (N M), mean over N^2
    smooth_term=smooth(unseen_squared_steps),  # :582
    share=one,
)

NEURAL_STYLE_PT = NEURAL_STYLE._replace(  # ProGamerGov/neural-style-pt @7251405, neural_style.py:423, 461, 470
    smooth_term=smooth(absolute_steps),  # :483, in the loss
)

ANISHATHALYE = NEURAL_STYLE._replace(  # anishathalye/neural-style @d0a1148, stylize.py:102, 121-151
    smooth_term=smooth(mean_squared_steps),  # :156
    share=mean,  # :70-81: weights exp^i with exp = 1, made to sum to 1
)

LENGSTROM = NEURAL_STYLE._replace(  # lengstrom/fast-style-transfer @0d3d981, --slow: src/optimize.py:62-66
    smooth_term=smooth(mean_squared_steps),  # :82-86
)

LAPLACIAN = NEURAL_STYLE._replace(  # askerlee/lapstyle @60489ea: neural-style and the picture's Laplacian at `input`
    content_term=content(mean_or_laplacian, pair, additive=False),
)

LOSSES = (
    Losses(
        name="neural_style",
        source="jcjohnson/neural-style",
        convention=NEURAL_STYLE,
        content_weight=5.0,
        style_weight=1e2,
        tv_weight=1e-3,
    ),
    Losses(
        name="neural_style_pt",
        source="ProGamerGov/neural-style-pt",
        convention=NEURAL_STYLE_PT,
        content_weight=5.0,
        style_weight=1e2,
        tv_weight=1e-3,
    ),
    Losses(
        name="anishathalye",
        source="anishathalye/neural-style: 500 in all, 100 for each of five layers",
        convention=ANISHATHALYE,
        content_weight=5.0,
        style_weight=500.0,
        tv_weight=100.0,
    ),
    Losses(
        name="lengstrom",
        source="lengstrom/fast-style-transfer --slow",
        convention=LENGSTROM,
        content_weight=7.5,
        style_weight=100.0,
        tv_weight=200.0,
    ),
    Losses(
        name="laplacian",
        source="askerlee/lapstyle: neural_style and the picture's Laplacian; use layers=laplacian",
        convention=LAPLACIAN,
        content_weight=5.0,
        style_weight=100.0,
        tv_weight=0.001,
    ),
)

PROFILES = (
    Profile(
        name="laplacian",
        source=(
            "askerlee/lapstyle: neural-style's layers, and the picture itself with a weight of 100, which is 20 times "
            "content_weight."
        ),
        content={"relu4_2": 1.0, "input": 20.0},
        style={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0},
    ),
)

PROGRAMS = (
    Program(
        name="neural_style",
        source="jcjohnson/neural-style @07c4b82",
        needs="the original Caffe values (VGG_ILSVRC_19)",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="neural_style",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("noise", sigma=3.9e-6),  # 0.001 of 256
        size=512,
        size_rule="long",
        steps=1000,
        not_reproduced=(
            "pictures on 0..256 (neural_style.lua:422), features 1.004 times as large",
            MEAN_COLOUR,
        ),
    ),
    Program(
        name="neural_style_pt",
        source="ProGamerGov/neural-style-pt @7251405",
        needs="the original Caffe values (vgg19-d01eb7cb.pth)",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="neural_style_pt",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("noise", sigma=3.92e-6),  # 0.001 of 255
        size=512,
        size_rule="long",
        steps=1000,
        not_reproduced=(MEAN_COLOUR,),
    ),
    Program(
        name="anishathalye",
        source="anishathalye/neural-style @d0a1148",
        needs="imagenet-vgg-verydeep-19.mat, the original values",
        otherwise=ORIGINAL,
        weights=option("matconvnet"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="anishathalye",
        solver=option("adam", learning_rate=3.92e-2, b1=0.9, b2=0.999, eps=2.55e-6, clamp=False),  # 10 / 255, 255e-8
        start=option("noise", sigma=1e-3),
        size=512,
        size_rule="original",
        steps=1000,
        not_reproduced=(
            "the style picture scaled to the content's width",
            MEAN_COLOUR,
            "the picture of the lowest loss is the result",
        ),
        notes=("Adam 10, epsilon 1e-8 on 0..255.",),
    ),
    Program(
        name="lengstrom",
        source="lengstrom/fast-style-transfer @0d3d981 --slow: the same terms, without a trained network",
        needs="imagenet-vgg-verydeep-19.mat, the original values",
        otherwise=ORIGINAL,
        weights=option("matconvnet"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="lengstrom",
        solver=option("adam", learning_rate=3.92e-2, b1=0.9, b2=0.999, eps=2.55e-6, clamp=False),  # 10 / 255, 255e-8
        start=option("noise", sigma=1e-3),
        size=512,
        size_rule="original",
        steps=1000,
        not_reproduced=("noise around black, here around mid-grey",),
        notes=("Adam 10, 1000 steps and the start from memory, not checked.",),
    ),
    Program(
        name="laplacian",
        source="askerlee/lapstyle @60489ea (Li et al. 2017): neural-style and the picture's Laplacian",
        needs="the original Caffe values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="laplacian",
        convention="laplacian",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("noise", sigma=3.9e-6),  # 0.001 of 256
        size=512,
        size_rule="original",
        steps=1000,
        not_reproduced=("pictures on 0..256", MEAN_COLOUR),
        notes=("Pictures keep their own size there, as here.",),
    ),
)
