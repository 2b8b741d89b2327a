"""From settings to values: pictures and weights are read, sizes settled, names looked up.

Below `prepare` no function takes Config.
"""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from nst_jax import published
from nst_jax.images.colour import gray
from nst_jax.losses import term
from nst_jax.methods import regions as core
from nst_jax.methods import styles
from nst_jax.methods.strokes import divide as divide_layers
from nst_jax.methods.texture import count_tiles
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.solvers import SOLVERS
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import weights
from nst_jax.shell.names import look_up
from nst_jax.shell.running import plan, texture
from nst_jax.shell.running.colours import Files, colours
from nst_jax.shell.running.inputs import (
    Inputs,
    Log,
    alpha_of,
    paths_of,
    read_inputs,
    read_picture,
    share_styles,
    sizes_of_run,
)
from nst_jax.shell.running.job import Job, Output, Plan
from nst_jax.shell.running.networks import check_depth, check_pixels, network, read_params
from nst_jax.shell.running.once import Once, always
from nst_jax.shell.running.one_pass import paint_start
from nst_jax.shell.running.program import mesh_of_process
from nst_jax.shell.running.regions import divide, divide_terms
from nst_jax.shell.running.starts import start
from nst_jax.shell.running.strokes import Comparison, add_strokes
from nst_jax.shell.running.terms import Compute, convention, find_aims, losses
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.numbers import number, static
from nst_jax.shell.settings.scale import Stage
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.texture import axes_of
from nst_jax.types import Image, Scalar


def at_once(make: Callable[[], Any]) -> Any:
    """Compute the value itself. jax.eval_shape computes its shape alone."""
    return make()


def prepare(
    config: Config,
    log: Log,
    once: Once = always,
    *,
    stage: Stage | None = None,
    scale: float = 1.0,
    compute: Compute = at_once,
) -> Job:
    """The job that the settings describe. Raises UserError for mistakes of the user, before the long work.

    Args:
      config: the settings.
      log: takes each conversion and choice, in words.
      once: remembers what the jobs of a sweep have in common, so that it is read and computed once.
      stage: which of the run's sizes; None: the last one.
      scale: of the sides of both pictures, beside what the settings and the stage say.
      compute: makes the aims; jax.eval_shape, where their shapes are enough.
    """
    arch, net = network(config)
    solver, options, hyper = method(config)
    chosen, sizes = colours(config.colour), sizes_of_run(config)
    stage = sizes[-1] if stage is None else stage
    scale *= stage.scale
    found = read_inputs(config, chosen, arch, log, once, scale=scale)
    content, shares = found.content, share_styles(config, log)
    check_depth(arch, net, content.shape, *(style.shape for style in found.styles))
    check_pixels(net, content.shape, *(style.shape for style in found.styles))
    ready = read_params(config, arch, net, log, once, gray_only=chosen.mode.gray)
    compared = convention(config, content.shape, log)
    by = Comparison(arch, net, ready.params, ready.key, compared)
    found, fine = add_strokes(config, by, chosen, found, log, once, scale=scale)
    arranged = styles.arrange(found.styles, shares, mix=config.style_mix)
    division = divide(config, found, chosen, arch, net, log, once, scale=scale)
    check_depth(arch, net, *(picture.shape for picture in division.pictures.values()))
    terms, numbers = divide_layers(*losses(config, compared, arch, net, found), fine.layers)
    terms, numbers = divide_terms(config, terms, numbers, division)
    terms = term.split(terms, of="style", into=tuple(arranged.shares))
    pictures = {"content": content, **arranged.sources, **fine.sources, **division.pictures}
    masks = core.masks_of(division.layout, tuple(arranged.shares))
    if config.texture:
        masks = once(("inner", net, *found.key), lambda: texture.masks_of(config, arch, net, found.styles[0]))
    seen = plan.see(config, arch, terms, ready.params, content, pairs=int(config.optimiser.get("memory", 0)))
    choice = once(("plan", net, terms, content.shape), lambda: plan.choose(config, seen, terms, log))
    tiles = choice.way.tiles
    key = ("aims", net, *ready.key, *division.key, *shares, terms, config.seed, tiles, compute, config.device.mesh)
    how: dict[str, Any] = {"seed": config.seed, "compute": compute, "mesh": mesh_of_process(config.device.mesh)}
    find = partial(find_aims, net, terms, ready.params, pictures, masks, **how)
    aims = once(key, lambda: find(tiles=tiles._replace(wrap=()) if tiles and config.texture else tiles))
    numbers = styles.split_weights(numbers, arranged.shares)
    return Job(
        spec=Spec(choice.way.network, terms, solver, options, tiles),
        choice=choice,
        problem=Problem(ready.params, aims, numbers, hyper, core.keep(division.layout, content), decay(config)),
        start=content if stage.number else begin(config, found, log, once, gray_only=chosen.mode.gray),
        content=content,
        style=division.style(found.styles, shares),
        alpha=alpha_of(found.files["content"], content.shape) if config.output.alpha else None,
        colours=found.colours,
        plan=Plan(sizes[-1].until, config.output.every, config.seed, stage),
        output=output(config),
        facts=facts(config, ready.loaded, content.shape, {**found.files, **division.files}, stage),
        made=fine.made,
    )


