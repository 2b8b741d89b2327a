"""SqueezeNet 1.1 (Iandola et al. 2016, arXiv 1602.07360) as another feature extractor, to be compared.

Not a network of the package: it shows that whatever has `taps` and gives activations by name will do. Weights:
the Keras file of github.com/rcmalli/keras-squeezenet (no top), whose preprocessing is BGR in 0..255 minus a mean.
"""

from pathlib import Path
from typing import Any

import flax.linen as nn
import h5py
import jax.numpy as jnp
from jax import Array

from nst_jax.types import Activations, Image, Params

FIRES = {"fire2": (16, 64), "fire3": (16, 64), "fire4": (32, 128), "fire5": (32, 128)}
FIRES |= {"fire6": (48, 192), "fire7": (48, 192), "fire8": (64, 256), "fire9": (64, 256)}  # squeezed, expanded twice
POOLED = ("conv1", "fire3", "fire5")  # followed by a pooling
MEAN = (103.939, 116.779, 123.68)  # of blue, green, red


class SqueezeNet(nn.Module):
    """Activations of one image, after the ReLU, at the layers named in `taps`: conv1, fire2 ... fire9."""

    taps: tuple[str, ...]

    @nn.compact
    def __call__(self, image: Image) -> Activations:
        x = (255 * image[..., ::-1] - jnp.asarray(MEAN))[None]
        out = {"conv1": nn.relu(nn.Conv(64, (3, 3), 2, padding="VALID", name="conv1")(x))}
        x = pooled(out["conv1"])
        for name, (squeezed, expanded) in FIRES.items():
            if set(self.taps) <= out.keys():
                break
            x = out[name] = Fire(squeezed, expanded, name=name)(x)
            x = pooled(x) if name in POOLED else x
        return {tap: out[tap][0] for tap in self.taps}


class Fire(nn.Module):
    """Few channels, then many by 1 x 1 and by 3 x 3."""

    squeezed: int
    expanded: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        x = nn.relu(nn.Conv(self.squeezed, (1, 1), name="squeeze1x1")(x))
        small, large = (nn.Conv(self.expanded, (s, s), name=f"expand{s}x{s}")(x) for s in (1, 3))
        return nn.relu(jnp.concatenate([small, large], -1))


def pooled(x: Array) -> Array:
    """The network's own pooling: the maximum of 3 x 3, stride 2."""
    return nn.max_pool(x, (3, 3), (2, 2))


def read(path: Path) -> Params:
    """The parameters of the Keras file. Its datasets are named uniform1 ... and LAYER_b; the dimensions tell."""
    with h5py.File(path) as file:
        names = {n: tuple(n.split("/")) for n in ("conv1", *(f"{f}/{part}" for f in FIRES for part in PARTS))}
        params: dict[str, Any] = {}
        for name, keys in names.items():
            found: list[Array] = []
            group: Any = file[name]
            group.visititems(lambda _, d, found=found: keep(found, d))
            layer = {"bias" if a.ndim == 1 else "kernel": a for a in found}
            params.setdefault(keys[0], {}).update({keys[1]: layer} if len(keys) > 1 else layer)
    return params


PARTS = ("squeeze1x1", "expand1x1", "expand3x3")


def keep(found: list[Array], item: Any) -> None:
    """Add an array, not a group of them."""
    if isinstance(item, h5py.Dataset):
        found.append(jnp.asarray(item[()]))
