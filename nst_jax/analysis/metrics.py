"""Measures of a result, whatever objective made it."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.images.colour import luma
from nst_jax.losses.differences import sse
from nst_jax.losses.moments import Moments, gram
from nst_jax.types import Image, Scalar

# Wang, Bovik, Sheikh & Simoncelli 2004, section III.C: 11 x 11 Gaussian window of deviation 1.5, K1 and K2
WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03


@jax.jit
def ssim(a: Image, b: Image) -> Scalar:
    """The mean structural similarity of the brightness, in [-1, 1]; 1 for equal images.

    Wang et al. 2004, eq. 13. As in their code, the brightness is ITU-R BT.601's, and only whole windows count.
    Where a side of the image is below 11 pixels, the window has that side.
    """
    x, y = (luma(jnp.clip(image, 0, 1)) for image in (a, b))
    mean_x, mean_y, square_x, square_y, product = blur(jnp.stack([x, y, x * x, y * y, x * y]))
    var_x, var_y = square_x - mean_x**2, square_y - mean_y**2
    both = product - mean_x * mean_y
    c1, c2 = K1**2, K2**2  # the range of the values is 1
    alike = (2 * mean_x * mean_y + c1) * (2 * both + c2)  # eq. 13
    return jnp.mean(alike / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)))


def blur(x: Float[Array, "n h w"]) -> Float[Array, "n _ _"]:
    """The Gaussian mean of each whole window of n arrays."""
    x = x[..., None]
    for axis in (1, 2):
        size = min(WINDOW, x.shape[axis])
        at = jnp.arange(size) - (size - 1) / 2
        weights = jax.nn.softmax(-(at**2) / (2 * SIGMA**2))
        kernel = weights.reshape((size, 1, 1, 1) if axis == 1 else (1, size, 1, 1))
        numbers = ("NHWC", "HWIO", "NHWC")
        x = lax.conv_general_dilated(
            x, kernel, (1, 1), "VALID", dimension_numbers=numbers, precision=lax.Precision.HIGHEST
        )
    return x[..., 0]


@jax.jit
def style_distances(image: Mapping[str, Moments], style: Mapping[str, Moments]) -> Mapping[str, Scalar]:
    """By layer, |G - A| / |A| of the Gram matrices. It can be compared between layers, sizes and conventions.

    Args:
      image: the moments of the image, by layer; at least those of `style`.
      style: the moments of the style picture.
    """
    return {k: jnp.sqrt(sse(gram(image[k]), gram(m)) / jnp.sum(gram(m) ** 2)) for k, m in style.items()}
