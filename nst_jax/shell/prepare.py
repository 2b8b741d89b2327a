"""From settings to the values of the core: pictures and weights read, sizes settled, names looked up."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax import canvas, transfer
from nst_jax.conventions import CONVENTIONS
from nst_jax.extractors import BLOCKS
from nst_jax.image import SizeRule, cover, resize, target_shape
from nst_jax.optimise import SOLVERS
from nst_jax.shell import device, files, weights
from nst_jax.shell.errors import UserError
from nst_jax.shell.schema import Config
from nst_jax.transfer import Problem, Spec
from nst_jax.types import Image, Params
from nst_jax.vgg import VGG, layers, prepared

Log = Callable[[str], object]


class Job(NamedTuple):
    """Everything that one run computes with, and what has to be said of it."""

    spec: Spec
    problem: Problem
    start: Image
    alpha: np.ndarray | None  # of the photograph, at the result's size
    weights: weights.Weights
    notes: tuple[str, ...]  # conversions of the pictures, in plain words


def prepare(config: Config, log: Log) -> Job:
    """The job that the settings describe. Raises UserError for what the user can mend, before the long work."""
    net = network(config)
    solver, options, hyper = method(config)
    pictures = {name: picture(config, name, log) for name in ("content", "style")}
    content, style = sized(config, pictures, log)
    check_depth(config, net, content.shape, style.shape)
    loaded = load(config, net, log)
    params = ready(config, loaded.params)
    problem = Problem(params, *aims(config, net, params, content, style), hyper)
    spec = Spec(net, CONVENTIONS[config.convention.name], solver, options)
    alpha = alpha_of(pictures["content"], content.shape) if config.output.alpha else None
    notes = tuple(note for p in pictures.values() if p for note in p.notes)
    told = loaded._replace(params={})  # the program has its own
    return Job(spec, problem, start(config, content, style, log), alpha, told, notes)


def ready(config: Config, params: Mapping[str, Mapping[str, np.ndarray]]) -> Params:
    """The weights as the program takes them, transformed once."""
    convolution = device.convolution(config.network.convolution)
    make = jax.jit(prepared, static_argnames=("convolution", "dtype"))
    return make(params, convolution=convolution, dtype=device.DTYPE[config.device.precision])


def chosen(config: Config) -> tuple[dict[str, float], dict[str, float]]:
    """The layers that count, content and style: none where the term's weight is 0."""
    content = dict(config.layers.content) if config.content_weight else {}
    style = dict(config.layers.style) if config.style_weight else {}
    return content, style


def network(config: Config) -> VGG:
    """The network, tapped at the layers that count."""
    blocks = named(BLOCKS, config.network.name, "network.name")
    for layer in (*config.layers.content, *config.layers.style):
        named(dict.fromkeys(layers(blocks)), layer, "layers")
    content, style = chosen(config)
    taps = tuple(layer for layer in layers(blocks) if layer in content or layer in style)
    if not taps:
        raise UserError("content_weight and style_weight are both 0: there is nothing to aim at")
    n = config.network
    shape: dict[str, Any] = {"pool": n.pool, "rounding": n.rounding, "padding": n.padding}
    return VGG(taps, blocks=blocks, **shape, checkpoint=config.device.checkpoint)


def named(table: dict[str, Any], name: str, key: str) -> Any:
    """The entry of that name. Raises UserError with the nearest name, and all of them where they are few."""
    if name in table:
        return table[name]
    close = get_close_matches(name, table, n=1, cutoff=0.4)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise UserError(f"{key}: there is no {name}.{hint} The names: {', '.join(table)}")


def method(config: Config) -> tuple[Callable[..., Any], tuple[tuple[str, Any], ...], dict[str, Any]]:
    """The solver, its options (they shape the program) and its numbers (they do not)."""
    given = dict(config.optimiser)
    solver = named(dict(SOLVERS), str(given.pop("name", None)), "optimiser.name")
    named(dict(CONVENTIONS), config.convention.name, "convention.name")
    known = inspect.signature(solver).parameters
    if given.keys() != known.keys():
        raise UserError(f"optimiser {solver.__name__} takes {', '.join(known)}; got {', '.join(given) or 'nothing'}")
    static = {k for k, p in known.items() if p.annotation in (int, bool)}
    options = tuple((k, known[k].annotation(given[k])) for k in known if k in static)
    return solver, options, {k: number(f"optimiser.{k}", v) for k, v in given.items() if k not in static}


def number(key: str, value: Any) -> jax.Array:
    """A float32 that the program takes as an argument."""
    try:
        return jnp.float32(float(value))
    except (TypeError, ValueError):
        raise UserError(f"{key} must be a number; got {value!r}") from None


def picture(config: Config, name: str, log: Log) -> files.Picture | None:
    """The content or style picture; None where the settings say null and nothing needs it."""
    path = getattr(config, name)
    if path is None:
        if getattr(config, f"{name}_weight") or (name == "content" and not config.style):
            raise UserError(f"{name}=null, but {name}_weight is {getattr(config, f'{name}_weight')}: give a picture")
        return None
    return files.read(path, background=config.background, max_pixels=config.max_pixels, log=log)


