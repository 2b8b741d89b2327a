"""LPIPS: how far apart two images look to people (Zhang, Isola, Efros, Shechtman & Wang 2018, CVPR, arXiv 1801.03924).

A network trained to name objects, the trunk, sees both images. At each of a few layers the activations of each
position are divided by their length, and the squared differences of the channels are summed with weights that were
fitted to judgements of people. The distance is the mean over the positions, summed over the layers.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from nst_jax.extractors.base import Extractor, features
from nst_jax.types import Activation, Image, Scalar

EPS = 1e-10  # richzhang/PerceptualSimilarity, lpips/__init__.py, normalize_tensor


class Trunk(NamedTuple):
    """A network that LPIPS was fitted on. Its weights are torchvision's: others have another distance."""

    network: str  # as `extractors.architecture` takes it
    taps: tuple[str, ...]  # the layers that are compared, in the order of the package's lin0, lin1, ...
    rounding: str  # of the poolings


# richzhang/PerceptualSimilarity, lpips/pretrained_networks.py
TRUNKS = {
    "alex": Trunk("alexnet", ("conv1", "conv2", "conv3", "conv4", "conv5"), "floor"),
    "vgg": Trunk("vgg16", ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"), "floor"),
    "squeeze": Trunk("squeezenet", ("conv1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9"), "ceil"),
}


@partial(jax.jit, static_argnums=0)
def lpips(network: Extractor, params: Any, linear: Mapping[str, Float[Array, " _"]], a: Image, b: Image) -> Scalar:
    """The LPIPS distance of two images, of version 0.1 of the package; 0 for equal images, and seldom above 1.

    Args:
      network: a trunk, tapped at the layers of `linear`.
      params: its parameters. The preprocessing is its first layer: torchvision's mean and deviation are LPIPS' own.
      linear: by layer, the fitted weight of each channel.
      a, b: images of one shape; values outside [0, 1] are clipped.

    Raises:
      ValueError: the images differ in shape, or are too small for a layer.
    """
    if a.shape != b.shape:
        raise ValueError(f"LPIPS compares images of one shape; these are {a.shape} and {b.shape}")
    seen, known = (features(network, params, jnp.clip(image, 0, 1)) for image in (a, b))
    if small := [tap for tap in linear if 0 in seen[tap].shape]:
        raise ValueError(f"an image of {a.shape[1]} x {a.shape[0]} pixels is too small: nothing is left at {small[0]}")
    distances = [jnp.mean(jnp.sum((unit(seen[k]) - unit(known[k])) ** 2 * w, -1)) for k, w in linear.items()]
    return jnp.sum(jnp.stack(distances))  # eq. 1


def unit(activation: Activation) -> Activation:
    """The activations of each position, divided by their length. The gradient is 0 where they all are 0."""
    square = jnp.sum(activation**2, -1, keepdims=True)
    length = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    return activation / (length + EPS)
