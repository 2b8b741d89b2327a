"""Problems: one of published terms, one with a term of your own, many that differ in weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from nst_jax.api.networks import Network
from nst_jax.api.optimisers import Method, lbfgs
from nst_jax.api.regions import divide
from nst_jax.extractors.base import Extractor, shapes
from nst_jax.extractors.softmax import check_sizes
from nst_jax.losses import term as losses
from nst_jax.losses.term import Aim, Blend, Term, Terms
from nst_jax.methods import transfer
from nst_jax.methods.regions import Region
from nst_jax.methods.styles import arrange, shares_of, split_weights
from nst_jax.methods.transfer import Kept, Masks, Problem, Spec
from nst_jax.published import LOSSES
from nst_jax.published.base import Convention, Losses
from nst_jax.types import Image

LARGEST = 2.0  # of an image in [0, 1] that was sharpened or that an optimiser left
PARTS = {"content_weight": "content", "style_weight": "style", "tv_weight": "tv"}  # a keyword -> the part it weighs


class Task(NamedTuple):
    """A problem: what is minimised, and everything that it is made of. The image and the optimiser come with `run`."""

    extractor: Extractor  # tapped at the layers of the terms
    terms: Terms
    params: Any
    aims: Mapping[str, Aim]  # by the term's name
    units: Mapping[str, Any]  # each term's weight if its part has the weight 1
    parts: Mapping[str, Any]  # each part's weight; an array of one dimension has a number for each lane
    content: Image | None
    style: Image | Blend | None
    facts: Mapping[str, Any]  # what a saved picture says it came from
    kept: Kept | None = None  # what stays of the content picture

    @property
    def weights(self) -> dict[str, Array]:
        """Each term's weight, by name."""
        return {name: jnp.float32(unit * self.parts[losses.part(name)]) for name, unit in self.units.items()}


def problem(
    net: Network,
    content: Any,
    style: Any,
    *,
    style_blend: Sequence[Any] | None = None,
    style_mix: str = "targets",
    regions: Mapping[str, Region] | None = None,
    carry: str = "simple",
    weigh: str = "area",
    convention: str | None = None,
    content_weight: Any = None,
    style_weight: Any = None,
    tv_weight: Any = None,
    content_layers: Mapping[str, float] | Sequence[str] | None = None,
    style_layers: Mapping[str, float] | Sequence[str] | None = None,
    seed: int = 0,
) -> Task:
    """A problem to minimise: terms, aims and weights.

    Args:
      net: the network.
      content: an image (height, width, 3) in [0, 1], or None with content_weight=0.
      style: an image, of any size, a list of images, or None with style_weight=0.
      style_blend: the share of each style in the list; equal if not said. They are divided by their sum.
      style_mix: targets: one aim at the blend of all styles; terms: a part for each style, style_1, style_2, ..., which
        `over` can weigh. Squares of Gram matrices have the same gradient either way.
      regions: by name, each made by `region`. `style` takes what they leave; with style=None the content picture stays
        there. A region's terms are a part of their own, "sky/style".
      carry: how masks reach the layers: simple, inside or all; see `methods.regions.carry_by`.
      weigh: area or equal: how much each region counts; see `methods.regions.divide`.
      convention: a published way to compute the losses; the network's own if not said.
      content_weight, style_weight, tv_weight: the parts' weights; the convention's published ones if not said.
      content_layers, style_layers: layers, or layers with their factors; the network's own if not said.
      seed: of what a convention draws.

    Raises:
      ValueError: a picture or a layer that does not fit.
    """
    name = convention or net.convention
    given = {"content_weight": content_weight, "style_weight": style_weight, "tv_weight": tv_weight}
    compared, numbers = weigh_parts(name, given)
    photo, images = as_pictures(content, style, numbers, painted=bool(regions))
    shares = shares_of(style_blend, styles=len(images))
    styles = arrange(images, shares, mix=style_mix)
    factors = {
        "content_layers": {} if photo is None else with_factors(content_layers, net.content_layers),
        "style_layers": with_factors(style_layers, net.style_layers) if images or regions else {},
    }
    terms = compared.terms(*factors.values())
    extractor = net.extractor.clone(taps=losses.taps(terms))
    own = {} if photo is None else {"content": photo}
    units = unit_weights(compared, extractor, net.params, own | styles.sources, factors)
    divided = divide(net, terms, units, regions or {}, styles, photo, carry=carry, weigh=weigh)
    terms = losses.split(divided.terms, of="style", into=tuple(styles.shares))
    pictures, key = own | divided.styles.sources, transfer.aims_key(seed=seed)
    said = numbers | ({"style_blend": shares, "style_mix": style_mix} if len(images) > 1 else {})
    said |= {"regions": ", ".join(regions), "carry": carry, "weigh": weigh} if regions else {}
    return Task(
        extractor=extractor,
        terms=terms,
        params=net.params,
        aims=measure_aims(extractor, terms, net.params, pictures, key=key, masks=divided.masks),
        units=split_weights(divided.units, dict.fromkeys(styles.shares, 1.0)),
        parts=share_parts(numbers, divided.styles.shares),
        content=photo,
        style=divided.styles.whole,
        facts={"weights": net.source, "convention": name, **{k: str(v) for k, v in said.items()}},
        kept=divided.kept,
    )


