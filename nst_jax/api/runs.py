"""A problem, minimised: one run, or many as lanes; a photograph and a painting; a sweep."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from nst_jax.api.networks import Network, picture
from nst_jax.api.optimisers import Method, adam, lbfgs, solver_name
from nst_jax.api.problems import PARTS, Task, add, as_image, problem, split
from nst_jax.api.progress import step_through, step_through_lanes
from nst_jax.api.regions import fit
from nst_jax.api.results import Result
from nst_jax.api.scales import Posed, Scales, run_scales
from nst_jax.extractors.base import see_gray
from nst_jax.images import starts
from nst_jax.images.colour import MODES, Mode, gray, with_chroma
from nst_jax.images.size import cover, resize
from nst_jax.losses.photo import laplacian_term
from nst_jax.methods import transfer
from nst_jax.methods.regions import Region
from nst_jax.methods.transfer import Problem
from nst_jax.parallel import lanes
from nst_jax.published import LOOKS, Look
from nst_jax.published.looks import CONVENTION, NETWORKS, PLAIN, POOL, is_original
from nst_jax.types import Image


def run(
    problem: Task,
    start: Any = None,
    solver: Method | None = None,
    *,
    steps: int = 300,
    average: Any = None,
    at_once: int | None = None,
    mesh: Mesh | None = None,
    progress: bool = True,
) -> Result:
    """Minimise: from a start, by an optimiser, so many iterations.

    A run that ends above its start keeps its best image, with a warning; its last one with progress=False, at_once or
    a mesh.

    Args:
      problem: by `problem`, or many by `over`.
      start: an image, or one for each lane (lanes, height, width, 3); None: the content picture.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations.
      average: the decay of a mean of the iterates, which is then the result; None: the last one is.
      at_once: lanes computed side by side at most; None: all.
      mesh: devices: lanes along its axis `lanes`, the rows of an image along `rows` (docs/big.md).
      progress: show a progress bar. False: the whole run is one pure function, to be jitted and differentiated.
    """
    method = lbfgs() if solver is None else solver
    spec, numbers = split(problem, method, average=average)
    begin = problem.content if start is None else start
    if begin is None:
        raise ValueError("start=None starts from the content picture, and there is none: give a start")
    facts = {**problem.facts, "optimiser": solver_name(method), "steps": steps}
    facts |= {} if average is None else {"average": str(average)}
    begin, many = as_starts(begin), count_lanes(problem, method, begin)
    if many is None and mesh is not None:
        axes = (None,) * len(jax.tree.leaves(numbers))
        image, values, infos = jax.tree.map(
            lambda a: a[0], lanes.run(spec, numbers, begin[None], steps=steps, axes=axes, mesh=mesh)
        )
    elif many is None and progress:
        (image, values, infos), kept = step_through(spec, numbers, begin, steps)
        facts["kept"] = kept[0]
    elif many is None:
        image, values, infos = transfer.stylise(spec, numbers, begin, steps=steps)
    else:
        axes = lane_axes(numbers)
        begins = begin if begin.ndim == 4 else jnp.broadcast_to(begin, (many, *begin.shape))
        if progress and mesh is None and at_once is None:
            (image, values, infos), facts["kept"] = step_through_lanes(spec, numbers, begins, axes, steps)
        else:
            image, values, infos = lanes.run(spec, numbers, begins, steps=steps, axes=axes, lanes=at_once, mesh=mesh)
    curve = {"total": infos.value, "grad_norm": infos.grad_norm, "evaluations": infos.evaluations}
    curve |= infos.parts
    return Result(image, values, curve, facts)


def unrolled(problem: Task, start: Any = None, solver: Method | None = None, *, turns: int, **weights: Any) -> Array:
    """The image of a short run as a function of its numbers, for jax.grad: nothing stops it, and nothing is kept.

        slope = jax.grad(lambda w: nst.ssim(nst.unrolled(problem, turns=30, style_weight=w), content))(1e3)

    Args:
      problem: by `problem`; its weights may be traced, too.
      start: an image (height, width, 3); None: the content picture.
      solver: by `sgd`, `adam`, ...; None: adam(). A clamp has the derivative 0 where it acts.
      turns: evaluations of the objective: iterations, for an optimiser without a line search.
      **weights: content_weight, style_weight, tv_weight, instead of the problem's.

    Raises:
      ValueError: a weight of a part that the problem does not have, or no start.
    """
    for name in weights:
        if PARTS.get(name) not in problem.parts:
            raise ValueError(f"there is no {name} here; the parts: {', '.join(problem.parts)}")
    parts = {**problem.parts, **{PARTS[name]: value for name, value in weights.items()}}
    spec, numbers = split(problem._replace(parts=parts), adam() if solver is None else solver)
    begin = problem.content if start is None else start
    if begin is None:
        raise ValueError("start=None starts from the content picture, and there is none: give a start")
    return transfer.unroll(spec, numbers, jnp.asarray(begin), turns=turns)


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
      ValueError: a name that is none; a look with another convention or network than it is made for.
    """
    if colour not in MODES:
        raise ValueError(f"colour={colour!r}: {', '.join(MODES)}")
    mode, styles = MODES[colour], style if isinstance(style, list | tuple) else [style]
    chosen = choose(look, net, settings.get("convention") or net.convention)
    settings = {"style_weight": chosen.style_weight} | settings | {"seed": seed}
    relative = scale_of(chosen, styles) if style_scale is None else style_scale
    given = Given(content, [each for each in styles if each is not None], regions or {}, mode, size, relative)
    facts = {"colour": colour} | ({"look": look} if look else {})
    first = chosen.start or "content" if start is None else start

    def at(scale: float) -> Posed:
        """The problem at a part of the size, and its start."""
        photo, paintings, own = read_at(given, scale)
        seen, shown = net._replace(params=see_gray(net.params)) if mode.gray else net, mode.content(photo)
        posed = problem(seen, shown, paintings or None, regions=own, **settings)
        posed = posed._replace(facts={**posed.facts, **facts})
        if chosen.laplacian:
            posed = add(posed, laplacian_term(pool=POOL), weight=chosen.laplacian)
        image = begin(first, shown, paintings, seed=seed) if isinstance(first, str) else as_image("start", first)
        return Posed(posed, gray(image) if mode.gray else image, photo)

    if scales is None:
        posed, image, photo = at(1.0)
        result = run(posed, image, solver, steps=steps, average=average, progress=progress)
    else:
        result, photo = run_scales(scales, given.longest, at, solver, steps=steps, average=average, progress=progress)
    return result._replace(image=with_chroma(result.image, photo)) if mode.restored else result


