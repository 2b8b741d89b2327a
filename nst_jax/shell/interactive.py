"""A picture and a network in a line each, for notebooks and the Python prompt: `nst_jax.picture`, `nst_jax.extractor`.

What reads files is imported by the function that needs it, so that the names can be looked up for nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nst_jax.conventions import CONVENTIONS
from nst_jax.extractors import BLOCKS
from nst_jax.image import resize, target_shape
from nst_jax.losses import Convention
from nst_jax.shell.places import conf
from nst_jax.types import Image, Params
from nst_jax.vgg import VGG, layers


class Extractor(NamedTuple):
    """A network with its weights, and what `nst` would use with it unless told otherwise."""

    network: VGG  # tapped at the layers below
    params: Params
    convention: Convention
    pull: Mapping[str, float]  # content_weight, style_weight, tv_weight: as `weights` takes them
    layers: Mapping[str, Mapping[str, float]]  # content_layers, style_layers: each layer's factor, for `weights`
    source: str  # what the weights are, in words

    @property
    def taps(self) -> dict[str, Any]:
        """The layers' names, content_layers and style_layers, and the convention whose aims they are, for `targets`."""
        return {side: tuple(names) for side, names in self.layers.items()} | {"convention": self.convention}


def picture(name: str | Path, *, size: int) -> Image:
    """A bundled picture (landscape, portrait; brush, mosaic, ink) or a file, its longer side `size` pixels.

    Raises UserError for a file that cannot be read.
    """
    from nst_jax import pictures
    from nst_jax.shell import files

    image = files.read(pictures.path(str(name)) if name in pictures.NAMES else name).image
    height, width = target_shape(height=image.shape[0], width=image.shape[1], size=size, rule="long")
    return resize(jnp.asarray(image), height=height, width=width)


def extractor(path: str | Path | None = None) -> Extractor:
    """texnet, whose weights are in the package; or VGG-19, from the file of weights at `path`.

    The file: as `nst-weights fetch` leaves it, or any .h5, .pth, .mat or .safetensors. One that ends after the third
    block gets the layers of `layers=blocks1-3`. Raises UserError for a file that is something else.
    """
    from nst_jax.shell import weights

    if path is None:
        return described(weights.load("own", network="texnet", needed=()), "texnet", "texnet", "texnet")
    loaded = weights.load("file", network="vgg19", needed=(), path=str(path))
    whole = "conv5_1" in loaded.params
    return described(loaded, "vgg19", "gatys" if whole else "blocks1-3", "gatys_released")


def described(loaded: Any, network: str, profile: str, convention: str) -> Extractor:
    """The network with the options of these names in conf/network, conf/layers and conf/convention."""
    from nst_jax.shell.config import plain_yaml

    n, factors, c = (
        plain_yaml(conf() / group / f"{option}.yaml")
        for group, option in (("network", network), ("layers", profile), ("convention", convention))
    )
    settings = n.get("network", n)  # texnet's file brings its layers and convention, and says its own under this key
    shape = {key: settings[key] for key in ("pool", "rounding", "padding")}
    taps = tuple(layer for layer in layers(BLOCKS[network]) if layer in factors["content"] | factors["style"])
    pull = {key: float(c[key]) for key in ("content_weight", "style_weight", "tv_weight")}
    return Extractor(
        VGG(taps, blocks=BLOCKS[network], **shape),
        jax.tree.map(jnp.asarray, dict(loaded.params)),
        CONVENTIONS[c["name"]],
        pull,
        {f"{side}_layers": factors[side] for side in ("content", "style")},
        loaded.source,
    )