def share_parts(numbers: Mapping[str, Any], shares: Mapping[str, float]) -> dict[str, Any]:
    """Each part's weight, that of the style divided among its parts."""
    style = {part: numbers["style_weight"] * share for part, share in shares.items()}
    return {"content": numbers["content_weight"], **style, "tv": numbers["tv_weight"]}


def weigh_parts(name: str, given: Mapping[str, Any]) -> tuple[Convention, dict[str, Any]]:
    """A convention by name, and the weight of each part: the given one, or the published one for None.

    Raises ValueError for an unknown name, or a weight of smoothness where the convention has no such term.
    """
    record = losses_of(name)
    numbers = {k: getattr(record, k) if v is None else v for k, v in given.items()}
    if record.convention.smooth_term is None and np.any(numbers["tv_weight"]):
        raise ValueError(f"tv_weight has no effect: {name} has no smoothness term")
    return record.convention, numbers


def size_of(pictures: Mapping[str, Image | Blend]) -> tuple[int, int]:
    """Height and width of the image to make: the content picture's, or the style picture's if no content is given."""
    first = next(iter(pictures.values()))
    height, width, _ = (first.pictures[0] if isinstance(first, Blend) else first).shape
    return height, width


def measure_aims(
    extractor: Extractor,
    terms: Terms,
    params: Any,
    pictures: Mapping[str, Image | Blend],
    *,
    key: Array | None = None,
    masks: Mapping[str, Masks] | None = None,
) -> dict[str, Aim]:
    """The aims of the terms, by name. key: for their random numbers; masks: of the regions."""
    height, width = size_of(pictures)
    used = {name: pictures[name] for name in dict.fromkeys(t.of for t in terms if t.of)}
    for picture in used.values():
        for one in picture.pictures if isinstance(picture, Blend) else (picture,):
            check_sizes(extractor, image=(height, width), picture=(one.shape[0], one.shape[1]))
    return transfer.aims(
        extractor, terms, params, used, pixels=height * width, key=key, shape=(height, width), masks=masks
    )


