"""cysmith, hwalsuklee and fzliu: half squared errors of Gram sums, both divided by the image's number of positions."""

from nst_jax.losses.differences import half_sum, root_mean
from nst_jax.losses.grams import gram_sums
from nst_jax.losses.smoothness import absolute_steps
from nst_jax.published.base import (
    ONE_COUNT,
    ORIGINAL,
    SCIPY,
    STRETCH,
    Convention,
    Losses,
    Profile,
    Program,
    content,
    option,
    smooth,
    style,
)


def fifth(channels: int, layers: int) -> float:
    """Each of the layers counts 1/5, however many there are."""
    return 0.2


def fifth_mean(channels: int, layers: int) -> float:
    """1/5, then the mean over the layers once more."""
    return 0.2 / layers


CYSMITH = Convention(  # cysmith/neural-style-tf @a2c374f, neural_style.py
    content_term=content(root_mean),  # :347-358, K = 1 / (2 sqrt(N) sqrt(M)), the default of three
    style_term=style(gram_sums),  # :360-367
    smooth_term=smooth(absolute_steps),  # tf.image.total_variation
    share=fifth_mean,  # :406-420, as published: weights of 0.2, then averaged once more
)

HWALSUKLEE = Convention(  # hwalsuklee/tensorflow-style-transfer @3d02839, style_transfer.py
    content_term=content(root_mean),  # :72-77, type 3, the default
    style_term=style(gram_sums),  # :93
    share=fifth,  # run_main.py:27
)

FZLIU = Convention(  # fzliu/style-transfer @265f7e4, style.py
    content_term=content(half_sum),  # :120-123; its mask F > 0 is the gradient of the ReLU
    style_term=style(gram_sums),  # :107-110, the style picture 1.2 times as large all the same
    share=fifth,  # :59-64
)

LOSSES = (
    Losses(
        name="cysmith",
        source="cysmith/neural-style-tf: the style is averaged over layers twice",
        convention=CYSMITH,
        content_weight=5.0,
        style_weight=1e4,
        tv_weight=0.001,
        notes=(ONE_COUNT,),
    ),
    Losses(
        name="hwalsuklee",
        source="hwalsuklee/tensorflow-style-transfer: alpha 1e-3, beta 1",
        convention=HWALSUKLEE,
        content_weight=0.001,
        style_weight=1.0,
        tv_weight=0.0,
        notes=(ONE_COUNT,),
    ),
    Losses(
        name="fzliu",
        source="fzliu/style-transfer: ratio 1e4",
        convention=FZLIU,
        content_weight=1.0,
        style_weight=1e4,
        tv_weight=0.0,
        notes=(ONE_COUNT,),
    ),
)

PROFILES = (
    Profile(
        name="cysmith",
        source=(
            "cysmith/neural-style-tf and hwalsuklee/tensorflow-style-transfer: the content before the ReLU (a bias "
            "cancels)."
        ),
        content={"conv4_2": 1.0},
        style={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0},
    ),
)

PROGRAMS = (
    Program(
        name="cysmith",
        source="cysmith/neural-style-tf @a2c374f",
        needs="imagenet-vgg-verydeep-19.mat, the original values",
        otherwise=ORIGINAL,
        weights=option("matconvnet"),
        network="vgg19",
        pool="avg",
        rounding="ceil",
        padding="zero",
        layers="cysmith",
        convention="cysmith",
        solver=option("lbfgs", memory=10, evaluations=20),  # SciPy's defaults
        start=option("content"),
        size=512,
        size_rule="long",
        steps=1000,
        not_reproduced=(
            "kernels not transposed from the .mat (:334-337): its filters are mirrored at the diagonal",
            STRETCH,
            "pictures are never enlarged",
            SCIPY,
        ),
        notes=(ONE_COUNT,),
    ),
    Program(
        name="hwalsuklee",
        source="hwalsuklee/tensorflow-style-transfer @3d02839",
        needs="imagenet-vgg-verydeep-19.mat, the original values",
        otherwise=ORIGINAL,
        weights=option("matconvnet"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="cysmith",
        convention="hwalsuklee",
        solver=option("lbfgs", memory=10, evaluations=20),  # SciPy's defaults
        start=option("content"),
        size=512,
        size_rule="long",
        steps=1000,
        not_reproduced=(STRETCH, SCIPY),
        notes=(ONE_COUNT,),
    ),
    Program(
        name="fzliu",
        source="fzliu/style-transfer @265f7e4",
        needs="VGG-16, the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg16",
        pool="avg",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="fzliu",
        solver=option("lbfgs", memory=8, evaluations=20),
        start=option("content"),
        size=512,
        size_rule="long",
        style_scale=1.2,
        steps=512,
        not_reproduced=("the box of the colours in L-BFGS-B", SCIPY),
        notes=("The style picture is 1.2 times as large, and its Gram sums are not normalised for it.", ONE_COUNT),
    ),
)
