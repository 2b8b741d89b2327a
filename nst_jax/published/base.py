"""The records of published programs: `Convention`, `Losses`, `Profile`, `Program`, and what makes terms of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from nst_jax.losses.differences import errors
from nst_jax.losses.moments import Moments, mix, moments, rescale
from nst_jax.losses.term import IMAGE, Aim, Term, Terms, View, itself
from nst_jax.types import Axes, Image, Mask, Places, Scalar


def same(summary: Any, view: View) -> Any:
    """The summary of the style picture is the aim."""
    return summary


def one(channels: int, layers: int) -> float:
    """Each style layer counts 1."""
    return 1.0


def mean(channels: int, layers: int) -> float:
    """The mean over the style layers."""
    return 1 / layers


def aim_at_activation(view: View) -> Aim:
    """Aim at the activation itself, position by position."""
    return Aim(local=view.activation)


class AimAtSummary(NamedTuple):
    """Aim at what the term measures of the style picture. A value: two equal ones are one program."""

    measure: Callable[..., Any]  # (activation, None) -> the summary
    finish: Callable[[Any, View], Any]  # computed or drawn once, before the run

    def __call__(self, view: View) -> Aim:
        """The aim."""
        known = view.summary is not None
        return Aim(whole=self.finish(view.summary if known else self.measure(view.activation, None), view))

    def summary(self, activation: Any, mask: Mask | None, where: Places | None) -> Any:
        """The measure of the term at the positions that count. It sees no region."""
        return self.measure(activation, None, where=where)


class AimAtMoments(NamedTuple):
    """Aim at the moments of the style picture, or of several. A value: two equal ones are one program.

    A region of the image is compared as if both pictures had its part of their sizes: for means over positions, as the
    papers have them, the size does not matter; a sum keeps the proportion to the image's that it has as a whole.
    """

    finish: Callable[[Any, View], Any]  # computed or drawn once, before the run

    def __call__(self, view: View) -> Aim:
        """The aim."""
        return self.aim(self.moments_of(view), view)

    def blend(self, views: Sequence[View], shares: Array) -> Aim:
        """The aim at several pictures as one."""
        return self.aim(mix([self.moments_of(view) for view in views], shares), views[0])

    def summary(self, activation: Any, mask: Mask | None, where: Places | None) -> Moments:
        """The moments of the positions that count."""
        return moments(activation, mask, where)

    def moments_of(self, view: View) -> Moments:
        """The moments of the region of the style picture."""
        return moments(view.activation, view.where) if view.summary is None else view.summary

    def aim(self, style: Moments, view: View) -> Aim:
        """The aim at these moments, for the region of the image if there is one."""
        if view.mask is None:
            return Aim(whole=self.finish(style, view))
        part = view.mask.mean()
        height, width = view.activation.shape[:2]
        of_part = view._replace(pixels=part * view.pixels)
        return Aim(view.mask, self.finish(rescale(style, part * height * width), of_part))


class Alone(NamedTuple):
    """A comparison of an image with nothing. A value: two equal ones are one program."""

    function: Callable[..., Scalar]  # of the image; of the image and `wrap` where axes wrap
    wrap: tuple[int, ...] = ()  # the axes along which opposite borders meet

    def __call__(self, image: Image, aim: Any = None) -> Scalar:
        """The function of the image."""
        return self.function(image, self.wrap) if self.wrap else self.function(image)


def content(compare: Callable, measure: Callable = errors, *, additive: bool = True) -> Term:
    """A content term without its layer: compare(measure(F, P), None). By default it compares `Errors`."""
    return Term("content", "", measure, compare, additive, "content", aim_at_activation)


def style(compare: Callable, measure: Callable = moments, finish: Callable = same, *, additive: bool = True) -> Term:
    """A style term without its layer: compare(measure(F), finish(measure(A))). By default it compares `Moments`."""
    narrow = measure is moments
    aim = AimAtMoments(finish) if narrow else AimAtSummary(measure, finish)
    return Term("style", "", measure, compare, additive, "style", aim, narrow)


def smooth(function: Callable[[Image], Scalar]) -> Term:
    """A term of the image alone: its total variation."""
    return Term("tv", IMAGE, itself, Alone(function), additive=False)


def wrap_smooth(term: Term, *, axes: Axes) -> Term:
    """A term of `smooth` for a texture without a seam: opposite borders meet along these axes."""
    return term._replace(compare=term.compare._replace(wrap=axes))  # pyright: ignore[reportFunctionMemberAccess]


class Convention(NamedTuple):
    """One published way to compute the terms. Arrays in, a number out; the constants are the convention's own.

    Attributes:
      content_term: a content term without its layer.
      style_term: a style term without its layer.
      smooth_term: the term of the image alone; None where the source has none.
      share: (channels of a style layer, number of style layers) -> the layer's share of the style weight.
      others: further terms, each with its weight.
    """

    content_term: Term
    style_term: Term
    smooth_term: Term | None = None
    share: Callable[[int, int], float] = one
    others: tuple[tuple[Term, float], ...] = ()

    def content(self, layer: str) -> Term:
        """The content term of a layer."""
        return self.content_term._replace(name=f"content/{layer}", tap=layer)

    def style(self, layer: str) -> Term:
        """The style term of a layer."""
        return self.style_term._replace(name=f"style/{layer}", tap=layer)

    def terms(self, content_layers: Iterable[str], style_layers: Iterable[str]) -> Terms:
        """The terms of these layers, the smoothness term if there is one, and the others."""
        smooth = () if self.smooth_term is None else (self.smooth_term,)
        others = (term for term, _ in self.others)
        return (*map(self.content, content_layers), *map(self.style, style_layers), *smooth, *others)

    def weights(
        self,
        channels: Mapping[str, int],
        *,
        content_weight: Any,
        style_weight: Any,
        tv_weight: Any,
        content_layers: Mapping[str, Any],
        style_layers: Mapping[str, Any],
    ) -> dict[str, Scalar]:
        """Each term's weight: the part's weight, times the convention's share, times the layer's own factor.

        Args:
          channels: of each style layer.
          content_weight, style_weight, tv_weight: the parts' weights. tv_weight has no effect without a smooth term.
          content_layers, style_layers: each layer's factor.
        """
        many, found = len(style_layers), {}
        for layer, factor in content_layers.items():
            found[f"content/{layer}"] = content_weight * factor
        for layer, factor in style_layers.items():
            found[f"style/{layer}"] = style_weight * self.share(channels[layer], many) * factor
        if self.smooth_term is not None:
            found[self.smooth_term.name] = tv_weight
        found |= {term.name: weight for term, weight in self.others}
        return {name: jnp.float32(weight) for name, weight in found.items()}


class Losses(NamedTuple):
    """A convention by name, with the weights that its source gives it. It becomes conf/convention/NAME.yaml.

    Attributes:
      name: as in `convention=NAME`.
      source: repository or paper, in a line.
      convention: the terms.
      content_weight, style_weight, tv_weight: the parts' weights.
      same_as: the name of the convention that it is, with other weights; "": it is one of its own.
      notes: what else a user must know, in sentences.
    """

    name: str
    source: str
    convention: Convention
    content_weight: float
    style_weight: float
    tv_weight: float
    same_as: str = ""
    notes: tuple[str, ...] = ()


class Profile(NamedTuple):
    """Which layers are compared. It becomes conf/layers/NAME.yaml.

    Attributes:
      name: as in `layers=NAME`.
      source: repository or paper, in a line.
      content, style: the layers, and the factor of each on top of the convention's share.
    """

    name: str
    source: str
    content: Mapping[str, float]
    style: Mapping[str, float]


class Option(NamedTuple):
    """An option of a group of settings, and the settings of it that differ from the option's own."""

    name: str
    settings: tuple[tuple[str, float | int | bool | str], ...] = ()


