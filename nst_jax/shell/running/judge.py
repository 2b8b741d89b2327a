"""One network that looks at all results alike, whatever network, layers and convention made them."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.analysis.metrics import style_distances
from nst_jax.api import networks
from nst_jax.extractors.base import Extractor, activations
from nst_jax.losses.moments import moments
from nst_jax.types import Image, Scalar

NAME = "texnet"  # its weights come with the package
SHORTEST = 8  # pixels of a side that reach its deepest style layer


def sees(image: Image) -> bool:
    """Whether a picture is large enough for all its layers."""
    return min(image.shape[:2]) >= SHORTEST


def distance(image: Image, style: Image) -> float:
    """The mean of |G - A| / |A| over the judge's style layers: `analysis.metrics.style_distances`.

    It can be compared between any two results of one style picture.

    Args:
      image: (height, width, 3) in [0, 1].
      style: of any size.
    """
    judge = network()
    extractor = judge.extractor.clone(taps=tuple(judge.style_layers))
    return float(mean_distance(extractor, judge.params, jnp.asarray(image), jnp.asarray(style)))


@functools.cache
def network() -> networks.Network:
    """The judge, with its own style layers."""
    return networks.load(NAME, convolution="direct")


@functools.partial(jax.jit, static_argnums=0)
def mean_distance(extractor: Extractor, params: Any, image: Image, style: Image) -> Scalar:
    """The mean over the layers that the extractor taps."""
    shown, wanted = (
        {k: moments(f) for k, f in activations(extractor, params, each).items()} for each in (image, style)
    )
    return jnp.mean(jnp.stack(list(style_distances(shown, wanted).values())))
