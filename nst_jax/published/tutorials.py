"""The tutorials of PyTorch, TensorFlow and Dive into Deep Learning, and two JAX programs that follow PyTorch's."""

from nst_jax.losses.differences import mean_of_squares
from nst_jax.losses.grams import gram_mean
from nst_jax.losses.smoothness import across_and_between_colours, d2l_steps, unit_absolute_steps
from nst_jax.published.base import (
    ORIGINAL,
    STRETCH,
    TORCHVISION,
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
from nst_jax.published.neural_style import NEURAL_STYLE

TENSORFLOW_TUTORIAL = Convention(  # tensorflow/docs @023b91c8, generative/style_transfer.ipynb
    content_term=content(mean_of_squares),
    style_term=style(gram_mean),  # divided by num_locations
    smooth_term=smooth(unit_absolute_steps),
    share=mean,
)

PYTORCH_TUTORIAL = NEURAL_STYLE._replace(smooth_term=None)  # pytorch/tutorials @0a7e6866, neural_style_tutorial.py

NICHOLASJNG = PYTORCH_TUTORIAL  # nicholasjng/jax-styletransfer @568c467, modules.py:23, 36, 50

ZESHENGLIU = NEURAL_STYLE._replace(  # ZeshengLiu22/StyleTransfer @ff8a306, V4; its photograph's Laplacian left out
    smooth_term=smooth(across_and_between_colours),
)

D2L = NEURAL_STYLE._replace(smooth_term=smooth(d2l_steps))  # d2l.ai, 14.12 Neural Style Transfer

LOSSES = (
    Losses(
        name="tensorflow_tutorial",
        source="the TensorFlow tutorial style_transfer.ipynb",
        convention=TENSORFLOW_TUTORIAL,
        content_weight=1e4,
        style_weight=0.01,
        tv_weight=30.0,
    ),
    Losses(
        name="pytorch_tutorial",
        source="the PyTorch tutorial neural_style_tutorial.py",
        convention=PYTORCH_TUTORIAL,
        content_weight=1.0,
        style_weight=1e6,
        tv_weight=0.0,
    ),
    Losses(
        name="nicholasjng",
        source="nicholasjng/jax-styletransfer",
        convention=NICHOLASJNG,
        content_weight=1.0,
        style_weight=1e4,
        tv_weight=0.0,
    ),
    Losses(
        name="zeshengliu",
        source="ZeshengLiu22/StyleTransfer, V4",
        convention=ZESHENGLIU,
        content_weight=1.0,
        style_weight=1e6,
        tv_weight=0.01,
    ),
    Losses(
        name="d2l",
        source="Dive into Deep Learning, 14.12",
        convention=D2L,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=10.0,
    ),
)

PROFILES = (
    Profile(
        name="pytorch_tutorial",
        source=(
            "The PyTorch tutorial: its conv_1 to conv_5 are the first five convolutions, before the ReLU; conv_4 is "
            "conv2_2."
        ),
        content={"conv2_2": 1.0},
        style={"conv1_1": 1.0, "conv1_2": 1.0, "conv2_1": 1.0, "conv2_2": 1.0, "conv3_1": 1.0},
    ),
    Profile(
        name="before_relu",
        source="ZeshengLiu22: the layers of Gatys et al. before the ReLU.",
        content={"conv4_2": 1.0},
        style={"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0, "conv4_1": 1.0, "conv5_1": 1.0},
    ),
    Profile(
        name="d2l",
        source=(
            "Dive into Deep Learning 14.12: indices 25 and 0, 5, 10, 19, 28 of torchvision's VGG-19, before the ReLU."
        ),
        content={"conv4_4": 1.0},
        style={"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0, "conv4_1": 1.0, "conv5_1": 1.0},
    ),
)

PROGRAMS = (
    Program(
        name="tensorflow_tutorial",
        source="tensorflow/docs generative/style_transfer.ipynb @023b91c8",
        needs="Keras' VGG-19, the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="keras",
        convention="tensorflow_tutorial",
        solver=option("adam", learning_rate=2e-2, b1=0.99, b2=0.999, eps=0.1, clamp=True),
        start=option("content"),
        size=512,
        size_rule="long",
        steps=1000,
    ),
    Program(
        name="pytorch_tutorial",
        source="pytorch/tutorials neural_style_tutorial.py @0a7e6866",
        needs="torchvision's",
        otherwise=TORCHVISION,
        weights=option("torchvision"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="pytorch_tutorial",
        convention="pytorch_tutorial",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=1.0),
        start=option("content"),
        size=512,
        size_rule="short",
        steps=300,
        not_reproduced=(
            "the picture is clamped inside the closure, behind the optimiser's back",
            "both pictures must have one size",
        ),
        notes=("Layers before the ReLU; what it calls conv_4 is conv2_2. 300 evaluations.",),
    ),
    Program(
        name="nicholasjng",
        source="nicholasjng/jax-styletransfer @568c467",
        needs="Keras' file, the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="avg",
        rounding="floor",
        padding="zero",
        layers="pytorch_tutorial",
        convention="nicholasjng",
        solver=option("adam", learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8, clamp=False),
        start=option("content"),
        size=512,
        size_rule="long",
        steps=300,
        not_reproduced=(
            "(x - mean) / std of [0, 1] is fed to weights made for BGR 0..255: here they get what they expect",
            "both pictures forced to 512 x 512",
        ),
    ),
    Program(
        name="zeshengliu",
        source="ZeshengLiu22/StyleTransfer @ff8a306, V4",
        needs="torchvision's, by way of flaxmodels",
        otherwise=TORCHVISION,
        weights=option("torchvision"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="before_relu",
        convention="zeshengliu",
        solver=option("adam", learning_rate=2e-2, b1=0.9, b2=0.999, eps=1e-8, clamp=False),
        start=option("content"),
        size=256,
        size_rule="area",
        steps=2000,
        not_reproduced=("the photograph's matting Laplacian, weight 100",),
        notes=(
            "The optimiser's settings and the size are not in our notes: Adam as in V5's 2000 steps at 256 pixels, our "
            "rate.",
        ),
    ),
    Program(
        name="d2l",
        source="Dive into Deep Learning, 14.12",
        needs="torchvision's",
        otherwise=TORCHVISION,
        weights=option("torchvision"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="d2l",
        convention="d2l",
        solver=option("adam", learning_rate=6.8e-2, b1=0.9, b2=0.999, eps=1e-8, clamp=False),  # 0.3 x 0.226
        start=option("content"),
        size=300,
        size_rule="height",
        steps=500,
        not_reproduced=("the rate falls by 0.8 every 50 steps", STRETCH),
        notes=(
            "Adam 0.3 on standardised pictures: 0.3 x 0.226 here.",
            "500 steps, a height of 300 and the rate from memory, not checked.",
        ),
    ),
)
