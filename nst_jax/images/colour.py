"""Colour: give a picture the colours of another, or change its brightness alone.

Gatys, Ecker, Bethge, Hertzmann & Shechtman 2017, CVPR, arXiv 1611.07865, section 5. Colours are stored sRGB values, as
in the paper's own program (leongatys/NeuralImageSynthesis @cced0b9).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.types import Image, Mask, Scalar

LUMA = (0.299, 0.587, 0.114)  # Y of R, G, B: ColourControl.ipynb, rgb2luv
EPS = 1e-5  # added to each covariance's diagonal: ColourControl.ipynb, match_color

Colour = Float[Array, "3"]
Matrix = Float[Array, "3 3"]


def luma(image: Image) -> Float[Array, "h w"]:
    """The brightness of each pixel."""
    return jnp.matmul(image, jnp.asarray(LUMA, image.dtype), precision=lax.Precision.HIGHEST)


def gray(image: Image) -> Image:
    """The picture in shades of gray: its brightness in each of the three channels."""
    return jnp.repeat(luma(image)[..., None], 3, -1)


def with_chroma(image: Image, colours: Image) -> Image:
    """The brightness of one picture with the colours of another, clipped to [0, 1].

    In a linear space such as YUV the chroma is (R - Y, B - Y). So one number a pixel is added to all three channels.
    """
    return jnp.clip(colours + (luma(image) - luma(colours))[..., None], 0, 1)


class Brightness(NamedTuple):
    """The mean and the standard deviation of a gray picture."""

    mean: Scalar
    deviation: Scalar


def brightness(image: Image, mask: Mask | None = None) -> Brightness:
    """The brightness of a gray picture. mask: a weight for each pixel."""
    if mask is None:
        return Brightness(image.mean(), image.std())
    w = (mask / mask.sum())[..., None] / 3
    mean = (w * image).sum()
    return Brightness(mean, jnp.sqrt((w * (image - mean) ** 2).sum()))


def match_brightness(image: Image, own: Brightness, target: Brightness, *, spread: bool) -> Image:
    """A gray picture with the mean of another gray one, clipped to [0, 1].

    spread: match the standard deviation, too, as the paper says and its program does not; a picture of one shade keeps
    its deviation of 0.
    """
    scale = jnp.where(own.deviation > EPS, target.deviation / jnp.maximum(own.deviation, EPS), 1) if spread else 1
    return jnp.clip(scale * (image - own.mean) + target.mean, 0, 1)


class Palette(NamedTuple):
    """The mean and the covariance of a picture's colours."""

    mean: Colour
    covariance: Matrix


def palette(image: Image, mask: Mask | None = None) -> Palette:
    """The palette of a picture, EPS on the diagonal of its covariance. mask: a weight for each pixel."""
    w = jnp.ones(image.shape[:2], image.dtype) if mask is None else mask
    w = (w / w.sum())[..., None]
    mean = (w * image).sum((0, 1))
    centred = (jnp.sqrt(w) * (image - mean)).reshape(-1, 3)
    covariance = jnp.matmul(centred.T, centred, precision=lax.Precision.HIGHEST)
    return Palette(mean, covariance + EPS * jnp.eye(3, dtype=image.dtype))


def match_colours(image: Image, own: Palette, target: Palette, *, by: str) -> Image:
    """The picture with the mean and the covariance of another's colours, clipped to [0, 1].

    Args:
      image: the picture.
      own: its palette.
      target: the palette that it gets.
      by: the linear map, see `MAPS`: sym, chol or pca.
    """
    move = MAPS[by](own.covariance, target.covariance)
    moved = jnp.matmul(image - own.mean, move.T, precision=lax.Precision.HIGHEST)
    return jnp.clip(moved + target.mean, 0, 1)


def transport(own: Matrix, target: Matrix) -> Matrix:
    """T^-1/2 (T^1/2 S T^1/2)^1/2 T^-1/2, T the picture's covariance, S the target's: symmetric.

    It is the optimal transport between two normal distributions: of all such maps it changes the colours least.
    """
    up, down = power(own, exponent=0.5), power(own, exponent=-0.5)
    return chain(down, power(chain(up, target, up), exponent=0.5), down)


def cholesky(own: Matrix, target: Matrix) -> Matrix:
    """L_s L_t^-1, of the lower Cholesky factors. It depends on the order of the channels."""
    return chain(jnp.linalg.cholesky(target), jnp.linalg.inv(jnp.linalg.cholesky(own)))


def whitening(own: Matrix, target: Matrix) -> Matrix:
    """S^1/2 T^-1/2: whiten, then colour."""
    return chain(power(target, exponent=0.5), power(own, exponent=-0.5))


MAPS = {"sym": transport, "chol": cholesky, "pca": whitening}
"""The maps A with A T A^T = S, by the names of ColourControl.ipynb: its default is sym, its cells say pca."""


def power(matrix: Matrix, *, exponent: float) -> Matrix:
    """A power of a symmetric matrix that has no negative eigenvalue but by rounding."""
    values, vectors = jnp.linalg.eigh(matrix)
    return chain(vectors * jnp.maximum(values, EPS * EPS) ** exponent, vectors.T)


def chain(*matrices: Matrix) -> Matrix:
    """The product of matrices in full precision."""
    return jnp.linalg.multi_dot(matrices, precision=lax.Precision.HIGHEST)


class Mode(NamedTuple):
    """One way to treat the colours of a transfer.

    Attributes:
      content: photograph -> the photograph as the run takes it.
      style: (painting, photograph, mask of the photograph, mask of the painting, **numbers) -> the painting as the run
        takes it. The masks are None, or those of a region.
      gray: the run changes brightness alone: its network takes the mean of the channels (`extractors.base.see_gray`).
      restored: the result gets the colours of the photograph: `with_chroma`.
    """

    content: Callable[[Image], Image]
    style: Callable[..., Image]
    gray: bool = False
    restored: bool = False


def as_it_is(image: Image, *others: Any) -> Image:
    """The picture."""
    return image


def in_gray(
    style: Image, content: Image, mask: Mask | None = None, style_mask: Mask | None = None, *, spread: bool = True
) -> Image:
    """The style in shades of gray, of the content's brightness; spread: see `match_brightness`."""
    shades = gray(style)
    return match_brightness(shades, brightness(shades, style_mask), brightness(gray(content), mask), spread=spread)


def in_colours_of_content(
    style: Image, content: Image, mask: Mask | None = None, style_mask: Mask | None = None, *, by: str = "sym"
) -> Image:
    """The style in the content's colours, by a map of `MAPS`."""
    return match_colours(style, palette(style, style_mask), palette(content, mask), by=by)


MODES = {
    "style": Mode(as_it_is, as_it_is),
    "luminance": Mode(gray, in_gray, gray=True, restored=True),
    "match": Mode(as_it_is, in_colours_of_content),
    "keep": Mode(as_it_is, as_it_is, restored=True),
}
"""style: the painting's colours. luminance: brightness alone is painted. match: the painting first gets the
photograph's colours. keep: the photograph's chroma is put back at the end, as by `-original_colors` of neural-style.
"""
