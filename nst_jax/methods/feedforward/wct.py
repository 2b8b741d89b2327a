"""The whitening and colouring transform (Li et al. 2017, arXiv 1705.08086), at five layers one after another.

Sources: Yijunmaverick/UniversalStyleTransfer @55f3717 (UST), the authors'; eridgd/WCT-TF @35612da (WTF);
sunshineatnoon/PytorchWCT @ee9d813 (PWCT); MingSun-Tse/Collaborative-Distillation @4a269dc (CD). Features are
(..., height, width, channels), with or without a batch.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.extractors.base import Extractor
from nst_jax.images.regions import resize_mask
from nst_jax.methods.feedforward.adain import blend
from nst_jax.methods.feedforward.decoders import Decoder, encode
from nst_jax.methods.feedforward.johnson import crop, fit
from nst_jax.nn.precision import widen
from nst_jax.types import Mask, Scalar

Features = Float[Array, "*batch _ _ c"]
Matrix = Float[Array, "*batch c c"]
Images = Float[Array, "batch _ _ 3"]
Pictures = Float[Array, "_ _ _ 3"]  # one, or as many as images


class Rule(NamedTuple):
    """How roots of covariances are taken: which directions count, and what is added to the covariance.

    way:
      eigh: by eigenvectors. Some eigenvalues are left out.
      newton: by matrix products only. It has a gradient everywhere. It leaves out nothing: what `noise` says is added.
    """

    cut: float = 0.0  # an eigenvalue below is left out
    share: float = 0.0  # and one below so much of the largest
    noise: float = 0.0  # and one below so much of the squared mean: what rounding makes of a constant picture
    content: float = 0.0  # added to each eigenvalue of the content's covariance
    style: float = 0.0  # and of the style's
    ridge: float = 0.0  # added to both: so much of the covariance's Frobenius norm
    way: str = "eigh"


RULES = {
    # ours: what is left out does not depend on the size of the activations, and in float32 no noise is kept
    "relative": Rule(share=1e-5, noise=1e-12),
    "newton": Rule(ridge=1e-5, noise=1e-12, way="newton"),
    "ust": Rule(cut=1e-5),  # test_wct.lua:191-212
    "wct_tf": Rule(cut=1e-5, content=1e-8, style=1e-8),  # ops.py:45,50,68-69
    "pytorch_wct": Rule(cut=1e-5, content=1.0),  # util.py:49: the identity on the content only
    # util_wct.py:25 cuts below 1e-100, in float64. In float32 that is: all above 0 counts, noise too
    "collaborative": Rule(),
}


class Spread(NamedTuple):
    """The mean and the covariance of features."""

    mean: Float[Array, "*batch c"]
    covariance: Matrix


class Colour(NamedTuple):
    """What a style is: its mean, and the root of its covariance."""

    mean: Float[Array, "*batch c"]
    root: Matrix


def matmul(a: Array, b: Array) -> Array:
    """The matrix product in full precision."""
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def measure(x: Features, mask: Float[Array, "*batch _ _"] | None = None) -> Spread:
    """The mean and the covariance over the positions, divided by one position less, in float32 at least.

    Args:
      x: features.
      mask: a weight for each position; None: all count.
    """
    flat = widen(x).reshape(*x.shape[:-3], -1, x.shape[-1])
    weights = jnp.ones(flat.shape[:-1]) if mask is None else mask.reshape(flat.shape[:-1])
    weights = weights[..., None]
    mass = weights.sum(-2, keepdims=True)
    mean = (weights * flat).sum(-2, keepdims=True) / jnp.maximum(mass, 1e-12)
    centred = jnp.sqrt(weights) * (flat - mean)
    covariance = matmul(centred.swapaxes(-1, -2), centred) / jnp.maximum(mass - 1, 1)
    return Spread(mean[..., 0, :], covariance)


def damp(spread: Spread, *, add: float, rule: Rule) -> Matrix:
    """The covariance plus a multiple of the identity: `add`, and what the rule adds to every covariance."""
    total = add + rule.ridge * norm_of(spread.covariance)
    if rule.way == "newton":
        total += rounding(spread, rule)[..., None, None]
    return spread.covariance + total * jnp.eye(spread.covariance.shape[-1])


def norm_of(matrix: Matrix) -> Float[Array, "*batch 1 1"]:
    """The Frobenius norm, with the gradient 0 at 0."""
    squares = jnp.sum(matrix**2, (-2, -1), keepdims=True)
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.0)), 0.0)


def rounding(spread: Spread, rule: Rule) -> Float[Array, "*batch"]:
    """The variance up to which a direction may be noise of float32."""
    return rule.noise * jnp.sum(spread.mean**2, -1)


def power_by_eigh(matrix: Matrix, floor: Float[Array, "*batch"], *, exponent: float, rule: Rule) -> Matrix:
    """A power of a symmetric matrix on the directions that count.

    Eigenvalues are masked and not sliced, so that shapes are static under jit and vmap. `eigh` in place of the
    published singular values: the matrix is symmetric.

    floor: an eigenvalue below is left out, and those that the rule says.
    """
    values, vectors = jnp.linalg.eigh(matrix)
    least = jnp.maximum(rule.cut, jnp.maximum(rule.share * values[..., -1:], floor[..., None]))
    kept = (values > 0) & (values >= least)
    powers = jnp.where(kept, jnp.where(kept, values, 1.0) ** exponent, 0.0)
    return matmul(vectors * powers[..., None, :], vectors.swapaxes(-1, -2))


def roots_by_newton(matrix: Matrix, *, iterations: int) -> tuple[Matrix, Matrix]:
    """The square root of a positive matrix and of its inverse, by products only: Higham 2008, eq. 6.35.

    An eigenvalue of so much of the norm needs log(1 / so much) / log(9 / 4) iterations and about five more. Those of 0
    give a root of 0 and an inverse that stays finite.
    """
    norm = jnp.maximum(norm_of(matrix), 1e-12)  # its power of -3/2, in the gradient, is a number of float32
    eye = jnp.eye(matrix.shape[-1])
    y, z = matrix / norm, jnp.broadcast_to(eye, matrix.shape)
    for _ in range(iterations):
        t = (3 * eye - matmul(z, y)) / 2
        y, z = matmul(y, t), matmul(t, z)
    return y * jnp.sqrt(norm), z / jnp.sqrt(norm)


ITERATIONS = 20  # of `roots_by_newton`: eigenvalues of 1e-5 of the norm


def colour_of(spread: Spread, *, rule: Rule) -> Colour:
    """The style's mean and the root of its covariance. It can be kept for many pictures."""
    damped = damp(spread, add=rule.style, rule=rule)
    if rule.way == "newton":
        return Colour(spread.mean, roots_by_newton(damped, iterations=ITERATIONS)[0])
    return Colour(spread.mean, power_by_eigh(damped, rounding(spread, rule), exponent=0.5, rule=rule))


