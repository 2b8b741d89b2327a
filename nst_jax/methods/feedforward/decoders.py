"""Decoders: from the features of an encoder back to an image."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from nst_jax.extractors.base import Extractor, features
from nst_jax.methods.feedforward.johnson import convolve, draw_torch, draw_uniform
from nst_jax.methods.feedforward.records import Mirror
from nst_jax.nn.upsampling import nearest

Images = Float[Array, "batch _ _ 3"]
DRAWS = {"torch": draw_torch, "he": nn.initializers.he_normal()}


class Decoder(nn.Module):
    """The mirror of an encoder: reflect padding, nearest upsampling, no normalisation.

    Its variables are {"params": {conv1: {kernel, bias}, ...}}, drawn at first as the record says.

    Attributes:
      record: its layers.
    """

    record: Mirror

    @nn.compact
    def __call__(self, features: Float[Array, "batch h w c"]) -> Float[Array, "batch height width 3"]:
        """The images, RGB, meant for [0, 1] and not confined to it.

        features: of the layer that it mirrors.
        """
        x: Any = features / self.record.divisor
        last = len(self.record.layers) - 1
        number = 0
        for i, layer in enumerate(self.record.layers):
            if isinstance(layer, str):
                x = nearest(x, factor=2)
                continue
            number += 1
            draw = self.record.draw if i < last else "torch"
            x = Conv(layer, draw, name=f"conv{number}")(x)
            x = nn.relu(x) if i < last or self.record.rectify else x
        return x


class Conv(nn.Module):
    """A 3 x 3 convolution with reflect padding."""

    width: int
    draw: str

    @nn.compact
    def __call__(self, x: Float[Array, "batch h w c"]) -> Float[Array, "batch h w width"]:
        """The convolution of x."""
        shape = (3, 3, x.shape[-1], self.width)
        bound = 1 / math.sqrt(math.prod(shape[:3]))
        kernel = self.param("kernel", DRAWS[self.draw], shape)
        bias = self.param("bias", partial(draw_uniform, bound=bound), (self.width,))
        return convolve(x, kernel, stride=1, padding="reflect") + bias


def encode(
    network: Extractor, params: Any, images: Images, *, taps: Sequence[str]
) -> dict[str, Float[Array, "batch _ _ _"]]:
    """The activations of a batch of images, by layer name.

    The published encoders are VGG-19 with reflect padding. AdaIN's poolings round up, WCT's down.
    """
    return jax.vmap(partial(features, network.clone(taps=tuple(taps)), params))(images)  # pyright: ignore[reportReturnType]
