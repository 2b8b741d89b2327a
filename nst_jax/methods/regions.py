"""A style for each region of the image.

Gatys, Ecker, Bethge, Hertzmann & Shechtman 2017, arXiv 1611.07865, section 4: the moments of a region are sums with its
mask as a weight, divided by the mask's sum. The masks of an image sum to 1, so that the moments of the regions add up
to those of the whole, where masks are soft, too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from nst_jax.extractors.base import Shape
from nst_jax.images.regions import partition, resize_mask
from nst_jax.losses.term import Blend, Terms
from nst_jax.methods.transfer import Kept, Masks
from nst_jax.nn.windows import Window, narrowest, widest
from nst_jax.published.base import AimAtMoments
from nst_jax.types import Image, Mask

REST = "style"  # the part of the image that no region takes, and its style
CARRIES = ("simple", "inside", "all")
WEIGHS = ("area", "equal")
LEAST = 0.5 / 255  # of a mask: below half a level of an 8-bit picture nothing is there

Carry = Callable[[Mask, str], Mask]  # (a mask at a picture's size, a layer) -> the mask at the layer's


class CannotMask(ValueError):
    """A term cannot measure a region."""


class Region(NamedTuple):
    """A part of the image, and where its style is from."""

    mask: Mask  # (height, width) of the image: the weight of each pixel, from 0 to 1
    style: Image | None  # of any size; None: the photograph stays as it is
    style_mask: Mask | None  # (height, width) of the style picture; None: all of it
    weight: Any  # of its terms, beside those of the other regions


class Layout(NamedTuple):
    """The regions of an image at each layer. The part of a style that has no region is named `style`."""

    masks: Mapping[str, Masks]  # of each region that is painted
    areas: Mapping[str, float]  # the part of the image that each region takes, painted or not
    lost: Mapping[str, tuple[str, ...]]  # the layers at which nothing is left of a region
    kept: Mask | None  # what stays as the photograph has it


def carry_by(
    by: str, shapes: Callable[[int, int], Mapping[str, Shape]], windows: Callable[[str], Sequence[Window]]
) -> Carry:
    """How masks reach the layers.

    Args:
      by: simple: resized to the layer. inside: a position counts as far as its receptive field lies inside. all: as far
        as its receptive field meets the region.
      shapes: (height, width) of a picture -> the shape of each layer.
      windows: a layer -> the windows from the picture to it.

    Raises:
      ValueError: another word.
    """
    if by not in CARRIES:
        raise ValueError(f"masks are carried by {', '.join(CARRIES)}; got {by}")

    def carry(mask: Mask, layer: str) -> Mask:
        if by != "simple":
            return (narrowest if by == "inside" else widest)(mask, windows(layer))
        height, width, _ = shapes(*mask.shape)[layer]
        return resize_mask(mask, height=height, width=width)

    return carry


def lay_out(regions: Mapping[str, Region], layers: Sequence[str], *, carry: Carry, main: bool) -> Layout:
    """Divide the image among the regions, at each layer.

    Args:
      regions: by name. Where their masks sum to more than 1, they are divided by the sum.
      layers: of the style.
      carry: by `carry_by`.
      main: whether a style takes what no region takes; else the photograph stays there.

    Raises:
      ValueError: an empty mask, or a region of which nothing is left at any layer.
    """
    for name, region in regions.items():
        for what, mask in (("mask", region.mask), ("mask of the style", region.style_mask)):
            if mask is not None and float(mask.max()) < LEAST:
                raise ValueError(f"region {name}: its {what} is empty")
    parts, rest = partition([region.mask for region in regions.values()])
    own = dict(zip(regions, parts, strict=True)) | ({REST: rest} if float(rest.max()) >= LEAST else {})
    painted = {name for name, region in regions.items() if region.style is not None} | ({REST} if main else set())
    kept = [mask for name, mask in own.items() if name not in painted]
    masks, lost = {}, {}
    for name in (name for name in own if name in painted):
        of_style = regions[name].style_mask if name in regions else None
        image, picture = (
            {} if mask is None or is_whole(mask) else {layer: carry(mask, layer) for layer in layers}
            for mask in (own[name], of_style)
        )
        lost[name] = tuple(k for k in layers if any(k in m and float(m[k].max()) < LEAST for m in (image, picture)))
        masks[name] = Masks(image, picture)
        if layers and len(lost[name]) == len(layers):
            raise ValueError(f"region {name}: nothing of it is left at any layer; take a larger image or a wider mask")
    areas = {name: float(mask.mean()) for name, mask in own.items()}
    return Layout(masks, areas, {k: v for k, v in lost.items() if v}, jnp.sum(jnp.stack(kept), 0) if kept else None)


def masks_of(layout: Layout, rest: Sequence[str]) -> dict[str, Masks]:
    """The masks of each aim. rest: the names of the styles that take what no region takes."""
    own = {name: masks for name, masks in layout.masks.items() if name != REST}
    return own | {name: layout.masks[REST] for name in rest if REST in layout.masks}


def keep(layout: Layout, photo: Image) -> Kept | None:
    """The parts of the photograph that stay."""
    return None if layout.kept is None else Kept(layout.kept, photo)


def as_one(layout: Layout, styles: Mapping[str, Image], rest: Blend | None) -> Blend:
    """All that is painted as one: each style by the part of the image that it takes.

    styles: of the regions. rest: of the area outside the regions, or None; it is unused where that area is empty.
    """
    areas = [layout.areas[name] for name in styles]
    painted = tuple(styles.values())
    if rest is not None and REST in layout.masks:
        areas += [layout.areas[REST] * float(share) for share in rest.shares]
        painted += rest.pictures
    return Blend(painted, jnp.asarray([area / sum(areas) for area in areas], jnp.float32))


def is_whole(mask: Mask) -> bool:
    """Whether the mask is 1 everywhere. The terms are then those of the whole picture, to the bit."""
    return bool(np.all(np.asarray(mask) == 1))


def divide(
    terms: Terms, weights: Mapping[str, Any], layout: Layout, *, own: Mapping[str, Any], weigh: str
) -> tuple[Terms, dict[str, Any]]:
    """The terms with those of the style as one for each region, "sky/style/relu1_1", and the weight of each.

    Args:
      terms: of the whole image.
      weights: of each, by name.
      layout: by `lay_out`.
      own: a further weight of each region, by name; 1 where there is none.
      weigh: area: a region's terms count by the part of the image that it takes, as in Luan et al. 2017 (arXiv
        1703.07511), so that each pixel is painted as strongly as without regions. equal: all regions alike, as in Gatys
        et al. 2017.

    Raises:
      CannotMask: a style term compares no moments.
      ValueError: another word for `weigh`.
    """
    if weigh not in WEIGHS:
        raise ValueError(f"regions are weighed by {' or '.join(WEIGHS)}; got {weigh}")
    found: list[Any] = []
    numbers: dict[str, Any] = {}
    for t in terms:
        if t.of != REST:
            found.append(t)
            numbers[t.name] = weights[t.name]
            continue
        if not isinstance(t.aim, AimAtMoments):
            raise CannotMask(f"{t.name} compares no moments: it cannot measure a region")
        for region in layout.masks:
            if t.tap not in layout.lost.get(region, ()):
                name = t.name if region == REST else f"{region}/{t.name}"
                share = layout.areas[region] if weigh == "area" else 1 / len(layout.masks)
                found.append(t._replace(name=name, of=region))
                numbers[name] = weights[t.name] * share * own.get(region, 1.0)
    return tuple(found), numbers
