"""Statistics of two positions that are an offset apart: structure that is larger than the view of one position.

A Gram matrix asks which channels go together at a position. Cross-Gram matrices ask how each channel goes with every
channel so many positions further on (Berger & Memisevic 2017, arXiv 1606.01286). The autocorrelation asks how a channel
goes with itself at every offset (Sendik & Cohen-Or 2017, ACM TOG 36(5), "Deep correlations for texture synthesis").
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.losses.moments import Moments, mix, moments
from nst_jax.losses.term import Aim, Term, View, itself
from nst_jax.nn.lifted import Lifted
from nst_jax.nn.precision import product, widen
from nst_jax.types import Activation, Axes, Mask, Scalar

Shift = tuple[int, int]  # positions down and to the right
Offsets = Float[Array, "_ _ c"]  # the offset 0 is in the middle


def pair_moments(activation: Activation | Lifted, shift: Shift, wrap: Axes, mask: Mask | None = None) -> Moments:
    """The moments of the pairs f(p), f(p + shift): `second` is the sum of f(p) f(p + shift)^T, `first` that of f(p).

    Pairs are those within the activation, and along the axes of `wrap` those across its border. For a shift of 0 they
    are the moments.

    mask: a weight for each position; that of a pair is the product of both. Where no pair has one, all count.

    Raises ValueError where no pair is left.
    """
    if shift == (0, 0):
        return moments(activation, mask)
    few = activation.narrow if isinstance(activation, Lifted) else activation
    one, other = (x.reshape(-1, x.shape[-1]) for x in part_by(widen(few), shift, wrap))
    mass, first, last, second = jnp.float32(len(one)), one.sum(0), other.sum(0), product(one.T, other)
    if mask is not None:
        weight = jnp.prod(jnp.stack(part_by(mask, shift, wrap)), 0).reshape(-1)
        weight = jnp.where(weight.sum() > 0, weight, 1)[:, None]
        mass, first, last = weight.sum(), (weight * one).sum(0), (weight * other).sum(0)
        second = product((weight * one).T, other)
    if not isinstance(activation, Lifted):
        return Moments(mass, first, second)
    lift, offset = activation.lift, activation.offset
    first, last = product(first, lift), product(last, lift)
    around = jnp.outer(first, offset) + jnp.outer(offset, last) + mass * jnp.outer(offset, offset)
    return Moments(mass, first + mass * offset, product(lift.T, product(second, lift)) + around)


def part_by(f: Array, shift: Shift, wrap: Axes) -> tuple[Array, Array]:
    """The positions twice, cut or rolled so that one of the second is `shift` further than its fellow of the first."""
    one = other = f
    for axis, by in enumerate(shift):
        if axis in wrap:
            other = jnp.roll(other, -by, axis)
            continue
        length = f.shape[axis] - abs(by)
        if length < 1:
            raise ValueError(f"a shift of {by} needs more than {abs(by)} positions, and the layer has {f.shape[axis]}")
        one = lax.slice_in_dim(one, max(0, -by), max(0, -by) + length, axis=axis)
        other = lax.slice_in_dim(other, max(0, by), max(0, by) + length, axis=axis)
    return one, other


class PairMoments(NamedTuple):
    """The moments of the pairs of each shift: see `pair_moments`."""

    shifts: tuple[Shift, ...]
    wrap: Axes

    def __call__(self, activation: Activation | Lifted, local: Any = None) -> tuple[Moments, ...]:
        """The moments, shift by shift."""
        return tuple(pair_moments(activation, shift, self.wrap) for shift in self.shifts)


class AimAtPairs(NamedTuple):
    """Aim at the pairs of the style picture, or of several. The picture does not wrap."""

    shifts: tuple[Shift, ...]

    def __call__(self, view: View) -> Aim:
        """The aim."""
        return Aim(whole=self.pairs(view))

    def blend(self, views: Sequence[View], shares: Array) -> Aim:
        """The aim at several pictures as one."""
        each = [self.pairs(view) for view in views]
        return Aim(whole=tuple(mix(list(same), shares) for same in zip(*each, strict=True)))

    def pairs(self, view: View) -> tuple[Moments, ...]:
        """The moments of one picture, or of the part that counts, shift by shift."""
        return tuple(pair_moments(view.activation, shift, (), view.where) for shift in self.shifts)


class MeanOfShifts(NamedTuple):
    """The mean over the shifts of a comparison of moments: as many of them weigh as much as one."""

    compare: Callable[[Any, Any], Scalar]

    def __call__(self, g: tuple[Moments, ...], a: tuple[Moments, ...]) -> Scalar:
        """The mean."""
        return jnp.mean(jnp.stack([self.compare(*pair) for pair in zip(g, a, strict=True)]))


def shift_term(
    layer: str, *, shifts: tuple[Shift, ...], wrap: Axes, compare: Callable[[Moments, Moments], Scalar]
) -> Term:
    """The term `shifts/LAYER`: the layer's cross-Gram matrices. Berger & Memisevic 2017.

    Args:
      layer: whose activation is measured.
      shifts: positions of the layer, down and to the right: ((0, 8), (8, 0)). A shift and its opposite are one.
      wrap: the axes along which the borders of the image meet; the style picture's do not.
      compare: the Gram matrices: a function of `losses.grams`, the convention's own or `gram_quarter` as in the paper.
    """
    measure, aim = PairMoments(shifts, wrap), AimAtPairs(shifts)
    return Term(f"shifts/{layer}", layer, measure, MeanOfShifts(compare), False, "style", aim, narrow=True)


def autocorrelation(f: Activation, *, reach: Shift, wrap: Axes) -> Offsets:
    """The mean over positions p of f(p) f(p + offset), channel by channel, for each offset up to `reach` either way.

    By the Fourier transform of the activation, with zeros beyond the border and each sum divided by the number of its
    pairs; along the axes of `wrap` the pairs go across the border.
    """
    sides, f = f.shape[:2], widen(f)
    padded = [n if axis in wrap else n + reach[axis] for axis, n in enumerate(sides)]
    spectrum = jnp.fft.rfft2(f, s=padded, axes=(0, 1))
    sums = jnp.fft.irfft2(spectrum.real**2 + spectrum.imag**2, s=padded, axes=(0, 1))
    for axis, n in enumerate(sides):
        offsets = jnp.arange(-reach[axis], reach[axis] + 1)
        pairs = jnp.full(len(offsets), n) if axis in wrap else n - jnp.abs(offsets)
        sums = jnp.take(sums, offsets % padded[axis], axis) / jnp.expand_dims(pairs, [i for i in range(3) if i != axis])
    return sums


def half_of_sides(f: Activation) -> Shift:
    """The largest offsets compared: half the activation's sides, as in Sendik & Cohen-Or 2017."""
    return f.shape[0] // 2, f.shape[1] // 2


