"""Measures of a result, whatever objective made it."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.losses.differences import sse
from nst_jax.losses.moments import Moments, gram
from nst_jax.types import Image, Scalar

# Wang, Bovik, Sheikh & Simoncelli 2004, section III.C: 11 x 11 Gaussian window of deviation 1.5, K1 and K2
WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the authors' rgb2gray


@jax.jit
def ssim(a: Image, b: Image) -> Scalar:
    """The mean structural similarity of the luminance, in [-1, 1]; 1 for equal images.

    Wang et al. 2004, eq. 13. As in their code, only whole windows count. Where a side of the image is below 11 pixels,
    the window has that side.
    """
    x, y = (jnp.clip(image, 0, 1) @ jnp.asarray(LUMA) for image in (a, b))
    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    both = blur(x * y) - mean_x * mean_y
    c1, c2 = K1**2, K2**2  # the range of the values is 1
    alike = (2 * mean_x * mean_y + c1) * (2 * both + c2)  # eq. 13
    return jnp.mean(alike / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)))


def blur(x: Float[Array, "h w"]) -> Float[Array, "_ _"]:
    """The Gaussian mean of each whole window."""
    for axis in (0, 1):
        size = min(WINDOW, x.shape[axis])
        at = jnp.arange(size) - (size - 1) / 2
        weights = jax.nn.softmax(-(at**2) / (2 * SIGMA**2))
        windows = jnp.stack([lax.slice_in_dim(x, i, x.shape[axis] - size + 1 + i, axis=axis) for i in range(size)])
        x = jnp.tensordot(weights, windows, 1)
    return x


@jax.jit
def style_distances(image: Mapping[str, Moments], style: Mapping[str, Moments]) -> Mapping[str, Scalar]:
    """By layer, |G - A| / |A| of the Gram matrices. It can be compared between layers, sizes and conventions.

    Args:
      image: the moments of the image, by layer; at least those of `style`.
      style: the moments of the style picture.
    """
    return {k: jnp.sqrt(sse(gram(image[k]), gram(m)) / jnp.sum(gram(m) ** 2)) for k, m in style.items()}
