"""One network that looks at all results, whatever network, layers and convention made them."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.analysis.metrics import style_distances
from nst_jax.api import networks
from nst_jax.extractors.base import Extractor, activations
from nst_jax.images.tiles import Tiles
from nst_jax.losses.grams import relative_gram
from nst_jax.losses.moments import Moments, mix, moments
from nst_jax.losses.term import Blend
from nst_jax.methods import transfer
from nst_jax.published.base import style as style_term
from nst_jax.types import Image, Scalar

NAME = "texnet"  # its weights come with the package
SHORTEST = 8  # pixels of a side that reach its deepest style layer


def sees(*images: Image) -> bool:
    """Whether all pictures are large enough for all its layers."""
    return all(min(image.shape[:2]) >= SHORTEST for image in images)


def distance(image: Image, style: Blend) -> float:
    """The mean of |G - A| / |A| over the judge's style layers: `analysis.metrics.style_distances`.

    It can be compared between any two results of one style picture.

    Args:
      image: (height, width, 3) in [0, 1].
      style: pictures of any size, and their shares.
    """
    judge = network()
    extractor = judge.extractor.clone(taps=tuple(judge.style_layers))
    return float(mean_distance(extractor, judge.params, jnp.asarray(image), style))


@functools.cache
def network() -> networks.Network:
    """The judge, with its own style layers."""
    return networks.load(NAME, convolution="direct")


@functools.partial(jax.jit, static_argnums=0)
def mean_distance(extractor: Extractor, params: Any, image: Image, style: Blend) -> Scalar:
    """The mean over the layers that the extractor taps."""
    shown, wanted = moments_of(extractor, params, image), moments_of_blend(extractor, params, style)
    return jnp.mean(jnp.stack(list(style_distances(shown, wanted).values())))


def moments_of(extractor: Extractor, params: Any, image: Image, tiles: Tiles | None = None) -> dict[str, Moments]:
    """The moments of a picture at each tap. tiles: of the extractor; None: the picture at once."""
    if tiles is None:
        return {k: moments(f) for k, f in activations(extractor, params, image).items()}
    terms = tuple(style_term(relative_gram)._replace(name=tap, tap=tap) for tap in extractor.taps)
    seen = transfer.aims(
        extractor, terms, params, {"style": image}, pixels=image.shape[0] * image.shape[1], tiles=tiles
    )
    return {tap: aim.whole for tap, aim in seen.items()}


def moments_of_blend(extractor: Extractor, params: Any, style: Blend, tiles: Tiles | None = None) -> dict[str, Moments]:
    """The moments of several pictures as one, at each tap."""
    each = [moments_of(extractor, params, picture, tiles) for picture in style.pictures]
    return each[0] if len(each) == 1 else {k: mix([one[k] for one in each], style.shares) for k in each[0]}
