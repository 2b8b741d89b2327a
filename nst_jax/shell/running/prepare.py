"""From settings to values: pictures and weights are read, sizes settled, names looked up.

Below `prepare` no function takes Config.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax import published
from nst_jax.analysis import resolution
from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import Architecture, Extractor, see_gray
from nst_jax.images.colour import gray
from nst_jax.images.size import SizeRule, resize, target_shape
from nst_jax.losses import term
from nst_jax.losses.photo import laplacian_term, matting_term
from nst_jax.losses.term import Blend, Terms
from nst_jax.methods import styles, transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.solvers import SOLVERS
from nst_jax.published import CONVENTIONS
from nst_jax.published.base import Convention
from nst_jax.shell.errors import NoWeights, UserError
from nst_jax.shell.io import pictures, weights
from nst_jax.shell.names import find, look_up
from nst_jax.shell.running import device
from nst_jax.shell.running.colours import Colours, colours, recolour
from nst_jax.shell.running.job import Job, Output, Plan
from nst_jax.shell.running.starts import start
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.numbers import number, static
from nst_jax.shell.settings.options import files
from nst_jax.shell.settings.schema import Config
from nst_jax.types import Image, Params

Files = Mapping[str, pictures.Picture | None]  # content, and style or style_1, style_2, ...
Log = Callable[[str], object]
Once = Callable[[tuple[Any, ...], Callable[[], Any]], Any]  # returns what was made for that key before, or makes it
Compute = Callable[[Callable[[], Any]], Any]

WEIGHTS = ("content_weight", "style_weight", "tv_weight")
PICTURES = (
    "content",
    "style",
    "background",
    "max_pixels",
    "size",
    "size_rule",
    "style_scale",
    "colour",
)  # what makes them


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


class Inputs(NamedTuple):
    """What the settings read: pictures at their sizes, and the network's parameters."""

    files: Files
    content: Image
    styles: tuple[Image, ...]  # at least one: the content picture where there is no style
    colours: Image | None  # of the photograph, where the result gets them
    loaded: weights.NetworkParams
    params: Params  # as the program takes them
    key: tuple[Any, ...]  # equal where all of this is


def prepare(config: Config, log: Log, once: Once = always, *, scale: float = 1.0, compute: Compute = at_once) -> Job:
    """The job that the settings describe. Raises UserError for what the user can mend, before the long work.

    Args:
      config: the settings.
      log: takes each conversion and choice, in words.
      once: remembers what the jobs of a sweep have in common, so that it is read and computed once.
      scale: of the sides of both pictures, beside what the settings say.
      compute: makes the aims; jax.eval_shape, where their shapes are enough.
    """
    arch, net = network(config)
    solver, options, hyper = method(config)
    found = read_inputs(config, arch, net, log, once, scale)
    content, shares = found.content, share_styles(config, log)
    terms, numbers = losses(config, arch, net, content.shape, log)
    sources, parts = styles.arrange(found.styles, shares, mix=config.style_mix)
    if len(parts) > 1:
        terms, numbers = term.split(terms, of="style", into=tuple(parts)), styles.split_weights(numbers, parts)
    find = lambda: transfer.aims(
        net,
        terms,
        found.params,
        {"content": content, **sources},
        pixels=content.shape[0] * content.shape[1],
        key=transfer.aims_key(seed=config.seed),
    )
    aims = once(("aims", net, *found.key, *shares, terms, config.seed, compute), lambda: compute_aims(compute, find))
    output, mode = config.output, colours(config.colour).mode
    limits = {"background": config.background, "max_pixels": config.max_pixels}
    read = lambda path: pictures.read(path, log=log, **limits).image
    return Job(
        spec=Spec(net, terms, solver, options),
        problem=Problem(found.params, aims, numbers, hyper),
        start=begin(config, content, found.styles[0], read, gray_only=mode.gray),
        content=content,
        style=Blend(found.styles, jnp.asarray(shares)),
        alpha=alpha_of(found.files["content"], content.shape) if output.alpha else None,
        colours=found.colours,
        plan=Plan(config.steps, output.every, config.seed),
        output=Output(output.file, output.quality, output.film, output.film_ms),
        facts=facts(config, found.loaded, content.shape, found.files),
    )


