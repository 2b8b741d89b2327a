"""The whitening and colouring transform (Li et al. 2017, arXiv 1705.08086), at five layers one after another.

Sources: Yijunmaverick/UniversalStyleTransfer @55f3717 (UST, the authors'), eridgd/WCT-TF @35612da (WTF),
sunshineatnoon/PytorchWCT @ee9d813 (PWCT), MingSun-Tse/Collaborative-Distillation @4a269dc (CD). Features are
(..., height, width, channels), with or without a batch.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.methods.feedforward.blending import Alpha, Features, Masks, Shares, combine
from nst_jax.nn.precision import widen
from nst_jax.types import Scalar

Matrix = Float[Array, "*batch c c"]


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
    clip: bool = False  # whether a picture is confined to [0, 1] between levels


RULES = {
    # ours: what is left out does not depend on the size of the activations, and in float32 no noise is kept
    "relative": Rule(share=1e-5, noise=1e-12),
    "newton": Rule(ridge=1e-5, noise=1e-12, way="newton"),
    "ust": Rule(cut=1e-5),  # test_wct.lua:191-212
    "wct_tf": Rule(cut=1e-5, content=1e-8, style=1e-8, clip=True),  # ops.py:45,50,68-69, model.py:86
    "pytorch_wct": Rule(cut=1e-5, content=1.0),  # util.py:49: the identity on the content only
    # util_wct.py:25 cuts below 1e-100, in float64. In float32 that is: all above 0 counts, noise too
    "collaborative": Rule(),
}


class Spread(NamedTuple):
    """The mean and the covariance of features."""

    mean: Float[Array, "*batch c"]
    covariance: Matrix


class Colour(NamedTuple):
    """A style: its mean, and the root of its covariance."""

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
    """The largest variance of a direction that may be noise of float32."""
    return rule.noise * jnp.sum(spread.mean**2, -1)


def power_by_eigh(matrix: Matrix, floor: Float[Array, "*batch"], *, exponent: float, rule: Rule) -> Matrix:
    """A power of a symmetric matrix on the directions that count.

    Eigenvalues are masked and not sliced, so that shapes are static under jit and vmap. `eigh` instead of the
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


def stylise(
    content: Features, looks: Sequence[Colour], *, alpha: Alpha, shares: Shares, masks: Masks, rule: Rule
) -> Features:
    """The content's features with the means and covariances of one style or several.

    The whitened features are coloured by each style: UST test_wct_interpolation2.lua:134-151, which divides the
    covariance by the height alone, not so here; each region is whitened by its own positions, test_wct_mask.lua:82-165.

    Args:
      content: features; their height and width may differ from the styles'.
      looks: of each style, by `colour_of`.
      alpha, shares, masks: see `blending.combine`.
      rule: how roots are taken.
    """

    def see(mask: Any) -> tuple[Spread, Matrix]:
        own = measure(content, mask)
        return own, whitening_of(own, rule=rule)

    def change(known: tuple[Spread, Matrix], look: Colour) -> Features:
        return recolour(content, *known, look)

    return combine(content, looks, see, change, alpha=alpha, shares=shares, masks=masks)


def wct(content: Features, style: Features, *, alpha: Scalar | float, rule: Rule = RULES["relative"]) -> Features:
    """The content's features with the style's mean and covariance.

    Args:
      content: features; their height and width may differ from the style's.
      style: features.
      alpha: 0 the content, 1 the style.
      rule: how roots are taken: RULES.
    """
    look = colour_of(measure(style), rule=rule)
    return stylise(content, [look], alpha=alpha, shares=None, masks=None, rule=rule)
