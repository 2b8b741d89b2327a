"""SqueezeNet 1.1 (Iandola et al. 2016, arXiv 1602.07360), to fire9.

Taps: `input`, the preprocessing; `conv1` and `fire2` ... `fire9`, each after its ReLU. Weights: the Keras file of
github.com/rcmalli/keras-squeezenet (no top); its input is BGR in 0..255 minus (103.939, 116.779, 123.68).
"""

from itertools import pairwise

import flax.linen as nn
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Float

from nst_jax.extractors.addresses import PUBLISHED
from nst_jax.extractors.base import Architecture, Input, Shape, draw_params
from nst_jax.nn import rows
from nst_jax.nn.conv import conv
from nst_jax.nn.windows import CONVOLUTION, Window
from nst_jax.nn.winograd import precision
from nst_jax.types import Activations, Image, Params

Batch = Float[Array, "n h w _"]
Fewer = Float[Array, "n _ _ _"]  # of a step of 2

FIRES = {"fire2": (16, 64), "fire3": (16, 64), "fire4": (32, 128), "fire5": (32, 128)}
FIRES |= {"fire6": (48, 192), "fire7": (48, 192), "fire8": (64, 256), "fire9": (64, 256)}  # squeezed, expanded twice
POOLED = ("conv1", "fire3", "fire5")  # followed by a pooling
LAYERS = ("input", "conv1", *FIRES)
PARTS = ("squeeze1x1", "expand1x1", "expand3x3")


class SqueezeNet(nn.Module):
    """Activations of one image at the layers named in `taps`. Nothing deeper is computed."""

    taps: tuple[str, ...]
    checkpoint: bool = False

    @nn.compact
    def __call__(self, image: Image) -> Activations:
        """The activations at `taps`. Raises ValueError for a layer that this network lacks."""
        if unknown := set(self.taps) - set(LAYERS):
            raise ValueError(f"no layer {', '.join(sorted(unknown))}; the layers are {' '.join(LAYERS)}")
        x = Input(name="input")(image)[None]
        out = {"input": x}
        for name in LAYERS[1:]:
            if set(self.taps) <= out.keys():
                break
            x = out[name] = self.first(x) if name == "conv1" else self.fire(x, name)
            x = pool(x) if name in POOLED else x
        return {tap: out[tap][0] for tap in self.taps}

    def first(self, x: Batch) -> Fewer:
        """conv1: 3 x 3, stride 2, no padding."""
        return nn.relu(Frozen(KERNELS["conv1"], stride=2, name="conv1")(x))

    def fire(self, x: Batch, name: str) -> Batch:
        """A fire module: few channels by 1 x 1, then many by 1 x 1 and by 3 x 3."""
        squeeze, small, large = (Frozen(KERNELS[f"{name}_{part}"], name=f"{name}_{part}") for part in PARTS)
        x = nn.relu(squeeze(x))
        return nn.relu(jnp.concatenate([small(x), large(x)], -1))


class Frozen(nn.Module):
    """A convolution whose parameters have no gradient: `kernel` (height, width, in, out) and `bias` (out)."""

    shape: tuple[int, ...]
    stride: int = 1

    @nn.compact
    def __call__(self, x: Batch) -> Fewer:
        kernel = self.param("kernel", nn.initializers.he_normal(), self.shape)
        bias = self.param("bias", nn.initializers.zeros, self.shape[-1:])
        if self.shape[0] == 3 and self.stride == 1:
            return conv(x, kernel, bias, padding="zero")
        kernel, bias, steps = rows.hold(lax.stop_gradient(kernel)), lax.stop_gradient(bias), (self.stride, self.stride)
        numbers = ("NHWC", "HWIO", "NHWC")
        y = lax.conv_general_dilated(
            x.astype(kernel.dtype), kernel, steps, "VALID", dimension_numbers=numbers, precision=precision()
        )
        return y + bias


def pool(x: Batch) -> Fewer:
    """The network's own pooling: the maximum of 3 x 3, stride 2, whole windows only."""
    return nn.max_pool(x, (3, 3), (2, 2))


def kernels() -> dict[str, tuple[int, ...]]:
    """The shape (height, width, in, out) of every convolution's kernel, in order."""
    found: dict[str, tuple[int, ...]] = {"conv1": (3, 3, 3, 64)}
    widths = [64, *(2 * expand for _, expand in FIRES.values())]
    for (name, (squeeze, expand)), (cin, _) in zip(FIRES.items(), pairwise(widths), strict=True):
        found[f"{name}_squeeze1x1"] = (1, 1, cin, squeeze)
        found[f"{name}_expand1x1"] = (1, 1, squeeze, expand)
        found[f"{name}_expand3x3"] = (3, 3, squeeze, expand)
    return found


KERNELS = kernels()


def build(taps: tuple[str, ...], *, pool: str, rounding: str, padding: str, checkpoint: bool = False) -> SqueezeNet:
    """The network with these taps. Raises ValueError for a pooling or padding other than its own."""
    own = {"pool": ("max", pool), "rounding": ("floor", rounding), "padding": ("zero", padding)}
    for key, (only, wanted) in own.items():
        if wanted != only:
            raise ValueError(f"{key}={wanted}: squeezenet has {key}={only} only")
    return SqueezeNet(taps, checkpoint=checkpoint)


def needs(taps: tuple[str, ...]) -> tuple[str, ...]:
    """The convolutions up to the deepest tap."""
    used = LAYERS[: max(map(LAYERS.index, taps)) + 1]
    return tuple(name for name in KERNELS if name.partition("_")[0] in used)


def prepare(params: Params, *, convolution: str, dtype: DTypeLike) -> Params:
    """The parameters in the precision of the convolutions. All of them are computed directly."""
    cast = {n: {k: a.astype(dtype) for k, a in layer.items()} for n, layer in params.items() if n != "input"}
    return {"input": params["input"], **cast}


def shapes(network: SqueezeNet, *, height: int, width: int) -> dict[str, Shape]:
    """The shape of each tap for an image of height x width pixels. A side is 0 where the image is too small."""
    found: dict[str, Shape] = {"input": (height, width, 3)}
    h, w = (max(0, (side - 1) // 2) for side in (height, width))
    for name in LAYERS[1:]:
        found[name] = (h, w, 64 if name == "conv1" else 2 * FIRES[name][1])
        if name in POOLED:
            h, w = (max(0, (side - 1) // 2) for side in (h, w))
    return {tap: found[tap] for tap in network.taps}


def windows(layer: str, *, rounding: str) -> tuple[Window, ...]:
    """The convolutions of 3 x 3 and the poolings from the image to the layer, whole windows only."""
    found, reduce = [], Window(3, 2, 0, False)  # the first convolution and each pooling
    for name in LAYERS[1 : LAYERS.index(layer) + 1]:
        found.append(reduce if name == "conv1" else CONVOLUTION)
        found += [reduce] * (name in POOLED and name != layer)
    return tuple(found)


ARCHITECTURES = {
    "squeezenet": Architecture(
        name="squeezenet",
        layers=LAYERS,
        build=build,
        shapes=shapes,
        windows=windows,
        kernels=KERNELS,
        needs=needs,
        random=lambda key: draw_params(key, KERNELS),
        prepare=prepare,
        stages=tuple(tuple(n for n in KERNELS if n.partition("_")[0] == layer) for layer in LAYERS[1:]),
        aliases={name: name for name in KERNELS} | {name.replace("_", "/"): name for name in KERNELS},
        sources={"keras": PUBLISHED["squeezenet", "keras"]},
        packaged=None,
        fingerprint=None,
        profile="squeezenet",
        convention="relative",
    )
}
