"""The feature extractors that extractors_compared compares: network, weights, layers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from experiments import squeezenet
from nst_jax import vgg
from nst_jax.extractors import BLOCKS
from nst_jax.shell import weights
from nst_jax.types import Params

FIRST = BLOCKS["vgg19"][:3]  # conv1_1 to conv3_4: what a file of weights may be limited to
CONTENT, STYLE = "relu3_3", ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
OWN_CONTENT, OWN_STYLE = "relu3_2", ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu4_1")  # layers=texnet
OWN_CONVENTION, OWN_TV = "whitened", 4.0  # convention=texnet
FIRES = ("conv1", "fire2", "fire4", "fire6")
HELD_OUT = ("relu1_2", "relu2_2", "relu3_2", "relu3_3")  # ImageNet's, in nobody's style term


class Extractor(NamedTuple):
    """A network with its weights, the content layer and the style layers, and how they are compared."""

    network: Any  # taps, clone, apply
    params: Params
    content: str
    style: tuple[str, ...]
    convention: str = "relative"
    tv: float = 0.0


def extractors(imagenet: Path, squeezed: Path, trained: Mapping[str, Path], *, seeds: int) -> dict[str, Extractor]:
    """All that are at hand. Losses are `relative`; texnet's own, `whitened`, are tried with an untrained one, too."""
    table = {}
    for name, path in trained.items():
        table[name] = own(path)
        if name == "texnet":
            table["texnet, relative"] = table[name]._replace(convention="relative", tv=0.0)
    plain = network(FIRST, STYLE, CONTENT)
    for seed in range(seeds):
        params = ready(vgg.random_params(jax.random.key(seed), blocks=FIRST))
        table[f"untrained VGG-19 #{seed}"] = Extractor(plain, params, CONTENT, STYLE)
        table[f"untrained VGG-19 #{seed}, whitened"] = Extractor(plain, params, CONTENT, STYLE, OWN_CONVENTION, OWN_TV)
    table["ImageNet blocks 1-3"] = Extractor(plain, read("vgg19", FIRST, imagenet), CONTENT, STYLE)
    if squeezed.exists():
        net = squeezenet.SqueezeNet((*FIRES, "fire5"))
        table["ImageNet SqueezeNet"] = Extractor(net, squeezenet.read(squeezed), "fire5", FIRES)
    return table


def own(path: Path, style: tuple[str, ...] = OWN_STYLE) -> Extractor:
    """texnet with the weights of a file, as network=texnet uses it; other style layers to try them."""
    net = network(BLOCKS["texnet"], style, OWN_CONTENT)
    return Extractor(net, read("texnet", BLOCKS["texnet"], path), OWN_CONTENT, style, OWN_CONVENTION, OWN_TV)


def network(blocks: vgg.Blocks, style: tuple[str, ...], content: str) -> vgg.VGG:
    """VGG-like, with average pooling."""
    return vgg.VGG(tuple(dict.fromkeys((*style, content))), blocks, "avg", "floor", "zero")


def judge(imagenet: Path) -> Extractor:
    """ImageNet's first three blocks with max pooling, at layers whose Gram matrices nobody optimises."""
    return Extractor(vgg.VGG(HELD_OUT, FIRST, "max", "floor", "zero"), read("vgg19", FIRST, imagenet), "", HELD_OUT)


def read(name: str, blocks: vgg.Blocks, path: Path) -> Params:
    """A file of weights, as deep as the blocks."""
    needed = tuple(vgg.kernels(blocks))
    loaded = weights.load("file", network=name, needed=needed, path=str(path), log=lambda text: None)
    return ready(jax.tree.map(jnp.asarray, dict(loaded.params)))


def ready(params: Params) -> Params:
    """Kernels transformed where that pays."""
    make = jax.jit(vgg.prepared, static_argnames=("convolution", "dtype"))
    return make(params, convolution="auto", dtype=jnp.dtype("float32"))
