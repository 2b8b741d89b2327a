"""Sizes and colours of one picture: RGB in [0, 1], see `types`."""

import math
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp

from nst_jax.types import Image

SizeRule = Literal["long", "short", "height", "width", "area", "original"]


@partial(jax.jit, static_argnames=("height", "width"))
def resize(image: Image, *, height: int, width: int) -> Image:
    """The image at `height` x `width` pixels, by cubic interpolation; smoothed first where it shrinks.

    A cubic kernel overshoots at edges: the result is clipped to [0, 1]. The aspect is not kept: see `target_shape`.
    """
    resized = jax.image.resize(image, (height, width, image.shape[2]), "cubic", antialias=True)
    return jnp.clip(resized, 0.0, 1.0)


def target_shape(*, height: int, width: int, size: int, rule: SizeRule) -> tuple[int, int]:
    """The shape (height, width) of an image resized to `size` by `rule`, its aspect kept.

    Args:
      height, width: of the image, in pixels.
      size: in pixels.
      rule: long, short, height or width: that side becomes `size`. area: the image has about size^2 pixels. original:
        nothing changes, and `size` is ignored.

    Returns:
      Sides of at least one pixel.

    Raises:
      ValueError: `size` is below 1, or the rule is unknown.
    """
    if rule == "original":
        return height, width
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, not {size}")
    if rule == "area":
        return _side(size * math.sqrt(height / width)), _side(size * math.sqrt(width / height))
    reference = _reference(height, width, rule)
    return _side(size * height / reference), _side(size * width / reference)


def _reference(height: int, width: int, rule: SizeRule) -> int:
    sides = {"long": max(height, width), "short": min(height, width), "height": height, "width": width}
    if rule not in sides:
        raise ValueError(f"no size rule {rule!r}: long, short, height, width, area or original")
    return sides[rule]


def _side(length: float) -> int:
    # half rounds up, so that equal aspects give equal shapes at every size (round() would go to even)
    return max(1, math.floor(length + 0.5))


def cover(image: Image, *, height: int, width: int) -> Image:
    """The largest part around the middle of the image that has the aspect width : height, at that shape."""
    h, w = image.shape[:2]
    part_h, part_w = (
        (h, max(1, round(h * width / height))) if w * height > h * width else (max(1, round(w * height / width)), w)
    )
    top, left = (h - part_h) // 2, (w - part_w) // 2
    return resize(image[top : top + part_h, left : left + part_w], height=height, width=width)
