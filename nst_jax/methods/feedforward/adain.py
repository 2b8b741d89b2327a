"""Adaptive instance normalisation (Huang & Belongie 2017, arXiv 1703.06868).

Sources: xunhuang1995/AdaIN-style @6d8ac28, the authors'; naoto0804/pytorch-AdaIN @47950d0. Features are (..., height,
width, channels), with or without a batch.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from nst_jax.methods.feedforward.blending import Alpha, Features, Masks, Shares, blend, combine
from nst_jax.nn.precision import widen
from nst_jax.types import Scalar


class Form(NamedTuple):
    """How means and deviations are taken."""

    unbiased: bool  # whether variances are sums over one position less
    content_eps: float  # added to the variance of the content
    style_eps: float  # and of the style


FORMS = {
    "adain_style": Form(False, 1e-5, 0.0),  # lib/AdaptiveInstanceNormalization.lua:12,49-67
    "pytorch_adain": Form(True, 1e-5, 1e-5),  # function.py:4-23
}


class Channels(NamedTuple):
    """The mean and the variance of each channel, (..., 1, 1, channels)."""

    mean: Float[Array, "*batch 1 1 c"]
    variance: Float[Array, "*batch 1 1 c"]


def measure(x: Features, mask: Float[Array, "*batch _ _"] | None = None, *, unbiased: bool) -> Channels:
    """The mean and the variance of each channel over the positions, in float32.

    Args:
      x: features.
      mask: a weight for each position; None: all count.
      unbiased: divide the squares by one position less.
    """
    x = widen(x)
    weights = jnp.ones(x.shape[:-1]) if mask is None else mask
    mass = weights.sum((-2, -1), keepdims=True)[..., None]
    share = weights[..., None] / jnp.maximum(mass, 1e-12)  # a region without a position has the mean 0
    mean = (share * x).sum((-3, -2), keepdims=True)
    variance = (share * (x - mean) ** 2).sum((-3, -2), keepdims=True)
    if unbiased:
        variance = variance * mass / jnp.maximum(mass - 1, 1)
    return Channels(mean, variance)


def deviation(variance: Array) -> Array:
    """The root, with the gradient 0 at 0: a channel may be constant."""
    return jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1)), 0)


def restyle(x: Features, own: Channels, style: Channels, *, form: Form) -> Features:
    """The features with the style's mean and deviation instead of their own."""
    scale = deviation(style.variance + form.style_eps) / jnp.sqrt(own.variance + form.content_eps)
    return (widen(x) - own.mean) * scale + style.mean


def adain(
    content: Features,
    style: Features,
    *,
    alpha: Scalar | float,
    form: Form = FORMS["adain_style"],
) -> Features:
    """The content's features with the style's mean and deviation in each channel.

    Args:
      content: features; their height and width may differ from the style's.
      style: features.
      alpha: 0 the content, 1 the style; above 1 it is exaggerated.
      form: how means and deviations are taken: FORMS.
    """
    own, aim = (measure(x, unbiased=form.unbiased) for x in (content, style))
    return blend(restyle(content, own, aim, form=form), content, alpha)


def stylise(
    content: Features, looks: Sequence[Channels], *, alpha: Alpha, shares: Shares, masks: Masks, form: Form
) -> Features:
    """The content's features with the means and deviations of one style or several (test.lua:84-109,148-154).

    Args:
      content: features.
      looks: of each style, by `measure`.
      alpha, shares, masks: see `blending.combine`.
      form: how means and deviations are taken.
    """
    see = partial(measure, content, unbiased=form.unbiased)
    change = partial(restyle, content, form=form)
    return combine(content, looks, see, change, alpha=alpha, shares=shares, masks=masks)
