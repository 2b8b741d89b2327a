"""The part of the image that a position of a layer sees: the windows on the way, and masks through them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from nst_jax.types import Mask


class Window(NamedTuple):
    """A convolution or a pooling, along each axis."""

    size: int
    stride: int
    padding: int  # positions beyond the border, on each side
    ceil: bool  # whether the last window may reach beyond the border, as in Caffe


CONVOLUTION = Window(3, 1, 1, False)  # that keeps height and width


def narrowest(mask: Mask, windows: Sequence[Window]) -> Mask:
    """The smallest weight that each position sees: 1 where its receptive field lies inside the region.

    Gatys et al. 2017 (arXiv 1611.07865) find these positions by noise outside the region (get_fm_guides, mode `inside`,
    NeuralImageSynthesis @cced0b9). The area beyond the picture's border counts neither as inside nor as outside.
    """
    return _reduce(mask, windows, lax.min, jnp.inf)


def widest(mask: Mask, windows: Sequence[Window]) -> Mask:
    """The largest weight that each position sees: above 0 where its receptive field meets the region; mode `all`."""
    return _reduce(mask, windows, lax.max, -jnp.inf)


def _reduce(mask: Mask, windows: Sequence[Window], choose: object, neutral: float) -> Mask:
    for window in windows:
        pads = [(window.padding, window.padding + overhang(side=side, window=window)) for side in mask.shape]
        mask = lax.reduce_window(mask, neutral, choose, (window.size,) * 2, (window.stride,) * 2, pads)  # pyright: ignore
    return mask


def overhang(*, side: int, window: Window) -> int:
    """The positions that the last window lacks, where it may reach beyond the border."""
    return (window.size - side - 2 * window.padding) % window.stride if window.ceil else 0


def margin(windows: Sequence[Window]) -> int:
    """The pixels beyond its own cell that a position sees, on the side where it sees more."""
    return max(reach(windows))


def reach(windows: Sequence[Window]) -> tuple[int, int]:
    """The pixels beyond its own cell that a position sees, before it and after it. Below 0: not the whole cell."""
    before, after, stride = 0, 0, 1
    for window in windows:
        before += stride * window.padding
        after += stride * (window.size - window.padding - window.stride)
        stride *= window.stride
    return before, after


def total_stride(windows: Sequence[Window]) -> int:
    """The pixels from one position to the next."""
    return math.prod(window.stride for window in windows)


def interior(windows: Sequence[Window], *, height: int, width: int) -> Mask:
    """1 where a position sees nothing beyond the border of a picture of this size, else 0."""
    mask = jnp.ones((height, width))
    for window in windows:
        after = (window.padding + overhang(side=side, window=window) for side in mask.shape)
        mask = jnp.pad(mask, [(window.padding, n) for n in after])
        mask = narrowest(mask, (window._replace(padding=0, ceil=False),))
    return mask
