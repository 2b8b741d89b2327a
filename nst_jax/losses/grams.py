"""Comparisons of Gram matrices: the same words, other constants.

N is the number of channels of a layer and M its number of positions. G and A are sums of f f^T over positions: the
papers' Gram matrices, of the image and of the style picture.
"""

from nst_jax.losses.differences import energy, mse, scale_gradient, scaled_error, sse
from nst_jax.losses.moments import Moments, Sized, channels, gram, moments
from nst_jax.losses.statistics import shift
from nst_jax.losses.term import View
from nst_jax.types import Activation, Scalar


def gram_mean(g: Moments, a: Moments) -> Scalar:
    """Mean over N^2 of (G/M - A/M)^2, M of each picture."""
    return mse(gram(g), gram(a))


def gram_quarter(g: Moments, a: Moments) -> Scalar:
    """Sum of (G/M - A/M)^2 / (4 N^2), M of each picture: Gatys et al. 2016, eq. 4."""
    return sse(gram(g), gram(a)) / (4 * channels(g) ** 2)


def gram_per_entry(g: Moments, a: Moments) -> Scalar:
    """Mean over N^2 of (G/(N M) - A/(N M))^2."""
    return mse(gram(g), gram(a)) / channels(g) ** 2


def gram_sum_per_entry(g: Moments, a: Moments) -> Scalar:
    """Sum of (G/(N M) - A/(N M))^2."""
    return sse(gram(g), gram(a)) / channels(g) ** 2


def gram_sums(g: Moments, a: Moments) -> Scalar:
    """Sum of (G - A)^2 / (4 N^2 M^2), M of the image: eq. 4 of Gatys et al. 2016 with one M for both pictures.

    A style picture of twice the positions has twice the aim. `analysis.resolution.one_size` removes this.
    """
    return sse(g.second / g.mass, a.second / g.mass) / (4 * channels(g) ** 2)


def keras_error(g: Moments, a: Sized) -> Scalar:
    """Sum of (G - A)^2 / (4 * 3^2 * pixels^2): 3 channels and the image's own size at every layer."""
    return sse(g.second / a.pixels, a.moments.second / a.pixels) / (4 * 3**2)


SQUARES = (gram_mean, gram_quarter, gram_per_entry, gram_sum_per_entry, gram_sums, keras_error)
"""Of two pictures of one size, each is a multiple of each other: `analysis.translate` finds the factor."""


def shifted_gram(g: Moments, a: Moments) -> Scalar:
    """`gram_quarter` of F - 1: Novak & Nikulin 2016, arXiv 1605.04603."""
    return sse(gram(shift(g, by=-1.0)), gram(shift(a, by=-1.0))) / (4 * channels(g) ** 2)


def relative_gram(g: Moments, a: Moments) -> Scalar:
    """|G/M - A/M|^2 / |A/M|^2."""
    return sse(gram(g), gram(a)) / energy(gram(a))


def scaled_gram(g: Moments, a: Moments) -> Scalar:
    """Sum d^2 / sum |d|, d = G/M - A/M."""
    return scaled_error(gram(g), gram(a))


def gram_half(f: Activation, a: Moments) -> Scalar:
    """Sum of (G/(N M) - A/(N M))^2 / 2."""
    m = moments(f)
    return sse(gram(m) / channels(m), gram(a) / channels(m)) / 2


def gram_of_one_gradient(f: Activation, a: Moments) -> Scalar:
    """`gram_half`, its gradient with respect to the activation scaled to a mean |.| of 1."""
    return scale_gradient(gram_half, f, a)


def aim_at_moments(f: Activation, view: View) -> Moments:
    """The moments of the style picture, where a term measures the activation itself."""
    return moments(f)