def whitening_of(spread: Spread, *, rule: Rule) -> Matrix:
    """The root of the inverse of the content's covariance."""
    damped = damp(spread, add=rule.content, rule=rule)
    if rule.way == "newton":
        return roots_by_newton(damped, iterations=ITERATIONS)[1]
    return power_by_eigh(damped, rounding(spread, rule), exponent=-0.5, rule=rule)


def recolour(x: Features, own: Spread, whitening: Matrix, colour: Colour) -> Features:
    """The features, whitened and coloured."""
    flat = widen(x).reshape(*x.shape[:-3], -1, x.shape[-1]) - own.mean[..., None, :]
    moved = matmul(flat, matmul(whitening, colour.root)) + colour.mean[..., None, :]
    return moved.reshape(x.shape)


def wct(content: Features, style: Features, *, alpha: Scalar | float, rule: Rule = RULES["relative"]) -> Features:
    """The content's features with the style's mean and covariance.

    Args:
      content: features; their height and width may differ from the style's.
      style: features.
      alpha: 0 the content, 1 the style.
      rule: how roots are taken: RULES.
    """
    return mix(content, [style], weights=jnp.ones(1), alpha=alpha, rule=rule)


def mix(
    content: Features,
    styles: Sequence[Features],
    *,
    weights: Float[Array, " styles"],
    alpha: Scalar | float,
    rule: Rule = RULES["relative"],
) -> Features:
    """Several styles at once: the whitened features, coloured by each of them, and their weighted mean.

    UST test_wct_interpolation2.lua:134-151, which divides the covariance by the height alone: not so here.

    weights: of each style; they are divided by their sum.
    """
    own = measure(content)
    whitening = whitening_of(own, rule=rule)
    colours = [colour_of(measure(style), rule=rule) for style in styles]
    each = jnp.stack([recolour(content, own, whitening, colour) for colour in colours])
    return blend(jnp.tensordot(weights / weights.sum(), each, 1), content, alpha)


