"""A photograph in the style of a painting: pictures are read, sized and recoloured, and the problem posed and run."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax.api.networks import Network, read
from nst_jax.api.optimisers import Method
from nst_jax.api.problems import add, as_image, problem
from nst_jax.api.regions import fit
from nst_jax.api.results import Result
from nst_jax.api.runs import run
from nst_jax.api.scales import Posed, Scales, run_scales
from nst_jax.extractors.base import see_gray
from nst_jax.images import starts
from nst_jax.images.colour import MODES, Mode, gray, with_chroma
from nst_jax.images.size import cover, resize
from nst_jax.losses.photo import laplacian_term
from nst_jax.methods.regions import Region
from nst_jax.published import LOOKS, Look
from nst_jax.published.looks import CONVENTION, NETWORKS, PLAIN, POOL, is_original
from nst_jax.types import Image


def stylise(
    net: Network,
    content: Any,
    style: Any,
    *,
    look: str | None = None,
    size: int = 512,
    style_scale: float | None = None,
    colour: str = "style",
    regions: Mapping[str, Region] | None = None,
    start: str | Any = None,
    solver: Method | None = None,
    steps: int = 300,
    scales: Scales | None = None,
    average: Any = None,
    seed: int = 0,
    progress: bool = True,
    **settings: Any,
) -> Result:
    """Paint a photograph in the style of a painting.

    Args:
      net: by `load`.
      content, style: files, bundled pictures by name, or images (height, width, 3) in [0, 1], which keep their size.
        style may be a list of several.
      look: gentle, balanced, strong or painterly: `published.LOOKS`. What it sets is a default of the other arguments.
      size: of a file's longer side, in pixels.
      style_scale: the style picture's size relative to `size`; larger strokes for larger values. 1 if not said.
      colour: whose colours the result has: style, luminance, match or keep; see `images.colour.MODES`.
      regions: parts of the photograph with styles of their own, by name, each made by `region`; a style may be a file.
      start: content, style, noise, blend, gray, white, or an image. The content if not said.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations; with `scales`, at the first size.
      scales: from coarse to fine, by `nst.scales`; None: all steps at one size.
      average: the decay of a mean of the iterates, which is then the result; None: the last one is.
      seed: of noise, and of what a convention draws.
      progress: show a progress bar.
      **settings: of `problem`: convention, style_weight, ...

    Raises:
      ValueError: an unknown name; a look with another convention or network than it is made for.
    """
    if colour not in MODES:
        raise ValueError(f"colour={colour!r}: {', '.join(MODES)}")
    styles = [each for each in (style if isinstance(style, list | tuple) else [style]) if each is not None]
    chosen = choose(look, net, settings.get("convention") or net.convention)
    given = Given(
        net=net,
        content=content,
        styles=styles,
        regions=regions or {},
        mode=MODES[colour],
        look=chosen,
        size=size,
        style_scale=scale_of(chosen, styles) if style_scale is None else style_scale,
        start=chosen.start or "content" if start is None else start,
        settings={"style_weight": chosen.style_weight} | settings | {"seed": seed},
        facts={"colour": colour} | ({"look": look} if look else {}),
    )
    how = {"steps": steps, "average": average, "progress": progress}
    if scales is None:
        posed = pose(given)
        result, photo = run(posed.task, posed.start, solver, **how), posed.photo
    else:
        result, photo = run_scales(scales, longest(given), partial(pose, given), solver, **how)
    return result._replace(image=with_chroma(result.image, photo)) if given.mode.restored else result


class Given(NamedTuple):
    """The input of `stylise`, as given: pictures may be files."""

    net: Network
    content: Any
    styles: Sequence[Any]
    regions: Mapping[str, Region]
    mode: Mode
    look: Look
    size: int  # of a file, in pixels
    style_scale: float
    start: Any  # a name, or an image
    settings: Mapping[str, Any]  # of `problem`
    facts: Mapping[str, Any]


def longest(given: Given) -> int:
    """Pixels of the longer side of the result."""
    return given.size if isinstance(given.content, str | Path) else max(np.shape(given.content)[:2])


def pose(given: Given, scale: float = 1.0) -> Posed:
    """The problem and its start, at a part of the size. Each picture is taken from the original."""
    mode, of_style = given.mode, max(1, round(given.size * scale * given.style_scale))
    photo = shrink(as_image("content", read(given.content, max(1, round(given.size * scale)))), given.content, scale)
    pictures = [shrink(as_image("style", read(each, of_style)), each, scale) for each in given.styles]
    paintings = [mode.style(each, photo) for each in pictures]
    regions = {name: paint(one, mode, photo, of_style, scale) for name, one in given.regions.items()}
    net = given.net._replace(params=see_gray(given.net.params)) if mode.gray else given.net
    content = mode.content(photo)
    task = problem(net, content, paintings or None, regions=regions, **given.settings)
    task = task._replace(facts={**task.facts, **given.facts})
    if given.look.laplacian:
        task = add(task, laplacian_term(pool=POOL), weight=given.look.laplacian)
    start = begin(given.start, content, paintings, scale=scale, seed=given.settings["seed"])
    return Posed(task, gray(start) if mode.gray else start, photo)


def shrink(image: Image, given: Any, scale: float) -> Image:
    """An array at a part of its size. A file was read at it."""
    if scale == 1 or isinstance(given, str | Path):
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return resize(image, height=height, width=width)


def paint(region: Region, mode: Mode, photo: Image, size: int, scale: float) -> Region:
    """The region with its style read, and recoloured as the mode treats the styles of a whole picture."""
    if region.style is None:
        return region
    style = shrink(as_image("style", read(region.style, size)), region.style, scale)
    fitted = fit({"": region._replace(style=style)}, photo)[""]
    return fitted._replace(style=mode.style(style, photo, fitted.mask, fitted.style_mask))


def choose(look: str | None, net: Network, convention: str) -> Look:
    """A look by name. Raises ValueError for an unknown name, and where its numbers mean something else."""
    if look is None:
        return PLAIN
    if look not in LOOKS:
        raise ValueError(f"look={look!r}: {', '.join(LOOKS)}")
    if net.convention != CONVENTION or not is_original(net.params):
        raise ValueError(f"look={look!r} is made for the original values of VGG: {', '.join(NETWORKS)}")
    if convention != CONVENTION:
        raise ValueError(f"look={look!r} is made for convention={CONVENTION!r}, not {convention!r}")
    return LOOKS[look]


def scale_of(look: Look, styles: Sequence[Any]) -> float:
    """The look's scale of the style pictures. Raises ValueError for arrays, which keep their size."""
    if look.style_scale and not all(isinstance(each, str | Path) for each in styles):
        scale = f"{look.style_scale:g}"
        raise ValueError(
            f"look={look.name!r} has the style picture at {scale} x size, and an array keeps its size: give a file, or "
            "style_scale=1 beside an array of that size"
        )
    return look.style_scale or 1.0


def begin(start: Any, content: Image, styles: Sequence[Image], *, scale: float, seed: int) -> Image:
    """The first image, by name, at the content's shape. Raises ValueError for an unknown name.

    An image is taken as it is; at a part of the size it is brought to the content's shape.
    """
    shape = {"height": content.shape[0], "width": content.shape[1]}
    if not isinstance(start, str):
        return jnp.asarray(start) if scale == 1 else resize(as_image("start", start), **shape)
    named = {
        "content": lambda: content,
        "style": lambda: cover(styles[0], **shape),
        "noise": lambda: starts.noise(jax.random.key(seed), sigma=0.1, **shape),
        "blend": lambda: starts.blend(jax.random.key(seed), content, ratio=0.6, spread=0.0784),
        "gray": lambda: starts.plain(level=0.5, **shape),
        "white": lambda: starts.plain(level=1.0, **shape),
    }
    if start not in named:
        raise ValueError(f"start={start!r}: {', '.join(named)}, or an image")
    return named[start]()
