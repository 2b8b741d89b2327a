"""VGG-16 and VGG-19 (Simonyan & Zisserman 2015, arXiv 1409.1556), as far as the deepest layer asked for.

Layers have their published names: `conv4_2` is the value before the ReLU, `relu4_2` after it, `pool4` the
pooled block. The first layer, `input`, is the preprocessing that the weights were trained with, an affine
map of RGB in [0, 1] (3 x 3 matrix and offset: order of the colours, scale, mean). It is one of the
parameters, so that weights and preprocessing cannot be mixed up, and can be tapped like every other layer.
"""

from collections.abc import Iterator
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from nst_jax.conv import conv
from nst_jax.types import Activations, Image, Params
from nst_jax.winograd import spectrum

Batch = Float[Array, "n h w c"]
Taken = Float[Array, "_ _ _ _"]
Cells = Float[Array, "n ph pw c"]
Blocks = tuple[tuple[int, int], ...]  # (channels, convolutions) of each block; a pooling follows each

PAYS = 64 * 128  # channels in times channels out from which Winograd's method is the faster: benchmarks/layers.py

VGG16: Blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # column D of table 1
VGG19: Blocks = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # column E


class VGG(nn.Module):
    """Activations of one image at the layers named in `taps`, and nothing deeper.

    pool: max | avg (Gatys et al. 2016, section 2: average pooling) | l2, the root of the mean of squares.
    rounding: floor | ceil (Caffe rounds up: a border cell covers the pixels that exist). padding: zero | reflect |
    replicate. checkpoint: for the gradient each block is computed again instead of kept: less memory, a third more
    time.
    """

    taps: tuple[str, ...]
    blocks: Blocks
    pool: str
    rounding: str
    padding: str
    checkpoint: bool = False

    @nn.compact
    def __call__(self, image: Image) -> Activations:
        """The activations at `taps`. Raises ValueError for a layer that this network does not have."""
        if unknown := set(self.taps) - set(layers(self.blocks)):
            raise ValueError(f"no layer {', '.join(sorted(unknown))}; the layers are {' '.join(layers(self.blocks))}")
        x = Input(name="input")(image)[None]
        seen = {"input": x}
        for number in range(1, len(self.blocks) + 1):
            if not set(self.taps) <= seen.keys():
                block = partial(VGG.block, number=number)
                x, tapped = (nn.remat(block) if self.checkpoint else block)(self, x)
                seen |= tapped
        return {tap: seen[tap][0] for tap in self.taps}

    def block(self, x: Batch, *, number: int) -> tuple[Taken, dict[str, Taken]]:
        """One block and its pooling, no further than the deepest tap: what the next takes, and what is tapped."""
        (width, depth), out = self.blocks[number - 1], {}
        order = layers(self.blocks)
        last = max(order.index(tap) for tap in self.taps)
        for i in range(1, depth + 1):
            if order.index(f"conv{number}_{i}") <= last:
                x = out[f"conv{number}_{i}"] = Conv(width, self.padding, name=f"conv{number}_{i}")(x)
                x = out[f"relu{number}_{i}"] = nn.relu(x)
        if order.index(f"pool{number}") <= last:
            x = out[f"pool{number}"] = pooled(x, kind=self.pool, rounding=self.rounding)
        return x, {tap: out[tap] for tap in self.taps if tap in out}


class Input(nn.Module):
    """The preprocessing of the weights: RGB in [0, 1] to what the network was trained on."""

    @nn.compact
    def __call__(self, image: Image) -> Float[Array, "h w 3"]:
        kernel = self.param("kernel", nn.initializers.zeros, (3, 3))
        bias = self.param("bias", nn.initializers.zeros, (3,))
        return jnp.matmul(image, kernel, precision=lax.Precision.HIGHEST) + bias


