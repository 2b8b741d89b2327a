"""The style of a run, painted in the brush strokes of another picture before it begins."""

import time
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nst_jax import published
from nst_jax.api.optimisers import lbfgs
from nst_jax.api.progress import step_through
from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.losses.term import taps
from nst_jax.methods import strokes, transfer
from nst_jax.methods.strokes import PART
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.published.base import Convention
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.pictures import Picture
from nst_jax.shell.running import plan
from nst_jax.shell.running.colours import Colours, recolour
from nst_jax.shell.running.inputs import Inputs, Log, read_picture, resize_style
from nst_jax.shell.running.networks import layers_of_strokes
from nst_jax.shell.running.once import Once
from nst_jax.shell.running.stop import catch_signals
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.schema import Config
from nst_jax.types import Image, Params

QUICK = 2  # seconds without a progress bar


class Comparison(NamedTuple):
    """The comparison of pictures."""

    arch: Architecture
    network: Extractor
    params: Params
    key: tuple[Any, ...]  # equal where the params are
    convention: Convention


class Fine(NamedTuple):
    """The picture with the strokes, and its use in the run. All fields are empty without such a picture."""

    sources: dict[str, Image]  # the pictures that terms of the run aim at beside the others
    layers: dict[str, float]  # whose style terms do so
    made: dict[str, Image]  # the repainted styles, by file name


NOTHING = Fine({}, {}, {})


def add_strokes(
    config: Config, by: Comparison, colours: Colours, found: Inputs, log: Log, once: Once, *, scale: float
) -> tuple[Inputs, Fine]:
    """The pictures of the run with the strokes that the settings ask for.

    Args:
      config: the settings.
      by: what compares pictures.
      colours: whose colours the pictures have.
      found: the pictures without strokes.
      log: takes what is done, in words.
      once: remembers what the jobs of a sweep have in common.
      scale: of the sides of all pictures.

    Raises:
      UserError: a layer that does not fit, or a picture that cannot be read.
    """
    chosen = config.strokes
    if chosen.style is None:
        return found, NOTHING
    if not config.style_weight:
        log(f"strokes.style={chosen.style} has no effect: style_weight is 0")
        return found, NOTHING
    layers = layers_of_strokes(config, by.arch)
    own = (chosen.style, config.background, config.max_pixels, colours.name, str(colours.numbers))
    own += (str(config.content) if colours.name != "style" else None,)
    picture = once(("strokes file", *own), lambda: read(config, colours, found, log))
    own += (config.size, config.size_rule, chosen.scale, scale)
    sized = lambda: resize_style(picture.image, config, scale * chosen.scale, PART, log)
    fine = once(("strokes", *own), sized)
    for layer, shape in by.arch.shapes(by.network.clone(taps=tuple(layers)), **sides(fine)).items():
        if min(shape[:2]) < 1:
            raise UserError(f"{PART}: the picture vanishes on the way to {layer}: raise strokes.scale")
    files = {**found.files, PART: picture}
    if chosen.mix == "layers":
        log(f"strokes: the aims of {', '.join(layers)} are those of {chosen.style}")
        return found._replace(files=files, key=(*found.key, *own)), Fine({PART: fine}, layers, {})
    own += (chosen.steps, *layers.items(), config.seed if published.draws(config.convention.name) else None)
    painted = repaint_styles(config, by, found.styles, fine, layers, own, log, once)
    names = ["strokes.png"] if len(painted) == 1 else [f"strokes_{i}.png" for i in range(1, len(painted) + 1)]
    changed = found._replace(files=files, styles=painted, key=(*found.key, *own))
    return changed, Fine({}, {}, dict(zip(names, painted, strict=True)))


def sides(image: Image) -> dict[str, int]:
    """The height and the width in pixels."""
    return {"height": image.shape[0], "width": image.shape[1]}


def read(config: Config, colours: Colours, found: Inputs, log: Log) -> Picture:
    """The picture with the strokes, recoloured as the styles are."""
    picture = read_picture(config, str(config.strokes.style), log)
    return recolour(colours, {"content": found.files["content"], PART: picture})[PART] or picture


def repaint_styles(
    config: Config,
    by: Comparison,
    styles: Sequence[Image],
    fine: Image,
    layers: dict[str, float],
    key: tuple[Any, ...],
    log: Log,
    once: Once,
) -> tuple[Image, ...]:
    """Each style picture in the strokes of the fine one. Equal pictures are painted once."""
    method, terms = lbfgs(), strokes.style_terms(by.convention, layers)
    net, numbers, draw = by.network.clone(taps=taps(terms)), dict(method.numbers), transfer.aims_key(seed=config.seed)
    paths, scales = settings.styles_of(config), settings.scales_of(config)

    def make(coarse: Image) -> Image:
        if not config.strokes.steps:
            return coarse
        larger = max(coarse, fine, key=lambda picture: picture.size)
        seen = plan.see(config, by.arch, terms, by.params, larger, pairs=dict(method.options)["memory"])
        way = plan.choose(config, seen, terms, lambda line: log(f"strokes: {line}")).way
        spec = Spec(way.network, terms, method.solver, method.options, way.tiles)
        posed = strokes.pose(spec, by.params, coarse, fine, layers, numbers, draw)
        return paint(spec, posed, coarse, log, steps=config.strokes.steps)

    return tuple(
        once(("repainted", path, own, net, terms, *by.key, *key), lambda coarse=coarse: make(coarse))
        for path, own, coarse in zip(paths, scales, styles, strict=True)
    )


def paint(spec: Spec, posed: Problem, coarse: Image, log: Log, *, steps: int) -> Image:
    """`strokes.repaint` in chunks of about a second, with a progress bar. A signal ends it."""
    height, width, _ = coarse.shape
    log(f"strokes: {steps} steps at {width} x {height} pixels, by {', '.join(taps(spec.terms))}")
    began = time.perf_counter()
    with catch_signals() as stop, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the best image that is kept: the log has it
        bar = {"desc": PART, "delay": QUICK, "leave": False, "disable": None}
        result, kept = step_through(spec, posed, coarse, steps, stop.check, **bar)
    totals = np.asarray(result.infos.value)
    taken = totals[np.isfinite(totals)]
    fall = f"; the loss falls from {taken[0]:.4g} to {taken[-1]:.4g}" if len(taken) else ""
    log(f"strokes: {time.perf_counter() - began:.1f} s{fall}{'; kept: the best image' if kept == ['best'] else ''}")
    return result.image