def option(name: str, **settings: float | int | bool | str) -> Option:
    """An option and its settings: option("adam", learning_rate=0.02)."""
    return Option(name, tuple(settings.items()))


class Program(NamedTuple):
    """A published program with all of its settings. It becomes conf/preset/NAME.yaml.

    None leaves a setting at the default of conf/config.yaml, or at the convention's weight.

    Attributes:
      name: as in `+preset=NAME`.
      source: repository and commit, or paper, in a line.
      needs: which network weights it was made for.
      otherwise: what differs with other network weights.
      weights: the option of conf/weights that has them, and their preprocessing where it is not theirs.
      network: the name of the network.
      pool, rounding, padding: how the network pools, halves odd sides and pads.
      layers: the name of a `Profile`.
      convention: the name of a `Losses`.
      solver: the optimiser and its numbers.
      start: the first image and its numbers.
      size: pixels.
      size_rule: which side `size` is.
      style_scale: size of the style picture in parts of `size`.
      steps: iterations; at the first size, where there are several.
      scale: the sizes from coarse to fine, and what one hands on to the next.
      average: the decay of the mean of the iterates that is the result.
      content_weight, style_weight, tv_weight: the parts' weights, where they are not the convention's.
      output: settings of conf/output.
      not_reproduced: what the program does and this package does not, one phrase each.
      notes: what else a user must know, in sentences.
      remarks: on single settings, by key.
    """

    name: str
    source: str
    needs: str
    otherwise: str
    weights: Option
    network: str
    pool: str
    rounding: str
    padding: str
    layers: str
    convention: str
    solver: Option
    start: Option
    size: int | None = None
    size_rule: str | None = None
    style_scale: float | None = None
    steps: int | None = None
    scale: Option | None = None
    average: float | None = None
    content_weight: float | None = None
    style_weight: float | None = None
    tv_weight: float | None = None
    output: tuple[tuple[str, int], ...] = ()
    not_reproduced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()


# What differs with other weights: `Program.otherwise`. The 57 is the input's range: 255 times a deviation of 0.225
ORIGINAL = (
    "Keras', MatConvNet's and the Caffe files hold the same values (weights=keras | matconvnet | file). "
    "torchvision's are another training, with features about 57 times smaller: at the same weights content terms are "
    "57^2 times smaller and Gram terms 57^4 times."
)
TORCHVISION = (
    "With the original values (weights=keras) features are about 57 times larger: at the same weights content terms "
    "are 57^2 times larger and Gram terms 57^4 times."
)

# `Program.not_reproduced`, where several programs share it
STRETCH = "the style picture stretched to the content's shape"
SCIPY = "SciPy counts evaluations and stops by its own tolerances"
FORGET = "each round forgets the history of L-BFGS"
MEAN_COLOUR = "noise around the mean colour, here around mid-grey"

# `notes` of the programs that compare sums of two pictures
ONE_COUNT = (
    "Both Gram sums are divided by the image's number of positions, as in the source: a style picture of twice the "
    "positions has twice the aim. convention.positions=own divides each by its own number."
)
ONE_SIZE = (
    "Both Gram sums are divided by the image's height times width, as in the source: a style picture of twice the "
    "positions has twice the aim. convention.positions=own first scales its sum to the image's number of positions."
)
