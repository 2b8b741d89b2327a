"""The networks that extractors_compared compares, and those that measure their results."""

from collections.abc import Mapping
from pathlib import Path

import nst_jax as nst

GATYS = {"content_layers": ("relu4_2",), "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")}
HELD_OUT = ("relu1_2", "relu2_2", "relu3_2", "relu3_3")  # of VGG-19
FIRES = ("conv1", "fire2", "fire4", "fire6")  # of SqueezeNet
TEACHER = "VGG-16"


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


def tap(net: nst.Network, layers: tuple[str, ...]) -> nst.Network:
    """The network tapped at these layers alone."""
    return net._replace(extractor=net.extractor.clone(taps=layers))
