"""Where the published weights lie, and their hashes. Pure data: nothing heavy is imported.

VGG-16 and VGG-19 were trained by K. Simonyan and A. Zisserman (arXiv 1409.1556) and published by the Visual Geometry
Group, Oxford, under CC BY 4.0. Keras and MatConvNet distribute those original Caffe values; torchvision trained its
own, on RGB in [0, 1] with mean and standard deviation (BSD-3-Clause). SqueezeNet 1.1 was trained by F. Iandola et al.
(arXiv 1602.07360); github.com/rcmalli/keras-squeezenet distributes the values as a Keras file (MIT). torchvision's
other networks are its own training (BSD-3-Clause), but Inception v3, which is TensorFlow's (Apache-2.0), as Keras' is.
"""

from typing import NamedTuple

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"
KERAS_MIRROR = "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
TORCHVISION = "https://download.pytorch.org/models/"
MATCONVNET = "https://www.vlfeat.org/matconvnet/models/"
KERAS_SQUEEZENET = "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0/"


class Published(NamedTuple):
    """One file and its addresses."""

    file: str  # its name in the cache
    urls: tuple[str, ...]
    digest: str  # algorithm:hex; sha256:hex* where only the beginning is known
    size: int  # bytes, shown to the user; 0 where nobody states it


def _keras(network: str, *, md5: str, size: int, folder: str = "") -> Published:
    """folder: where it is not the network's name, there is no mirror of the file."""
    file = f"{network}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    mirror = () if folder else (KERAS_MIRROR + file,)
    return Published(file, (f"{KERAS}{folder or network}/{file}", *mirror), f"md5:{md5}", size)


def _torchvision(name: str, *, size: int) -> tuple[Published, ...]:
    """A file of torchvision. Its name ends with the beginning of its sha256, the only published part."""
    file = f"{name}.pth"
    return (Published(file, (TORCHVISION + file,), f"sha256:{name.rpartition('-')[2]}*", size),)


SQUEEZENET = "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"

# By network and publisher. The hashes of Keras: keras/src/applications/vgg16.py and vgg19.py, `file_hash`. Those of
# torchvision: the file's name ends with the beginning of its sha256. Those of MatConvNet: the table of md5 on
# https://www.vlfeat.org/matconvnet/pretrained/; the sha256 of VGG-19 and the md5 of its beta16 are in the README
# of anishathalye/neural-style (today's, and that of 2016), beside the addresses. SqueezeNet's: of the file itself.
PUBLISHED: dict[tuple[str, str], tuple[Published, ...]] = {
    ("vgg19", "keras"): (_keras("vgg19", md5="253f8cb515780f3b799900260a226db6", size=80_134_624),),
    ("vgg16", "keras"): (_keras("vgg16", md5="6d6bbae143d832006294945121d1f1fc", size=58_889_256),),
    ("vgg19", "torchvision"): (
        Published(
            "vgg19-dcbb9e9d.pth",
            (TORCHVISION + "vgg19-dcbb9e9d.pth",),
            "sha256:dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            574_673_361,
        ),
    ),
    ("vgg16", "torchvision"): (
        Published(
            "vgg16-397923af.pth",
            (TORCHVISION + "vgg16-397923af.pth",),
            "sha256:397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            553_433_881,
        ),
    ),
    ("vgg19", "matconvnet"): (
        Published(
            "imagenet-vgg-verydeep-19.mat",
            (MATCONVNET + "imagenet-vgg-verydeep-19.mat",),
            "sha256:abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695",
            0,
        ),
        # the same values as an earlier MatConvNet wrote them: another file, with other field names
        Published(
            "imagenet-vgg-verydeep-19-beta16.mat",
            (MATCONVNET + "beta16/imagenet-vgg-verydeep-19.mat",),
            "md5:8ee3263992981a1d26e73b3ca028a123",
            0,
        ),
    ),
    ("vgg16", "matconvnet"): (
        Published(
            "imagenet-vgg-verydeep-16.mat",
            (MATCONVNET + "imagenet-vgg-verydeep-16.mat",),
            "md5:f72d927587ca4c97fbd165ec9cb9997f",
            0,
        ),
    ),
    ("inception_v3_keras", "keras"): (
        _keras("inception_v3", md5="bcbd6486424b2319ff4ef7d526e38f63", size=0, folder="inception_v3"),
    ),
    ("inception_v3", "torchvision"): _torchvision("inception_v3_google-0cc3c7bd", size=0),
    ("googlenet", "torchvision"): _torchvision("googlenet-1378be20", size=0),
    ("resnet18", "torchvision"): _torchvision("resnet18-f37072fd", size=0),
    ("resnet34", "torchvision"): _torchvision("resnet34-b627a593", size=0),
    ("resnet50", "torchvision"): _torchvision("resnet50-0676ba61", size=0),  # IMAGENET1K_V1
    ("resnet101", "torchvision"): _torchvision("resnet101-63fe2227", size=0),  # IMAGENET1K_V1
    ("resnet50_keras", "keras"): (_keras("resnet50", md5="4d473c1dd8becc155b73f8504c6f6626", size=0, folder="resnet"),),
    ("alexnet", "torchvision"): _torchvision("alexnet-owt-7be5be79", size=244_408_911),
    ("squeezenet", "torchvision"): (
        Published(
            "squeezenet1_1-b8a52dc0.pth",
            (TORCHVISION + "squeezenet1_1-b8a52dc0.pth",),
            "sha256:b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
            0,
        ),
    ),
    ("squeezenet", "keras"): (
        Published(SQUEEZENET, (KERAS_SQUEEZENET + SQUEEZENET,), "md5:80b66c92d79d4310e07fb60a297bf0d1", 3_002_560),
    ),
}

# conv1_1's first filter for blue, row by row, in the original Caffe values: enough to recognise them in any container,
# in whichever order it keeps colours, rows and columns. VGG-19's are read from the weights; VGG-16's as others printed
# them from Keras' file
# fmt: off
FINGERPRINTS: dict[str, tuple[float, ...]] = {
    "vgg19": (
        0.34119523, 0.33999205, -0.04484424,
        0.23215917, 0.08978214, -0.30331427,
        -0.07260918, -0.246675, -0.33683276,
    ),
    "vgg16": (
        0.42947057, 0.373467, -0.061360113,
        0.27476987, 0.038680777, -0.36722335,
        -0.05746817, -0.26224968, -0.35009676,
    ),
}
# fmt: on
