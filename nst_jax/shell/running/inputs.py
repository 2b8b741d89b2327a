"""The pictures that the settings name: read, recoloured, and brought to their sizes."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, cast

import jax.numpy as jnp
import numpy as np

from nst_jax.extractors.base import Architecture
from nst_jax.images.size import SizeRule, resize, target_shape
from nst_jax.methods import styles
from nst_jax.methods.texture import tile
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import pictures
from nst_jax.shell.running.colours import Colours, Files, recolour
from nst_jax.shell.running.once import Once
from nst_jax.shell.running.texture import exemplar_at, fit_sides
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings import texture
from nst_jax.shell.settings.regions import FILES as FILES_OF_REGION
from nst_jax.shell.settings.regions import regions_of
from nst_jax.shell.settings.scale import Stage, is_single, stages
from nst_jax.shell.settings.schema import Config
from nst_jax.types import Image

Log = Callable[[str], object]

# settings that choose the files, and how they are read
FILES = ("content", "style", "texture", "background", "max_pixels")
SIZES = ("size", "size_rule", "style_scale", "scale")
PICTURES = (*FILES, *SIZES)


class Inputs(NamedTuple):
    """The pictures of a run, at their sizes."""

    files: Files  # as they are on the disk
    content: Image
    styles: tuple[Image, ...]  # at least one: the content picture where there is no style
    colours: Image | None  # of the photograph, where the result gets them
    key: tuple[Any, ...]  # equal where all of this is


def read_inputs(config: Config, colours: Colours, arch: Architecture, log: Log, once: Once, *, scale: float) -> Inputs:
    """Read the pictures. arch: the network; scale: of the sides of all pictures, beside the settings."""
    needed = bool(config.content_weight), bool(config.style_weight)
    chosen: tuple[Any, ...] = (*(str(getattr(config, k)) for k in FILES), *needed)
    files = once(("files", *chosen), lambda: read_files(config, log))
    chosen += (colours.name, str(colours.numbers))
    seen = once(("coloured", *chosen), lambda: recolour(colours, files))
    chosen += (*(str(getattr(config, k)) for k in SIZES), scale, str(texture.outline(config)), arch.name)
    content, painted = once(("sized", *chosen), lambda: sizes(config, seen, arch, log, scale))
    photo = once(("colours", *chosen), lambda: resized_to(files["content"], content.shape, colours))
    return Inputs(files, content, painted, photo, chosen)


def paths_of(config: Config) -> dict[str, str | None]:
    """The path of each picture by name: content, style, or style_1, style_2, ..., and those of the regions."""
    own = {f"regions.{name}.{k}": getattr(r, k) for name, r in regions_of(config).items() for k in FILES_OF_REGION}
    return own | placed_paths(config)


def placed_paths(config: Config) -> dict[str, str | None]:
    """The path of the photograph and of each style of the whole image."""
    painted: list[Any] = settings.styles_of(config) or [None]
    return {"content": config.content, **dict(zip(styles.names_of(styles=len(painted)), painted, strict=True))}


def read_files(config: Config, log: Log) -> dict[str, pictures.Picture | None]:
    """The pictures by name. A picture that the run does not need may be null in the settings: None."""
    for kind in ("content", "style"):
        weight = getattr(config, f"{kind}_weight")
        if config.texture or (kind == "style" and regions_of(config)):
            continue  # an exemplar alone; or what no region takes keeps the photograph
        if getattr(config, kind) is None and (weight or (kind == "content" and not config.style)):
            raise UserError(f"{kind}=null, but {kind}_weight is {weight}: give a picture")
    return {
        name: path if path is None else read_picture(config, path, log) for name, path in placed_paths(config).items()
    }


def read_picture(config: Config, path: str, log: Log) -> pictures.Picture:
    """One picture."""
    return pictures.read(path, background=config.background, max_pixels=config.max_pixels, log=log)


def sizes(config: Config, files: Files, arch: Architecture, log: Log, scale: float) -> tuple[Image, tuple[Image, ...]]:
    """Content and styles at their sizes. Where one is not needed, the other is used for its shape."""
    if config.texture:
        return texture_sizes(config, files, arch, log, scale)
    content, painted = files["content"], {k: p for k, p in files.items() if k != "content" and p is not None}
    known = {"content": content} if content else painted
    if not known:
        raise UserError("content=null and style=null: there is no picture to work with")
    (name, first), *_ = known.items()
    scales = settings.scales_of(config)
    return (
        resize_picture(first.image, config, scale, name, log),
        tuple(
            resize_style(style.image, config, scale * own, name, log)
            for (name, style), own in zip((painted or known).items(), scales, strict=True)
        ),
    )


def texture_sizes(
    config: Config, files: Files, arch: Architecture, log: Log, scale: float
) -> tuple[Image, tuple[Image, ...]]:
    """The exemplar laid side by side at the size of the texture, and the exemplar at its own size."""
    picture = files["style"]
    assert picture is not None
    h, w, _ = picture.image.shape
    asked = scaled_shape(h, w, size=config.size, rule=config.size_rule, scale=scale)
    height, width = fit_sides(config, arch, *asked)
    if height * width > config.max_pixels:
        raise UserError(f"the texture would have {width} x {height} pixels: choose a smaller size, or raise max_pixels")
    more = "" if (height, width) == asked else f": {asked[1]} x {asked[0]}, rounded up so that the borders meet"
    exemplar = exemplar_at(picture.image, scale=scale * settings.scales_of(config)[0])
    log(f"exemplar: {w} x {h} pixels, used at {exemplar.shape[1]} x {exemplar.shape[0]}")
    log(f"texture: {width} x {height} pixels{more}")
    return tile(exemplar, height=height, width=width), (exemplar,)


def resize_picture(image: np.ndarray, config: Config, scale: float, name: str, log: Log) -> Image:
    """The picture at the size that the settings ask for, its aspect kept."""
    h, w = image.shape[:2]
    height, width = scaled_shape(h, w, size=config.size, rule=config.size_rule, scale=scale)
    if height * width > config.max_pixels:
        raise UserError(f"{name} would have {width} x {height} pixels: choose a smaller size, or raise max_pixels")
    change = "enlarged" if height > h else "reduced" if height < h else "kept"
    log(f"{name}: {w} x {h} pixels, {change}{'' if change == 'kept' else f' to {width} x {height}'}")
    return resize(jnp.asarray(image), height=height, width=width) if change != "kept" else jnp.asarray(image)


def resize_style(image: np.ndarray, config: Config, scale: float, name: str, log: Log) -> Image:
    """The same, of a picture whose style is taken: some programs never enlarge it."""
    h, w = image.shape[:2]
    asked = scaled_shape(h, w, size=config.size, rule=config.size_rule, scale=scale)
    if config.scale.get("style") == "shrink" and asked[0] > h:
        log(f"{name}: {w} x {h} pixels, kept: scale.style=shrink enlarges none")
        return jnp.asarray(image)
    return resize_picture(image, config, scale, name, log)


def scaled_shape(height: int, width: int, *, size: int, rule: str, scale: float) -> tuple[int, int]:
    """(height, width) in pixels of a picture brought to `size` by `rule`, times `scale`."""
    if rule == "original" and scale != 1:
        return max(1, round(height * scale)), max(1, round(width * scale))
    return target_shape(height=height, width=width, size=max(1, round(size * scale)), rule=cast(SizeRule, rule))


@cache
def shape_of_file(path: str, background: str, max_pixels: int) -> tuple[int, int]:
    """The height and width of a picture file, upright."""
    read = pictures.read(path, background=background, max_pixels=max_pixels, log=lambda _: None)
    return read.image.shape[0], read.image.shape[1]


def sizes_of_run(config: Config) -> list[Stage]:
    """The run's sizes, from the smallest."""
    if is_single(config) or config.size_rule != "original":
        return stages(config)
    path = config.content or settings.styles_of(config)[0]
    return stages(config, longest=max(shape_of_file(path, config.background, config.max_pixels)))


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


def resized_to(photo: pictures.Picture | None, shape: tuple[int, ...], colour: Colours) -> Image | None:
    """The photograph at that shape, where the result gets its colours."""
    if not colour.mode.restored or photo is None:
        return None
    same = photo.image.shape == shape
    return jnp.asarray(photo.image) if same else resize(jnp.asarray(photo.image), height=shape[0], width=shape[1])


def alpha_of(photo: pictures.Picture | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """The photograph's transparency at the result's size."""
    if photo is None or photo.alpha is None:
        return None
    three = jnp.repeat(jnp.asarray(photo.alpha)[..., None], 3, -1)
    return np.asarray(resize(three, height=shape[0], width=shape[1]))[..., 0]
