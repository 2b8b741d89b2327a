"""Reports of readers who followed the method: presets for what each of them describes."""

from nst_jax.published.base import FORGET, ONE_SIZE, ORIGINAL, STRETCH, Profile, Program, option

LOSSES = ()

FIFTHS = ("Conv2d_2a_3x3", "Conv2d_4a_3x3", "Mixed_6a", "Mixed_6d", "Mixed_7b")

PROFILES = (
    Profile(
        name="five_and_five",
        source=(
            "Five layers of each kind, for a text that counts them and does not name them: of Inception v3, the middle "
            "of each fifth, as layers.style_count=5 layers.content_count=5 picks them. Content is averaged: 1/5 each."
        ),
        content=dict.fromkeys(FIFTHS, 0.2),
        style=dict.fromkeys(FIFTHS, 1.0),
    ),
)

PROGRAMS = (
    Program(
        name="report_keras",
        source="A report on Keras' example, with SciPy's L-BFGS in rounds",
        needs="Keras' VGG-19 (weights='imagenet'), the original values",
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="keras",
        convention="keras",
        solver=option("lbfgs", memory=10, evaluations=20),
        start=option("content"),
        content_weight=0.025,
        style_weight=1.0,
        tv_weight=1e-4,
        size=400,
        size_rule="height",
        steps=400,
        output=(("every", 20),),
        not_reproduced=(FORGET, STRETCH),
        notes=(
            "VGG-19, block5_conv2 with 0.025, block1_conv1 to block5_conv1 with 1.0, smoothness 1e-4, Gram matrices "
            "over 3 channels and the picture's size, 20 rounds of SciPy's L-BFGS with 20 evaluations each and a "
            "picture after each. An iteration here takes one evaluation or more: with steps=400 it may evaluate more "
            "often.",
            "The text does not say: the size (img_height, img_width); the smoothness, whose code is missing: taken "
            "from Keras.",
            ONE_SIZE,
        ),
        remarks=(("optimiser", "SciPy's maxcor and maxls"), ("size", "as in Keras' example")),
    ),
    Program(
        name="report_tf2",
        source="A report on a TensorFlow 2 class, with Inception v3 and Adam",
        needs="Keras' Inception v3",
        otherwise=(
            "torchvision's file holds the same training, and its network another border: network=inception_v3 "
            "weights=torchvision."
        ),
        weights=option("keras"),
        network="inception_v3_keras",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="five_and_five",
        convention="tensorflow_tutorial",
        solver=option("adam", learning_rate=0.3137, b1=0.9, b2=0.999, eps=1e-7, clamp=True),
        start=option("content"),
        content_weight=1e4,
        style_weight=1e-2,
        tv_weight=510.0,
        steps=1000,
        output=(("every", 90),),
        not_reproduced=(
            "raw outputs of convolutions, before their normalisation and ReLU, if the class takes these",
            "average pooling, which the text recommends for VGG-19: Inception v3 keeps its own poolings",
        ),
        notes=(
            'extractor="inception_v3", n_style_layers=5, n_content_layers=5, Adam with a rate of 80 on 0..255, 10 '
            "epochs of 100 steps, style 1e-2, content 1e4, variation 2, a picture every 90 steps.",
            "The text's section on the method names VGG-19, its example Inception v3. With network=vgg19 weights=keras "
            "say layers.style_count=5 layers.content_count=5, too.",
            "The text contradicts itself: its style loss squares (G - A) / (2 N^2 M^2), which is 1 / (4 N^4 M^4), but "
            "its derivative (F^T (G - A)) / (N^2 M^2) belongs to 1 / (4 N^2 M^2). Weights of 1e4 and 1e-2 are those of "
            "the TensorFlow tutorial, with means for sums, so that its terms are taken, and the content is averaged "
            "over its layers as there.",
            "The text does not say: which five layers (here the middle of each fifth of the network); the size; where "
            "the image starts; Adam's other numbers; whether it is clipped.",
            "variation 2 is taken for steps on 0..255, as the learning rate is: 2 x 255 for steps on 0..1.",
        ),
        remarks=(("optimiser", "80 / 255; the rest Keras' defaults"),),
    ),
    Program(
        name="report_matconvnet",
        source="A report that could not reproduce the paper with alpha / beta = 1e-4 and took 1e-6",
        needs="imagenet-vgg-verydeep-19.mat, the original values",
        otherwise=ORIGINAL,
        weights=option("matconvnet"),
        network="vgg19",
        pool="max",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="gatys_2016",
        solver=option("lbfgs", memory=10, evaluations=20),
        start=option("noise"),
        content_weight=1e-6,
        style_weight=1.0,
        tv_weight=0.0,
        not_reproduced=("the style picture rescaled to the content's size", "SciPy's counting of evaluations"),
        notes=(
            "relu4_2 with 1, relu1_1 to relu5_1 with 0.2 each, beta 1, L-BFGS from a random image. docs/conventions.md "
            "says why both ratios can be right.",
            "canvas=content | style | white | noise and output.every=K are its options; every=0 is its -1, no pictures "
            "on the way.",
            "The text contradicts itself: its content loss squares the sum of the differences, which vanishes for many "
            "images; its words say a mean square error, its factor of 1/2 and the paper a sum of squares, which is "
            "taken. Style is 1 / (4 M^2 N^2) times the sum. convention=hwalsuklee, which it names among its models, "
            "has the same style loss.",
            "The text does not say: pooling (its models: max, rounded up); the size; the noise; the number of steps.",
        ),
        remarks=(
            ("layers", "the convention's share of a layer is 1/5 = 0.2"),
            ("optimiser", "SciPy's maxcor and maxls"),
        ),
    ),
    Program(
        name="report_textbook",
        source="A report with the textbook's equations, a random image and any gradient descent",
        needs='the original values; the text says "almost any network", and so does this: network=, weights=',
        otherwise=ORIGINAL,
        weights=option("keras"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="gatys_2016",
        solver=option("adam"),
        start=option("noise"),
        notes=(
            "Content 1/2 sum (F - P)^2, style 1 / (4 N^2 M^2) sum (G - A)^2, a random image, "
            '"any gradient descent style optimizer ... ADAM, Adagrad etc.": Adam here, or optimiser=adagrad.',
            "The text does not say: alpha, beta and w_l (the paper's); layers (the paper's); the optimiser's numbers; "
            "the size; steps.",
        ),
    ),
    Program(
        name="report_noise_ratio",
        source="A report whose code breaks off after the network: 400 x 300 pixels, noise ratio 0.6",
        needs="imagenet-vgg-verydeep-19.mat, the original values",
        otherwise=ORIGINAL,
        weights=option("matconvnet"),
        network="vgg19",
        pool="avg",
        rounding="ceil",
        padding="zero",
        layers="gatys",
        convention="gatys_2016",
        solver=option("adam"),
        start=option("blend", ratio=0.6, spread=0.0784),  # 20 / 255
        size=400,
        size_rule="width",
        not_reproduced=("a picture of another shape than 4 : 3, forced to 400 x 300",),
        notes=(
            "400 x 300 pixels, average pooling with TensorFlow's SAME (rounded up), MatConvNet's weights, RGB 0..255 "
            "less (123.68, 116.779, 103.939), noise ratio 0.6.",
            'The text contradicts the field: content from "earlier layers"; its references number 2 to 5 are not about '
            "it.",
            "The text does not say, as the code breaks off: layers, losses, weights, optimiser, steps (the paper's, "
            "and Adam), and what the noise is: 20 of 255 around the mean, as wherever this constant is found.",
        ),
    ),
)
