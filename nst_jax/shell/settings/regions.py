"""The settings of regions: `regions.sky={content: sky.png, style: night.jpg}`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from nst_jax.shell.names import suggest
from nst_jax.shell.settings.schema import Config

WORDS = ("content", "style", "style_region", "colour", "style_colour")  # of a region: files and colours
NUMBERS = ("weight", "style_scale")
KEYS = (*WORDS, *NUMBERS)
FILES = ("content", "style", "style_region")
TAKEN = ("style", "content", "tv", "image", "laplacian", "matting")  # parts of the loss


class RegionSettings(NamedTuple):
    """One region, as the settings have it."""

    content: str  # path of its mask in the photograph
    style: str | None  # path of its style; None: the photograph stays
    style_region: str | None  # path of the mask of the style picture
    colour: str | None  # of the pixels that are the region, in a mask of several regions
    style_colour: str | None
    weight: float
    style_scale: float


def regions_of(c: Config) -> dict[str, RegionSettings]:
    """The regions by name. One without `style` has that of the rest; style null keeps the photograph."""
    rest = c.style if not isinstance(c.style, list) else c.style[0]
    scale = c.style_scale if not isinstance(c.style_scale, list) else c.style_scale[0]
    found = {}
    for name, given in (c.regions or {}).items():
        if given is not None:
            known = {"style": rest, "style_region": None, "colour": None, "weight": 1.0, "style_scale": scale, **given}
            known["style_colour"] = known.get("style_colour", known["colour"])
            read: dict[str, Any] = {k: None if known[k] is None else str(known[k]) for k in WORDS}
            read |= {k: float(known[k]) for k in NUMBERS}
            found[str(name)] = RegionSettings(**read)
    return found


def wrong_regions(c: Config) -> Iterable[str]:
    """The mistakes in the regions and in their use, in words."""
    from nst_jax.methods.regions import CARRIES, WEIGHS  # jax: tab completion does not wait for it

    m = c.masks
    for key, value, known in (("carry", m.carry, CARRIES), ("weigh", m.weigh, WEIGHS)):
        if value not in known:
            yield f"masks.{key} must be one of {', '.join(known)}; got {value}"
    if not -10_000 <= m.grow <= 10_000:
        yield f"masks.grow must be a number of pixels, at most 10000; got {m.grow}"
    if c.regions and c.strokes.style and c.strokes.mix == "layers":
        yield "strokes.mix=layers divides the layers, and regions divide the picture: take strokes.mix=repaint"
    for name, given in (c.regions or {}).items():
        yield from _wrong_region(str(name), given, c)


def _wrong_region(name: str, given: Any, c: Config) -> Iterable[str]:
    """The mistakes in one region. Only the first of them."""
    if given is None:
        return
    if not re.fullmatch(r"\w+", name) or name in TAKEN:
        yield f"regions.{name}: a region's name is letters, digits and _, and none of {', '.join(TAKEN)}"
    elif not isinstance(given, Mapping):
        yield f"regions.{name} must be {{content: MASK, style: PICTURE}}; got {given}"
    elif unknown := [str(key) for key in given if key not in KEYS]:
        near = suggest(unknown[0], KEYS)
        yield f"regions.{name} has no {unknown[0]}.{near} It takes {', '.join(KEYS)}"
    elif not isinstance(given.get("content"), str | int | float):
        yield f"regions.{name}.content must be a mask of the photograph, white where the region is"
    elif "style" not in given and (c.style is None or isinstance(c.style, list)):
        yield f"regions.{name} has no style: give regions.{name}.style=PICTURE, or null to keep the photograph there"
    else:
        yield from _wrong_values(name, given)


def _wrong_values(name: str, given: Mapping[str, Any]) -> Iterable[str]:
    for key in ("style", "style_region"):
        if not isinstance(given.get(key), str | int | float | None):
            yield f"regions.{name}.{key} must be one picture; got {given[key]}"
    if given.get("style_region") is not None and "style" in given and given["style"] is None:
        yield f"regions.{name}: style_region is a part of a style picture, and style is null"
    for key in ("colour", "style_colour"):
        if given.get(key) is not None and not is_colour(given[key]):
            yield f"regions.{name}.{key} must be a colour, a name like red or #rrggbb; got {given[key]}"
    for key, low in (("weight", 0.0), ("style_scale", 1e-3)):
        value = given.get(key, 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < float("inf"):
            yield f"regions.{name}.{key} must be a finite number, {low:g} or more; got {value}"


def is_colour(text: Any) -> bool:
    """Whether it is a colour by name or #rrggbb."""
    from PIL import ImageColor

    try:
        ImageColor.getrgb(str(text))
    except ValueError:
        return False
    return True


def outline(c: Config) -> list[Any]:
    """The part of the regions that shapes the program. Weights, and styles whose whole picture counts, are left out."""
    found = regions_of(c)
    painted = lambda r: r.style if r.style is None or r.style_region else "a style"
    return [
        c.masks.carry,
        c.masks.grow,
        [[name, *r._replace(style=painted(r), weight=0.0)] for name, r in found.items()],
    ]
