"""Gatys, Ecker and Bethge: the paper and the code that they released."""

from nst_jax.losses.differences import half_sum, mean_of_squares
from nst_jax.losses.grams import gram_mean, gram_quarter
from nst_jax.published.base import (
    ORIGINAL,
    SCIPY,
    STRETCH,
    Convention,
    Losses,
    Profile,
    Program,
    content,
    mean,
    one,
    option,
    style,
)


def inverse_square(channels: int, layers: int) -> float:
    """1 / N^2, N channels."""
    return 1 / channels**2


GATYS_2016 = Convention(  # Gatys, Ecker & Bethge 2016, CVPR
    content_term=content(half_sum),  # eq. 1
    style_term=style(gram_quarter),  # eq. 4: 1 / 4 N^2 M^2, M of each picture
    share=mean,  # section 3: w_l = 1/5
)

DEEP_TEXTURES = GATYS_2016._replace(  # leongatys/DeepTextures @289dfe6, LossFunctions.py:21-23: G / M, sum / 4 N^2
    share=one,
)

GATYS_RELEASED = Convention(  # leongatys/PytorchNeuralStyleTransfer @be6c8e2, cells 2 and 7
    content_term=content(mean_of_squares),
    style_term=style(gram_mean),  # G.div_(h*w), then nn.MSELoss
    share=inverse_square,  # style_weights = [1e3/n**2 for n in ...]
)

NIS = GATYS_RELEASED  # leongatys/NeuralImageSynthesis @cced0b9, LossLayers.lua:12, 63-75, 112; org_pad

NIS_NORMALISED = GATYS_RELEASED._replace(  # BasicStyleTransfer, cells 6 and 8, norm_pad: 1e9 / 5 for each layer
    share=mean,
)

LOSSES = (
    Losses(
        name="gatys_2016",
        source="Gatys, Ecker & Bethge 2016 (CVPR), the paper: alpha / beta = 1e-3",
        convention=GATYS_2016,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
    ),
    Losses(
        name="deep_textures",
        source="leongatys/DeepTextures: a texture, no content; 1e9 for each layer of the normalised VGG",
        convention=DEEP_TEXTURES,
        content_weight=0.0,
        style_weight=1e9,
        tv_weight=0.0,
    ),
    Losses(
        name="gatys_released",
        source="leongatys/PytorchNeuralStyleTransfer, the authors' code: 1e3 / N^2 for a layer of N channels",
        convention=GATYS_RELEASED,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
    ),
    Losses(
        name="nis",
        source="leongatys/NeuralImageSynthesis with the original VGG: as gatys_released",
        convention=NIS,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
    ),
    Losses(
        name="nis_normalised",
        source=(
            "leongatys/NeuralImageSynthesis with the normalised VGG (mean activation 1): 2e8 for each of five layers"
        ),
        convention=NIS_NORMALISED,
        content_weight=1e6,
        style_weight=1e9,
        tv_weight=0.0,
    ),
)

PROFILES = (
    Profile(
        name="gatys",
        source=(
            "Gatys, Ecker & Bethge 2016, section 3. The number is the layer's own factor on top of the convention's "
            "share."
        ),
        content={"relu4_2": 1.0},
        style={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0},
    ),
    Profile(
        name="deep_textures",
        source="leongatys/DeepTextures: a texture. Caffe's conv1_1 is after the ReLU, in place.",
        content={},
        style={"relu1_1": 1.0, "pool1": 1.0, "pool2": 1.0, "pool3": 1.0, "pool4": 1.0},
    ),
)

PROGRAMS = (
    Program(
        name="gatys_2016",
        source="Gatys, Ecker & Bethge 2016, CVPR: the paper's equations and its words",
        needs="the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="avg",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="gatys_2016",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("noise", sigma=3.92e-3),  # 1 / 255
        size=512,
        size_rule="long",
        steps=500,
        not_reproduced=(
            "the normalised VGG (filters scaled to a mean activation of 1), for which the weights are meant",
            STRETCH,
        ),
        notes=("alpha / beta = 1e-3; average pooling; white noise of standard deviation 1 on 0..255.",),
    ),
    Program(
        name="deep_textures",
        source=(
            "leongatys/DeepTextures @289dfe6: a texture of the style picture (Gatys, Ecker & Bethge 2015, NeurIPS)"
        ),
        needs="the original Caffe values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="avg",
        rounding="ceil",
        padding="zero",
        layers="deep_textures",
        convention="deep_textures",
        solver=option("lbfgs", memory=20, evaluations=20),
        start=option("noise", sigma=3.92e-3),  # 1 / 255
        size=256,
        size_rule="area",
        steps=2000,
        style_weight=1.0,
        not_reproduced=(
            "the normalised VGG (filters scaled to a mean activation of 1), for which the weights are meant",
            "the box of the source's smallest and largest value",
            "the histogram matched afterwards",
            SCIPY,
        ),
        notes=("The content picture lends its shape only.",),
        remarks=(
            (
                "style_weight",
                "1e9 there: a texture has no other term, so it is the scale of the whole, and too much for float32",
            ),
        ),
    ),
    Program(
        name="gatys_released",
        source=(
            "leongatys/PytorchNeuralStyleTransfer @be6c8e2: the authors' released code, which differs from their paper"
        ),
        needs="the original Caffe values (vgg_conv.pth)",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="gatys_released",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("content"),
        size=800,
        size_rule="short",
        steps=500,
        scale=option("nis", factor=1.5625),  # 512, then 800 pixels from the enlarged result
    ),
    Program(
        name="nis",
        source="leongatys/NeuralImageSynthesis @cced0b9 with the original VGG (org_pad)",
        needs="the original Caffe values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="nis",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("content"),
        size=1024,
        size_rule="area",
        steps=500,
        scale=option("nis"),
        not_reproduced=("colours matched, luminance only",),
        notes=("Pooling is set by a prototxt that is downloaded; max is assumed.",),
    ),
    Program(
        name="nis_normalised",
        source="leongatys/NeuralImageSynthesis @cced0b9 with the normalised VGG (norm_pad)",
        needs="weights.path=FILE with vgg_normalised, whose activations are about 1",
        otherwise=(
            "With the original values (weights=keras) the style would be 800 (relu1_1) to 50,000 (relu5_1) times that "
            "of +preset=nis."
        ),
        weights=option("file"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="nis_normalised",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("content"),
        size=1024,
        size_rule="area",
        steps=500,
        scale=option("nis"),
    ),
)
