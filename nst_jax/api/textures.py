"""More of a texture, in Python: what `nst texture=brick.jpg` makes."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.analysis.resolution import one_size
from nst_jax.api.networks import Network
from nst_jax.api.optimisers import Method
from nst_jax.api.problems import Task, as_image, weigh_parts, with_factors
from nst_jax.api.regions import windows_of
from nst_jax.api.results import Result
from nst_jax.api.runs import run
from nst_jax.extractors.base import Extractor, shapes
from nst_jax.images import starts
from nst_jax.losses import term as losses
from nst_jax.methods import texture as method
from nst_jax.methods import transfer
from nst_jax.methods.texture import Pattern
from nst_jax.types import Axes, Image

SIGMA = 0.1  # of the noise at the start: conf/canvas/noise.yaml
ONES = {"content_weight": 1.0, "style_weight": 1.0, "tv_weight": 1.0}


def pattern(
    *,
    smooth: float = 1.0,
    spectrum: float = 0.01,
    shifts: float = 100.0,
    autocorrelation: float = 0.0,
    layers: Sequence[str] = (),
    offsets: Sequence[int] = (4, 8, 16),
) -> Pattern:
    """The terms of a texture beside those of its style layers: see `methods.texture.Pattern`.

    The weights are meant for the convention `relative`. A weight of 0 leaves its term out. Without layers, the shifts
    and the autocorrelation are measured at the network's style layer of a stride of 4 pixels, VGG's relu3_1.
    """
    return Pattern(smooth, spectrum, shifts, autocorrelation, tuple(layers), tuple(offsets))


PATTERN = pattern()


def texture(
    net: Network,
    exemplar: Any,
    *,
    size: int | tuple[int, int] = 512,
    seamless: str = "both",
    solver: Method | None = None,
    steps: int = 300,
    seed: int = 0,
    progress: bool = True,
    **settings: Any,
) -> Result:
    """Make more of a texture, from noise: an image of any size whose borders meet.

        result = nst.texture(nst.load("distilled", pool="avg"), "brick", size=512)

    Args:
      net: by `load`; pool="avg" gives smoother textures.
      exemplar: a file, a bundled picture, or an image (height, width, 3) in [0, 1]. It keeps its size.
      size: of the longer side in pixels, with the exemplar's aspect; or (height, width). Sides that wrap are rounded up
        to what the poolings divide.
      seamless: both, x, y or none: which borders meet.
      solver, steps, progress: as for `run`.
      seed: of the noise, and of what a convention draws.
      **settings: of `texture_problem`: pattern, convention, ...
    """
    image = as_image("exemplar", read_whole(exemplar))
    posed = texture_problem(net, image, size=size, seamless=seamless, seed=seed, **settings)
    height, width = sides_of(net, image, posed.extractor.taps, size, axes_of(seamless))
    start = starts.noise(jax.random.key(seed), sigma=SIGMA, height=height, width=width)
    return run(posed, start, solver, steps=steps, progress=progress)


def texture_problem(
    net: Network,
    exemplar: Any,
    *,
    size: int | tuple[int, int] = 512,
    seamless: str = "both",
    pattern: Pattern = PATTERN,
    convention: str = "relative",
    style_weight: Any = None,
    style_layers: Mapping[str, float] | Sequence[str] | None = None,
    seed: int = 0,
) -> Task:
    """The problem of `texture`. Its parts are style and those of the pattern: `over` takes numbers for each.

    Args:
      net, exemplar, size, seamless: as for `texture`.
      pattern: made by `pattern`.
      convention, style_weight, style_layers, seed: as for `problem`.

    Raises:
      ValueError: a setting or a size that does not fit.
    """
    axes, image = axes_of(seamless), as_image("exemplar", read_whole(exemplar))
    compared, numbers = weigh_parts(convention, {"content_weight": 0.0, "style_weight": style_weight, "tv_weight": 0.0})
    factors = with_factors(style_layers, net.style_layers)
    if not pattern.layers and (pattern.shifts or pattern.autocorrelation):
        pattern = pattern._replace(layers=(method.suitable_layer(net.style_layers, partial(windows_of, net)),))
    compared = method.extend(one_size(compared), pattern, axes=axes)
    terms = compared.terms((), factors)
    extractor = net.extractor.clone(taps=losses.taps(terms))
    known = shapes(extractor, net.params, height=image.shape[0], width=image.shape[1])
    method.check_offsets(pattern, known)
    height, width = sides_of(net, image, extractor.taps, size, axes)
    inner = method.inner_masks(extractor.taps, partial(windows_of, net), image)
    key, of_image = transfer.aims_key(seed=seed), {"pixels": height * width, "shape": (height, width)}
    channels = {layer: shape[2] for layer, shape in known.items()}
    units = compared.weights(channels, **ONES, content_layers={}, style_layers=factors)
    own = {name: weight for name, weight in pattern._asdict().items() if name in map(losses.part, units)}
    return Task(
        extractor=pad(extractor, method.PADDING[axes]) if axes else extractor,
        terms=terms,
        params=net.params,
        aims=transfer.aims(extractor, terms, net.params, {"style": image}, key=key, masks={"style": inner}, **of_image),
        units={name: 1.0 if losses.part(name) in own else unit for name, unit in units.items()},
        parts={"style": numbers["style_weight"], "tv": 0.0, **own},
        content=None,
        style=image,
        facts={"weights": net.source, "convention": convention, "seamless": seamless, "pattern": str(pattern)},
    )


def axes_of(seamless: str) -> Axes:
    """The axes along which borders meet. Raises ValueError for an unknown word."""
    if seamless not in method.SEAMLESS:
        raise ValueError(f"seamless={seamless!r}: {', '.join(method.SEAMLESS)}")
    return method.SEAMLESS[seamless]


def sides_of(
    net: Network, image: Image, taps: Sequence[str], size: int | tuple[int, int], axes: Axes
) -> tuple[int, int]:
    """The height and width of the texture."""
    height, width = shape_of(image, size)
    return method.fit_sides(height=height, width=width, axes=axes, windows=[windows_of(net, tap) for tap in taps])


def shape_of(image: Image, size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width: as given, or those of the exemplar's aspect."""
    if not isinstance(size, int):
        return size
    height, width, _ = image.shape
    return max(1, round(size * height / max(height, width))), max(1, round(size * width / max(height, width)))


def pad(extractor: Extractor, padding: str) -> Any:
    """The network with another padding. Raises ValueError where it has none to choose."""
    if not hasattr(extractor, "padding"):
        raise ValueError('this network has no padding to choose, so that its borders cannot meet: seamless="none"')
    change: Any = getattr(extractor, "_replace", None) or extractor.clone
    return change(padding=padding)


def read_whole(image: Any) -> Any:
    """A picture by name or path, at its own size; an array stays as it is."""
    if not isinstance(image, str | Path):
        return image
    from nst_jax import pictures
    from nst_jax.shell.io import pictures as files

    return jnp.asarray(files.read(pictures.path(str(image)) if image in pictures.NAMES else image).image)
