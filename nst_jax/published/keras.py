"""Keras' example neural_style_transfer.py, and the programs with its terms: titu1994 and hnarayanan."""

from nst_jax.losses.differences import sum_of_squares
from nst_jax.losses.grams import keras_error
from nst_jax.losses.moments import moments, with_pixels
from nst_jax.losses.smoothness import keras_steps
from nst_jax.published.base import (
    FORGET,
    ONE_SIZE,
    ORIGINAL,
    SCIPY,
    STRETCH,
    Convention,
    Losses,
    Profile,
    Program,
    content,
    mean,
    option,
    smooth,
    style,
)

KERAS = Convention(  # keras-io, examples/generative/neural_style_transfer.py @0896b2e6
    content_term=content(sum_of_squares),
    style_term=style(keras_error, moments, with_pixels),
    smooth_term=smooth(keras_steps),
    share=mean,
)

TITU1994 = KERAS  # titu1994/Neural-Style-Transfer @d093348, Network.py:425-456; content multiplier 1, the default

HNARAYANAN = KERAS  # hnarayanan/artistic-style-transfer @05c95e5, notebook 6

LOSSES = (
    Losses(
        name="keras",
        source="the Keras example neural_style_transfer.py",
        convention=KERAS,
        content_weight=2.5e-8,
        style_weight=1e-6,
        tv_weight=1e-6,
        notes=(ONE_SIZE,),
    ),
    Losses(
        name="titu1994",
        source="titu1994/Neural-Style-Transfer: Keras' terms, other weights",
        convention=TITU1994,
        content_weight=0.025,
        style_weight=1.0,
        tv_weight=8.5e-5,
        notes=(ONE_SIZE,),
    ),
    Losses(
        name="hnarayanan",
        source="hnarayanan/artistic-style-transfer: Keras' terms, other weights",
        convention=HNARAYANAN,
        content_weight=0.025,
        style_weight=5.0,
        tv_weight=1.0,
        notes=(ONE_SIZE,),
    ),
)

PROFILES = (
    Profile(
        name="keras",
        source=(
            "The layers of Keras' example: block5_conv2, and block1_conv1 to block5_conv1 (Keras' names include the "
            "ReLU)."
        ),
        content={"relu5_2": 1.0},
        style={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0},
    ),
    Profile(
        name="hnarayanan",
        source="hnarayanan/artistic-style-transfer, for VGG-16.",
        content={"relu2_2": 1.0},
        style={"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0, "relu5_3": 1.0},
    ),
)

PROGRAMS = (
    Program(
        name="keras_example",
        source="keras-io examples/generative/neural_style_transfer.py @0896b2e6",
        needs="Keras' VGG-19, the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="keras",
        convention="keras",
        solver=option("sgd", learning_rate=1.538e-3, momentum=0.0, clamp=False),  # 100 / 255^2
        start=option("content"),
        size=400,
        size_rule="height",
        steps=4000,
        not_reproduced=(
            "the rate falls by 0.96 every 100 steps",
            f"{STRETCH} (style_scale can only match its area)",
        ),
        notes=("Gradient descent of rate 100 on 0..255: 100 / 255^2 here.",),
    ),
    Program(
        name="titu1994",
        source="titu1994/Neural-Style-Transfer @d093348, Network.py",
        needs="Keras' VGG-16, the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg16",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="keras",
        convention="titu1994",
        solver=option("lbfgs", memory=10, evaluations=20),  # SciPy's defaults
        start=option("content"),
        size=400,
        size_rule="height",
        steps=200,
        not_reproduced=(FORGET, STRETCH, SCIPY),
        notes=("10 rounds of 20 evaluations.",),
    ),
    Program(
        name="hnarayanan",
        source="hnarayanan/artistic-style-transfer @05c95e5, notebook 6",
        needs="Keras' VGG-16, the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg16",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="hnarayanan",
        convention="hnarayanan",
        solver=option("lbfgs", memory=10, evaluations=20),  # SciPy's defaults
        start=option("blend", ratio=1.0, spread=0.5),
        size=512,
        size_rule="long",
        steps=200,
        not_reproduced=(
            "the mean colour is subtracted in the order BGR from RGB: a slight shift",
            "both pictures forced to 512 x 512",
            FORGET,
            SCIPY,
        ),
        notes=("10 rounds of 20 evaluations, from uniform noise.",),
    ),
)
