"""Trained networks: load one, and paint with it in one pass."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp

from nst_jax.api.networks import read
from nst_jax.api.problems import as_image
from nst_jax.api.regions import fit
from nst_jax.api.results import Result
from nst_jax.api.stylise import paint as recolour
from nst_jax.images.colour import MODES, with_chroma
from nst_jax.images.regions import partition
from nst_jax.methods.feedforward import instant
from nst_jax.methods.feedforward.instant import Model
from nst_jax.methods.regions import Region
from nst_jax.methods.styles import shares_of
from nst_jax.parallel.compiler import with_options
from nst_jax.types import Image


def load_model(path: str | Path | Sequence[str | Path], *, weights: str | Path | None = None) -> Model:
    """A trained network.

    Args:
      path: a file that nst-train wrote, its folder, the name of one that comes with the package, or a list of files:
        the levels of WCT.
      weights: the file of the encoder's weights, where the training had them from a file; None: as the training did.

    Raises:
      UserError: no such file, a damaged one, or an encoder that is not to be had.
    """
    from nst_jax.shell.running import trained
    from nst_jax.shell.settings.schema import Weights

    source = trained.OWN
    if weights is not None:
        source = Weights(source="file", path=str(weights), seed=0, preprocessing="auto")
    return trained.load(list(path) if isinstance(path, list | tuple) else path, source=source, log=lambda text: None)


def paint(
    model: Model,
    content: Any,
    style: Any = None,
    *,
    alpha: float = 1.0,
    shares: Sequence[Any] | None = None,
    size: int = 512,
    style_scale: float = 1.0,
    colour: str = "style",
    regions: Mapping[str, Region] | None = None,
) -> Result:
    """Paint a photograph in one pass. The result has an image and facts, but neither terms nor a curve.

    Args:
      model: by `load_model`.
      content: a file, a bundled picture by name, or an image (height, width, 3) in [0, 1], which keeps its size.
      style: of a model for any style: as `content`, or a list of several. Of a model of several styles: the number or
        the name of one, or a list. None: the only style, or all of them by `shares`.
      alpha: of a model for any style: 0 the photograph, 1 the style.
      shares: of each style; they are divided by their sum. Equal if not said.
      size: of a file's longer side, in pixels.
      style_scale: the size of a style's file relative to `size`.
      colour: whose colours the result has: style, luminance, match or keep; see `images.colour.MODES`.
      regions: parts of the photograph with styles of their own, by name, each made by `region`. What they leave has
        `style`, or stays as it is where there is none.

    Raises:
      ValueError: what does not suit this model.
    """
    if colour not in MODES:
        raise ValueError(f"colour={colour!r}: {', '.join(MODES)}")
    mode, chosen = MODES[colour], list(style) if isinstance(style, list | tuple) else [style]
    chosen = [one for one in chosen if one is not None]
    photo = as_image("content", read(content, size))
    seen = mode.content(photo)
    if model.apply.styles is not None:
        if alpha != 1 or regions or colour == "match":
            raise ValueError(f"a model of {model.method} has styles of its own: no alpha, regions or colour='match'")
        looks, numbers, kept = [], {"shares": own_shares(model, chosen, shares)}, None
    else:
        paintings = [mode.style(as_image("style", read(one, pixels(size, style_scale))), photo) for one in chosen]
        found = {n: recolour(one, mode, photo, pixels(size, style_scale), 1.0) for n, one in (regions or {}).items()}
        looks, numbers, kept = look(model, photo, paintings, shares_of(shares, styles=len(chosen)), found)
        numbers["alpha"] = jnp.float32(alpha)
    image = with_options(instant.paint, static="apply")(model.apply, model.params, seen[None], looks, **numbers)[0]
    image = instant.compose(image, seen, kept)
    return Result(with_chroma(image, photo) if mode.restored else image, {}, {}, facts(model, alpha, colour, chosen))


def pixels(size: int, scale: float) -> int:
    """Pixels of a style file's longer side."""
    return max(1, round(size * scale))


def own_shares(model: Model, chosen: Sequence[Any], shares: Sequence[Any] | None) -> Any:
    """The share of each of the model's own styles; None where it has one. Raises ValueError for one that it lacks."""
    if not model.apply.styles:
        if chosen or shares is not None:
            raise ValueError(f"style: this model has one style, {', '.join(model.header['style_names'])}")
        return None
    return jnp.asarray(instant.choose(model.header["style_names"], chosen, shares), jnp.float32)


def look(
    model: Model, photo: Image, paintings: Sequence[Image], shares: Sequence[Any], found: Mapping[str, Region]
) -> tuple[list[Any], dict[str, Any], Any]:
    """The looks of all styles, their shares and masks as the model takes them, and what is kept of the photograph."""
    if not paintings and not any(one.style is not None for one in found.values()):
        raise ValueError(f"a model of {model.method} paints in the style of a picture: give one")
    study = partial(with_options(instant.study, static="apply"), model.apply, model.params)
    looks = [study(image) for image in paintings]
    if not found:
        return looks, {"shares": jnp.asarray(shares, jnp.float32)}, None
    fitted = fit(found, photo)
    parts, rest = partition([one.mask for one in fitted.values()])
    masks = dict(zip(fitted, parts, strict=True))
    painted = [name for name, one in fitted.items() if one.style is not None]
    numbers, kept = instant.arrange(masks, rest, painted=painted, shares=list(shares))
    looks += [study(fitted[name].style, fitted[name].style_mask) for name in painted]
    return looks, numbers, kept


def facts(model: Model, alpha: float, colour: str, chosen: Sequence[Any]) -> dict[str, Any]:
    """The origin of a saved picture."""
    files = model.header.get("files", [])
    known = {"model": model.method, "files": files, "colour": colour}
    known |= {"alpha": str(alpha)} if model.apply.styles is None else {}
    names = [str(one) for one in chosen if isinstance(one, str | int | Path)]
    return {**known, **({"style": ", ".join(names)} if names else {})}