class Given(NamedTuple):
    """The pictures of `stylise` as they are given."""

    content: Any
    styles: Sequence[Any]
    regions: Mapping[str, Region]
    mode: Mode
    size: int  # of a file, in pixels
    style_scale: float

    @property
    def longest(self) -> int:
        """Pixels of the longer side of the result."""
        return self.size if isinstance(self.content, str | Path) else max(np.shape(self.content)[:2])


def read_at(given: Given, scale: float) -> tuple[Image, list[Image], dict[str, Region]]:
    """The content picture, the styles and the regions at a part of their sizes, each from the original."""
    mode, of_style = given.mode, max(1, round(given.size * scale * given.style_scale))
    photo = shrink(as_image("content", read(given.content, max(1, round(given.size * scale)))), given.content, scale)
    pictures = [shrink(as_image("style", read(each, of_style)), each, scale) for each in given.styles]
    paintings = [mode.style(each, photo) for each in pictures]
    return photo, paintings, {k: paint(one, mode, photo, of_style, scale) for k, one in given.regions.items()}


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
    """A look by name. Raises ValueError for a name that is none, and where its numbers mean something else."""
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


def begin(start: str, content: Image, styles: Sequence[Image], *, seed: int) -> Image:
    """The first image, by name, at the content's shape. Raises ValueError for a name that is none."""
    shape = {"height": content.shape[0], "width": content.shape[1]}
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


def sweep(*words: str) -> list[dict[str, Any]]:
    """Run the jobs of a line of `nst -m`, and return a row of the table for each.

    A row has the swept keys, the status, the last terms, the metrics, and the `folder` of the job. The line is the one
    of the command: nst.sweep("content=a.jpg", "style=b.jpg", "style_weight=1e2,1e4"). The same line again runs only
    what is missing.

    Raises UserError for a mistake in the line.
    """
    from nst_jax.shell.cli.sweep import sweep

    return sweep(words)


def read(image: Any, size: int) -> Image:
    """A picture by name or path at `size`; an array stays as it is."""
    return picture(image, size=size) if isinstance(image, str | Path) else image


def as_starts(image: Any) -> Array:
    """One start, or one for each lane."""
    array = jnp.asarray(image, jnp.float32)
    if array.ndim not in (3, 4) or array.shape[-1] != 3:
        raise ValueError(f"start: (height, width, 3), or (lanes, height, width, 3); not {array.shape}")
    return array


def count_lanes(problem: Task, method: Method, start: Array) -> int | None:
    """How many lanes there are; None for a single run. Raises ValueError where the lengths differ."""
    lengths = {len(start)} if start.ndim == 4 else set()
    for value in (*problem.parts.values(), *method.numbers.values()):
        lengths |= {len(value)} if jnp.ndim(value) == 1 else set()
    if len(lengths) > 1:
        raise ValueError(f"the lanes of weights, numbers and starts differ: {', '.join(map(str, sorted(lengths)))}")
    return lengths.pop() if lengths else None


def lane_axes(numbers: Problem) -> lanes.Axes:
    """Which leaves have a number for each lane: weights and the solver's numbers of one dimension."""
    by_rank = lambda tree: jax.tree.map(lambda x: int(jnp.ndim(x) == 1), tree)
    flags = jax.tree.map(lambda _: 0, numbers)
    flags = flags._replace(weights=by_rank(numbers.weights), hyper=by_rank(numbers.hyper))
    return tuple(0 if flag else None for flag in jax.tree.leaves(flags))
