"""Sizes and colours of one picture: RGB in [0, 1], see `types`."""

import math
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

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


KERNELS = {"cubic": "cubic", "lanczos": "lanczos3", "linear": "linear", "torch": "torch"}  # here -> jax.image's


@partial(jax.jit, static_argnames=("height", "width", "kernel"))
def enlarge(image: Float[Array, "_ _ c"], *, height: int, width: int, kernel: str) -> Float[Array, "_ _ c"]:
    """The array at a larger size. It is not clipped: cubic kernels and Lanczos' overshoot at edges.

    Args:
      image: (height, width, channels).
      height, width: in pixels.
      kernel: cubic, lanczos or linear, of jax.image; torch: the cubic kernel of torch.nn.functional.interpolate, which
        overshoots more (a = -0.75, not -0.5) and repeats the border.
    """
    if kernel == "torch":
        rows, columns = (
            _torch_matrix(after=new, before=old) for new, old in zip((height, width), image.shape, strict=False)
        )
        return jnp.einsum("ih,hwc,jw->ijc", rows, image, columns, precision=lax.Precision.HIGHEST)
    return jax.image.resize(image, (height, width, image.shape[2]), KERNELS[kernel])


def _torch_matrix(*, after: int, before: int) -> Float[Array, "after before"]:
    """The weight of each old position in each new one: aten/src/ATen/native/UpSample.h, A = -0.75."""
    a, place = -0.75, (jnp.arange(after) + 0.5) * before / after - 0.5
    first = jnp.floor(place).astype(jnp.int32) - 1
    taps = first[:, None] + jnp.arange(4)
    x = jnp.abs(place[:, None] - taps)
    near = ((a + 2) * x - (a + 3)) * x**2 + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    weights = jnp.where(x <= 1, near, jnp.where(x < 2, far, 0))
    rows = jnp.arange(after)[:, None]
    return jnp.zeros((after, before)).at[rows, jnp.clip(taps, 0, before - 1)].add(weights)
