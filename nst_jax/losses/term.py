"""A loss is a tuple of named terms. Each measures one layer, or the image itself, and compares it with an aim.

    total = sum over terms of  weights[name] * compare(measure(activation, aim.local), aim.whole)

A `Term` is static: it shapes the program. Aims and weights are arrays: they are traced, and may be swept, vmapped and
differentiated.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from nst_jax.nn.lifted import Lifted, dense
from nst_jax.types import Activation, Image, Mask, Scalar

IMAGE = "image"  # the tap of a term that measures the image itself


class Aim(NamedTuple):
    """The target of a term."""

    local: Any = None  # laid out like the activation and cut with it: the photograph's activation, a mask
    whole: Any = None  # not laid out so: a Gram matrix, a distribution


class View(NamedTuple):
    """The inputs of an aim."""

    activation: (
        Activation | Lifted
    )  # of the picture aimed at, at the term's tap; the picture itself for the tap "image"; its shape beside a summary
    pixels: int | Scalar  # height times width of the image to be made
    key: Array | None  # for aims that draw a part of themselves
    shape: tuple[int, int] | None = None  # height and width of the image to be made; None: not said
    mask: Mask | None = None  # of the region of the image that the term is about, at its tap; None: all of it
    where: Mask | None = None  # of the region of the picture aimed at; None: all of it
    summary: Any = None  # what the aim's `summary` gives of the activation, where it was added up in tiles before


class Blend(NamedTuple):
    """Several pictures as one aim."""

    pictures: tuple[Image, ...]
    shares: Array  # of each; they sum to 1


class CannotBlend(ValueError):
    """A term cannot aim at several pictures as one."""


def no_aim(view: View) -> Aim:
    """Aim at nothing: a term that looks at the image alone."""
    return Aim()


def itself(x: Any, local: Any = None) -> Any:
    """Measure nothing: keep the array as it is."""
    return x


class Term(NamedTuple):
    """One named part of the objective. It is hashable: its functions belong to a module, or are values themselves.

    Attributes:
      name: "content/relu4_2", "style/relu1_1", "sky/style/relu1_1", "tv". What stands before the last slash is the
        part that it belongs to.
      tap: the layer whose activation is measured; "image": the image itself.
      measure: (activation, aim.local) -> a tree of arrays. Where the term is additive, the trees of two pieces of an
        activation add up to the tree of the whole. To be computed in tiles, it also takes `where`, (height, width):
        the positions that count.
      compare: (measure of the whole, aim.whole) -> the unweighted value.
      additive: False: the term needs all positions at once, and cannot be computed in tiles.
      of: the picture that it aims at: "content", "style". "": none.
      aim: a view of that picture -> the aim. Where it can aim at a `Blend`, it has a method `blend`: (a view of each
        picture, their shares) -> the aim. Where it needs no more of an activation than sums, it has a method `summary`:
        (activation, the mask `view.where`, the positions that count) -> sums, which it takes from `view.summary`.
      narrow: `measure` and `aim` take a `Lifted` activation as it is. For all others it is lifted before.
    """

    name: str
    tap: str
    measure: Callable[..., Any]
    compare: Callable[[Any, Any], Scalar]
    additive: bool = True
    of: str = ""
    aim: Callable[[View], Aim] = no_aim
    narrow: bool = False

    def see(self, activation: Array | Lifted) -> Any:
        """The activation as the term takes it."""
        return activation if self.narrow else dense(activation)

    def blend(self, views: Sequence[View], shares: Array) -> Aim:
        """The aim at several pictures as one. Raises CannotBlend where the term compares no moments."""
        if not hasattr(self.aim, "blend"):
            raise CannotBlend(f"{self.name} compares no moments: it cannot aim at several pictures as one")
        return self.aim.blend(views, shares)  # pyright: ignore[reportFunctionMemberAccess]

    def value(self, activation: Array | Lifted, aim: Aim) -> Scalar:
        """The unweighted value of the term."""
        return self.compare(self.measure(self.see(activation), aim.local), aim.whole)


Terms = tuple[Term, ...]


def values(
    terms: Terms, aims: Mapping[str, Aim], activations: Mapping[str, Array | Lifted], image: Image
) -> dict[str, Scalar]:
    """The unweighted value of each term, by name.

    Args:
      terms: the terms, of different names.
      aims: an aim for each term that has one, by the term's name.
      activations: of the image, by layer name.
      image: the image.

    Raises:
      ValueError: two terms of one name.
    """
    check_names(terms)
    taps = {**activations, IMAGE: image}
    return {term.name: term.value(taps[term.tap], aims.get(term.name, Aim())) for term in terms}


def check_names(terms: Terms) -> None:
    """Raise ValueError for two terms of one name."""
    if len({term.name for term in terms}) < len(terms):
        raise ValueError(f"two terms have one name: {', '.join(term.name for term in terms)}")


def total(weights: Mapping[str, Any], values: Mapping[str, Any]) -> Scalar:
    """The sum of weight times value. Raises ValueError for a name that only one of the two has."""
    if alone := sorted(weights.keys() ^ values.keys()):
        raise ValueError(f"terms and weights do not match: {', '.join(alone)}")
    return jax.tree.reduce(jnp.add, [weights[name] * value for name, value in values.items()])


def split(terms: Terms, *, of: str, into: Sequence[str]) -> Terms:
    """The terms, each one that aims at the picture `of` as one for each of several pictures: "style_2/relu1_1".

    Each has the name of its picture as its part.
    """
    if tuple(into) == (of,):
        return terms
    found: list[Term] = []
    for one in terms:
        layer = one.name.rpartition("/")[2]
        found += [one._replace(name=f"{name}/{layer}", of=name) for name in into] if one.of == of else [one]
    return tuple(found)


def part(name: str) -> str:
    """The part that a term belongs to: "content" of "content/relu4_2", "sky/style" of "sky/style/relu1_1"."""
    return name.rpartition("/")[0] or name


def sum_parts(values: Mapping[str, Any]) -> dict[str, Any]:
    """The sum of the values of each part, in order."""
    sums: dict[str, Any] = {}
    for name, value in values.items():
        sums[part(name)] = sums[part(name)] + value if part(name) in sums else value
    return sums


def taps(terms: Iterable[Term], of: str | None = None) -> tuple[str, ...]:
    """The layers that the terms measure, each once, in order; of: only those of terms that aim at this picture."""
    chosen = (term.tap for term in terms if of is None or term.of == of)
    return tuple(dict.fromkeys(tap for tap in chosen if tap != IMAGE))
