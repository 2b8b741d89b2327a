"""More of a texture, in Python: what `nst texture=brick.jpg` makes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.analysis.resolution import one_size
from nst_jax.api.networks import Network
from nst_jax.api.optimisers import Method
from nst_jax.api.problems import Task, as_image, weigh_parts, with_factors
from nst_jax.api.regions import windows_of
from nst_jax.api.runs import Result, run
from nst_jax.extractors.base import Extractor, shapes
from nst_jax.images import starts
from nst_jax.losses import term as losses
from nst_jax.methods import texture as method
from nst_jax.methods import transfer
from nst_jax.methods.texture import Pattern
from nst_jax.types import Image

SIGMA = 0.1  # of the noise at the start: conf/canvas/noise.yaml


def texture(
    net: Network,
    exemplar: Any,
    *,
    size: int | tuple[int, int] = 512,
    solver: Method | None = None,
    steps: int = 300,
    seed: int = 0,
    progress: bool = True,
    **settings: Any,
) -> Result:
    """Make more of a texture: an image of any size whose borders meet.

    Args:
      net: by `load`; pool="avg" gives smoother textures.
      exemplar: a file, a bundled picture, or an image (height, width, 3) in [0, 1]. It keeps its size.
      size: of the longer side in pixels, with the exemplar's aspect; or (height, width).
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations.
      seed: of the noise at the start, and of what a convention draws.
      progress: show a progress bar.
      **settings: of `texture_problem`: seamless, spectrum, shifts, ...
    """
    posed, shape = pose(net, exemplar, size=size, seed=seed, **settings)
    start = starts.noise(jax.random.key(seed), sigma=SIGMA, height=shape[0], width=shape[1])
    return run(posed, start, solver, steps=steps, progress=progress)


def texture_problem(net: Network, exemplar: Any, *, size: int | tuple[int, int] = 512, **settings: Any) -> Task:
    """What `texture` minimises. The start is an image of the size that `texture` would give.

    Args:
      net: by `load`.
      exemplar: a file, a bundled picture, or an image.
      size: as for `texture`.
      **settings: seamless: both, x, y or none: which borders meet. smooth, spectrum, shifts, autocorrelation: the
        weights of the terms of `methods.texture.Pattern`; layers, offsets: of the last two. convention, style_weight,
        style_layers, seed: as for `problem`; the convention is `relative` if not said, for which the weights are meant.

    Raises:
      ValueError: a setting or a size that does not fit.
    """
    return pose(net, exemplar, size=size, **settings)[0]


def pose(
    net: Network,
    exemplar: Any,
    *,
    size: int | tuple[int, int],
    seamless: str = "both",
    smooth: float = 1.0,
    spectrum: float = 0.01,
    shifts: float = 100.0,
    autocorrelation: float = 0.0,
    layers: Sequence[str] = ("relu3_1",),
    offsets: Sequence[int] = (4, 8, 16),
    convention: str = "relative",
    style_weight: Any = None,
    style_layers: Mapping[str, float] | Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[Task, tuple[int, int]]:
    """The problem, and the height and width of its image."""
    if seamless not in method.SEAMLESS:
        raise ValueError(f"seamless={seamless!r}: {', '.join(method.SEAMLESS)}")
    axes, image = method.SEAMLESS[seamless], as_image("exemplar", read_whole(exemplar))
    pattern = Pattern(smooth, spectrum, shifts, autocorrelation, tuple(layers), tuple(offsets))
    compared, numbers = weigh_parts(convention, {"content_weight": 0.0, "style_weight": style_weight, "tv_weight": 0.0})
    compared = method.extend(one_size(compared), pattern, axes=axes)
    factors = with_factors(style_layers, net.style_layers)
    terms = compared.terms((), factors)
    extractor = net.extractor.clone(taps=losses.taps(terms))
    windows = lambda layer: windows_of(net, layer)
    height, width = shape_of(image, size)
    of_layers = [windows(tap) for tap in extractor.taps]
    sides = method.fit_sides(height=height, width=width, axes=axes, windows=of_layers)
    known = shapes(extractor, net.params, height=image.shape[0], width=image.shape[1])
    method.check_offsets(pattern, known)
    channels = {layer: shape[2] for layer, shape in known.items()}
    parts = {"content_weight": 1.0, "style_weight": 1.0, "tv_weight": 1.0}
    aims = transfer.aims(
        extractor,
        terms,
        net.params,
        {"style": image},
        pixels=sides[0] * sides[1],
        shape=sides,
        key=transfer.aims_key(seed=seed),
        masks={"style": method.inner_masks(extractor.taps, windows, image)},
    )
    task = Task(
        extractor=method.wrap(lambda padding: pad(extractor, padding), extractor, axes=axes),
        terms=terms,
        params=net.params,
        aims=aims,
        units=compared.weights(channels, **parts, content_layers={}, style_layers=factors),
        parts={losses.part(t.name): 1.0 for t in terms} | {"style": numbers["style_weight"], "tv": 0.0},
        content=None,
        style=image,
        facts={"weights": net.source, "convention": convention, "seamless": seamless, "pattern": str(pattern)},
    )
    return task, sides


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
