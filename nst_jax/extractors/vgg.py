"""VGG-16 and VGG-19 (Simonyan & Zisserman 2015, arXiv 1409.1556), as far as the deepest layer asked for.

Layers have their published names: `conv4_2` is the value before the ReLU, `relu4_2` after it, `pool4` the pooled
block. The first layer, `input`, is the preprocessing that the weights were trained with, an affine map of RGB in
[0, 1] (3 x 3 matrix and offset: order of the colours, scale, mean). It is one of the parameters, so that weights and
preprocessing cannot be mixed up, and can be tapped like every other layer.
"""

from collections.abc import Iterator
from functools import partial

import flax.linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from nst_jax.extractors.addresses import FINGERPRINTS, PUBLISHED
from nst_jax.extractors.base import Architecture, Input, Shape, draw_params
from nst_jax.nn.conv import conv, padding_at
from nst_jax.nn.pooling import length, pool
from nst_jax.nn.windows import CONVOLUTION, Window
from nst_jax.nn.winograd import spectrum
from nst_jax.types import Activations, Image, Params

Batch = Float[Array, "n h w c"]
Block = Float[Array, "_ _ _ _"]
Blocks = tuple[tuple[int, int], ...]  # (channels, convolutions) of each block; a pooling follows each

PAYS = 64 * 128  # channels in times channels out from which Winograd's method is the faster: benchmarks/layers.py

VGG16: Blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # column D of table 1
VGG19: Blocks = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # column E


class VGG(nn.Module):
    """Activations of one image at the layers named in `taps`. Nothing deeper is computed.

    Attributes:
      taps: layer names.
      blocks: (channels, convolutions) of each block.
      pool: max, avg (Gatys et al. 2016, section 2) or l2.
      rounding: floor, or ceil as in Caffe: what pooling makes of an odd side.
      padding: what a convolution sees beyond the border: see `nn.conv.conv` and `nn.conv.padding_at`.
      checkpoint: for the gradient, compute each block again instead of keeping it. Less memory, a third more time.
    """

    taps: tuple[str, ...]
    blocks: Blocks
    pool: str
    rounding: str
    padding: str
    checkpoint: bool = False

    @nn.compact
    def __call__(self, image: Image) -> Activations:
        """The activations at `taps`. Raises ValueError for a layer that this network lacks."""
        if unknown := set(self.taps) - set(layers(self.blocks)):
            raise ValueError(f"no layer {', '.join(sorted(unknown))}; the layers are {' '.join(layers(self.blocks))}")
        x = Input(name="input")(image)[None]
        out = {"input": x}
        for number in range(1, len(self.blocks) + 1):
            if not set(self.taps) <= out.keys():
                block = partial(VGG.block, number=number)
                x, tapped = (nn.remat(block) if self.checkpoint else block)(self, x)
                out |= tapped
        return {tap: out[tap][0] for tap in self.taps}

    def block(self, x: Batch, *, number: int) -> tuple[Block, dict[str, Block]]:
        """One block and its pooling, no further than the deepest tap: the next block's input, and what is tapped."""
        (width, depth), out = self.blocks[number - 1], {}
        order = layers(self.blocks)
        last = max(order.index(tap) for tap in self.taps)
        for i in range(1, depth + 1):
            if order.index(f"conv{number}_{i}") <= last:
                padding = padding_at(self.padding, first=number == i == 1)
                x = out[f"conv{number}_{i}"] = Conv(width, padding, name=f"conv{number}_{i}")(x)
                x = out[f"relu{number}_{i}"] = nn.relu(x)
        if order.index(f"pool{number}") <= last:
            x = out[f"pool{number}"] = pool(x, kind=self.pool, rounding=self.rounding)
        return x, {tap: out[tap] for tap in self.taps if tap in out}


class Conv(nn.Module):
    """A frozen 3 x 3 convolution with the parameters `kernel` (3, 3, in, out) and `bias` (out).

    The kernel may also be a spectrum (36, in, out): see `prepare`.
    """

    width: int
    padding: str

    @nn.compact
    def __call__(self, x: Batch) -> Float[Array, "n h w cout"]:
        he = nn.initializers.he_normal()
        given = self.get_variable("params", "kernel")
        plain = given is None or given.ndim == 4  # self.param compares shapes, and names what is missing
        kernel = self.param("kernel", he, (3, 3, x.shape[-1], self.width)) if plain else given
        bias = self.param("bias", nn.initializers.zeros, (self.width,))
        return conv(x, kernel, bias, padding=self.padding)  # pyright: ignore[reportArgumentType]


