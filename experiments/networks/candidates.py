"""The networks that the experiments compare, and those that measure their results."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import nst_jax as nst

GATYS = {"content_layers": ("relu4_2",), "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")}
HELD_OUT = ("relu1_2", "relu2_2", "relu3_2", "relu3_3")  # of VGG-19
FIRES = ("conv1", "fire2", "fire4", "fire6")  # of SqueezeNet
TEXNET = ("relu1_2", "relu2_2", "relu3_2", "relu4_1")  # of texnet
DEEP = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")  # of VGG-16
TEACHER = "VGG-16"
UNTRAINED = {  # a network in words -> its name
    "SqueezeNet": "squeezenet",
    "GoogLeNet": "googlenet",
    "Inception v3": "inception_v3",
    "ResNet-18": "resnet18",
    "ResNet-50": "resnet50",
}
FILES = {  # in a folder weights/
    TEACHER: "vgg16_hed.safetensors",
    "VGG-19": "vgg19_blocks1-3.safetensors",
    "SqueezeNet": "squeezenet1.1_keras_notop.h5",
}


def candidates(
    teacher: Path, distilled: Mapping[str, Path], texnets: Mapping[str, Path], *, untrained: int
) -> dict[str, nst.Network]:
    """The networks by name, each with its layers and convention.

    Args:
      teacher: a file with VGG-16's convolutions, of which `distilled` was made.
      distilled: files of distilled's weights, by name.
      texnets: files of texnet's weights, by name.
      untrained: how many untrained networks.
    """
    table = {TEACHER: choose(nst.load(teacher, network="vgg16", preprocessing="caffe"), network="vgg16")}
    for name, path in distilled.items():
        table[name] = choose(nst.load(path, network="distilled"), network="distilled")
    for name, path in texnets.items():
        table[name] = nst.load(path, network="texnet")
    for seed in range(untrained):
        plain = nst.load("vgg16", weights="random", seed=seed, pool="avg")
        table[f"untrained VGG-16 #{seed}"] = choose(plain, network="vgg16")
    return table


def load_teacher(weights: Path) -> nst.Network:
    """VGG-16 at full depth. weights: the folder of FILES."""
    return nst.load(weights / FILES[TEACHER], network="vgg16", preprocessing="caffe")


def everything(weights: Path) -> dict[str, Callable[[], nst.Network]]:
    """What loads each network at hand but those of `outside_judges`, trained and untrained, with its own layers.

    weights: the folder of FILES.
    """
    squeezenet = partial(nst.load, weights / FILES["SqueezeNet"], network="squeezenet", preprocessing="caffe")
    untrained = {name: partial(nst.load, network, weights="random") for name, network in UNTRAINED.items()}
    return {
        TEACHER: lambda: choose(load_teacher(weights), network="vgg16"),
        "distilled": lambda: choose(nst.load("distilled"), network="distilled"),
        "SqueezeNet": squeezenet,
        "untrained VGG-16": lambda: choose(nst.load("vgg16", weights="random", pool="avg"), network="vgg16"),
        **{f"untrained {name}": make for name, make in untrained.items()},
        "untrained ResNet-50, softmax": partial(untrained["ResNet-50"], smooth="channels", temperature=100.0),
    }


def choose(net: nst.Network, *, network: str) -> nst.Network:
    """The network with the layers of Gatys et al. and relative losses, and the parameters that they need."""
    needed = nst.architecture(network).needs((*GATYS["style_layers"], *GATYS["content_layers"]))
    return net._replace(
        params={name: net.params[name] for name in ("input", *needed)},
        content_layers=dict.fromkeys(GATYS["content_layers"], 1.0),
        style_layers=dict.fromkeys(GATYS["style_layers"], 1.0),
        convention="relative",
    )


def judges(vgg19: Path, squeezenet: Path) -> dict[str, nst.Network]:
    """What measures a result, by the end of the names of its columns: networks that no run has optimised.

    Args:
      vgg19: a file with VGG-19's first three blocks, at least.
      squeezenet: Keras' file of SqueezeNet 1.1; left out where it is missing.
    """
    found = {"": tap(nst.load(vgg19), HELD_OUT)}
    if squeezenet.exists():
        net = nst.load(squeezenet, network="squeezenet", preprocessing="caffe")
        found[" by SqueezeNet"] = tap(net, FIRES)
    return found


def outside_judges(weights: Path) -> dict[str, nst.Network]:
    """Two trained networks that `everything` leaves out: VGG-19's first three blocks, and texnet.

    weights: the folder of FILES.
    """
    vgg19 = nst.load(weights / FILES["VGG-19"])
    return {" by VGG-19": tap(vgg19, HELD_OUT), " by texnet": tap(nst.load("texnet"), TEXNET)}


def deep_judges(weights: Path) -> dict[str, nst.Network]:
    """Two trained networks of four blocks: VGG-16 and texnet. weights: the folder of FILES."""
    return {" by VGG-16": tap(load_teacher(weights), DEEP), " by texnet": tap(nst.load("texnet"), TEXNET)}


def tap(net: nst.Network, layers: tuple[str, ...]) -> nst.Network:
    """The network tapped at these layers alone."""
    return net._replace(extractor=net.extractor.clone(taps=layers))
