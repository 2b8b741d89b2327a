"""The Fréchet distance of two sets of features, and SIFID, that of two single images.

Both sets are taken for samples of normal distributions (Dowson & Landau 1982). FID (Heusel et al. 2017, arXiv
1706.08500) compares thousands of images, each of them a vector; SIFID (Shaham, Dekel & Michaeli 2019, SinGAN, ICCV,
arXiv 1905.01164, section 3.1) the positions of one image with those of another.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.extractors.base import Extractor, features
from nst_jax.nn.precision import product
from nst_jax.types import Image, Scalar

# "the convolutional layer just before the second pooling layer"; tamarott/SinGAN, SIFID/sifid_score.py, dims=192
LAYER = "Conv2d_4a_3x3"


@jax.jit
def frechet_distance(x: Float[Array, "n c"], y: Float[Array, "m c"]) -> Scalar:
    """|mean_x - mean_y|^2 + Tr(C_x + C_y - 2 (C_x C_y)^(1/2)), with the covariances C of n - 1.

    Args:
      x, y: a feature in each row.

    Raises:
      ValueError: there are fewer than two features on a side.
    """
    if min(x.shape[0], y.shape[0]) < 2:
        raise ValueError(f"a covariance needs two features at least; there are {x.shape[0]} and {y.shape[0]}")
    means = [jnp.mean(f, 0) for f in (x, y)]
    a, b = ((f - mean) / jnp.sqrt(f.shape[0] - 1.0) for f, mean in zip((x, y), means, strict=True))
    # C_x = a^T a = r_a^T r_a. The eigenvalues of C_x C_y are the squares of the singular values of r_a r_b^T, so
    # that nothing is squared and rooted again, and a singular covariance needs no epsilon
    both = product(jnp.linalg.qr(a, mode="r"), jnp.linalg.qr(b, mode="r").T)
    root = jnp.sum(jnp.linalg.svd(both, compute_uv=False))
    return jnp.maximum(jnp.sum((means[0] - means[1]) ** 2) + jnp.sum(a**2) + jnp.sum(b**2) - 2 * root, 0)


@partial(jax.jit, static_argnums=0)
def sifid(network: Extractor, params: Any, a: Image, b: Image) -> Scalar:
    """The Fréchet distance of the features of two images at the network's one tap, a feature at each position.

    Args:
      network: tapped at one layer. Inception v3 at LAYER gives SIFID; another one its own distance.
      params: its parameters.
      a, b: images, which may differ in size; values outside [0, 1] are clipped.

    Raises:
      ValueError: an image is too small for the layer.
    """
    (tap,) = network.taps
    seen = (features(network, params, jnp.clip(image, 0, 1))[tap] for image in (a, b))
    x, y = (lax.collapse(f.astype(jnp.float32), 0, 2) for f in seen)
    return frechet_distance(x, y)
