"""The networks that extractors_compared compares, and the one that measures their results."""

from collections.abc import Mapping
from pathlib import Path

import nst_jax as nst

IMAGENET = {"content_layers": ("relu3_3",), "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu3_4")}
FIRES = {"content_layers": ("fire5",), "style_layers": ("conv1", "fire2", "fire4", "fire6")}
HELD_OUT = ("relu1_2", "relu2_2", "relu3_2", "relu3_3")  # of ImageNet's network; no style term uses them


def candidates(imagenet: Path, squeezenet: Path, texnets: Mapping[str, Path], *, seeds: int) -> dict[str, nst.Network]:
    """The networks by name, each with its layers and convention.

    Args:
      imagenet: a file with VGG-19's first three blocks, at least.
      squeezenet: Keras' file of SqueezeNet 1.1; left out where it is missing.
      texnets: files of texnet's weights, by name.
      seeds: how many untrained networks.
    """
    table = {}
    for name, path in texnets.items():
        table[name] = nst.load(path, network="texnet")
        if name == "texnet":
            table["texnet, relative"] = table[name]._replace(convention="relative")
    for seed in range(seeds):
        plain = choose(nst.load("vgg19", weights="random", seed=seed, pool="avg"), **IMAGENET)
        table[f"untrained VGG-19 #{seed}"] = plain
        table[f"untrained VGG-19 #{seed}, whitened"] = plain._replace(convention="texnet")
    table["ImageNet blocks 1-3"] = choose(nst.load(imagenet, pool="avg"), **IMAGENET)
    if squeezenet.exists():
        net = nst.load(squeezenet, network="squeezenet", preprocessing="caffe")
        table["ImageNet SqueezeNet"] = choose(net, **FIRES)
    return table


def judge(imagenet: Path) -> nst.Network:
    """ImageNet's first three blocks with max pooling, at layers whose Gram matrices no run optimises."""
    net = choose(nst.load(imagenet), content_layers=(), style_layers=HELD_OUT)
    return net._replace(extractor=net.extractor.clone(taps=HELD_OUT))


def choose(net: nst.Network, *, content_layers: tuple[str, ...], style_layers: tuple[str, ...]) -> nst.Network:
    """The network with these layers and relative losses, and the parameters that they need."""
    layers = tuple(dict.fromkeys((*style_layers, *content_layers)))
    needed = nst.architecture("squeezenet" if "conv1" in net.params else "vgg19").needs(layers)
    return net._replace(
        params={name: net.params[name] for name in ("input", *needed)},
        content_layers=dict.fromkeys(content_layers, 1.0),
        style_layers=dict.fromkeys(style_layers, 1.0),
        convention="relative",
    )
