"""More of a texture: an image of any size with the statistics of an exemplar. Its borders may meet.

Gatys, Ecker & Bethge 2015, arXiv 1505.07376, with terms that see further than a layer does. Where the image is
seamless, every convolution wraps around, and the total variation. The exemplar does not wrap.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp

from nst_jax.losses.differences import relative_error
from nst_jax.losses.grams import relative_gram
from nst_jax.losses.offsets import autocorrelation_term, shift_term
from nst_jax.losses.smoothness import corner_mean
from nst_jax.losses.spectrum import spectrum_term
from nst_jax.losses.term import Term
from nst_jax.methods.transfer import Masks
from nst_jax.nn.windows import Window, interior, total_stride
from nst_jax.published.base import Convention, smooth, wrap_smooth
from nst_jax.types import Axes, Image

SEAMLESS = {"none": (), "both": (0, 1), "x": (1,), "y": (0,)}  # the axes along which borders meet: 0 the height
PADDING = {(0, 1): "circular", (1,): "circular_x", (0,): "circular_y"}  # of the network, where borders meet


FINE = 4  # pixels between positions, as of VGG's relu3_1, whose shifts of 4, 8 and 16 positions keep bricks in rows


class Pattern(NamedTuple):
    """The terms of a texture beside those of its layers. A term of weight 0 is left out.

    Attributes:
      smooth: the weight of the total variation.
      spectrum: of the exemplar's spectrum.
      shifts: of the cross-Gram matrices, at `layers`, of positions `offsets` apart, down and to the right.
      autocorrelation: of the autocorrelation at `layers`.
      layers: their layers; none: see `suitable_layer`.
      offsets: in positions of the layer.
    """

    smooth: float
    spectrum: float
    shifts: float
    autocorrelation: float
    layers: tuple[str, ...]
    offsets: tuple[int, ...]

    def taps(self) -> tuple[str, ...]:
        """The layers that are measured."""
        return self.layers if self.shifts or self.autocorrelation else ()


def suitable_layer(layers: Iterable[str], windows: Callable[[str], Sequence[Window]]) -> str:
    """The layer whose positions are nearest to four pixels apart, as VGG's relu3_1; the first of several.

    Args:
      layers: those to choose from, the network's own style layers.
      windows: a layer -> the windows from the image to it.
    """
    return min(layers, key=lambda layer: abs(math.log(total_stride(windows(layer)) / FINE)))


def extend(compared: Convention, pattern: Pattern, *, axes: Axes) -> Convention:
    """The convention with the terms of the pattern, its own smoothness across the borders that meet."""
    shifts = tuple(shift for d in pattern.offsets for shift in ((0, d), (d, 0)))
    terms: list[tuple[Term, float]] = [
        (wrap_smooth(smooth(corner_mean), axes=axes)._replace(name="smooth"), pattern.smooth),
        (spectrum_term(periodic=True), pattern.spectrum),
    ]
    for layer in pattern.taps():
        terms.append((shift_term(layer, shifts=shifts, wrap=axes, compare=relative_gram), pattern.shifts))
        terms.append((autocorrelation_term(layer, wrap=axes, compare=relative_error), pattern.autocorrelation))
    own = compared.smooth_term and wrap_smooth(compared.smooth_term, axes=axes)
    return compared._replace(smooth_term=own, others=(*compared.others, *((t, w) for t, w in terms if w)))


def check_offsets(pattern: Pattern, shapes: Mapping[str, Sequence[int]]) -> None:
    """Raise ValueError for an offset that does not lie within the exemplar. shapes: of its layers."""
    for layer in pattern.layers if pattern.shifts else ():
        height, width = shapes[layer][:2]
        if max(pattern.offsets) >= min(height, width):
            raise ValueError(
                f"{max(pattern.offsets)} reaches over the exemplar's {width} x {height} positions at {layer}: "
                "take smaller ones, or a larger exemplar"
            )


def tile(exemplar: Image, *, height: int, width: int) -> Image:
    """The exemplar laid side by side to this size, its corner in the corner."""
    h, w, _ = exemplar.shape
    return jnp.tile(exemplar, (-(-height // h), -(-width // w), 1))[:height, :width]


def fit_sides(*, height: int, width: int, axes: Axes, windows: Iterable[Sequence[Window]]) -> tuple[int, int]:
    """The sides. Those that wrap are rounded up to a multiple of all poolings' strides. windows: of each layer."""
    stride = max(map(total_stride, windows))
    height, width = (-(-n // stride) * stride if axis in axes else n for axis, n in enumerate((height, width)))
    return height, width


def inner_masks(layers: Iterable[str], windows: Callable[[str], Sequence[Window]], exemplar: Image) -> Masks:
    """The part of the exemplar that no padding reaches, at each layer where there is one; else all of it."""
    height, width, _ = exemplar.shape
    inner = {layer: interior(windows(layer), height=height, width=width) for layer in layers}
    return Masks({}, {layer: mask for layer, mask in inner.items() if float(mask.max()) > 0})


def count_tiles(axes: Axes) -> tuple[int, int] | None:
    """How often the image is repeated down and to the right, to show its seams, or None if the borders do not meet."""
    return (1 + (0 in axes), 1 + (1 in axes)) if axes else None
