"""Pooling over windows that may overlap, with padding: what the networks after VGG have.

Maxima and sums are taken over slices, first along the rows and then along the columns. The gradient of
`lax.reduce_window` is a scatter, slow on a CPU and in no fixed order on a GPU; that of a slice is a pad.
"""

import math
from collections.abc import Callable
from functools import reduce

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nst_jax.nn.conv import PADDINGS
from nst_jax.nn.precision import widen
from nst_jax.nn.windows import Window, overhang

Batch = Float[Array, "n _ _ _"]


def pool_windows(x: Batch, window: Window, *, kind: str, padding: str) -> Batch:
    """Pool windows of positions.

    Args:
      x: activations.
      window: size, stride, padding, and whether the last window may reach beyond the border.
      kind: max: what lies beyond the border does not count. avg: it counts as what `padding` puts there. avg_inside: a
        mean over the positions of the image alone.
      padding: zero, reflect, replicate, circular, circular_x or circular_y.

    Raises:
      ValueError: another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"a pooling is one of {', '.join(KINDS)}; got {kind}")
    height, width = x.shape[1:3]
    for axis, mode in enumerate(PADDINGS[padding], 1):
        x = continue_axis(x, window, axis=axis, mode=mode, kind=kind)
    return KINDS[kind](x, window, counts(window, height=height, width=width, padding=padding))


def continue_axis(x: Batch, window: Window, *, axis: int, mode: str, kind: str) -> Batch:
    """The activations with the values before and after them along an axis."""
    ends = (window.padding, window.padding + overhang(side=x.shape[axis], window=window))
    if not any(ends):
        return x
    pads = [ends if i == axis else (0, 0) for i in range(4)]
    if mode == "wrap" or (kind == "avg" and mode != "constant"):
        return jnp.pad(x, pads, mode=mode)
    return jnp.pad(x, pads, constant_values=-jnp.inf if kind == "max" else 0)


def counts(window: Window, *, height: int, width: int, padding: str) -> Float[np.ndarray, "_ _ 1"]:
    """How many positions of the image each window has."""
    numbers = []
    for side, mode in zip((height, width), PADDINGS[padding], strict=True):
        ends = (window.padding, window.padding + overhang(side=side, window=window))
        inside = np.pad(np.ones(side), ends, mode="wrap" if mode == "wrap" else "constant")
        starts = range(0, len(inside) - window.size + 1, window.stride)
        numbers.append(np.array([inside[i : i + window.size].sum() for i in starts]))
    return np.multiply.outer(*numbers)[..., None]


def fold(x: Batch, window: Window, join: Callable[[Array, Array], Array]) -> Batch:
    """All positions of each window joined, two at a time."""
    for axis in (1, 2):
        last = x.shape[axis] - window.size + 1
        at = lambda i, x=x, axis=axis, last=last: x[(slice(None),) * axis + (slice(i, i + last, window.stride),)]
        x = reduce(join, map(at, range(window.size)))
    return x


def maximum(x: Batch, window: Window, number: np.ndarray) -> Batch:
    """The maximum. Of several equal values one gets the whole gradient."""
    return fold(x, window, lambda a, b: jnp.where(a >= b, a, b))


def average(x: Batch, window: Window, number: np.ndarray) -> Batch:
    """The mean over a whole window, in float32."""
    return (fold(widen(x), window, jnp.add) / window.size**2).astype(x.dtype)


def average_inside(x: Batch, window: Window, number: np.ndarray) -> Batch:
    """The mean over the positions of the image, in float32."""
    sums = fold(widen(x), window, jnp.add)
    return (sums / number.astype(sums.dtype)).astype(x.dtype)


KINDS = {"max": maximum, "avg": average, "avg_inside": average_inside}


def length(*, side: int, window: Window) -> int:
    """The number of windows along a side; 0 where the side is too short for one."""
    span = side + 2 * window.padding - window.size
    return max(0, (math.ceil if window.ceil else math.floor)(span / window.stride) + 1)
