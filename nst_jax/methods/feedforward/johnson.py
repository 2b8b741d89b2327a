"""The transformation networks of Johnson, Ulyanov, Dumoulin and others: one module, and a record for each of them."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nst_jax.methods.feedforward.records import Layer, Record
from nst_jax.nn.general import Form, Pads, pad
from nst_jax.nn.learnable import learnable_conv
from nst_jax.nn.normalisation import (
    Statistics,
    batch_norm,
    conditional_norm,
    instance_norm,
    measure_batch,
    update_statistics,
)
from nst_jax.nn.upsampling import nearest, transposed_conv

Images = Float[Array, "batch _ _ 3"]
Batch = Float[Array, "batch _ _ _"]
Styles = Float[Array, "batch styles"] | None

MEAN = (123.68, 116.779, 103.939)  # of ImageNet in RGB: Caffe's VGG. FNS preprocess.lua:48
SHARE = 0.1  # of a batch in the running average: torch7's SpatialBatchNormalization


class Transform(nn.Module):
    """A transformation network.

    Its variables are {"params": {layer: {kernel, bias, scale, offset}}}, and for a batch normalisation
    {"batch_stats": {layer: {mean, variance}}}. A conditional network has a row of scale and offset for each style.

    Attributes:
      record: what it is made of.
    """

    record: Record

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width 3"], styles: Styles = None, *, training: bool
    ) -> Float[Array, "batch height width 3"]:
        """The images, painted.

        Args:
          images: RGB in [0, 1]. Their sides are multiples of `record.multiple`: see `fit`.
          styles: of a conditional network, the weights that mix its styles for each image: one-hot for one style. They
            need not sum to 1.
          training: normalise by the batch, and update its running average. Of effect for a batch normalisation only.

        Returns:
          RGB, where the published network does not confine it to [0, 1] outside of it, too.

        Raises:
          ValueError: a side is no multiple; `styles` are missing, or the network has none.
        """
        check(self.record, images, styles)
        x = ENTRIES[self.record.entry](images)
        start = self.record.start
        x, _ = pad(x, ((start, start), (start, start)), "reflect")
        for name, layer in zip(names(self.record), self.record.layers, strict=True):
            x = LAYERS[layer.kind](self.record, layer, name, x, styles, training)
        return EXITS[self.record.exit](SQUASHES[self.record.squash](x))


def check(record: Record, images: Images, styles: Styles) -> None:
    """Raises ValueError for images that the network cannot take."""
    if any(side % record.multiple for side in images.shape[1:3]):
        raise ValueError(f"sides must be multiples of {record.multiple}; got {images.shape[1:3]}: see `fit`")
    if record.norm != "conditional":
        if styles is not None:
            raise ValueError("styles: this network has one style")
    elif styles is None or styles.shape[1] != record.styles:
        given = "none" if styles is None else styles.shape[1]
        raise ValueError(f"styles: the network wants {record.styles} weights for each image; got {given}")


def names(record: Record) -> tuple[str, ...]:
    """The layers' names: conv1, conv2, conv3, residual1, ..."""
    kinds = [layer.kind for layer in record.layers]
    return tuple(f"{kind}{kinds[: i + 1].count(kind)}" for i, kind in enumerate(kinds))


def enter_caffe(images: Images) -> Images:
    """From RGB in [0, 1] to the input of Caffe's VGG: BGR in 0..255 minus the mean."""
    return (255 * images - jnp.asarray(MEAN))[..., ::-1]


def leave_caffe(x: Images) -> Images:
    """The inverse of `enter_caffe`."""
    return (x[..., ::-1] + jnp.asarray(MEAN)) / 255


ENTRIES = {"caffe": enter_caffe, "byte": lambda images: 255 * images, "unit": lambda images: images}
EXITS = {"caffe": leave_caffe, "byte": lambda x: x / 255, "unit": lambda x: x}
SQUASHES = {
    "linear": lambda x: x,
    "tanh": lambda x: 150 * jnp.tanh(x),  # FNS train.lua:28
    "byte": lambda x: 150 * jnp.tanh(x) + 127.5,  # LFST transform.py:17
    "sigmoid": jax.nn.sigmoid,
}


class Conv(nn.Module):
    """A convolution, its normalisation and its ReLU.

    Attributes:
      record: of the network.
      layer: this one.
      padding: beyond the border.
    """

    record: Record
    layer: Layer
    padding: str

    @nn.compact
    def __call__(self, x: Batch, styles: Styles, training: bool) -> Batch:
        """The layer's output."""
        record, width = self.record, self.layer.width
        shape = (self.layer.size, self.layer.size, x.shape[-1], width)
        kernel = self.param("kernel", INITIALISERS[record.draw], shape)
        if self.layer.kind == "transposed":
            x = transposed_conv(x, kernel, pads=record.transposed)
        else:
            x = convolve(x, kernel, stride=self.layer.stride, padding=self.padding)
        if record.biases:
            bound = 1 / math.sqrt(math.prod(shape[:3]))
            x = x + self.param("bias", partial(draw_uniform, bound=bound), (width,))
        x = self.normalise(x, styles, training) if self.layer.norm else x
        return nn.relu(x) if self.layer.rectify else x

    def normalise(self, x: Batch, styles: Styles, training: bool) -> Batch:
        """The normalisation of the record."""
        record, width = self.record, x.shape[-1]
        shape = (record.styles, width) if record.norm == "conditional" else (width,)
        scale = self.param("scale", SCALES[record.scales], shape)
        offset = self.param("offset", nn.initializers.zeros, shape)
        if record.norm == "instance":
            return instance_norm(x, scale, offset, eps=record.eps)
        if record.norm == "conditional":
            assert styles is not None  # `check` has seen to it
            return conditional_norm(x, scale, offset, styles, eps=record.eps)
        mean = self.variable("batch_stats", "mean", jnp.zeros, width)
        variance = self.variable("batch_stats", "variance", jnp.ones, width)
        statistics = running = Statistics(mean.value, variance.value)
        if training:
            statistics = measure_batch(x)
            if not self.is_initializing():
                positions = x.size // width
                mean.value, variance.value = update_statistics(running, statistics, positions=positions, share=SHARE)
        return batch_norm(x, scale, offset, statistics, eps=record.eps)


