"""The inputs of a trained network: the photograph, the looks of the styles, the masks, and a program."""

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.stages import Compiled

from nst_jax.images.colour import with_chroma
from nst_jax.images.regions import partition
from nst_jax.methods.feedforward.instant import Model, arrange, choose, compose, paint, study
from nst_jax.methods.regions import LEAST
from nst_jax.methods.styles import names_of
from nst_jax.parallel.compiler import compiler_options, with_options
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.pictures import Picture
from nst_jax.shell.running import regions, trained
from nst_jax.shell.running.colours import Colours, Files, colours
from nst_jax.shell.running.cost import gib
from nst_jax.shell.running.device import free_memory
from nst_jax.shell.running.inputs import (
    Inputs,
    Log,
    alpha_of,
    read_picture,
    resize_picture,
    resize_style,
    resized_to,
    share_styles,
)
from nst_jax.shell.running.once import Once, memory
from nst_jax.shell.running.program import bytes_of
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.regions import regions_of
from nst_jax.shell.settings.schema import Config
from nst_jax.types import Image, Mask

PROGRAMS = 8  # that are held: one for each size
DEPENDS = ("luminance", "match")  # modes of colour that recolour a painting by the photograph


@dataclass
class Programs:
    """The compiled programs of a model, by the shapes of their arguments. The oldest is dropped."""

    model: Model
    seconds: float = 0.0  # to compile
    known: OrderedDict[Any, Compiled] = field(default_factory=OrderedDict)

    def find(self, what: str, given: Mapping[str, Any]) -> Compiled:
        """The program for these arguments. Raises UserError where it needs more memory than is free.

        `what`: the name of the photograph that is painted, for the error.
        """
        shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(jnp.shape(a), jnp.asarray(a).dtype), dict(given))
        leaves, tree = jax.tree.flatten(shapes)
        key = tree, *((leaf.shape, leaf.dtype) for leaf in leaves)
        if key not in self.known:
            self.known[key] = self.compile(what, shapes)
        self.known.move_to_end(key)
        while len(self.known) > PROGRAMS:
            self.known.popitem(last=False)
        return self.known[key]

    def compile(self, what: str, shapes: Mapping[str, Any]) -> Compiled:
        """Compile, from shapes alone."""
        began = time.perf_counter()
        lowered = paint.lower(self.model.apply, self.model.params, **shapes)
        made = lowered.compile(compiler_options=compiler_options())
        self.seconds += time.perf_counter() - began
        height, width = shapes["images"].shape[1:3]
        if (need := bytes_of(made)) > (free := free_memory()):
            fits = int(max(height, width) * (free / need) ** 0.5 * 0.9)
            raise UserError(
                f"{what} at {width} x {height} pixels: the network sees the whole picture at once, which needs "
                f"{gib(need)} of memory, and {gib(free)} are free. A size that fits: size={fits}"
            )
        return made


class Setup(NamedTuple):
    """All that does not depend on the photograph."""

    config: Config
    model: Model
    colours: Colours
    styles: Files  # the paintings by name; {}: the model has its own
    shares: list[float] | None  # of the styles, or of the model's own; None: it has one
    programs: Programs
    once: Once


class Painted(NamedTuple):
    """A picture."""

    image: np.ndarray
    alpha: np.ndarray | None
    facts: dict[str, Any]
    files: Files  # of the regions


def set_up(config: Config, model: Model, log: Log) -> Setup:
    """Read the paintings, and check that the settings suit the model. Raises UserError where they do not."""
    chosen = colours(config.colour)
    own = model.apply.styles
    if own is not None:
        refuse_pictures(config, model, chosen)
    shares = share_named(model, settings.styles_of(config), config.style_blend) if own else None
    files: dict[str, Picture | None] = {}
    if own is None:
        paths = settings.styles_of(config)
        if not paths and not regions_of(config):
            raise UserError(f"a model of {model.method} paints in the style of a picture: give style=PAINTING.jpg")
        if weighed := [name for name, region in regions_of(config).items() if region.weight != 1]:
            raise UserError(f"regions.{weighed[0]}.weight: a model has no weights; alpha is the strength of all styles")
        names = names_of(styles=len(paths)) if paths else ()
        files = {name: read_picture(config, path, log) for name, path in zip(names, paths, strict=True)}
        shares = share_styles(config, log) if paths else []
    return Setup(config, model, chosen, files, shares, Programs(model), memory())


