"""STROTSS, layer by layer: Kolkin, Salavon & Shakhnarovich 2019, CVPR, arXiv 1904.12785; nkolkin13/STROTSS @9a1543a.

Not reproduced: hypercolumns (one vector across all layers for each position), the palette term on colours,
positions drawn again for each step, regions, and the Laplacian pyramid that is optimised there.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.losses.differences import Pair
from nst_jax.nn.precision import widen
from nst_jax.types import Activation, Scalar

Rows = Float[Array, "_ c"]  # one row for each position; two pictures may differ in their number

GRID = 32  # 32^2 positions are compared: stylize_objectives.py, get_feature_inds


def grid(activation: Activation, local: Any = None) -> Rows:
    """At most 32 x 32 positions, evenly spaced. STROTSS draws as many, again for each step."""
    h, w, _ = activation.shape
    down, right = (jnp.linspace(0, n - 1, min(n, GRID)).round().astype(int) for n in (h, w))
    return widen(activation[down][:, right].reshape(-1, activation.shape[-1]))


def style_error(a: Rows, b: Rows) -> Scalar:
    """The relaxed earth mover's distance and the difference of the moments."""
    return relaxed_earth_movers(a, b) + moment_difference(a, b)


def content_error(both: Pair, aim: Any = None) -> Scalar:
    """The difference of the self-similarities."""
    return self_similarity_error(both.f, both.p)


def cosine_distances(a: Rows, b: Rows) -> Float[Array, "_ _"]:
    """1 - cos of the angle between every row of a and every row of b."""
    return 1 - jnp.matmul(unit_rows(a), unit_rows(b).T, precision=lax.Precision.HIGHEST)


def unit_rows(a: Rows) -> Rows:
    """Each row divided by its length; a row of zeros stays."""
    square = jnp.sum(a**2, axis=1, keepdims=True)
    return a / jnp.sqrt(jnp.where(square > 0, square, 1.0))


def relaxed_earth_movers(a: Rows, b: Rows) -> Scalar:
    """The larger of the mean distances to the nearest: Kolkin et al. 2019, CVPR, eq. 6; contextual_loss.py:77-109."""
    distances = cosine_distances(a, b)
    return jnp.maximum(distances.min(1).mean(), distances.min(0).mean())


def moment_difference(a: Rows, b: Rows) -> Scalar:
    """Mean |dmu| + mean |dSigma|: Kolkin et al. 2019, eq. 7; contextual_loss.py, moment_loss."""
    (mu_a, cov_a), (mu_b, cov_b) = mean_and_covariance(a), mean_and_covariance(b)
    return jnp.abs(mu_a - mu_b).mean() + jnp.abs(cov_a - cov_b).mean()


def mean_and_covariance(a: Rows) -> tuple[Float[Array, " c"], Float[Array, "c c"]]:
    """Mean and covariance of the rows."""
    centred = a - a.mean(0)
    return a.mean(0), jnp.matmul(centred.T, centred, precision=lax.Precision.HIGHEST) / len(a)


def self_similarity_error(f: Activation, p: Activation) -> Scalar:
    """How differently the positions of a picture resemble each other: eq. 9; contextual_loss.py:246-271."""
    own, wanted = (relative(cosine_distances(rows_, rows_)) for rows_ in (grid(f), grid(p)))
    return jnp.abs(own - wanted).mean() * len(own)


def relative(distances: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Each column divided by its sum; a column of zeros stays."""
    sums = distances.sum(0, keepdims=True)
    return distances / jnp.where(sums > 0, sums, 1.0)