def divide(
    content: Features,
    styles: Sequence[Features],
    masks: Float[Array, "regions _ _"],
    *,
    alpha: Scalar | float,
    rule: Rule = RULES["relative"],
) -> Features:
    """A style for each region: each is whitened by its own positions (UST test_wct_mask.lua:82-165).

    Where the masks' sum is not 1 the rest is content.

    Args:
      content: features.
      styles: features of a whole style picture for each region.
      masks: of the regions, as large as the content's features.
      alpha: 0 the content, 1 the styles.
      rule: how roots are taken.
    """
    total = (1 - masks.sum(0))[..., None] * content
    for style, mask in zip(styles, masks, strict=True):
        own = measure(content, jnp.broadcast_to(mask, content.shape[:-1]))
        colour = colour_of(measure(style), rule=rule)
        total += mask[..., None] * recolour(content, own, whitening_of(own, rule=rule), colour)
    return blend(total, content, alpha)


class Level(NamedTuple):
    """One level of the cascade: a layer of the encoder, and the decoder back from it."""

    layer: str
    decoder: Decoder
    variables: Mapping[str, Any]


def paint(
    network: Extractor,
    params: Any,
    levels: Sequence[Level],
    content: Images,
    styles: Sequence[Pictures],
    *,
    alpha: Scalar | float,
    weights: Float[Array, " styles"] | None = None,
    masks: Sequence[Mask] | None = None,
    rule: Rule = RULES["relative"],
    clip: bool = False,
) -> Images:
    """The content pictures in one or several styles, in their own size: level by level, as in section 3.3 of the paper.

    The encoder is one trunk with a tap for each level: the style pictures pass it once. The published five encoders of
    VGG-19 are parts of one network, and give the same.

    Args:
      network: the encoder.
      params: its parameters.
      levels: as they are applied, the deepest first: relu5_1 to relu1_1; from relu4_1 more of the content is kept.
      content: RGB in [0, 1], of any size.
      styles: one picture of each style, or as many as there are content pictures.
      alpha: 0 the content's reconstruction, 1 the style, at each level. Published: 0.6.
      weights: of the styles, which are then mixed.
      masks: a region of the picture for each style, in place of weights.
      rule: how roots are taken.
      clip: whether the picture is confined to [0, 1] between levels, as in WTF (model.py:86), not in UST.

    Returns:
      RGB, not confined to [0, 1].
    """
    height, width = content.shape[1:3]
    multiple = max(level.decoder.record.multiple for level in levels)
    image: Any = fit(content, multiple=multiple)
    around = None if masks is None else fit(jnp.stack(list(masks))[..., None], multiple=multiple)[..., 0]
    seen = [encode(network, params, x, taps=tuple(level.layer for level in levels)) for x in styles]
    shares = jnp.ones(len(styles)) if weights is None else weights
    for i, level in enumerate(levels):
        image = jnp.clip(image, 0, 1) if clip and i else image
        own = encode(network, params, image, taps=(level.layer,))[level.layer]
        aims = [jnp.broadcast_to(x[level.layer], (own.shape[0], *x[level.layer].shape[1:])) for x in seen]
        if around is None:
            found = mix(own, aims, weights=shares, alpha=alpha, rule=rule)
        else:
            small = jnp.stack([resize_mask(mask, height=own.shape[1], width=own.shape[2]) for mask in around])
            found = divide(own, aims, small, alpha=alpha, rule=rule)
        image = level.decoder.apply(level.variables, found)
    return crop(image, height=height, width=width, top=0, left=0)
