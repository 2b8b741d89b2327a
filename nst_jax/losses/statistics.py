"""Statistics from moments, besides the Gram matrix: means, covariances, Gaussian distances.

All of it is a function of sums over positions, so that it works for tiles, devices and several styles.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from nst_jax.losses.differences import mse, sse
from nst_jax.losses.moments import Moments, channels, gram
from nst_jax.losses.term import View
from nst_jax.nn.precision import product
from nst_jax.types import Scalar

Vector = Float[Array, " c"]
Matrix = Float[Array, "c c"]

DEVIATION_EPS = 1e-6  # inside the root: xunhuang1995/AdaIN-style, lib/StyleINLossModule.lua
BURES_EPS = 1e-4  # style-transfer-pytorch @e7e2c71, style_transfer.py:152
BURES_ITERATIONS = 12  # style_transfer.py:154
DAMPING = 0.1  # of the mean eigenvalue: docs/explanations/texnet.md has what 0.01 and 0.001 gave


def mean(m: Moments) -> Vector:
    """The mean of each channel."""
    return m.first / m.mass


def covariance(m: Moments) -> Matrix:
    """The mean of (f - mean)(f - mean)^T."""
    return gram(m) - jnp.outer(mean(m), mean(m))


def deviation(m: Moments) -> Vector:
    """The standard deviation of each channel, with an epsilon inside the root: a dead channel has a gradient of 0."""
    variance = jnp.diagonal(m.second) / m.mass - mean(m) ** 2
    return jnp.sqrt(jnp.maximum(variance, 0.0) + DEVIATION_EPS)


def mean_statistics(g: Moments, a: Moments) -> Scalar:
    """1/N sum of dmu^2 + dsigma^2, over N channels."""
    return mse(mean(g), mean(a)) + mse(deviation(g), deviation(a))


def sum_statistics(g: Moments, a: Moments) -> Scalar:
    """Sum of dmu^2 + dsigma^2."""
    return sse(mean(g), mean(a)) + sse(deviation(g), deviation(a))


def covariance_quarter(g: Moments, a: Moments) -> Scalar:
    """Sum dSigma^2 / (4 N^2), over N channels."""
    return sse(covariance(g), covariance(a)) / (4 * channels(g) ** 2)


def shift(m: Moments, *, by: float) -> Moments:
    """The moments of f + by: Novak & Nikulin 2016, arXiv 1605.04603, shift the activations before the Gram matrix."""
    ones = jnp.ones_like(m.first)
    cross = jnp.outer(m.first, ones)
    second = m.second + by * (cross + cross.T) + by**2 * m.mass * jnp.outer(ones, ones)
    return Moments(m.mass, m.first + by * m.mass, second)


class Gaussian(NamedTuple):
    """A style as a normal distribution, and the root of its covariance, computed once."""

    mean: Vector
    root: Matrix
    covariance: Matrix


def gaussian(m: Moments, view: View) -> Gaussian:
    """The normal distribution with these moments."""
    spread = add_epsilon(m)
    return Gaussian(mean(m), root(spread), spread)


def add_epsilon(m: Moments) -> Matrix:
    """The covariance plus epsilon times the identity."""
    return covariance(m) + BURES_EPS * jnp.eye(m.first.shape[0])


def wasserstein(m: Moments, target: Gaussian) -> Scalar:
    """Squared 2-Wasserstein distance of two normal distributions, over the channels: mean(dmu^2) + mean diag(...).

    style-transfer-pytorch @e7e2c71, style_transfer.py:149-181; Gelbrich 1990: S + T - 2 (T^1/2 S T^1/2)^1/2.
    """
    spread = add_epsilon(m)
    between = root(product(product(target.root, spread), target.root))
    moved = jnp.mean((mean(m) - target.mean) ** 2)
    return moved + jnp.mean(jnp.diagonal(spread + target.covariance - 2 * between))


def root(a: Matrix) -> Matrix:
    """The square root of a symmetric positive matrix, by Newton and Schulz: Higham 2008, eq. 6.35.

    12 iterations as published. Roots of eigenvalues below about 1e-7 of the norm come out too small, and the
    gradient is the derivative of the computed value.
    """
    norm = jnp.sqrt(jnp.sum(a**2))
    three = 3 * jnp.eye(a.shape[0])
    y, z = a / norm, jnp.eye(a.shape[0])
    for _ in range(BURES_ITERATIONS):
        t = (three - product(z, y)) / 2
        y, z = product(y, t), product(t, z)
    return y * jnp.sqrt(norm)


class Whitening(NamedTuple):
    """A Gram matrix, and the root of its inverse, damped."""

    root: Matrix
    gram: Matrix


def whitening(m: Moments, view: View) -> Whitening:
    """Whitens with the style's own Gram matrix A: the root is (A + d I)^-1/2, d a tenth of A's mean eigenvalue."""
    a = gram(m)
    damping = DAMPING * jnp.maximum(jnp.trace(a) / a.shape[0], 1e-12)
    values, vectors = jnp.linalg.eigh(a + damping * jnp.eye(a.shape[0]))
    return Whitening(product(vectors / jnp.sqrt(values), vectors.T), a)


def whitened_error(m: Moments, target: Whitening) -> Scalar:
    """|W (G - A) W|^2 / N: the squared error of G along A's eigenvectors, relative to A there.

    A plain Gram matrix is nearly all in its largest eigenvalue, the channels' common mean, and that satisfies a style
    term relative to |A|^2. W is the whitening of Li et al. 2017 (arXiv 1705.08086), section 3.2, with damping.
    """
    error = product(product(target.root, gram(m) - target.gram), target.root)
    return jnp.sum(error**2) / error.shape[0]