def unit_weights(
    convention: Convention,
    extractor: Extractor,
    params: Any,
    pictures: Mapping[str, Image | Blend],
    factors: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """Each term's weight if its part has the weight 1. A convention may divide by the channels of a layer."""
    height, width = size_of(pictures)
    channels = {k: s[2] for k, s in shapes(extractor, params, height=height, width=width).items()}
    return dict(convention.weights(channels, content_weight=1.0, style_weight=1.0, tv_weight=1.0, **factors))


def add(problem: Task, term: Term, *, weight: Any, aim: Aim | None = None) -> Task:
    """The problem with one more term.

    Args:
      problem: the problem.
      term: of a name that no other term has.
      weight: of the term.
      aim: what it compares with; None: made from the problem's pictures, by the term.
    """
    terms = (*problem.terms, term)
    extractor = problem.extractor.clone(taps=losses.taps(terms))
    if aim is None:
        pictures = {k: v for k, v in (("content", problem.content), ("style", problem.style)) if v is not None}
        own = measure_aims(extractor, (term,), problem.params, pictures)
    else:
        own = {term.name: aim}
    return problem._replace(
        extractor=extractor,
        terms=terms,
        aims={**problem.aims, **own},
        units={**problem.units, term.name: weight},
        parts={losses.part(term.name): 1.0, **problem.parts},
    )


def over(problem: Task, **numbers: Any) -> Task:
    """Many problems that differ in weights: lanes of one program.

    Args:
      problem: the problem.
      **numbers: content_weight, style_weight, tv_weight, or another part's name; arrays of one length.

    Raises:
      ValueError: an unknown name, or arrays of several lengths.
    """
    changed = {part: jnp.asarray(value) for name, value in numbers.items() for part in parts_of(problem, name)}
    for name, value in changed.items():
        if name not in problem.parts:
            raise ValueError(f"over: there is no {name}; the parts: {', '.join(problem.parts)}")
        if value.ndim != 1:
            raise ValueError(f"over: {name} must be an array of one dimension, a number for each lane")
    if len({len(value) for value in changed.values()}) > 1:
        raise ValueError("over: all arrays must have one length, the number of lanes")
    return problem._replace(parts={**problem.parts, **changed})


def parts_of(problem: Task, name: str) -> list[str]:
    """The parts that a number of this name weighs: style_weight weighs the style of every region, too."""
    part = PARTS.get(name, name)
    regions = [known for known in problem.parts if name == "style_weight" and known.endswith("/style")]
    return ([part] if part in problem.parts or not regions else []) + regions


def split(problem: Task, solver: Method | None = None, *, average: Any = None) -> tuple[Spec, Problem]:
    """The static part of a problem and its numbers: for the pure functions `values`, `objective`, `begin`, `advance`.

    Args:
      problem: by `problem`.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      average: the decay of a mean of the iterates, which is then the result; None: the last one is.
    """
    method = lbfgs() if solver is None else solver
    spec = Spec(problem.extractor, problem.terms, method.solver, method.options)
    decay, kept = None if average is None else jnp.float32(average), problem.kept
    return spec, Problem(problem.params, dict(problem.aims), problem.weights, dict(method.numbers), kept, decay)


def losses_of(name: str) -> Losses:
    """A convention's record: its terms and its published weights. Raises ValueError for an unknown name."""
    if name not in LOSSES:
        from nst_jax.shell.names import suggest

        raise ValueError(f"there is no convention {name}.{suggest(name, LOSSES)} The names: {', '.join(LOSSES)}")
    return LOSSES[name]


def as_image(name: str, image: Any) -> Image:
    """An image as float32. Raises ValueError for another shape or range."""
    if isinstance(image, str | Path):
        raise ValueError(
            f"{name}: an array, not the name {str(image)!r}; a file is read by nst.picture({str(image)!r})"
        )
    array = jnp.asarray(image)
    if array.ndim != 3 or array.shape[2] != 3:
        wanted = f"{name}: an image is (height, width, 3), not {array.shape}"
        raise ValueError(f"{wanted}; {advise(array.shape)}")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(f"{name}: an image is RGB in [0, 1] as floats, not {array.dtype}; divide by 255")
    if not isinstance(array, Tracer) and float(array.max()) > LARGEST:
        raise ValueError(f"{name}: an image is RGB in [0, 1], and this has {float(array.max()):g}; divide by 255")
    return array.astype(jnp.float32)


def advise(shape: tuple[int, ...]) -> str:
    """Advice for an array that has not the shape of an image."""
    if len(shape) == 4:
        return "a batch: give one picture; many starts go to nst.run(problem, starts)"
    if len(shape) == 3 and shape[0] == 3:
        return "channels come last: image.transpose(1, 2, 0)"
    if len(shape) == 3 and shape[2] == 4:
        return "its last channel is the transparency: image[..., :3]"
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == 1):
        return "it is gray: repeat it three times along the last axis"
    return "a file is read by nst.picture"


def as_pictures(
    content: Any, style: Any, weights: Mapping[str, Any], *, painted: bool
) -> tuple[Image | None, list[Image]]:
    """The content picture, and the style pictures: none, one or several. painted: whether regions have a style.

    Raises ValueError where one is missing that counts.
    """
    styles = list(style) if isinstance(style, list | tuple) else [style]
    styles = [] if styles == [None] else styles
    for name, missing in (("content", content is None), ("style", not styles and not painted)):
        if missing and np.any(weights[f"{name}_weight"]):
            raise ValueError(f"{name}=None needs {name}_weight=0")
    if content is None and not styles:
        raise ValueError("content=None and style=None: there is nothing to aim at")
    return None if content is None else as_image("content", content), [as_image("style", image) for image in styles]


def with_factors(layers: Mapping[str, float] | Sequence[str] | None, own: Mapping[str, float]) -> Mapping[str, float]:
    """Layers with their factors: 1 where none is said, the network's own where no layer is said."""
    if layers is None:
        return own
    return layers if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
