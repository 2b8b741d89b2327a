"""A style for each region of an image: what `problem` and `stylise` take as `regions`."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from nst_jax.api.networks import Network, picture
from nst_jax.extractors.base import shapes
from nst_jax.images.regions import resize_mask
from nst_jax.losses.term import Blend, Terms
from nst_jax.methods import regions
from nst_jax.methods.regions import REST, Layout, Region
from nst_jax.methods.styles import Styles
from nst_jax.methods.transfer import Kept, Masks
from nst_jax.nn.windows import Window
from nst_jax.types import Image, Mask


def region(mask: Any, style: Any, *, style_mask: Any = None, weight: Any = 1.0) -> Region:
    """A part of the image with a style of its own.

    Args:
      mask: (height, width), the weight of each pixel from 0 to 1, of any size: it is resized to the content picture's.
        Or a file, whose gray it is.
      style: an image; None: the photograph stays as it is.
      style_mask: of the style picture, as `mask`: the part whose style it is; None: all of it.
      weight: of the region's terms, beside those of the others.

    Raises:
      ValueError: a mask of another shape or range.
    """
    masks = as_mask("mask", mask), None if style_mask is None else as_mask("style_mask", style_mask)
    return Region(masks[0], style, masks[1], weight)


def as_mask(name: str, mask: Any) -> Mask:
    """A mask as float32. Raises ValueError for another shape or range."""
    found = picture(mask).mean(-1) if isinstance(mask, str | Path) else jnp.asarray(mask, jnp.float32)
    if found.ndim != 2:
        raise ValueError(f"{name}: a mask is (height, width), not {found.shape}")
    if float(found.min()) < 0 or float(found.max()) > 1:
        raise ValueError(f"{name}: a mask is in [0, 1], not [{float(found.min()):g}, {float(found.max()):g}]")
    return found


def fit(found: Mapping[str, Region], photo: Image) -> dict[str, Region]:
    """The regions with their masks at the sizes of their pictures."""
    return {name: fit_masks(one, photo) for name, one in found.items()}


def fit_masks(one: Region, photo: Image) -> Region:
    """The region with its masks at the sizes of the photograph and of its style."""
    fitted = one._replace(mask=resize_mask(one.mask, height=photo.shape[0], width=photo.shape[1]))
    if one.style is None or one.style_mask is None:
        return fitted
    return fitted._replace(style_mask=resize_mask(one.style_mask, height=one.style.shape[0], width=one.style.shape[1]))


class Divided(NamedTuple):
    """A problem's terms and pictures, divided among its regions."""

    terms: Terms
    units: Mapping[str, Any]  # each term's weight if its part has the weight 1
    styles: Styles  # of all parts
    masks: Mapping[str, Masks]  # by picture
    kept: Kept | None


def divide(
    net: Network,
    terms: Terms,
    units: Mapping[str, Any],
    found: Mapping[str, Region],
    styles: Styles,
    photo: Image | None,
    *,
    carry: str,
    weigh: str,
) -> Divided:
    """Divide the image among the regions.

    Args:
      net: the network.
      terms: of the whole image.
      units: each one's weight if its part has the weight 1.
      found: the regions; none: all stays as it is.
      styles: what no region takes has their style.
      photo: the content picture.
      carry, weigh: as `problem` takes them.

    Raises:
      ValueError: no content picture, or a region or a term that does not fit.
    """
    if not found:
        return Divided(terms, units, styles, {}, None)
    if photo is None:
        raise ValueError("regions are parts of the content picture, and content is None")
    layers = tuple(dict.fromkeys(t.tap for t in terms if t.of == REST))
    extractor = net.extractor.clone(taps=layers)
    known = lambda height, width: shapes(extractor, net.params, height=height, width=width)
    by, sized = regions.carry_by(carry, known, partial(windows_of, net)), fit(found, photo)
    layout = regions.lay_out(sized, layers, carry=by, main=styles.whole is not None)
    if not layout.masks:
        raise ValueError("every region keeps the content picture, and so does the rest: there is nothing to paint")
    terms, units = regions.divide(terms, units, layout, own={}, weigh=weigh)
    masks, kept = regions.masks_of(layout, tuple(styles.sources)), regions.keep(layout, photo)
    return Divided(terms, units, gather(sized, layout, styles), masks, kept)


def windows_of(net: Network, layer: str) -> Sequence[Window]:
    """The windows from the image to a layer. Raises ValueError where the network does not say them."""
    if net.windows is None:
        raise ValueError("this network does not say what a position sees of an image: give Network(windows=...)")
    return net.windows(layer)


def gather(found: Mapping[str, Region], layout: Layout, styles: Styles) -> Styles:
    """The styles of the regions, and of the rest where a style takes it. Its shares are the weights of the parts."""
    own = {name: one.style for name, one in found.items() if one.style is not None}
    weights = {f"{name}/{REST}": found[name].weight for name in own}
    rest = styles if REST in layout.masks else Styles({}, {}, None)
    whole = Blend((rest.whole,), jnp.ones(1)) if isinstance(rest.whole, Array) else rest.whole
    return Styles({**own, **rest.sources}, {**weights, **rest.shares}, regions.as_one(layout, own, whole))