def read_inputs(config: Config, arch: Architecture, net: Extractor, log: Log, once: Once, scale: float) -> Inputs:
    """The pictures and the parameters. scale: of the sides of both pictures."""
    chosen = tuple(str(getattr(config, k)) for k in PICTURES)
    chosen += tuple(str(bool(getattr(config, k))) for k in WEIGHTS[:2])
    files = once(("pictures", *chosen), lambda: read_files(config, log))
    colour = colours(config.colour)
    seen = once(("coloured", *chosen), lambda: recolour(colour, files))
    content, painted = once(("sized", *chosen, scale), lambda: sizes(config, seen, log, scale))
    palette = once(("colours", *chosen, scale), lambda: resized_to(files["content"], content.shape, colour))
    check_depth(arch, net, content.shape, *(style.shape for style in painted))
    loaded = once(("weights", str(config.weights), arch.name, net.taps), lambda: load(config, arch, net, log))
    transform = ("params", loaded.sha256, arch.name, net.taps, config.network.convolution, config.device.precision)
    transform += (colour.mode.gray,)
    own = see_gray(loaded.params) if colour.mode.gray else loaded.params
    params = once(transform, lambda: ready(config, arch, own))
    return Inputs(files, content, painted, palette, loaded, params, (*transform, *chosen, scale))


def begin(config: Config, content: Image, style: Image, read: Callable[[str], Any], *, gray_only: bool) -> Image:
    """The first image. gray_only: in shades of gray."""
    first = start(config.canvas, jax.random.key(config.seed), content, style, read)
    return gray(first) if gray_only else first


def resized_to(photo: pictures.Picture | None, shape: tuple[int, ...], colour: Colours) -> Image | None:
    """The photograph at that shape, where the result gets its colours."""
    if not colour.mode.restored or photo is None:
        return None
    same = photo.image.shape == shape
    return jnp.asarray(photo.image) if same else resize(jnp.asarray(photo.image), height=shape[0], width=shape[1])


def losses(
    config: Config, arch: Architecture, net: Extractor, shape: tuple[int, ...], log: Log
) -> tuple[Terms, dict[str, Any]]:
    """The terms, and each one's weight by name. shape: of the image."""
    content, style = layers(config)
    compared = with_photo_terms(config, convention(config, shape, log), shape)
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


def facts(config: Config, loaded: weights.NetworkParams, shape: tuple[int, ...], files: Files) -> dict[str, Any]:
    """What the result's provenance says of its settings, network and pictures."""
    return {
        "config": settings.plain(config),
        "seed": config.seed,
        "seed_used": uses_seed(config),
        "weights": {"source": loaded.source, "sha256": loaded.sha256},
        "precision": config.device.precision,
        "size": list(shape[:2][::-1]),
        "pictures": [note for picture in files.values() if picture for note in picture.notes],
        "files": {k: {"path": path_of(config, k), "sha256": p.sha256} for k, p in files.items() if p},
        "directory": str(Path.cwd()),
    }


def ready(config: Config, arch: Architecture, params: Mapping[str, Mapping[str, Any]]) -> Params:
    """The parameters as the program takes them, transformed once."""
    convolution = device.convolution(config.network.convolution)
    return arch.ready(params, convolution=convolution, dtype=device.DTYPE[config.device.precision])


def layers(config: Config) -> tuple[dict[str, float], dict[str, float]]:
    """The layers that count, content and style: none where the part's weight is 0."""
    content = dict(config.layers.content) if config.content_weight else {}
    style = dict(config.layers.style) if config.style_weight else {}
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
    for layer in (*config.layers.content, *config.layers.style):
        _check_layer(layer, arch)
    content, style = layers(config)
    if not content and not style:
        raise UserError("content_weight and style_weight are both 0: there is nothing to aim at")
    n = config.network
    shape = {"pool": n.pool, "rounding": n.rounding, "padding": n.padding, "checkpoint": config.device.checkpoint}
    try:
        return arch, arch.tap({*content, *style}, **shape)
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


def read_files(config: Config, log: Log) -> dict[str, pictures.Picture | None]:
    """The pictures by name: content, and style, or style_1, style_2, ..."""
    names = styles.names_of(styles=max(1, len(settings.styles_of(config))))
    return {name: picture(config, name, log) for name in ("content", *names)}


