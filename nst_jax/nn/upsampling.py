"""Layers that double the sides of activations."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.nn.winograd import precision

Batch = Float[Array, "n h w c"]
# For a pixel of the result, even or odd: which rows of the kernel meet which positions of x, counted from its own cell.
PHASES = {
    "torch": ({0: 1}, {0: 0, 1: 2}),  # 1 zero before the dilated input, 2 after it
    "same": ({-1: 0, 0: 2}, {0: 1}),  # 2 before, 1 after
}


def nearest(x: Batch, *, factor: int) -> Float[Array, "n _ _ c"]:
    """Each position becomes factor x factor equal ones."""
    n, h, w, c = x.shape
    tall = jnp.broadcast_to(x[:, :, None, :, None], (n, h, factor, w, factor, c))
    return tall.reshape(n, h * factor, w * factor, c)


def transposed_conv(x: Batch, kernel: Float[Array, "3 3 c out"], *, pads: str) -> Float[Array, "n _ _ out"]:
    """A transposed convolution with stride 2, which doubles height and width.

    It is the convolution of an image with a zero between each two positions. The four phases of its result, even and
    odd rows and columns, are here the channels of one convolution of 2 x 2, without those zeros. With them XLA's
    gradient for the kernel takes 18 times as long on a CPU (64 to 32 channels, from 64 pixels).

    Args:
      x: activations.
      kernel: as it is laid over the dilated image. Of torch's kernel w (in, out, 3, 3) it is w[:, :, ::-1, ::-1].
      pads: torch: ConvTranspose2d(stride=2, padding=1, output_padding=1), which has 1 zero before and 2 after; same:
        TensorFlow's and jax's SAME, 2 before and 1 after. The results differ by a shift of one pixel.
    """
    n, h, w, _ = x.shape
    first = min(PHASES[pads][0])  # the offset of the first position that a cell sees
    around = ((-first, 1 + first),) * 2
    numbers = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(
        x, phases(kernel, pads=pads), (1, 1), around, dimension_numbers=numbers, precision=precision()
    )
    return y.reshape(n, h, w, 2, 2, -1).transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, -1)


def phases(kernel: Float[Array, "3 3 c out"], *, pads: str) -> Float[Array, "2 2 c _"]:
    """The kernel of 2 x 2 positions that gives the four phases, one behind the other."""
    table, none = PHASES[pads], jnp.zeros_like(kernel[0, 0])
    first = min(table[0])

    def part(*, down: int, across: int) -> Array:
        """The input of the four phases from one position."""
        pairs = [(even.get(down), odd.get(across)) for even in table for odd in table]
        return jnp.concatenate([none if None in pair else kernel[pair] for pair in pairs], -1)

    offsets = (first, first + 1)
    return jnp.stack([jnp.stack([part(down=i, across=j) for j in offsets]) for i in offsets])
