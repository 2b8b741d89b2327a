"""From settings to values: pictures and weights are read, sizes settled, names looked up.

Below `prepare` no function takes Config.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp

from nst_jax import published
from nst_jax.analysis import resolution
from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import Architecture, Extractor, see_gray
from nst_jax.extractors.octaves import in_octaves, name_of
from nst_jax.images.colour import gray
from nst_jax.images.tiles import Tiles
from nst_jax.losses import term
from nst_jax.losses.photo import laplacian_term, matting_term
from nst_jax.losses.term import Aim, Blend, Terms
from nst_jax.methods import regions as core
from nst_jax.methods import styles, transfer
from nst_jax.methods.strokes import divide as divide_layers
from nst_jax.methods.texture import PADDING, count_tiles
from nst_jax.methods.transfer import Masks, Problem, Spec
from nst_jax.optim.solvers import SOLVERS
from nst_jax.published import CONVENTIONS
from nst_jax.published.base import Convention
from nst_jax.shell.errors import NoWeights, UserError
from nst_jax.shell.io import weights
from nst_jax.shell.names import find, look_up
from nst_jax.shell.running import device, looks, plan, texture
from nst_jax.shell.running.colours import Files, colours
from nst_jax.shell.running.inputs import (
    Inputs,
    Log,
    Once,
    alpha_of,
    paths_of,
    read_inputs,
    read_picture,
    shape_of_file,
    share_styles,
)
from nst_jax.shell.running.job import Job, Output, Plan
from nst_jax.shell.running.plan import Seen
from nst_jax.shell.running.regions import divide, divide_terms
from nst_jax.shell.running.starts import start
from nst_jax.shell.running.strokes import Comparison, add_strokes, layers_of_strokes
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.numbers import number, static
from nst_jax.shell.settings.options import files
from nst_jax.shell.settings.scale import Stage, is_single, stages
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.texture import axes_of, pattern_of
from nst_jax.types import Image, Params, Scalar

Compute = Callable[[Callable[[], Any]], Any]

WEIGHTS = ("content_weight", "style_weight", "tv_weight")


def always(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Remember nothing: one run."""
    return make()


def at_once(make: Callable[[], Any]) -> Any:
    """Compute the value itself. jax.eval_shape computes its shape alone."""
    return make()