def path_of(config: Config, name: str) -> str | None:
    """The path of a picture by that name."""
    if name == "content":
        return config.content
    paths, number = settings.styles_of(config), int(name.partition("_")[2] or 1)
    return paths[number - 1] if paths else None


def share_styles(config: Config, log: Log) -> list[float]:
    """The share of each style picture. Raises UserError for shares that do not fit."""
    many = max(1, len(settings.styles_of(config)))
    try:
        shares = styles.shares_of(config.style_blend, styles=many)
    except ValueError as error:
        raise UserError(str(error)) from None
    if config.style_blend and abs(sum(config.style_blend) - 1) > 1e-3:
        taken = ", ".join(f"{share:.3g}" for share in shares)
        log(f"style_blend: {config.style_blend} sums to {sum(config.style_blend):g}; taken as {taken}")
    return shares


def compute_aims(compute: Compute, find: Callable[[], Any]) -> Any:
    """The aims. Raises UserError where a term cannot aim at several pictures as one."""
    try:
        return compute(find)
    except term.CannotBlend as error:
        raise UserError(f"{error}; style_mix=terms has a term for each style") from None


def picture(config: Config, name: str, log: Log) -> pictures.Picture | None:
    """The picture of that name; None where the settings say null and nothing needs it."""
    path, kind = path_of(config, name), name.partition("_")[0]
    if path is None:
        if getattr(config, f"{kind}_weight") or (name == "content" and not config.style):
            raise UserError(f"{kind}=null, but {kind}_weight is {getattr(config, f'{kind}_weight')}: give a picture")
        return None
    return pictures.read(path, background=config.background, max_pixels=config.max_pixels, log=log)


def sizes(config: Config, files: Files, log: Log, scale: float) -> tuple[Image, tuple[Image, ...]]:
    """Content and styles at their sizes. Where one is not needed, the other is used for its shape."""
    content, painted = files["content"], {k: p for k, p in files.items() if k != "content" and p is not None}
    known = {"content": content} if content else painted
    if not known:
        raise UserError("content=null and style=null: there is no picture to work with")
    (name, first), *_ = known.items()
    scales = settings.scales_of(config)
    return (
        resize_picture(first.image, config, scale, name, log),
        tuple(
            resize_picture(style.image, config, scale * own, name, log)
            for (name, style), own in zip((painted or known).items(), scales, strict=True)
        ),
    )


def resize_picture(image: np.ndarray, config: Config, scale: float, name: str, log: Log) -> Image:
    """The picture at the size that the settings ask for, its aspect kept."""
    h, w = image.shape[:2]
    height, width = scaled_shape(h, w, size=config.size, rule=config.size_rule, scale=scale)
    if height * width > config.max_pixels:
        raise UserError(f"{name} would have {width} x {height} pixels: choose a smaller size, or raise max_pixels")
    change = "enlarged" if height > h else "reduced" if height < h else "kept"
    log(f"{name}: {w} x {h} pixels, {change}{'' if change == 'kept' else f' to {width} x {height}'}")
    return resize(jnp.asarray(image), height=height, width=width) if change != "kept" else jnp.asarray(image)


def scaled_shape(height: int, width: int, *, size: int, rule: str, scale: float) -> tuple[int, int]:
    """(height, width) in pixels of a picture brought to `size` by `rule`, times `scale`."""
    if rule == "original" and scale != 1:
        return max(1, round(height * scale)), max(1, round(width * scale))
    return target_shape(height=height, width=width, size=max(1, round(size * scale)), rule=cast(SizeRule, rule))


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
    if c.positions == "own":
        found = resolution.one_size(found)
    if c.resolution == "published":
        return found
    size = {"pixels": shape[0] * shape[1], "reference": c.reference**2}
    log(resolution.words(found, **size))
    return resolution.invariant(found, **size)


def uses_seed(config: Config) -> bool:
    """Whether a random choice of the run depends on its seed. Of a convention of one's own it is taken to."""
    return config.canvas.get("start") in ("noise", "blend") or published.draws(config.convention.name)


def alpha_of(photo: pictures.Picture | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """The photograph's transparency at the result's size."""
    if photo is None or photo.alpha is None:
        return None
    three = jnp.repeat(jnp.asarray(photo.alpha)[..., None], 3, -1)
    return np.asarray(resize(three, height=shape[0], width=shape[1]))[..., 0]
