"""Katherine Crowson: style-transfer-pytorch, today and before 2023, and style_transfer on Caffe."""

from nst_jax.losses.differences import half_of_one_gradient, mean_of_squares, pair, scaled_squares
from nst_jax.losses.grams import aim_at_moments, gram_of_one_gradient, scaled_gram
from nst_jax.losses.moments import moments
from nst_jax.losses.smoothness import nine_point, replicated_steps, wrapped_steps
from nst_jax.losses.statistics import gaussian, wasserstein
from nst_jax.losses.term import itself
from nst_jax.published.base import (
    TORCHVISION,
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

STYLE_TRANSFER_PYTORCH = Convention(  # crowsonkb/style-transfer-pytorch @e7e2c71, style_transfer.py
    content_term=content(mean_of_squares),  # :119-126
    style_term=style(wasserstein, moments, gaussian),  # :149-181
    smooth_term=smooth(nine_point),  # :184
    share=one,  # :320: 256, 64, 16, 4 and 1 of 341 for the five layers, see layers=crowson
)

STYLE_TRANSFER_PYTORCH_2022 = Convention(  # the same @1107fe6
    content_term=content(scaled_squares),
    style_term=style(scaled_gram),
    smooth_term=smooth(replicated_steps),
    share=one,
)

STYLE_TRANSFER_CAFFE = Convention(  # crowsonkb/style_transfer @47633b9, num_utils.py:69-87, 143-162
    content_term=content(half_of_one_gradient, pair, additive=False),
    style_term=style(gram_of_one_gradient, itself, aim_at_moments, additive=False),
    smooth_term=smooth(wrapped_steps),
    share=mean,
)

ROOT = (  # measured by `python -m tools.newton_schulz`
    "The root of a covariance takes 12 Newton-Schulz iterations, as in the source, and is not exact: with untrained "
    "weights 4 to 20 % of the style term of a layer is its error (python -m tools.newton_schulz)."
)

LOSSES = (
    Losses(
        name="style_transfer_pytorch",
        source="crowsonkb/style-transfer-pytorch: Gaussian 2-Wasserstein; use layers=crowson",
        convention=STYLE_TRANSFER_PYTORCH,
        content_weight=0.015,
        style_weight=1.0,
        tv_weight=2.0,
        notes=(ROOT,),
    ),
    Losses(
        name="style_transfer_pytorch_2022",
        source="crowsonkb/style-transfer-pytorch before 2023: scaled squares of Gram matrices; use layers=crowson",
        convention=STYLE_TRANSFER_PYTORCH_2022,
        content_weight=0.015,
        style_weight=1.0,
        tv_weight=2.0,
    ),
    Losses(
        name="style_transfer_caffe",
        source="crowsonkb/style_transfer: every layer's gradient made one size",
        convention=STYLE_TRANSFER_CAFFE,
        content_weight=0.05,
        style_weight=1.0,
        tv_weight=5.0,
    ),
)

PROFILES = (
    Profile(
        name="crowson",
        source=("style-transfer-pytorch: 256, 64, 16, 4 and 1 of 341 for the five layers (style_transfer.py:316-322)."),
        content={"relu4_2": 1.0},
        style={
            "relu1_1": 0.7507331378299,
            "relu2_1": 0.1876832844575,
            "relu3_1": 0.0469208211144,
            "relu4_1": 0.0117302052786,
            "relu5_1": 0.0029325513196,
        },
    ),
)

GRADIENT = (  # measured by the same command
    "the gradient of the root, there by 12 iterations for a Lyapunov equation: with untrained weights 11 to 21 % of "
    "the norm of a style gradient away from ours, which is that of what is computed (python -m tools.newton_schulz)"
)

PROGRAMS = (
    Program(
        name="style_transfer_pytorch",
        source="crowsonkb/style-transfer-pytorch @e7e2c71",
        needs="torchvision's IMAGENET1K_V1",
        otherwise=(
            "With the original values (weights=keras) features are about 57 times larger and the style outweighs the "
            "rest."
        ),
        weights=option("torchvision"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="replicate_once",
        layers="crowson",
        convention="style_transfer_pytorch",
        solver=option("adam", learning_rate=2e-2, b1=0.9, b2=0.99, eps=1e-8, clamp=True),
        start=option("content"),
        size=512,
        size_rule="long",
        steps=1000,
        scale=option("crowson"),
        average=0.99,
        not_reproduced=(GRADIENT,),
        notes=(ROOT,),
    ),
    Program(
        name="style_transfer_pytorch_2022",
        source="crowsonkb/style-transfer-pytorch @1107fe6, before the Wasserstein distance",
        needs="torchvision's IMAGENET1K_V1",
        otherwise=TORCHVISION,
        weights=option("torchvision"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="replicate_once",
        layers="crowson",
        convention="style_transfer_pytorch_2022",
        solver=option("adam", learning_rate=2e-2, b1=0.9, b2=0.99, eps=1e-8, clamp=True),
        start=option("content"),
        size=512,
        size_rule="long",
        steps=1000,
        scale=option("crowson"),
        average=0.99,
    ),
    Program(
        name="style_transfer_caffe",
        source="crowsonkb/style_transfer @47633b9",
        needs="the original Caffe values",
        otherwise="Gradients are normalised, so other weights do.",
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="style_transfer_caffe",
        solver=option("adam", learning_rate=5.88e-2, b1=0.9, b2=0.999, eps=2.55e-6, clamp=False),  # 15 / 255, 255e-8
        start=option("blend", ratio=1.0, spread=0.5),
        size=256,
        size_rule="long",
        steps=200,
        # style_transfer.py:777-806: sizes from 182; optimizers.py:53-61: moments resized, the first one by Lanczos
        scale=option("multi", **{"from": 181, "then": 100, "kernel": "lanczos", "moments": "resize"}),
        average=0.95,  # config_system.py: avg_window 20
        not_reproduced=(
            "the step size falls as (1 + 0.05 i)^-0.5",
            "the first size is 182 pixels, here 181",
            "tiles and their random roll",
        ),
        notes=(
            "Adam 15 on 0..255; its decays of the moments are not in our notes. Uniform noise over the whole range.",
        ),
    ),
)
