"""The meaning of weights at another size.

A sum over positions grows with the picture, a mean does not: a convention that adds a sum to a mean has another
balance at every size. `growth` measures how the gradient of each term grows, and `invariant` removes it.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nst_jax.losses.moments import Moments, Sized, rescale
from nst_jax.losses.term import Aim, Term, View
from nst_jax.published.base import Convention
from nst_jax.types import Scalar


class Growth(NamedTuple):
    """Exponents by term: its gradient grows as the number of pixels to this power, 0 for a mean, 1 for a sum."""

    content: float
    style: float
    smooth: float


class Times(NamedTuple):
    """A comparison times a number. A value: two equal ones are one program."""

    compare: Callable[..., Scalar]
    factor: float

    def __call__(self, measure: Any, aim: Any) -> Scalar:
        """The comparison, times the factor."""
        return self.factor * self.compare(measure, aim)


class OneSize(NamedTuple):
    """A comparison of moments, the aim's rescaled to the image's number of positions.

    It is the size-independent reading of a convention that compares sums. A value: two equal ones are one program.
    """

    compare: Callable[..., Scalar]

    def __call__(self, measure: Any, aim: Any) -> Scalar:
        """The comparison."""
        if isinstance(measure, Moments) and isinstance(aim, Moments | Sized):  # style_transfer_caffe measures F itself
            aim = rescale(aim, measure.mass)
        return self.compare(measure, aim)


def growth(convention: Convention) -> Growth:
    """How the gradient of each term grows with the number of pixels, to the nearest half power."""
    key = jax.random.key(0)
    f, p, image = (jax.random.uniform(k, (16, 12, n)) for k, n in zip(jax.random.split(key, 3), (5, 5, 3), strict=True))
    pairs = [(f, p), (jnp.concatenate([f, f]), jnp.concatenate([p, p]))]
    images = [(image, image), (jnp.concatenate([image, image]),) * 2]
    content, style, smooth = convention.content_term, convention.style_term, convention.smooth_term
    return Growth(power(content, pairs, key), power(style, pairs, key), power(smooth, images, key) if smooth else 0.0)


def power(term: Term, pairs: list[tuple[jax.Array, jax.Array]], key: jax.Array) -> float:
    """log2 of how much larger the sum of |gradient| is for twice the picture, rounded to halves; 0 for nothing."""
    sizes = []
    for f, p in pairs:
        aim = term.aim(View(p, f.shape[0] * f.shape[1], key)) if term.of else Aim()
        gradient = jax.jit(jax.grad(lambda f, aim=aim: term.value(f, aim)))(f)
        sizes.append(float(jnp.abs(gradient).sum()))
    return round(2 * math.log2(sizes[1] / sizes[0])) / 2 if sizes[0] else 0.0


def one_size(convention: Convention) -> Convention:
    """The convention with each Gram sum divided by its own picture's number of positions.

    cysmith, hwalsuklee, fzliu and the Keras family divide both sums by the image's, so that a style picture of
    another size is another aim.
    """
    term = convention.style_term
    if isinstance(term.compare, OneSize):
        return convention
    return convention._replace(style_term=term._replace(compare=OneSize(term.compare)))


def invariant(convention: Convention, *, pixels: int, reference: int) -> Convention:
    """The convention for images of `pixels`. Its weights mean the same as the published ones at `reference` pixels.

    A style picture of any size counts as one of the image's: see `one_size`.
    """
    own = growth(convention)
    content, style, smooth = (float((reference / pixels) ** power) for power in own)
    changed = one_size(convention)
    return changed._replace(
        content_term=scale(changed.content_term, factor=content),
        style_term=scale(changed.style_term, factor=style),
        smooth_term=changed.smooth_term and scale(changed.smooth_term, factor=smooth),
    )


def scale(term: Term, *, factor: float) -> Term:
    """The term times a number."""
    return term._replace(compare=Times(term.compare, factor))


def words(convention: Convention, *, pixels: int, reference: int) -> str:
    """The effect of `invariant`, in words."""
    own = growth(convention)
    times = {part: (reference / pixels) ** power for part, power in own._asdict().items() if power}
    if not times or pixels == reference:
        return (
            f"resolution=invariant changes no weight: {'the size is the reference' if times else 'all terms are means'}"
        )
    listed = ", ".join(f"{part} times {factor:.4g}" for part, factor in times.items())
    return f"resolution=invariant: {listed}, as for {reference} pixels instead of {pixels}"