class Conv(nn.Module):
    """A frozen 3 x 3 convolution with the parameters `kernel` (3, 3, in, out) and `bias` (out).

    The kernel may also be a spectrum: see `prepared`.
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


def features(network: nn.Module, params: Params, image: Image) -> Activations:
    """Activations of `image` by layer name."""
    return network.apply({"params": params}, image)  # pyright: ignore[reportReturnType]


def prepared(params: Params, *, convolution: str, dtype: DTypeLike) -> Params:
    """The parameters ready for many evaluations, once per run: Winograd spectra for kernels, their precision.

    convolution: direct; winograd, for every layer; auto, for the layers where it pays on a CPU. dtype: of the
    convolutions; float32 stays float32 in the image, the preprocessing, the Gram products and the losses.
    """
    ready = {name: layer for name, layer in params.items() if name == "input"}
    for name, layer in params.items():
        kernel, bias = layer["kernel"], layer["bias"]
        if name != "input":
            pays = convolution == "winograd" or (convolution == "auto" and kernel.shape[2] * kernel.shape[3] >= PAYS)
            kernel = spectrum(kernel) if pays else kernel
            ready[name] = {"kernel": kernel.astype(dtype), "bias": bias.astype(dtype)}
    return ready


def pooled(x: Batch, *, kind: str, rounding: str) -> Cells:
    """2 x 2 pooling, stride 2. With `ceil` an odd border is a cell of its own pixels only, as in Caffe.

    As reshape and max, not reduce_window: its gradient is exact and deterministic on a GPU too.
    """
    n, h, w, c = x.shape
    if rounding == "ceil":
        # repeating the last row leaves the maximum and the means of its cell what they are without it
        x = jnp.pad(x, ((0, 0), (0, h % 2), (0, w % 2), (0, 0)), mode="edge")
    h, w = x.shape[1] // 2, x.shape[2] // 2
    cells = x[:, : 2 * h, : 2 * w].reshape(n, h, 2, w, 2, c)
    return POOLINGS[kind](cells)


def average(cells: Float[Array, "n ph 2 pw 2 c"]) -> Cells:
    """The mean of each cell, in float32. By jnp.mean, a reduction, a step at 512 takes 3 to 8 % longer on a CPU."""
    rows = cells[:, :, 0].astype(jnp.float32) + cells[:, :, 1]
    return ((rows[:, :, :, 0] + rows[:, :, :, 1]) / 4).astype(cells.dtype)


def root_mean_square(cells: Float[Array, "n ph 2 pw 2 c"]) -> Cells:
    """Hénaff & Simoncelli 2016, arXiv 1511.06394, without their window. A cell of zeros has the gradient 0."""
    squares = average(cells**2)
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1)), 0)


def largest(cells: Float[Array, "n ph 2 pw 2 c"]) -> Cells:
    """The maximum of each cell; of several equal ones the first takes the whole gradient, as in Caffe."""
    top = jnp.where(cells[:, :, 0] >= cells[:, :, 1], cells[:, :, 0], cells[:, :, 1])
    return jnp.where(top[:, :, :, 0] >= top[:, :, :, 1], top[:, :, :, 0], top[:, :, :, 1])


POOLINGS = {"max": largest, "avg": average, "l2": root_mean_square}


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


def kernels(blocks: Blocks) -> dict[str, tuple[int, int, int, int]]:
    """The shape (3, 3, in, out) of every convolution's kernel, by layer name, in order."""
    shapes, cin = {}, 3
    for block, (width, depth) in enumerate(blocks, 1):
        for i in range(1, depth + 1):
            shapes[f"conv{block}_{i}"] = (3, 3, cin, width)
            cin = width
    return shapes


def random_params(key: Array, *, blocks: Blocks) -> Params:
    """He-normal kernels and zero biases: an untrained network (He, Wang & Hopcroft 2016, arXiv 1606.04801).

    Its input is RGB in 0..255 minus 127.5, so that its activations are of the original VGG's size: a style term
    grows with their fourth power and a content term with their square, and a weight means what it means there.
    """
    shapes = kernels(blocks)
    he = jax.nn.initializers.he_normal()
    params: dict = {"input": {"kernel": 255.0 * jnp.eye(3), "bias": jnp.full(3, -127.5)}}
    for k, (name, shape) in zip(jax.random.split(key, len(shapes)), shapes.items(), strict=True):
        params[name] = {"kernel": he(k, shape), "bias": jnp.zeros(shape[3])}
    return params