def prepare(params: Params, *, convolution: str, dtype: DTypeLike, pays: int = PAYS) -> Params:
    """Make the parameters ready for many evaluations, once per run.

    Args:
      params: kernels (3, 3, in, out) and biases.
      convolution: direct; winograd, for every layer; auto, for the layers where Winograd's method pays on a CPU.
      dtype: of the convolutions. The image, the preprocessing, the Gram products and the losses stay float32.
      pays: channels in times channels out from which Winograd's method pays.
    """
    ready = {name: layer for name, layer in params.items() if name == "input"}
    for name, layer in params.items():
        kernel, bias = layer["kernel"], layer["bias"]
        if name != "input":
            large = kernel.shape[2] * kernel.shape[3] >= pays
            kernel = spectrum(kernel) if convolution == "winograd" or (convolution == "auto" and large) else kernel
            ready[name] = {"kernel": kernel.astype(dtype), "bias": bias.astype(dtype)}
    return ready


def layers(blocks: Blocks) -> tuple[str, ...]:
    """Every layer's name, in order."""
    return tuple(_names(blocks))


def _names(blocks: Blocks) -> Iterator[str]:
    yield "input"
    for block, (_, depth) in enumerate(blocks, 1):
        for i in range(1, depth + 1):
            yield f"conv{block}_{i}"
            yield f"relu{block}_{i}"
        yield f"pool{block}"


def kernels(blocks: Blocks) -> dict[str, tuple[int, ...]]:
    """The shape (3, 3, in, out) of every convolution's kernel, by layer name, in order."""
    shapes, cin = {}, 3
    for block, (width, depth) in enumerate(blocks, 1):
        for i in range(1, depth + 1):
            shapes[f"conv{block}_{i}"] = (3, 3, cin, width)
            cin = width
    return shapes


def needs(blocks: Blocks, taps: tuple[str, ...]) -> tuple[str, ...]:
    """The convolutions up to the deepest tap."""
    order = layers(blocks)
    return tuple(name for name in order[: max(map(order.index, taps)) + 1] if name in kernels(blocks))


def random_params(key: Array, *, blocks: Blocks) -> Params:
    """Untrained parameters: see `base.draw_params`."""
    return draw_params(key, kernels(blocks))


def shapes(network: VGG, *, height: int, width: int) -> dict[str, Shape]:
    """The shape of each tap for an image of height x width pixels. A side of 0 has vanished on the way."""
    found, (h, w, c) = {}, (height, width, 3)
    for name in layers(network.blocks):
        if name.startswith("pool"):
            h, w = (length(side=side, rounding=network.rounding) for side in (h, w))
        elif name.startswith("conv"):
            c = kernels(network.blocks)[name][3]
        found[name] = (h, w, c)
    return {tap: found[tap] for tap in network.taps}


def windows(blocks: Blocks, layer: str, *, rounding: str) -> tuple[Window, ...]:
    """The convolutions and poolings from the image to the layer."""
    names = layers(blocks)[: layers(blocks).index(layer) + 1]
    kinds = {"conv": CONVOLUTION, "pool": Window(2, 2, 0, rounding == "ceil")}
    return tuple(kinds[name[:4]] for name in names if name[:4] in kinds)


def aliases(blocks: Blocks) -> dict[str, str]:
    """The convolutions' names in files: Caffe's and MatConvNet's conv1_1, Keras' block1_conv1, torch's features.0."""
    known = {}
    for place, name in enumerate(layers(blocks)[1:]):  # torch counts convolutions, ReLUs and poolings
        if name in kernels(blocks):
            block, i = name.removeprefix("conv").split("_")
            known |= dict.fromkeys((name, f"block{block}_conv{i}", f"features.{place}"), name)
    return known


def describe(name: str, blocks: Blocks) -> Architecture:
    """The architecture of a VGG of these blocks."""
    convolutions = tuple(kernels(blocks))
    by_block = [tuple(c for c in convolutions if c.startswith(f"conv{b}_")) for b in range(1, len(blocks) + 1)]
    return Architecture(
        name=name,
        layers=layers(blocks),
        build=partial(VGG, blocks=blocks),
        shapes=shapes,
        windows=partial(windows, blocks),
        kernels=kernels(blocks),
        needs=partial(needs, blocks),
        random=partial(random_params, blocks=blocks),
        prepare=prepare,
        stages=tuple(by_block),
        aliases=aliases(blocks),
        sources={publisher: files for (network, publisher), files in PUBLISHED.items() if network == name},
        packaged=None,
        fingerprint=FINGERPRINTS.get(name),
        profile="gatys",
        convention="gatys_released",
        shallow="blocks1-3",
        choices=tuple(layer for layer in layers(blocks) if layer.startswith("relu")),
    )


ARCHITECTURES = {"vgg19": describe("vgg19", VGG19), "vgg16": describe("vgg16", VGG16)}