def run_conv(record: Record, layer: Layer, name: str, x: Batch, styles: Styles, training: bool) -> Batch:
    """A layer of one convolution."""
    return Conv(record, layer, record.padding, name=name)(x, styles, training)


def run_nearest(record: Record, layer: Layer, name: str, x: Batch, styles: Styles, training: bool) -> Batch:
    """Twice the sides, then a convolution."""
    return run_conv(record, layer, name, nearest(x, factor=2), styles, training)


def run_residual(record: Record, layer: Layer, name: str, x: Batch, styles: Styles, training: bool) -> Batch:
    """Two convolutions, added to their input; or to its middle, where the convolutions lose the border."""
    y = Conv(record, layer._replace(rectify=True), record.residual, name=f"{name}_1")(x, styles, training)
    y = Conv(record, layer, record.residual, name=f"{name}_2")(y, styles, training)
    lost = 2 * (layer.size // 2) if record.residual == "none" else 0
    return y + crop(x, height=y.shape[1], width=y.shape[2], top=lost, left=lost)


LAYERS = {"conv": run_conv, "nearest": run_nearest, "transposed": run_conv, "residual": run_residual}


def convolve(x: Batch, kernel: Float[Array, "_ _ _ _"], *, stride: int, padding: str) -> Batch:
    """A convolution with gradients for the kernel too.

    padding: `zero`, `reflect` and `replicate` pad half of the kernel on each side. `same` is TensorFlow's. `none` pads
    nothing.
    """
    half = 0 if padding == "none" else kernel.shape[0] // 2
    pads: Pads = ((half, half), (half, half))
    if padding == "same":
        down, across = (pads_of(side=side, size=kernel.shape[0], stride=stride) for side in x.shape[1:3])
        pads = (down, across)
    x, pads = pad(x, pads, padding if padding in ("reflect", "replicate") else "zero")
    return learnable_conv(x, kernel, form=Form(stride, pads, 1))


def pads_of(*, side: int, size: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME along an axis: as many zeros as are missing, the odd one behind."""
    missing = max((-(-side // stride) - 1) * stride + size - side, 0)
    return missing // 2, missing - missing // 2


def draw_uniform(key: Array, shape: tuple[int, ...], *, bound: float) -> Array:
    """Uniform within +-bound."""
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)


def draw_torch(key: Array, shape: tuple[int, ...]) -> Array:
    """torch7's and PyTorch's kernels: uniform within 1 / sqrt(height x width x channels in); the biases, too."""
    return draw_uniform(key, shape, bound=1 / math.sqrt(math.prod(shape[:3])))


def draw_truncated(key: Array, shape: tuple[int, ...]) -> Array:
    """LFST's kernels: normal with a deviation of 0.1, drawn again beyond two deviations."""
    return 0.1 * jax.random.truncated_normal(key, -2.0, 2.0, shape)


def draw_normal(key: Array, shape: tuple[int, ...]) -> Array:
    """MAG's kernels: normal with a deviation of 0.01."""
    return 0.01 * jax.random.normal(key, shape)


def draw_unit(key: Array, shape: tuple[int, ...]) -> Array:
    """torch7's scales of normalisations: uniform in [0, 1)."""
    return jax.random.uniform(key, shape)


INITIALISERS = {"torch": draw_torch, "truncated": draw_truncated, "normal": draw_normal}
SCALES = {"uniform": draw_unit, "ones": nn.initializers.ones}


def fit(images: Batch, *, multiple: int) -> Batch:
    """The images, mirrored beyond the lower and the right border until their sides are multiples."""
    missing = [-side % multiple for side in images.shape[1:3]]
    return jnp.pad(images, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)), mode="reflect")


def crop(x: Batch, *, height: int, width: int, top: int, left: int) -> Batch:
    """A part of the activations, of height x width positions."""
    return x[:, top : top + height, left : left + width]


def apply(module: Transform, variables: Mapping[str, Any], images: Images, styles: Styles = None) -> Images:
    """The images, painted by a trained network. They may have any size, and keep it.

    Args:
      module: the network.
      variables: its variables.
      images: RGB in [0, 1].
      styles: see `Transform`.
    """
    height, width = images.shape[1:3]
    whole: Any = module.apply(variables, fit(images, multiple=module.record.multiple), styles, training=False)
    return crop(whole, height=height, width=width, top=0, left=0)
