"""What published programs set, written once more from their sources and not from nst_jax.

A constant of a record or of a generated file that changes differs from this page: `test_published.py` compares them.
Values of programs whose picture is in 0..255 are written as there, over 255.
"""

from typing import NamedTuple

# (content, style, total variation)
WEIGHTS = {
    "gatys_2016": (1, 1e3, 0),
    "deep_textures": (0, 1e9, 0),
    "gatys_released": (1, 1e3, 0),
    "nis": (1, 1e3, 0),
    "nis_normalised": (1e6, 5 * 2e8, 0),  # 2e8 a layer
    "neural_style": (5, 100, 1e-3),
    "neural_style_pt": (5, 100, 1e-3),
    "anishathalye": (5, 500, 100),
    "lengstrom": (7.5, 100, 200),
    "laplacian": (5, 100, 1e-3),
    "pystiche": (1, 1e3, 0),
    "pystiche_released": (1, 1e3, 0),
    "pystiche_paper": (1, 1e3, 0),
    "gordicaleksa": (1e5, 3e4, 1),
    "cysmith": (5, 1e4, 1e-3),
    "hwalsuklee": (1e-3, 1, 0),
    "fzliu": (1, 1e4, 0),
    "keras": (2.5e-8, 1e-6, 1e-6),
    "titu1994": (0.025, 1, 8.5e-5),
    "hnarayanan": (0.025, 5, 1),
    "tensorflow_tutorial": (1e4, 1e-2, 30),
    "pytorch_tutorial": (1, 1e6, 0),
    "nicholasjng": (1, 1e4, 0),
    "zeshengliu": (1, 1e6, 0.01),
    "d2l": (1, 1e3, 10),
    "texsyn_gram": (0, 1, 0),
    "texsyn_sliced": (0, 1, 0),
    "sliced_wasserstein": (0, 1, 0),
    "style_transfer_pytorch": (0.015, 1, 2),
    "style_transfer_pytorch_2022": (0.015, 1, 2),
    "style_transfer_caffe": (0.05, 1, 5),
    "mrf": (20, 1e-4, 1e-3),
    "strotss": (16, 1, 0),
}

# Conventions whose weights are our own choice: they are pinned, and have no source
OWN_WEIGHTS = {
    "batch_statistics": (1, 100, 0),
    "adain": (1, 0.01, 0),
    "covariance": (1, 0.01, 0),
    "activation_shift": (1, 1e3, 0),
    "histogram": (1, 1e-4, 0),
    "relative": (1, 100, 0),
    "whitened": (1, 3, 0),
    "texnet": (1, 3, 4),
}


def firsts(*blocks, kind="relu"):
    """The first layer of each block."""
    return {f"{kind}{block}_1": 1.0 for block in blocks}


FIVE = firsts(1, 2, 3, 4, 5)
DEPTHS = {1: 2, 2: 2, 3: 4, 4: 4, 5: 4}  # of VGG-19
STROTSS = ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu4_3", "relu5_3")

# of Inception v3's 5 convolutions and 11 mixed layers, those with the numbers 1, 4, 8, 11 and 14, counted from 0