def refuse_pictures(config: Config, model: Model, chosen: Colours) -> None:
    """Raise UserError for settings that a network with styles of its own does not take."""
    painted, many = settings.styles_of(config), model.apply.styles
    if not many and painted:
        name = ", ".join(model.header["style_names"]) or "one that it does not name"
        raise UserError(
            f"style={', '.join(painted)}: this network has learnt one style, {name}, and takes no other: leave style "
            "out. Several photographs: content=photos/. Any style: a model of nst-train adain or wct"
        )
    if not many and config.style_blend:
        raise UserError("style_blend: this network has one style")
    of = f"this network ({model.method})"
    if config.alpha != 1:
        raise UserError(f"alpha={config.alpha:g}: {of} has a strength of its own: leave it out")
    if config.regions:
        raise UserError(f"regions: {of} paints the whole picture; adain and wct take regions")
    if np.any(np.asarray(config.style_scale) != 1):
        raise UserError(f"style_scale: {of} has learnt the size of its strokes: leave it out")
    if chosen.name == "match":
        raise UserError(f"colour=match recolours a painting, and {of} has its own: take colour=keep or luminance")


def share_named(model: Model, chosen: Sequence[str], shares: Sequence[Any] | None) -> list[float]:
    """The share of each of a network's own styles. Raises UserError where none is chosen, or one that it lacks."""
    try:
        return choose(model.header["style_names"], chosen, shares)
    except ValueError as error:
        raise UserError(f"{error}. Say style=NUMBER or NAME, or [one,two] with style_blend=[0.7,0.3]") from None


def paint_one(setup: Setup, photo: Picture, what: str, log: Log) -> Painted:
    """Paint one photograph. what: its name, for errors."""
    config, mode = setup.config, setup.colours.mode
    content = resize_picture(np.asarray(mode.content(jnp.asarray(photo.image))), config, 1.0, "content", log)
    looks, given, kept, files = gather(setup, photo, content, log)
    whole = {"images": content[None], "looks": looks, **given}
    program = setup.programs.find(what, whole)
    found = program(setup.model.params, **whole)[0]
    image = compose(found, content, kept)
    sized = resized_to(photo, content.shape, setup.colours)
    image = np.asarray(image if sized is None else with_chroma(image, sized))
    if bad := int(image.size - np.isfinite(image).sum()):
        raise UserError(f"{what}: {bad} of {image.size} values are not finite: the network is damaged, or not trained")
    transparency = alpha_of(photo, content.shape) if config.output.alpha else None
    facts = {
        "size": list(content.shape[:2][::-1]),
        "outside_range": float(np.mean((np.asarray(found) < 0) | (np.asarray(found) > 1))),
    }
    return Painted(image, transparency, facts, files)


def gather(setup: Setup, photo: Picture, content: Image, log: Log) -> tuple[list[Any], dict[str, Any], Any, Files]:
    """The looks of all styles, the network's arguments (alpha, shares, masks), the kept part, the regions' files."""
    config, shares = setup.config, None if setup.shares is None else jnp.asarray(setup.shares, jnp.float32)
    if setup.model.apply.styles is not None:
        return [], {"alpha": None, "shares": shares, "masks": None}, None, {}
    looks = [look_of_style(setup, name, photo, log) for name in setup.styles]
    numbers: dict[str, Any] = {"alpha": jnp.float32(config.alpha), "shares": shares, "masks": None}
    given = regions_of(config)
    if not given:
        return looks, numbers, None, {}
    drawn = {n: setup.once(("drawn", n), partial(regions.draw, config, n, r, photo, log)) for n, r in given.items()}
    masks, rest = divide(config, drawn, content)
    painted = [name for name in given if drawn[name].style is not None]
    if not looks and not painted:
        raise UserError("every region keeps the photograph, and so does the rest: there is nothing to paint")
    found, kept = arrange(masks, rest, painted=painted, shares=setup.shares or [])
    looks += [look_of_region(setup, name, drawn[name], photo, content, log) for name in painted]
    files = {key: picture for one in drawn.values() for key, picture in one.files.items()}
    return looks, numbers | found, kept, files


