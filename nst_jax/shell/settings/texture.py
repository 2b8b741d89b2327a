"""The settings of a texture: `texture=brick.jpg`."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nst_jax.shell.names import find
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.schema import Pattern as PatternSettings

if TYPE_CHECKING:
    from nst_jax.methods.texture import Pattern

OCTAVES = 6


def wrong_texture(c: Config) -> Iterable[str]:
    """The mistakes in the settings of a texture, in words."""
    if c.texture is None:
        return
    from nst_jax.methods.texture import SEAMLESS  # jax: tab completion does not wait for it

    p = c.pattern
    if c.style is not None or c.content is not None:
        yield "texture=PICTURE has neither a photograph nor a painting: content=null style=null"
    if c.content_weight:
        yield f"texture=PICTURE has no photograph: content_weight=0, not {c.content_weight:g}"
    if c.regions:
        yield "texture=PICTURE has no regions: they are parts of a photograph"
    if c.strokes.style:
        yield "texture=PICTURE has no strokes of another picture: strokes.style=null"
    if c.colour.get("name") != "style":
        yield "texture=PICTURE has the colours of that picture: colour=style"
    if p.seamless not in SEAMLESS:
        yield f"pattern.seamless must be one of {', '.join(SEAMLESS)}; got {p.seamless}"
    for key in ("spectrum", "shifts", "autocorrelation", "smooth"):
        if not 0 <= getattr(p, key) < float("inf"):
            yield f"pattern.{key} must be a finite number, 0 or more; got {getattr(p, key)}"
    if not p.offsets or not all(isinstance(d, int) and d > 0 for d in p.offsets):
        yield f"pattern.offsets must be whole numbers above 0: [4,8,16]; got {p.offsets}"
    if not p.layers:
        yield "pattern.layers must name a layer: [relu3_1]"
    if not 1 <= p.octaves <= OCTAVES:
        yield f"pattern.octaves must be 1 to {OCTAVES}; got {p.octaves}"


def with_layers(c: Config) -> PatternSettings:
    """The settings of the pattern with the layers of its terms: those that are said, or the network's own."""
    if c.texture is None or c.pattern.layers is not None:
        return c.pattern
    return replace(c.pattern, layers=own_layers(c.network.name, c.layers.style))


def own_layers(network: str, style: Iterable[str]) -> list[str]:
    """The layers of a pattern's terms that a network has by itself. style: the style layers in use."""
    from nst_jax.extractors import MODULES, architecture  # jax: another line does not wait for it
    from nst_jax.methods.texture import suitable_layer
    from nst_jax.published import PROFILES

    arch = find(architecture, MODULES, network, "network.name")
    own = PROFILES[arch.profile].style if arch.profile in PROFILES else {}
    known = [layer for layer in (*own, *style) if layer in arch.layers]
    windows = partial(arch.windows, rounding="floor")
    return [suitable_layer(known, windows)] if known else []


def pattern_of(c: Config) -> "Pattern":
    """The terms of a texture. Without a texture all weights are 0."""
    from nst_jax.methods.texture import Pattern

    p = c.pattern
    if c.texture is None:
        return Pattern(0.0, 0.0, 0.0, 0.0, (), ())
    return Pattern(p.smooth, p.spectrum, p.shifts, p.autocorrelation, tuple(map(str, p.layers or ())), tuple(p.offsets))


def axes_of(c: Config) -> tuple[int, ...]:
    """The axes along which the borders of the image meet."""
    from nst_jax.methods.texture import SEAMLESS

    return SEAMLESS[c.pattern.seamless] if c.texture else ()


def outline(c: Config) -> object:
    """The part of a texture that shapes the program."""
    if c.texture is None:
        return None
    p = c.pattern
    active = [bool(w) for w in (p.spectrum, p.shifts, p.autocorrelation, p.smooth)]
    return [c.texture, c.style_scale, p.seamless, active, p.offsets, p.layers, p.octaves]