def memory() -> Once:
    """A function that remembers what it made, by key, and weights that are not to be had."""
    known: dict[tuple[Any, ...], Any] = {}

    def once(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in known:
            try:
                known[key] = make()
            except NoWeights as error:  # each try takes as long as the network takes to give up
                known[key] = error
        if isinstance(known[key], NoWeights):
            raise known[key]
        return known[key]

    return once


class Ready(NamedTuple):
    """The network's parameters."""

    loaded: weights.NetworkParams  # as their source has them
    params: Params  # as the program takes them
    key: tuple[Any, ...]  # equal where they are


def prepare(
    config: Config,
    log: Log,
    once: Once = always,
    *,
    stage: Stage | None = None,
    scale: float = 1.0,
    compute: Compute = at_once,
) -> Job:
    """The job that the settings describe. Raises UserError for what the user can mend, before the long work.

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
    seen = see(config, arch, net, ready.params, content)
    tiles = once(("tiles", net, terms, content.shape), lambda: plan.choose(config, seen, terms, log))
    key = ("aims", net, *ready.key, *division.key, *shares, terms, config.seed, tiles, compute)
    find = partial(find_aims, net, terms, ready.params, pictures, masks, seed=config.seed, compute=compute)
    aims = once(key, lambda: find(tiles=tiles._replace(wrap=()) if tiles and config.texture else tiles))
    numbers = styles.split_weights(numbers, arranged.shares)
    return Job(
        spec=Spec(texture.wrap(config, arch, net), terms, solver, options, tiles),
        problem=Problem(ready.params, aims, numbers, hyper, core.keep(division.layout, content), decay(config)),
        start=content if stage.number else begin(config, found, log, gray_only=chosen.mode.gray),
        content=content,
        style=division.style(found.styles, shares),
        alpha=alpha_of(found.files["content"], content.shape) if config.output.alpha else None,
        colours=found.colours,
        plan=Plan(sizes[-1].until, config.output.every, config.seed, stage),
        output=output(config),
        facts=facts(config, ready.loaded, content.shape, {**found.files, **division.files}, stage, tiles),
        made=fine.made,
    )


def read_params(config: Config, arch: Architecture, net: Extractor, log: Log, once: Once, *, gray_only: bool) -> Ready:
    """The parameters as far as the taps need them. gray_only: of the network that sees shades of gray."""
    loaded = once(("weights", str(config.weights), arch.name, net.taps), lambda: load(config, arch, net, log))
    looks.check_input(config, loaded.params)
    own = lambda: see_gray(loaded.params) if gray_only else loaded.params
    convolution, dtype = device.convolution(config.network.convolution), device.DTYPE[config.device.precision]
    key = ("params", loaded.sha256, arch.name, net.taps, convolution, dtype, gray_only)
    return Ready(loaded, once(key, lambda: arch.ready(own(), convolution=convolution, dtype=dtype)), key)


def see(config: Config, arch: Architecture, net: Extractor, params: Params, content: Image) -> Seen:
    """The network and the image, for the plan."""
    padding = PADDING[axes_of(config)] if config.texture else config.network.padding
    return Seen(arch, net, params, config.network.rounding, padding, *content.shape[:2])


def begin(config: Config, found: Inputs, log: Log, *, gray_only: bool) -> Image:
    """The first image. gray_only: in shades of gray."""
    read = lambda path: read_picture(config, path, log).image
    first = start(config.canvas, jax.random.key(config.seed), found.content, found.styles[0], read)
    return gray(first) if gray_only else first


def losses(
    config: Config, compared: Convention, arch: Architecture, net: Extractor, found: Inputs
) -> tuple[Terms, dict[str, Any]]:
    """The terms, and each one's weight by name."""
    content, style = layers(config)
    shape, (height, width, _) = found.content.shape, found.styles[0].shape
    compared = with_photo_terms(config, compared, shape)
    compared = texture.with_texture_terms(config, compared, arch.shapes(net, height=height, width=width))
    channels = {layer: shape[2] for layer, shape in arch.shapes(net, height=64, width=64).items()}
    parts = {k: getattr(config, k) for k in WEIGHTS}
    return compared.terms(content, style), compared.weights(
        channels, **parts, content_layers=content, style_layers=style
    )


def with_photo_terms(config: Config, compared: Convention, shape: tuple[int, ...]) -> Convention:
    """The convention with the terms of `photo` that have a weight. shape: of the image."""
    p = config.photo
    if (p.laplacian or p.matting) and config.content is None:
        raise UserError("photo.laplacian and photo.matting keep what a photograph has, and content is null")
    if p.laplacian and min(shape[:2]) < 3 * p.pool:
        raise UserError(f"photo.pool={p.pool} leaves less than 3 x 3 pixels of {shape[1]} x {shape[0]}: lower it")
    weights = {laplacian_term(pool=p.pool): p.laplacian, matting_term(): p.matting}
    return compared._replace(others=(*compared.others, *((t, w) for t, w in weights.items() if w)))


def decay(config: Config) -> Scalar | None:
    """Of the mean of the iterates; None: without."""
    return jnp.float32(config.average) if config.average else None


def sizes_of_run(config: Config) -> list[Stage]:
    """The run's sizes, from the smallest."""
    if is_single(config) or config.size_rule != "original":
        return stages(config)
    path = config.content or settings.styles_of(config)[0]
    return stages(config, longest=max(shape_of_file(path, config.background, config.max_pixels)))


def facts(
    config: Config,
    loaded: weights.NetworkParams,
    shape: tuple[int, ...],
    files: Files,
    stage: Stage,
    tiles: Tiles | None,
) -> dict[str, Any]:
    """What the result's provenance says of its settings, network and pictures."""
    paths = {**paths_of(config), "strokes": config.strokes.style}
    return {
        "config": settings.plain(config),
        "seed": config.seed,
        "seed_used": uses_seed(config),
        "weights": {"source": loaded.source, "sha256": loaded.sha256},
        "precision": config.device.precision,
        "size": list(shape[:2][::-1]),
        "pictures": [note for picture in files.values() if picture for note in picture.notes],
        "files": {k: {"path": paths[k], "sha256": p.sha256} for k, p in files.items() if p},
        "directory": str(Path.cwd()),
        **({"tiles": tiles.side} if tiles else {}),
        **({"scale": {"number": stage.number + 1, "of": stage.many}} if stage.many > 1 else {}),
    }


def layers(config: Config) -> tuple[dict[str, float], dict[str, float]]:
    """The layers that count, content and style: none where the part's weight is 0."""
    content = dict(config.layers.content) if config.content_weight else {}
    style = dict(config.layers.style) if config.style_weight else {}
    if config.texture:
        octaves = range(1, config.pattern.octaves + 1)
        style = {name_of(layer, octave=i): factor for i in octaves for layer, factor in style.items()}
    return content, style


def _check_layer(layer: str, arch: Architecture) -> None:
    """Raise UserError where the network lacks it. It says the names, and the option that is meant for the network."""
    try:
        look_up(dict.fromkeys(arch.layers), layer, f"layers, of network.name={arch.name}")
    except UserError as error:
        meant = f"\nThe layers that are meant for this network: layers={arch.name}"
        raise UserError(f"{error}{meant if arch.name in files('layers') else ''}") from None


def network(config: Config) -> tuple[Architecture, Extractor]:
    """The network, tapped at the layers that count."""
    arch = find(architecture, MODULES, config.network.name, "network.name")
    for layer in (*config.layers.content, *config.layers.style, *pattern_of(config).taps()):
        _check_layer(layer, arch)
    layers_of_strokes(config, arch)
    if config.texture and config.pattern.octaves > 1:
        arch = in_octaves(arch, octaves=config.pattern.octaves)
    content, style = layers(config)
    if not content and not style:
        raise UserError("content_weight and style_weight are both 0: there is nothing to aim at")
    n = config.network
    shape = {"pool": n.pool, "rounding": n.rounding, "padding": n.padding, "checkpoint": config.device.checkpoint}
    try:
        return arch, arch.tap({*content, *style, *pattern_of(config).taps()}, **shape)
    except ValueError as error:
        raise UserError(f"network: {error}") from None


def method(config: Config) -> tuple[Callable[..., Any], tuple[tuple[str, Any], ...], dict[str, Any]]:
    """The solver, its options, which shape the program, and its numbers, which do not."""
    given = dict(config.optimiser)
    solver = look_up(dict(SOLVERS), str(given.pop("name", None)), "optimiser.name")
    known = inspect.signature(solver).parameters
    if given.keys() != known.keys():
        raise UserError(f"optimiser {solver.__name__} takes {', '.join(known)}; got {', '.join(given) or 'nothing'}")
    shaping = static_options(solver)
    options = tuple((k, static(f"optimiser.{k}", given[k], known[k].annotation)) for k in known if k in shaping)
    return solver, options, {k: number(f"optimiser.{k}", v) for k, v in given.items() if k not in shaping}


def static_options(solver: Callable[..., Any]) -> set[str]:
    """The options of a solver that shape its program: whole numbers and flags. The others are traced."""
    return {k for k, p in inspect.signature(solver).parameters.items() if p.annotation in (int, bool)}


def find_aims(
    net: Extractor,
    terms: Terms,
    params: Params,
    pictures: Mapping[str, Image | Blend],
    masks: Mapping[str, Masks],
    *,
    seed: int,
    compute: Compute,
    tiles: Tiles | None,
) -> dict[str, Aim]:
    """The aims. Raises UserError where a term cannot aim at several pictures as one."""
    used = {name: pictures[name] for name in dict.fromkeys(t.of for t in terms if t.of)}
    height, width, _ = cast(Image, pictures["content"]).shape
    of_image: dict[str, Any] = {"pixels": height * width, "shape": (height, width), "tiles": tiles}
    of_image["key"] = transfer.aims_key(seed=seed)
    try:
        return compute(lambda: transfer.aims(net, terms, params, used, masks=masks, **of_image))
    except term.CannotBlend as error:
        raise UserError(f"{error}; style_mix=terms has a term for each style") from None


def output(config: Config) -> Output:
    """The files of the run."""
    o = config.output
    return Output(o.file, o.quality, o.film, o.film_ms, count_tiles(axes_of(config)))


def check_depth(arch: Architecture, net: Extractor, *shapes: tuple[int, ...]) -> None:
    """A picture must not vanish on the way to its deepest layer."""
    for height, width, *_ in shapes:
        for layer, shape in arch.shapes(net, height=height, width=width).items():
            if min(shape[:2]) < 1:
                raise UserError(
                    f"a side of {min(height, width)} pixels vanishes on the way to {layer}: raise size, "
                    "or use shallower layers"
                )


def load(config: Config, arch: Architecture, net: Extractor, log: Log) -> Any:
    """The weights as far as the taps need them."""
    needed, w = arch.needs(net.taps), config.weights
    given = {"path": w.path, "mirror": w.mirror, "seed": w.seed, "preprocessing": w.preprocessing}
    loaded = weights.load(w.source, network=arch.name, needed=needed, log=log, random_from=w.random_from, **given)
    return loaded._replace(params={name: loaded.params[name] for name in ("input", *needed)})


def convention(config: Config, shape: tuple[int, ...], log: Log) -> Convention:
    """The convention, for an image of that shape."""
    c = config.convention
    found = find(published.convention, CONVENTIONS, c.name, "convention.name")
    if config.tv_weight and found.smooth_term is None:
        raise UserError(
            f"tv_weight={config.tv_weight:g}: convention={c.name} has no smoothness term. Set tv_weight=0, or choose "
            "a convention that has one, such as convention=pystiche"
        )
    if c.positions == "own" or config.texture:  # a texture has another size than its exemplar
        found = resolution.one_size(found)
    if c.resolution == "published":
        return found
    size = {"pixels": shape[0] * shape[1], "reference": c.reference**2}
    log(resolution.words(found, **size))
    return resolution.invariant(found, **size)


def uses_seed(config: Config) -> bool:
    """Whether a random choice of the run depends on its seed. Of a convention of one's own it is taken to."""
    return config.canvas.get("start") in ("noise", "blend") or published.draws(config.convention.name)