def divide(config: Config, drawn: Mapping[str, regions.Drawn], content: Image) -> tuple[dict[str, Mask], Mask]:
    """The masks of the regions at the size of the picture, and what they leave. Raises UserError for an empty one."""
    fitted = {name: regions.fit(config, one.mask, content.shape) for name, one in drawn.items()}
    if empty := [name for name, mask in fitted.items() if float(mask.max()) < LEAST]:
        raise UserError(f"region {empty[0]}: its mask is empty")
    parts, rest = partition(list(fitted.values()))
    return dict(zip(drawn, parts, strict=True)), rest


def look(model: Model, style: Image, mask: Mask | None = None) -> Any:
    """A network's view of a painting."""
    return with_options(study, static="apply")(model.apply, model.params, style, mask)


def look_of_style(setup: Setup, name: str, photo: Picture, log: Log) -> Any:
    """The network's view of a painting, once for all photographs where its colours do not depend on them."""
    config, place = setup.config, list(setup.styles).index(name)

    def make() -> Any:
        painting = setup.styles[name]
        assert painting is not None
        seen = setup.colours.mode.style(jnp.asarray(painting.image), jnp.asarray(photo.image), **setup.colours.numbers)
        sized = resize_style(np.asarray(seen), config, settings.scales_of(config)[place], name, log)
        return look(setup.model, sized)

    return make() if setup.colours.name in DEPENDS else setup.once(("look", name), make)


def look_of_region(setup: Setup, name: str, drawn: regions.Drawn, photo: Picture, content: Image, log: Log) -> Any:
    """The same of a region."""
    config = setup.config

    def make() -> Any:
        found = Inputs({"content": photo}, content, (), None, ())
        one = regions.size(config, regions_of(config)[name], drawn, found, setup.colours, name, log, 1.0)
        assert one.style is not None  # only regions that are painted come here
        return look(setup.model, one.style, one.style_mask)

    return make() if setup.colours.name in DEPENDS else setup.once(("look of region", name), make)


def paint_start(config: Config, start: Mapping[str, Any], found: Inputs, log: Log, once: Once) -> Image:
    """The photograph as a trained network paints it: the first image of an optimisation, by `canvas=instant`.

    Args:
      config: of the optimisation.
      start: the settings of the canvas.
      found: the pictures, at their sizes.
      log: takes what happens on the way, a line each.
      once: remembers the network and the picture.

    Raises:
      UserError: no such model, or one that these settings do not suit.
    """
    if config.content is None:
        raise UserError("canvas=instant paints the photograph, and content is null")
    if config.regions:
        log("canvas=instant: the network paints the whole picture in its style, whatever the regions")
    model = once(("model", str(start["model"])), lambda: trained.load(start["model"], log=log))
    shares = share_styles(config, log)
    key = ("instant", str(start), *map(str, shares), *found.key)
    return once(key, lambda: paint_content(config, model, start, found, shares))


def paint_content(
    config: Config, model: Model, start: Mapping[str, Any], found: Inputs, shares: Sequence[float]
) -> Image:
    """The network's picture of the photograph. Of regions it takes no notice: it paints in the style of the whole."""
    own, chosen = model.apply.styles, start["style"]
    if own is not None and start["alpha"] != 1:
        raise UserError(f"canvas.alpha: this network ({model.method}) has a strength of its own: leave it out")
    if chosen is not None and not own:
        raise UserError("canvas.style chooses one of a network's own styles, and this one has none to choose from")
    if own is None and not settings.styles_of(config):
        raise UserError("canvas=instant: this network paints in the style of a picture, and style is null")
    if own is None:
        looks = [look(model, style) for style in found.styles]
        numbers = {"alpha": jnp.float32(start["alpha"]), "shares": jnp.asarray(shares, jnp.float32)}
    else:
        weights = share_named(model, [str(chosen)] if chosen is not None else [], None) if own else None
        looks, numbers = [], {"shares": None if weights is None else jnp.asarray(weights, jnp.float32)}
    whole = with_options(paint, static="apply")
    return jnp.clip(whole(model.apply, model.params, found.content[None], looks, **numbers)[0], 0, 1)