# (content layers, style layers), each with its factor
PROFILES = {
    "gatys": ({"relu4_2": 1.0}, FIVE),
    "deep_textures": ({}, {"relu1_1": 1.0, "pool1": 1.0, "pool2": 1.0, "pool3": 1.0, "pool4": 1.0}),
    "laplacian": ({"relu4_2": 1.0, "input": 100 / 5}, FIVE),
    "cysmith": ({"conv4_2": 1.0}, FIVE),
    "keras": ({"relu5_2": 1.0}, FIVE),
    "hnarayanan": ({"relu2_2": 1.0}, dict.fromkeys(("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"), 1.0)),
    "pytorch_tutorial": (
        {"conv2_2": 1.0},
        dict.fromkeys(("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"), 1.0),
    ),
    "before_relu": ({"conv4_2": 1.0}, firsts(1, 2, 3, 4, 5, kind="conv")),
    "d2l": ({"conv4_4": 1.0}, firsts(1, 2, 3, 4, 5, kind="conv")),
    "sliced": ({}, {f"relu{b}_{i}": 1.0 for b in range(1, 5) for i in range(1, DEPTHS[b] + 1)}),
    "texsyn": ({}, dict.fromkeys(("relu1_2", "relu2_2", "relu3_4", "relu4_4"), 1.0)),
    "crowson": (
        {"relu4_2": 1.0},
        {f"relu{b}_1": w / 341 for b, w in zip(range(1, 6), (256, 64, 16, 4, 1), strict=True)},
    ),
    "adain": ({"relu4_1": 1.0}, firsts(1, 2, 3, 4)),
    "mrf": ({"relu4_1": 1.0}, firsts(3, 4)),
    "strotss": (dict.fromkeys(STROTSS, 1 / 9), dict.fromkeys(STROTSS, 1.0)),
    "report_tf2": (
        {f"conv2d_{i}": 1 / 2 for i in (85, 92, 91, 88, 87)},
        dict.fromkeys(("conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "conv2d_4"), 5.0),
    ),
}


class Settings(NamedTuple):
    """Of one program. `solver` and `start` are names and numbers."""

    weights: str
    network: str
    how: str  # pooling, rounding, padding
    layers: str
    solver: tuple
    start: tuple
    size: tuple  # pixels and rule
    steps: int | None  # at the first size
    sizes: tuple = ()  # pixels of each, from the smallest; empty: one
    then: int | None = None  # steps at each size after the first
    passage: tuple = ()  # the kernel that enlarges the image, and what becomes of the optimiser's moments
    average: float | None = None  # decay of the mean of the iterates


def torch_lbfgs(memory=100, *, unit=255):
    return ("lbfgs_torch", {"learning_rate": 1, "memory": memory, "unit": unit})


def search(memory, evaluations=20):
    return ("lbfgs", {"memory": memory, "evaluations": evaluations})


def adam(learning_rate, b1, b2, eps, *, clamp, **more):
    return ("adam", {"learning_rate": learning_rate, "b1": b1, "b2": b2, "eps": eps, "clamp": clamp, **more})


def noise(sigma):
    return ("noise", {"sigma": sigma})


def second_pass(size):
    """500 steps at 512 pixels, then 200 from the enlarged result, by a new optimiser."""
    return (512, size), 200, ("linear", "forget")


CONTENT = ("content", {})
UNIFORM = ("blend", {"ratio": 1, "spread": 0.5})
FLOOR, CEIL, MEANS, MEANS_CEIL = "max floor zero", "max ceil zero", "avg floor zero", "avg ceil zero"
TEXSYN = "avg floor reflect"
BORDERS = "max floor replicate_once"
ATHALYE = adam(10 / 255, 0.9, 0.999, 1e-8 * 255, clamp=False)
CROWSON = adam(0.02, 0.9, 0.99, 1e-8, clamp=True)
FROM_128 = ((512, "long"), 1000, (128, 181, 256, 362, 512), 500, ("torch", "resize"), 0.99)

PROGRAMS = {
    "gatys_2016": Settings("keras", "vgg19", MEANS, "gatys", torch_lbfgs(), noise(1 / 255), (512, "long"), 500),
    "deep_textures": Settings(
        "keras", "vgg19", MEANS_CEIL, "deep_textures", search(20), noise(1 / 255), (256, "area"), 2000
    ),
    "gatys_released": Settings(
        "keras", "vgg19", FLOOR, "gatys", torch_lbfgs(), CONTENT, (800, "short"), 500, *second_pass(800)
    ),
    "nis": Settings("keras", "vgg19", CEIL, "gatys", torch_lbfgs(), CONTENT, (1024, "area"), 500, *second_pass(1024)),
    "nis_normalised": Settings(
        "file", "vgg19", CEIL, "gatys", torch_lbfgs(), CONTENT, (1024, "area"), 500, *second_pass(1024)
    ),
    "neural_style": Settings("keras", "vgg19", CEIL, "gatys", torch_lbfgs(), noise(1e-3 / 256), (512, "long"), 1000),
    "neural_style_pt": Settings(
        "keras", "vgg19", FLOOR, "gatys", torch_lbfgs(), noise(1e-3 / 255), (512, "long"), 1000
    ),
    "anishathalye": Settings(
        "matconvnet", "vgg19", CEIL, "gatys", ATHALYE, noise(0.256 / 255), (512, "original"), 1000
    ),
    "lengstrom": Settings("matconvnet", "vgg19", CEIL, "gatys", ATHALYE, noise(0.256 / 255), (512, "original"), 1000),
    "laplacian": Settings(
        "keras", "vgg19", CEIL, "laplacian", torch_lbfgs(), noise(1e-3 / 256), (512, "original"), 1000
    ),
    "pystiche": Settings("torchvision", "vgg19", FLOOR, "gatys", torch_lbfgs(unit=1), CONTENT, (500, "short"), 500),
    "pystiche_released": Settings("keras", "vgg19", FLOOR, "gatys", torch_lbfgs(), CONTENT, (500, "short"), 500),
    "pystiche_paper": Settings("keras", "vgg19", MEANS, "gatys", torch_lbfgs(), CONTENT, (500, "short"), 500),
    "gordicaleksa": Settings("torchvision", "vgg19", FLOOR, "gatys", search(100, 25), CONTENT, (400, "height"), 1000),
    "cysmith": Settings("matconvnet", "vgg19", MEANS_CEIL, "cysmith", search(10), CONTENT, (512, "long"), 1000),
    "hwalsuklee": Settings("matconvnet", "vgg19", CEIL, "cysmith", search(10), CONTENT, (512, "long"), 1000),
    "fzliu": Settings("keras", "vgg16", MEANS_CEIL, "gatys", search(8), CONTENT, (512, "long"), 512),
    "keras_example": Settings(
        "keras",
        "vgg19",
        FLOOR,
        "keras",
        ("sgd", {"learning_rate": 100 / 255**2, "momentum": 0, "clamp": False}),
        CONTENT,
        (400, "height"),
        4000,
    ),
    "titu1994": Settings("keras", "vgg16", FLOOR, "keras", search(10), CONTENT, (400, "height"), 10 * 20),
    "hnarayanan": Settings("keras", "vgg16", FLOOR, "hnarayanan", search(10), UNIFORM, (512, "long"), 10 * 20),
    "tensorflow_tutorial": Settings(
        "keras", "vgg19", FLOOR, "keras", adam(0.02, 0.99, 0.999, 0.1, clamp=True), CONTENT, (512, "long"), 1000
    ),
    "pytorch_tutorial": Settings(
        "torchvision", "vgg19", FLOOR, "pytorch_tutorial", torch_lbfgs(unit=1), CONTENT, (512, "short"), 300
    ),
    "nicholasjng": Settings(
        "keras",
        "vgg19",
        MEANS,
        "pytorch_tutorial",
        adam(1e-3, 0.9, 0.999, 1e-8, clamp=False),
        CONTENT,
        (512, "long"),
        300,
    ),
    "zeshengliu": Settings(
        "torchvision",
        "vgg19",
        FLOOR,
        "before_relu",
        adam(0.02, 0.9, 0.999, 1e-8, clamp=False),
        CONTENT,
        (256, "area"),
        2000,
    ),
    "d2l": Settings(
        "torchvision",
        "vgg19",
        FLOOR,
        "d2l",
        adam(0.3 * 0.226, 0.9, 0.999, 1e-8, clamp=False),  # of a normalised picture: times its deviation
        CONTENT,
        (300, "height"),
        500,
    ),
    "sliced_wasserstein": Settings("keras", "vgg19", TEXSYN, "sliced", search(10), noise(0.01), (256, "area"), 640),
    "texsyn_sliced": Settings("keras", "vgg19", TEXSYN, "texsyn", search(10), noise(0.01), (256, "area"), 1000),
    "texsyn_gram": Settings("keras", "vgg19", TEXSYN, "texsyn", search(10), noise(0.01), (256, "area"), 1000),
    "style_transfer_pytorch": Settings("torchvision", "vgg19", BORDERS, "crowson", CROWSON, CONTENT, *FROM_128),
    "style_transfer_pytorch_2022": Settings("torchvision", "vgg19", BORDERS, "crowson", CROWSON, CONTENT, *FROM_128),
    "style_transfer_caffe": Settings(
        "keras",
        "vgg19",
        CEIL,
        "gatys",
        adam(15 / 255, 0.9, 0.999, 1e-8 * 255, clamp=False),
        UNIFORM,
        (256, "long"),
        200,
        (181, 256),  # 182 there
        100,
        ("lanczos", "resize"),
        0.95,
    ),
    "mrf": Settings("keras", "vgg19", CEIL, "mrf", torch_lbfgs(25), CONTENT, (384, "long"), 300),
    "strotss": Settings(
        "torchvision",
        "vgg16",
        FLOOR,
        "strotss",
        ("rmsprop", {"learning_rate": 2e-3, "decay": 0.99, "eps": 1e-8, "clamp": False}),
        CONTENT,
        (512, "long"),
        250,
    ),
    "report_keras": Settings("keras", "vgg19", FLOOR, "keras", search(10), CONTENT, (400, "height"), 400),
    "report_tf2": Settings(
        "keras",
        "inception_v3_keras",
        FLOOR,
        "report_tf2",
        adam(80 / 255, 0.9, 0.999, 255e-7, clamp=True, falloff=0.8**0.01),
        CONTENT,
        (512, "long"),
        1000,
    ),
    "report_matconvnet": Settings("matconvnet", "vgg19", CEIL, "gatys", search(10), ("noise", {}), (None, None), None),
    "report_textbook": Settings("keras", "vgg19", FLOOR, "gatys", ("adam", {}), ("noise", {}), (None, None), None),
    "report_noise_ratio": Settings(
        "matconvnet",
        "vgg19",
        MEANS_CEIL,
        "gatys",
        ("adam", {}),
        ("blend", {"ratio": 0.6, "spread": 20 / 255}),
        (400, "width"),
        None,
    ),
}

# Settings of the options of conf/optimiser: crowsonkb's Adam (style_transfer.py:356-358), torch.optim's numbers for the
# others, and our own learning rates
OPTIMISERS = {
    "adam": {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8, "falloff": 1.0, "clamp": True},
    "sgd": {"learning_rate": 1e-6, "momentum": 0.9, "clamp": True},
    "adagrad": {"learning_rate": 0.1, "eps": 1e-10, "clamp": True},
    "rmsprop": {"learning_rate": 0.005, "decay": 0.99, "eps": 1e-8, "clamp": True},
    "lbfgs": {"memory": 50, "evaluations": 20},
    "lbfgs_torch": {"learning_rate": 1.0, "memory": 100, "unit": 255.0},
}