def sized(config: Config, pictures: dict[str, files.Picture | None], log: Log) -> tuple[Image, Image]:
    """Content and style at their sizes. Where one is not needed, the other stands in for its shape."""
    content, style = (pictures[name] for name in ("content", "style"))
    first, second = content or style, style or content
    if first is None or second is None:
        raise UserError("content=null and style=null: there is no picture to work with")
    return (
        scaled(first.image, config, 1.0, "content" if content else "style", log),
        scaled(second.image, config, config.style_scale, "style" if style else "content", log),
    )


def scaled(image: np.ndarray, config: Config, scale: float, name: str, log: Log) -> Image:
    """The picture at the size that the settings ask for, its aspect kept."""
    h, w = image.shape[:2]
    rule = cast(SizeRule, config.size_rule)
    if rule == "original" and scale != 1:
        height, width = max(1, round(h * scale)), max(1, round(w * scale))
    else:
        height, width = target_shape(height=h, width=w, size=max(1, round(config.size * scale)), rule=rule)
    if height * width > config.max_pixels:
        raise UserError(f"{name} would have {width} x {height} pixels: choose a smaller size, or raise max_pixels")
    change = "enlarged" if height > h else "reduced" if height < h else "kept"
    log(f"{name}: {w} x {h} pixels, {change}{'' if change == 'kept' else f' to {width} x {height}'}")
    return resize(jnp.asarray(image), height=height, width=width) if change != "kept" else jnp.asarray(image)


def check_depth(config: Config, net: VGG, *shapes: tuple[int, ...]) -> None:
    """A picture must survive the poolings above its deepest layer."""
    deepest = max(int(tap.removeprefix("relu").removeprefix("conv").removeprefix("pool")[0]) for tap in net.taps)
    smallest = min(min(shape[:2]) for shape in shapes)
    if smallest >> (deepest - 1 + any(tap.startswith("pool") for tap in net.taps)) < 1:
        raise UserError(
            f"a side of {smallest} pixels vanishes on the way to {net.taps[-1]}: raise size, or use shallower layers"
        )


def load(config: Config, net: VGG, log: Log) -> weights.Weights:
    """The weights as far as the taps need them."""
    order = layers(net.blocks)
    last = max(order.index(tap) for tap in net.taps)
    needed = tuple(name for name in order[: last + 1] if name.startswith("conv"))
    w = config.weights
    given = {"path": w.path, "mirror": w.mirror, "seed": w.seed, "preprocessing": w.preprocessing}
    loaded = weights.load(w.source, network=config.network.name, needed=needed, log=log, **given)
    return loaded._replace(params={name: loaded.params[name] for name in ("input", *needed)})


def aims(config: Config, net: VGG, params: Params, content: Image, style: Image) -> tuple[Any, Any]:
    """The targets, and the weights of the terms."""
    contents, styles = chosen(config)
    taps = {"content_layers": tuple(contents), "style_layers": tuple(styles)}
    targets = transfer.targets(net, params, content, style, **taps)
    pull = {k: getattr(config, k) for k in ("content_weight", "style_weight", "tv_weight")}
    convention = CONVENTIONS[config.convention.name]
    return targets, transfer.weights(convention, targets, content_layers=contents, style_layers=styles, **pull)


def start(config: Config, content: Image, style: Image, log: Log) -> Image:
    """Where the image starts, at the content's shape."""
    h, w, _ = content.shape
    key, settings = jax.random.key(config.seed), dict(config.canvas)
    kind = settings.pop("start", None)
    if kind == "file":
        given = files.read(settings["path"], background=config.background, max_pixels=config.max_pixels, log=log)
        return cover(jnp.asarray(given.image), height=h, width=w)
    starts: dict[str, Callable[..., Image]] = {
        "content": lambda: content,
        "style": lambda: cover(style, height=h, width=w),
        "white": lambda: canvas.plain(height=h, width=w, level=1.0),
        "gray": lambda: canvas.plain(height=h, width=w, level=0.5),
        "noise": lambda sigma: canvas.noise(key, height=h, width=w, sigma=sigma),
        "blend": lambda ratio, spread: canvas.blend(key, content, ratio=ratio, spread=spread),
    }
    make = named(starts, str(kind), "canvas.start")
    wanted = inspect.signature(make).parameters
    if settings.keys() != wanted.keys():
        raise UserError(f"canvas {kind} takes {', '.join(wanted) or 'no settings'}; got {', '.join(settings)}")
    return make(**{k: number(f"canvas.{k}", v) for k, v in settings.items()})


def alpha_of(photo: files.Picture | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """The photograph's transparency at the result's size."""
    if photo is None or photo.alpha is None:
        return None
    three = jnp.repeat(jnp.asarray(photo.alpha)[..., None], 3, -1)
    return np.asarray(resize(three, height=shape[0], width=shape[1]))[..., 0]
