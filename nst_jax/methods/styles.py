"""Several style pictures, each with its share of the style."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from nst_jax.losses.term import Blend
from nst_jax.types import Image

MIXES = ("targets", "terms")


def shares_of(blend: Sequence[Any] | None, *, styles: int) -> list[float]:
    """The shares of so many styles, which sum to 1: equal ones for None; they are divided by their sum.

    Raises ValueError for another number of shares, one below 0, or a sum of 0.
    """
    given = [1.0] * styles if blend is None else [float(share) for share in blend]
    if not styles:
        return []
    if len(given) != styles:
        raise ValueError(
            f"style_blend has {len(given)} shares for {styles} style{'' if styles == 1 else 's'}: give one for each"
        )
    if not all(0 <= share < float("inf") for share in given) or not sum(given):
        raise ValueError(f"style_blend={given}: each share is a number, 0 or more, and one of them above 0")
    return [share / sum(given) for share in given]


def names_of(*, styles: int) -> tuple[str, ...]:
    """The names of the pictures and parts of the styles, where their terms are summed."""
    return ("style",) if styles == 1 else tuple(f"style_{i}" for i in range(1, styles + 1))


class Styles(NamedTuple):
    """Style pictures as the terms aim at them."""

    sources: dict[str, Image | Blend]  # by the names that the terms use
    shares: dict[str, float]  # of each part of the style
    whole: Image | Blend | None  # all of them as one


def arrange(styles: Sequence[Image], shares: Sequence[float], *, mix: str) -> Styles:
    """The style pictures, none, one or several, for the terms.

    mix: of several. targets: one aim at the blend of all; terms: a term for each style.

    Raises ValueError for another word.
    """
    if mix not in MIXES:
        raise ValueError(f"style_mix={mix!r}: {' or '.join(MIXES)}")
    if not styles:
        return Styles({}, {"style": 1.0}, None)
    if len(styles) == 1:
        return Styles({"style": styles[0]}, {"style": 1.0}, styles[0])
    blend = Blend(tuple(styles), jnp.asarray(shares, jnp.float32))
    if mix == "targets":
        return Styles({"style": blend}, {"style": 1.0}, blend)
    names = names_of(styles=len(styles))
    return Styles(dict(zip(names, styles, strict=True)), dict(zip(names, shares, strict=True)), blend)


def split_weights(weights: Mapping[str, Any], shares: Mapping[str, float]) -> dict[str, Any]:
    """Each weight of a style term as one for each style, times its share: the weights of `term.split`."""
    found: dict[str, Any] = {}
    for name, weight in weights.items():
        part, _, layer = name.rpartition("/")
        split = {f"{style}/{layer}": weight * share for style, share in shares.items()}
        found |= split if part == "style" else {name: weight}
    return found
