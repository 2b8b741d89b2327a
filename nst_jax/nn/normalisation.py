"""Normalisations of activations: by the statistics of each image, or of a batch.

Variances are means of squared differences, not differences of mean squares, which lose all digits for values in 0..255.
Sums are taken in float32 at least.
"""

from typing import NamedTuple

from jax import lax
from jaxtyping import Array, Float

from nst_jax.nn.precision import product, widen

Batch = Float[Array, "n h w c"]
Vector = Float[Array, " c"]


class Statistics(NamedTuple):
    """The mean and the variance of each channel over a batch."""

    mean: Vector
    variance: Vector


def standardise(x: Batch, *, eps: float) -> Batch:
    """Each image's channels with the mean 0 and the variance 1. The variance is of its own positions, biased."""
    wide = widen(x)
    centred = wide - wide.mean((1, 2), keepdims=True)
    variance = (centred**2).mean((1, 2), keepdims=True)
    return (centred * lax.rsqrt(variance + eps)).astype(x.dtype)


def instance_norm(x: Batch, scale: Vector, offset: Vector, *, eps: float) -> Batch:
    """Ulyanov, Vedaldi & Lempitsky 2016, arXiv 1607.08022. The same in training and after it."""
    return standardise(x, eps=eps) * scale + offset


def conditional_norm(
    x: Batch, scales: Float[Array, "s c"], offsets: Float[Array, "s c"], styles: Float[Array, "n s"], *, eps: float
) -> Batch:
    """An instance normalisation with a scale and an offset for each style (Dumoulin et al. 2017, section 2.2).

    Args:
      x: activations.
      scales: of each style.
      offsets: of each style.
      styles: the weights by which each image's scales and offsets are mixed. They need not sum to 1.
      eps: added to the variance.
    """
    scale, offset = product(styles, scales), product(styles, offsets)
    return standardise(x, eps=eps) * scale[:, None, None] + offset[:, None, None]


def batch_norm(x: Batch, scale: Vector, offset: Vector, statistics: Statistics, *, eps: float) -> Batch:
    """A normalisation by given statistics: those of the batch in training, their running average after it."""
    centred = widen(x) - statistics.mean
    return (centred * (lax.rsqrt(statistics.variance + eps) * scale) + offset).astype(x.dtype)


def measure_batch(x: Batch) -> Statistics:
    """The statistics of a batch. The variance is biased."""
    wide = widen(x)
    mean = wide.mean((0, 1, 2))
    return Statistics(mean, ((wide - mean) ** 2).mean((0, 1, 2)))


def update_statistics(running: Statistics, batch: Statistics, *, positions: int, share: float) -> Statistics:
    """The running average after one more batch.

    As in torch the variance that is kept is the unbiased one, and the batch is normalised by the biased one.

    Args:
      running: before.
      batch: of the batch, from `measure_batch`.
      positions: of the batch: images times height times width.
      share: of the batch in the average.
    """
    unbiased = batch.variance * (positions / max(1, positions - 1))
    blend = lambda old, new: (1 - share) * old + share * new
    return Statistics(blend(running.mean, batch.mean), blend(running.variance, unbiased))
