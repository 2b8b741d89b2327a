"""Reports of readers who followed the method: presets for the programs that they describe."""

from nst_jax.published.base import FORGET, ONE_SIZE, ORIGINAL, STRETCH, Profile, Program, option

LOSSES = ()

PROFILES = (
    Profile(
        name="report_tf2",
        source=(
            "The class of a report, with n_style_layers=5 and n_content_layers=5: of Keras' Conv2D layers in the order "
            "of model.layers the first five, and five backwards from the last but one, before normalisation and ReLU. "
            "Its terms are sums over layers, half of the mean error for content: factors of 5 and 1/2 beside means."
        ),
        content=dict.fromkeys(("conv2d_85", "conv2d_92", "conv2d_91", "conv2d_88", "conv2d_87"), 0.5),
        style=dict.fromkeys(("conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "conv2d_4"), 5.0),
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
            "weights=torchvision weights.preprocessing=unit."
        ),
        weights=option("keras", preprocessing="unit"),
        network="inception_v3_keras",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="report_tf2",
        convention="tensorflow_tutorial",
        solver=option(
            "adam",
            learning_rate=0.3137,  # 80 / 255
            b1=0.9,
            b2=0.999,
            eps=2.55e-5,  # 255 * 1e-7
            falloff=0.99777,  # 0.8^(1 / 100)
            clamp=True,
        ),
        start=option("content"),
        size=512,
        size_rule="long",
        content_weight=1e4,
        style_weight=1e-2,
        tv_weight=510.0,
        steps=1000,
        output=(("every", 90),),
        not_reproduced=(
            "tf.image.resize, which takes no means where it makes a picture smaller, and 8 bits of both pictures",
            "epsilon before the correction of Adam's second moment",
        ),
        notes=(
            'extractor="inception_v3", n_style_layers=5, n_content_layers=5, Adam with a rate of 80 on 0..255, 10 '
            "epochs of 100 steps, style 1e-2, content 1e4, variation 2, a picture every 90 steps.",
            "What the text does not say is that of a public program with this class, these arguments and this text for "
            "its README: the layers, the terms, a longer side of 512, the start, the rate that falls by 0.8 in 100 "
            "steps, the clipping. It takes every picture into a film, and shows those after the steps 1 and 91 of each "
            "epoch: output.every=1 keeps all.",
            "The program gives Inception v3 RGB in 0..1: the model has no preprocess_input, which it looks for. Keras' "
            "own, 2 x - 1, is weights.preprocessing=auto. A later version of the class has it, and takes means over "
            "the layers: layers.content 0.1 and layers.style 1 each.",
            "The text's section on the method names VGG-19 with average pooling; no version of the class has averages. "
            "With network=vgg19 the class would take relu1_1 ... relu3_1 for style, and relu5_3, relu5_2, relu5_1, "
            "relu4_4 and relu4_3 for content.",
            "The text's style loss squares (G - A) / (2 N^2 M^2); the program's is the mean over N^2 of (G/M - A/M)^2.",
            "variation 2 is for steps on 0..255: 2 x 255 for steps on 0..1.",
        ),
        remarks=(("optimiser", "80 / 255, 255e-7, 0.8^(1/100)"),),
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
            "relu4_2 with 1, relu1_1 to relu5_1 with 0.2 each, beta 1, L-BFGS from a random image. "
            "docs/explanations/conventions.md says why both ratios can be right.",
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