def begin(config: Config, found: Inputs, log: Log, once: Once, *, gray_only: bool) -> Image:
    """The first image. gray_only: in shades of gray."""
    read = lambda path: read_picture(config, path, log).image
    paint = lambda settings: paint_start(config, settings, found, log, once)
    first = start(config.canvas, jax.random.key(config.seed), found.content, found.styles[0], read, paint)
    return gray(first) if gray_only else first


def decay(config: Config) -> Scalar | None:
    """Of the mean of the iterates; None: without."""
    return jnp.float32(config.average) if config.average else None


def facts(
    config: Config,
    loaded: weights.NetworkParams,
    shape: tuple[int, ...],
    files: Files,
    stage: Stage,
) -> dict[str, Any]:
    """The part of the result's provenance on its settings, network and pictures."""
    paths = {**paths_of(config), "strokes": config.strokes.style}
    given = settings.plain(config)
    origin = given.pop("origin")
    return {
        "config": given,
        **({"from": origin} if origin else {}),
        "seed": config.seed,
        "seed_used": uses_seed(config),
        "weights": {"source": loaded.source, "sha256": loaded.sha256},
        "precision": config.device.precision,
        "size": list(shape[:2][::-1]),
        "pictures": [note for picture in files.values() if picture for note in picture.notes],
        "files": {k: {"path": paths[k], "sha256": p.sha256} for k, p in files.items() if p},
        "directory": str(Path.cwd()),
        **({"scale": {"number": stage.number + 1, "of": stage.many}} if stage.many > 1 else {}),
    }


def method(config: Config) -> tuple[Callable[..., Any], tuple[tuple[str, Any], ...], dict[str, Any]]:
    """The solver, its options, which shape the program, and its numbers, which do not."""
    given = dict(config.optimiser)
    solver = look_up(dict(SOLVERS), str(given.pop("name", None)), "optimiser.name")
    known = inspect.signature(solver).parameters
    needed = {k for k, parameter in known.items() if parameter.default is parameter.empty}  # older records lack others
    if not needed <= given.keys() <= known.keys():
        raise UserError(f"optimiser {solver.__name__} takes {', '.join(known)}; got {', '.join(given) or 'nothing'}")
    shaping = static_options(solver)
    options = tuple((k, static(f"optimiser.{k}", given[k], known[k].annotation)) for k in known if k in shaping)
    return solver, options, {k: number(f"optimiser.{k}", v) for k, v in given.items() if k not in shaping}


def static_options(solver: Callable[..., Any]) -> set[str]:
    """The options of a solver that shape its program: whole numbers and flags. The others are traced."""
    return {k for k, p in inspect.signature(solver).parameters.items() if p.annotation in (int, bool)}


def output(config: Config) -> Output:
    """The files of the run."""
    o = config.output
    return Output(o.file, o.quality, o.film, o.film_ms, count_tiles(axes_of(config)))


def uses_seed(config: Config) -> bool:
    """Whether a random choice of the run depends on its seed. A user's own convention counts as random."""
    return config.canvas.get("start") in ("noise", "blend") or published.draws(config.convention.name)
