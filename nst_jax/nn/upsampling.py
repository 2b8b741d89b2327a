"""Layers that double the sides of activations."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.nn.winograd import precision

Batch = Float[Array, "n h w c"]
TRANSPOSED = {"torch": (1, 2), "same": (2, 1)}  # zeros before and after the dilated input, for a kernel of 3


def nearest(x: Batch, *, factor: int) -> Float[Array, "n _ _ c"]:
    """Each position becomes factor x factor equal ones."""
    n, h, w, c = x.shape
    tall = jnp.broadcast_to(x[:, :, None, :, None], (n, h, factor, w, factor, c))
    return tall.reshape(n, h * factor, w * factor, c)


def transposed_conv(x: Batch, kernel: Float[Array, "3 3 c out"], *, pads: str) -> Float[Array, "n _ _ out"]:
    """A transposed convolution with stride 2, which doubles height and width.

    It is the convolution of an image with a zero between each two positions.

    Args:
      x: activations.
      kernel: as it is laid over the dilated image. Of torch's kernel w (in, out, 3, 3) it is w[:, :, ::-1, ::-1].
      pads: torch: ConvTranspose2d(stride=2, padding=1, output_padding=1), which has 1 zero before and 2 after; same:
        TensorFlow's and jax's SAME, 2 before and 1 after. The results differ by a shift of one pixel.
    """
    around = (TRANSPOSED[pads],) * 2
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(
        x, kernel, (1, 1), around, lhs_dilation=(2, 2), dimension_numbers=numbers, precision=precision()
    )
