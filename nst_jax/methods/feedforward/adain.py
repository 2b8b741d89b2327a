"""Adaptive instance normalisation (Huang & Belongie 2017, arXiv 1703.06868).

Sources: xunhuang1995/AdaIN-style @6d8ac28, the authors'; naoto0804/pytorch-AdaIN @47950d0. Features are (..., height,
width, channels), with or without a batch.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from nst_jax.extractors.base import Extractor
from nst_jax.images.regions import resize_mask
from nst_jax.methods.feedforward.decoders import Decoder, encode
from nst_jax.methods.feedforward.johnson import crop, fit
from nst_jax.nn.precision import widen
from nst_jax.types import Mask, Scalar

Features = Float[Array, "*batch _ _ c"]
Images = Float[Array, "batch _ _ 3"]
Pictures = Float[Array, "_ _ _ 3"]  # one, or as many as images


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
    """The features with the style's mean and deviation in place of their own."""
    scale = deviation(style.variance + form.style_eps) / jnp.sqrt(own.variance + form.content_eps)
    return (widen(x) - own.mean) * scale + style.mean


def blend(stylised: Features, content: Features, alpha: Scalar | float) -> Features:
    """alpha times the one and 1 - alpha times the other: test.lua:116. 0 gives the content to the bit."""
    return alpha * stylised + (1 - alpha) * content


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


def mix(
    content: Features,
    styles: Sequence[Features],
    *,
    weights: Float[Array, " styles"],
    alpha: Scalar | float,
    form: Form = FORMS["adain_style"],
) -> Features:
    """Several styles at once: the weighted mean of what each of them gives (test.lua:105-109,148-154).

    weights: of each style; they are divided by their sum.
    """
    own = measure(content, unbiased=form.unbiased)
    aims = [measure(style, unbiased=form.unbiased) for style in styles]
    each = jnp.stack([restyle(content, own, aim, form=form) for aim in aims])
    return blend(jnp.tensordot(weights / weights.sum(), each, 1), content, alpha)


def divide(
    content: Features,
    styles: Sequence[Features],
    masks: Float[Array, "regions _ _"],
    *,
    alpha: Scalar | float,
    form: Form = FORMS["adain_style"],
) -> Features:
    """A style for each region: each region of the content is normalised by its own positions (test.lua:84-103).

    Where the masks' sum is not 1 the rest is content. The published program leaves zeros there.

    Args:
      content: features.
      styles: features of a whole style picture for each region.
      masks: of the regions, as large as the content's features.
      alpha: 0 the content, 1 the styles.
      form: how means and deviations are taken.
    """
    total = (1 - masks.sum(0))[..., None] * content
    for style, mask in zip(styles, masks, strict=True):
        own = measure(content, jnp.broadcast_to(mask, content.shape[:-1]), unbiased=form.unbiased)
        total += mask[..., None] * restyle(content, own, measure(style, unbiased=form.unbiased), form=form)
    return blend(total, content, alpha)


def paint(
    network: Extractor,
    params: Any,
    decoder: Decoder,
    variables: Mapping[str, Any],
    content: Images,
    styles: Sequence[Pictures],
    *,
    alpha: Scalar | float,
    weights: Float[Array, " styles"] | None = None,
    masks: Sequence[Mask] | None = None,
    layer: str = "relu4_1",
    form: Form = FORMS["adain_style"],
) -> Images:
    """The content pictures in one or several styles, in their own size.

    Args:
      network: the encoder.
      params: its parameters.
      decoder: from `layer` to an image.
      variables: the decoder's.
      content: RGB in [0, 1], of any size.
      styles: one picture of each style, or as many as there are content pictures.
      alpha: 0 the content's reconstruction, 1 the style.
      weights: of the styles, which are then mixed.
      masks: a region of the picture for each style, in place of weights.
      layer: of the encoder.
      form: how means and deviations are taken.

    Returns:
      RGB, not confined to [0, 1].
    """
    height, width = content.shape[1:3]
    whole = fit(content, multiple=decoder.record.multiple)
    own, *aims = (encode(network, params, x, taps=(layer,))[layer] for x in (whole, *styles))
    aims = [jnp.broadcast_to(aim, (own.shape[0], *aim.shape[1:])) for aim in aims]
    if masks is not None:
        around = fit(jnp.stack(list(masks))[..., None], multiple=decoder.record.multiple)[..., 0]
        small = [resize_mask(mask, height=own.shape[1], width=own.shape[2]) for mask in around]
        found = divide(own, aims, jnp.stack(small), alpha=alpha, form=form)
    else:
        shares = jnp.ones(len(styles)) if weights is None else weights
        found = mix(own, aims, weights=shares, alpha=alpha, form=form)
    return crop(decoder.apply(variables, found), height=height, width=width, top=0, left=0)  # pyright: ignore[reportArgumentType]
