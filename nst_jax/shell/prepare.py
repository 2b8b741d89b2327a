"""From settings to the values of the core: pictures and weights read, sizes settled, names looked up."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax import resolution, transfer
from nst_jax.conventions import CONVENTIONS
from nst_jax.extractors import BLOCKS
from nst_jax.image import SizeRule, resize, target_shape
from nst_jax.losses import Convention, Targets, Terms
from nst_jax.shell import device, files, weights
from nst_jax.shell.errors import UserError
from nst_jax.shell.lookup import named, number
from nst_jax.shell.schema import Config
from nst_jax.shell.starts import start
from nst_jax.solvers import SOLVERS
from nst_jax.transfer import Problem, Spec
from nst_jax.types import Image, Params
from nst_jax.vgg import VGG, layers, prepared

Log = Callable[[str], object]

PULL = ("content_weight", "style_weight", "tv_weight")
SIGHT = ("content", "style", "background", "max_pixels", "size", "size_rule", "style_scale")  # what makes the pictures


class Job(NamedTuple):
    """Everything that one run computes with, and what has to be said of it."""

    spec: Spec
    problem: Problem
    start: Image
    alpha: np.ndarray | None  # of the photograph, at the result's size
    weights: weights.Weights
    notes: tuple[str, ...]  # conversions of the pictures, in plain words
    content: Image  # at the result's size; the style picture where there is no content
    style: Image  # at its own; the content picture where there is no style


Once = Callable[[tuple[Any, ...], Callable[[], Any]], Any]  # what was made for that key before, or what is made now


def anew(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Remember nothing: one run."""
    return make()


def prepare(config: Config, log: Log, once: Once = anew) -> Job:
    """The job that the settings describe. Raises UserError for what the user can mend, before the long work.

    once: what the jobs of a sweep have in common is read and computed for the first of them only.
    """
    net = network(config)
    solver, options, hyper = method(config)
    sight = tuple(str(getattr(config, k)) for k in SIGHT) + tuple(bool(getattr(config, k)) for k in PULL[:2])
    pictures = once(("pictures", *sight), lambda: {n: picture(config, n, log) for n in ("content", "style")})
    content, style = once(("sized", *sight), lambda: sized(config, pictures, log))
    check_depth(config, net, content.shape, style.shape)
    loaded = once(("weights", str(config.weights), config.network.name, net.taps), lambda: load(config, net, log))
    transform = ("params", loaded.sha256, net.taps, config.network.convolution, config.device.precision)
    params = once(transform, lambda: ready(config, loaded.params))
    compared = convention(config, content.shape, log)
    taps = dict(zip(("content_layers", "style_layers"), map(tuple, chosen(config)), strict=True))
    key = jax.random.fold_in(jax.random.key(config.seed), 1)  # another one than the start's
    same = ("targets", net, *transform, *sight, *taps.values(), compared, config.seed)
    targets = once(same, lambda: transfer.targets(net, params, content, style, **taps, convention=compared, key=key))
    problem = Problem(params, targets, pulls(config, compared, targets), hyper)
    spec = Spec(net, compared, solver, options)
    told = loaded._replace(params={})  # the program has its own
    alpha = alpha_of(pictures["content"], content.shape) if config.output.alpha else None
    notes = tuple(note for p in pictures.values() if p for note in p.notes)
    return Job(spec, problem, start(config, content, style, log), alpha, told, notes, content, style)


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
    deepest = max(int(re.sub(r"\D", "", f"{tap}1")[0]) for tap in net.taps)  # the block; `input` lies before the first
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
    given |= {"random_from": w.random_from}
    loaded = weights.load(w.source, network=config.network.name, needed=needed, log=log, **given)
    return loaded._replace(params={name: loaded.params[name] for name in ("input", *needed)})


def convention(config: Config, shape: tuple[int, ...], log: Log) -> Convention:
    """The convention, for an image of that shape."""
    published = CONVENTIONS[config.convention.name]
    if config.convention.resolution == "published":
        return published
    size = {"pixels": shape[0] * shape[1], "reference": config.convention.reference**2}
    log(resolution.words(published, **size))
    return resolution.invariant(published, **size)


def pulls(config: Config, compared: Convention, targets: Targets) -> Terms:
    """The weights of the terms."""
    contents, styles = chosen(config)
    pull = {k: getattr(config, k) for k in PULL}
    return transfer.weights(compared, targets, content_layers=contents, style_layers=styles, **pull)


def alpha_of(photo: files.Picture | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """The photograph's transparency at the result's size."""
    if photo is None or photo.alpha is None:
        return None
    three = jnp.repeat(jnp.asarray(photo.alpha)[..., None], 3, -1)
    return np.asarray(resize(three, height=shape[0], width=shape[1]))[..., 0]
