"""The regions of the settings: masks and styles, read and brought to their sizes, and the messages about them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from PIL import ImageColor

from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.images.regions import grow, resize_mask
from nst_jax.losses.term import Blend, Terms
from nst_jax.methods import regions as core
from nst_jax.methods.regions import REST, Layout, Region
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import pictures
from nst_jax.shell.io.pictures import Picture
from nst_jax.shell.running.colours import Colours, Files
from nst_jax.shell.running.inputs import Inputs, Log, read_picture, resize_style
from nst_jax.shell.running.once import Once
from nst_jax.shell.settings.config import styles_of
from nst_jax.shell.settings.regions import RegionSettings, regions_of
from nst_jax.shell.settings.schema import Config
from nst_jax.types import Image, Mask

NEAR = 8 / 255  # of a colour: what JPEG leaves of it
ASPECT = 0.02  # of the longer side: a mask of another shape than its picture is stretched, and the run says so


class Drawn(NamedTuple):
    """A region as its files have it."""

    mask: np.ndarray  # (height, width)
    style: Picture | None
    style_mask: np.ndarray | None
    files: Files  # by setting


class Division(NamedTuple):
    """The image divided among its regions, for the terms, the aims and the picture. Without regions it is whole."""

    regions: Mapping[str, Region]
    layout: Layout
    key: tuple[Any, ...]  # equal where all of this is
    files: Files

    @property
    def pictures(self) -> dict[str, Image]:
        """The style of each region that is painted."""
        return {name: r.style for name, r in self.regions.items() if r.style is not None}

    def style(self, styles: Sequence[Image], shares: Sequence[float]) -> Blend:
        """All that is painted as one. styles, shares: of the area that no region takes."""
        rest = Blend(tuple(styles), jnp.asarray(shares))
        return core.as_one(self.layout, self.pictures, rest) if self.regions else rest


def divide(
    config: Config,
    found: Inputs,
    colours: Colours,
    arch: Architecture,
    net: Extractor,
    log: Log,
    once: Once,
    *,
    scale: float,
) -> Division:
    """Read the regions and divide the image.

    Args:
      config: the settings.
      found: the other pictures.
      colours: how the styles are recoloured.
      arch, net: the network, tapped at its layers.
      log: takes each conversion and choice, in words.
      once: remembers what the jobs of a sweep have in common.
      scale: of the sides of all pictures, beside what the settings say.
    """
    given = regions_of(config)
    if not given:
        return Division({}, Layout({}, {}, {}, None), found.key, {})
    photo = found.files["content"]
    if photo is None:
        raise UserError("regions are parts of a photograph, and content is null")
    chosen = tuple(str(r._replace(weight=0.0)) for r in given.values())
    key = ("regions", *found.key, *given, *chosen, config.masks.carry, config.masks.grow, arch.name, net)
    files = (config.content, config.background, config.max_pixels, *given, *chosen)
    drawn = once(("masks", *files), lambda: {name: draw(config, name, r, photo, log) for name, r in given.items()})
    sized = once(key, lambda: [size(config, r, drawn[n], found, colours, n, log, scale) for n, r in given.items()])
    regions = {n: one._replace(weight=r.weight) for (n, r), one in zip(given.items(), sized, strict=True)}
    layout = once(("layout", *key), lambda: lay_out(config, regions, arch, net, log))
    read = {k: picture for one in drawn.values() for k, picture in one.files.items()}
    return Division(regions, layout, key, read)


def draw(config: Config, name: str, given: RegionSettings, photo: Picture, log: Log) -> Drawn:
    """Read the files of a region."""
    at = f"regions.{name}."
    mask, own = read_mask(config, f"{at}content", given.content, given.colour, log)
    say_size(f"{at}content", mask.shape, photo.image.shape, "the photograph", log)
    files: dict[str, Picture | None] = {f"{at}content": own}
    if given.style is None:
        return Drawn(mask, None, None, files)
    files[f"{at}style"] = style = read_picture(config, given.style, log)
    if given.style_region is None:
        return Drawn(mask, style, None, files)
    of_style, own = read_mask(config, f"{at}style_region", given.style_region, given.style_colour, log)
    say_size(f"{at}style_region", of_style.shape, style.image.shape, "the style picture", log)
    return Drawn(mask, style, of_style, {**files, f"{at}style_region": own})


def read_mask(config: Config, key: str, path: str, colour: str | None, log: Log) -> tuple[np.ndarray, Picture]:
    """A mask and its file: the pixels of the colour, or the picture's opacity or gray.

    Without a colour, the mask is the opacity if a part of the picture is transparent, and otherwise the gray.

    Raises UserError for a picture of several colours if no colour is given, or for one that lacks the given colour.
    """
    picture = pictures.read(path, background="black", max_pixels=config.max_pixels, log=lambda _: None)
    image = picture.image
    if colour is not None:
        wanted = np.asarray(ImageColor.getrgb(colour)[:3], np.float32) / 255
        mask = (np.abs(image - wanted).max(-1) <= NEAR).astype(np.float32)
        if not mask.any():
            raise UserError(f"{key}={path}: no pixel has the colour {colour}; it has {common_colours(image)}")
        return mask, picture
    if picture.alpha is not None:
        log(f"{key}: the mask is the opacity of {path}")
        return picture.alpha, picture
    if float(np.mean(np.ptp(image, -1) > NEAR)) > 0.01:
        say = f"{key}={path}: a mask is gray, and this picture has colours ({common_colours(image)})"
        raise UserError(f"{say}. To take the pixels of one colour: {key.rpartition('.')[0]}.colour=#rrggbb")
    return image.mean(-1), picture


def common_colours(image: np.ndarray) -> str:
    """The most frequent colours of a picture, in words."""
    levels = np.round(image.reshape(-1, 3) * 255).astype(np.uint8)
    colours, counts = np.unique(levels, axis=0, return_counts=True)
    first = np.argsort(-counts)[:4]
    parts = (f"#{bytes(colours[i]).hex()} {counts[i] / len(levels):.0%}" for i in first)
    return ", ".join(parts) + (", ..." if len(colours) > 4 else "")


def say_size(key: str, mask: tuple[int, ...], picture: tuple[int, ...], of: str, log: Log) -> None:
    """Say that a mask has another size than its picture."""
    (h, w), (height, width, _) = mask, picture
    if (h, w) != (height, width):
        bent = abs(w / h - width / height) > ASPECT * max(w / h, width / height)
        stretched = "; its shape is another: it is stretched" if bent else ""
        log(f"{key}: {w} x {h} pixels, resized to those of {of}, {width} x {height}{stretched}")


def size(
    config: Config,
    given: RegionSettings,
    drawn: Drawn,
    found: Inputs,
    colours: Colours,
    name: str,
    log: Log,
    scale: float,
) -> Region:
    """A region at the size of the run: its masks grown, its style recoloured."""
    mask = fit(config, drawn.mask, found.content.shape)
    if drawn.style is None:
        return Region(mask, None, None, 1.0)
    photo = found.files["content"]
    assert photo is not None
    painting, own = jnp.asarray(drawn.style.image), drawn.style_mask
    within = fit(config, drawn.mask, photo.image.shape), None if own is None else fit(config, own, painting.shape)
    painting = colours.mode.style(painting, jnp.asarray(photo.image), *within, **colours.numbers)
    at = scale * given.style_scale
    style = resize_style(np.asarray(painting), config, at, f"style of {name}", log)
    return Region(mask, style, None if own is None else fit(config, own, style.shape), 1.0)


def fit(config: Config, mask: np.ndarray, shape: tuple[int, ...]) -> Mask:
    """The mask at this height and width, grown by `masks.grow`."""
    sized = resize_mask(jnp.asarray(mask), height=shape[0], width=shape[1])
    return grow(sized, pixels=config.masks.grow) if config.masks.grow else sized


def lay_out(config: Config, regions: Mapping[str, Region], arch: Architecture, net: Extractor, log: Log) -> Layout:
    """Divide the image among the regions, and say how."""
    say_overlap(regions, log)
    shapes = lambda height, width: arch.shapes(net, height=height, width=width)
    windows = lambda layer: arch.windows(layer, rounding=config.network.rounding)
    layers = tuple(config.layers.style) if config.style_weight else ()
    carry = core.carry_by(config.masks.carry, shapes, windows)
    try:
        layout = core.lay_out(regions, layers, carry=carry, main=bool(styles_of(config)))
    except ValueError as error:
        raise UserError(str(error)) from None
    called = {name: "the rest of the picture" if name == REST else f"region {name}" for name in layout.areas}
    for name, area in layout.areas.items():
        log(f"{called[name]}: {area:.1%} of the pixels, {'painted' if name in layout.masks else 'kept'}")
    for name, lost in layout.lost.items():
        log(f"{called[name]}: nothing of it is left at {', '.join(lost)}; it is not compared there")
    if not layout.masks:
        raise UserError("every region keeps the photograph, and so does the rest: there is nothing to paint")
    if styles_of(config) and REST not in layout.masks:
        log("the regions cover the whole picture: style has no part in it")
    return layout


def say_overlap(regions: Mapping[str, Region], log: Log) -> None:
    """Say that masks sum to more than 1."""
    over = jnp.stack([region.mask for region in regions.values()]).sum(0) > 1 + 1.5 / 255  # rounding of 8 bits
    if (part := float(over.mean())) > 0:
        log(f"the masks of {', '.join(regions)} sum to more than 1 in {part:.1%} of the pixels, and are divided there")


def divide_terms(
    config: Config, terms: Terms, numbers: dict[str, Any], division: Division
) -> tuple[Terms, dict[str, Any]]:
    """The terms and weights with those of the style as one for each region. Raises UserError where a term has none."""
    if not division.regions:
        return terms, numbers
    own = {name: region.weight for name, region in division.regions.items()}
    try:
        return core.divide(terms, numbers, division.layout, own=own, weigh=config.masks.weigh)
    except core.CannotMask as error:
        raise UserError(f"{error}; choose a convention of Gram matrices or of means, such as gatys_released") from None