def aim_at_autocorrelation(view: View) -> Aim:
    """The autocorrelation of the style picture, which does not wrap."""
    f: Any = view.activation
    return Aim(whole=autocorrelation(f, reach=half_of_sides(f), wrap=()))


class AutocorrelationError(NamedTuple):
    """The comparison of an activation's autocorrelation with the style's, at the offsets that both have."""

    compare: Callable[[Array, Array], Scalar]
    wrap: Axes

    def __call__(self, f: Activation, aim: Offsets) -> Scalar:
        """The error."""
        middle = half_of_sides(aim)
        down, right = map(min, middle, half_of_sides(f))
        rows, columns = (slice(m - r, m + r + 1) for m, r in zip(middle, (down, right), strict=True))
        return self.compare(autocorrelation(f, reach=(down, right), wrap=self.wrap), aim[rows, columns])


def autocorrelation_term(layer: str, *, wrap: Axes, compare: Callable[[Array, Array], Scalar]) -> Term:
    """The term `autocorrelation/LAYER`: Sendik & Cohen-Or 2017, at pool2 of VGG-19 there.

    Args:
      layer: whose activation is measured.
      wrap: the axes along which the borders of the image meet; the style picture's do not.
      compare: the two arrays of offsets: a function of `losses.differences`, `sse` as published or `relative_error`.
    """
    compared = AutocorrelationError(compare, wrap)
    return Term(f"autocorrelation/{layer}", layer, itself, compared, False, "style", aim_at_autocorrelation)
