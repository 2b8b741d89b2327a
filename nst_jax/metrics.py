"""What we measure of a result, whatever it was optimised for."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.losses import Moments, gram, sse
from nst_jax.types import Image, Scalar

# Wang, Bovik, Sheikh & Simoncelli 2004, section III.C: 11 x 11 Gaussian window of deviation 1.5, K1 and K2
WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the authors' rgb2gray


@jax.jit
def ssim(a: Image, b: Image) -> Scalar:
    """Mean structural similarity of the luminance, 1 for equal pictures. Only whole windows count, as there.

    The window is as large as the picture where that is smaller than 11 pixels.
    """
    x, y = (jnp.clip(image, 0, 1) @ jnp.asarray(LUMA) for image in (a, b))
    mean_x, mean_y = blurred(x), blurred(y)
    var_x, var_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    both = blurred(x * y) - mean_x * mean_y
    c1, c2 = K1**2, K2**2  # the range of the values is 1
    alike = (2 * mean_x * mean_y + c1) * (2 * both + c2)  # eq. 13
    return jnp.mean(alike / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)))


def blurred(x: Float[Array, "h w"]) -> Float[Array, "_ _"]:
    """The Gaussian mean of each whole window."""
    for axis in (0, 1):
        size = min(WINDOW, x.shape[axis])
        at = jnp.arange(size) - (size - 1) / 2
        weights = jax.nn.softmax(-(at**2) / (2 * SIGMA**2))
        windows = jnp.stack([lax.slice_in_dim(x, i, x.shape[axis] - size + 1 + i, axis=axis) for i in range(size)])
        x = jnp.tensordot(weights, windows, 1)
    return x


@jax.jit
def style_distances(seen: Mapping[str, Moments], wanted: Mapping[str, Moments]) -> Mapping[str, Scalar]:
    """By layer, |G - A| / |A| of the Gram matrices: comparable between layers, sizes and conventions."""
    return {k: jnp.sqrt(sse(gram(seen[k]), gram(m)) / jnp.sum(gram(m) ** 2)) for k, m in wanted.items()}
