"""What weights mean at another size.

A sum over positions grows with the picture, a mean does not: a convention that adds a sum to a mean has
another balance at every size. How a term's pull grows is measured, and taken out.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nst_jax.losses import Convention, Moments
from nst_jax.types import Scalar


class Growth(NamedTuple):
    """The power of the number of pixels with which the pull of each term grows: 0 for a mean, 1 for a sum."""

    content: float
    style: float
    smooth: float


class Times(NamedTuple):
    """A term times a number. A value: two equal ones are one program."""

    term: Callable[..., Scalar]
    factor: float

    def __call__(self, *parts: Any) -> Scalar:
        """The term of these parts, times the factor."""
        return self.factor * self.term(*parts)


class OneSize(NamedTuple):
    """A style term whose target counts as many positions as the image has, whatever the style picture's size."""

    style: Callable[..., Scalar]

    def __call__(self, seen: Any, target: Any, *rest: Any) -> Scalar:
        """The term, the moments of the target rescaled to the image's number of positions."""
        if isinstance(target, Moments):
            target = jax.tree.map(lambda x: x * (seen.mass / target.mass), target)
        return self.style(seen, target, *rest)


def growth(convention: Convention) -> Growth:
    """How each term's pull on the image grows with the number of pixels, to the nearest half."""
    key = jax.random.key(0)
    f, p, image = (jax.random.uniform(k, (16, 12, n)) for k, n in zip(jax.random.split(key, 3), (5, 5, 3), strict=True))
    twice = [jnp.concatenate([x, x]) for x in (f, p, image)]

    def style(f: jax.Array, a: jax.Array) -> Scalar:
        aim = convention.aim(key, convention.summary(a))
        return convention.style(convention.summary(f), aim, f.shape[0] * f.shape[1])

    pair = (f, p), twice[:2]
    return Growth(power(convention.content, *pair), power(style, *pair), power(convention.smooth, (image,), twice[2:]))


def power(term: Callable[..., Scalar], once: Any, twice: Any) -> float:
    """log2 of how much larger the sum of |gradient| is for twice the picture, rounded to halves; 0 for nothing."""
    pull = jax.jit(lambda *parts: jnp.abs(jax.grad(term)(*parts)).sum())
    small, large = float(pull(*once)), float(pull(*twice))
    return round(2 * math.log2(large / small)) / 2 if small else 0.0


def invariant(convention: Convention, *, pixels: int, reference: int) -> Convention:
    """The convention for images of `pixels`, whose weights mean what the published ones mean at `reference` pixels.

    A style picture of any size counts as one of the image's.
    """
    own = growth(convention)
    content, style, smooth = (float((reference / pixels) ** power) for power in own)
    return convention._replace(
        content=Times(convention.content, content),
        style=Times(OneSize(convention.style), style),
        smooth=Times(convention.smooth, smooth),
    )


def words(convention: Convention, *, pixels: int, reference: int) -> str:
    """What `invariant` does, for a person to read."""
    own = growth(convention)
    times = {part: (reference / pixels) ** power for part, power in own._asdict().items() if power}
    if not times or pixels == reference:
        return (
            f"resolution=invariant changes no weight: {'the size is the reference' if times else 'all terms are means'}"
        )
    listed = ", ".join(f"{part} times {factor:.4g}" for part, factor in times.items())
    return f"resolution=invariant: {listed}, as for {reference} pixels instead of {pixels}"
