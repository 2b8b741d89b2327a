"""Pooling over cells of 2 x 2 positions, stride 2."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from nst_jax.nn import rows
from nst_jax.nn.precision import widen

Batch = Float[Array, "n h w c"]
Cells = Float[Array, "n ph 2 pw 2 c"]
Pooled = Float[Array, "n ph pw c"]


def pool(x: Batch, *, kind: str, rounding: str) -> Pooled:
    """Pool cells of 2 x 2 positions.

    The cells come from a reshape, not from reduce_window: the gradient is exact, and deterministic on a GPU too.

    Args:
      x: activations.
      kind: max, avg or l2.
      rounding: what happens to the last row or column of an odd side. floor drops it. ceil makes it a cell of its own
        pixels only, as Caffe does.
    """
    n, h, w, c = x.shape
    if rounding == "ceil":
        # a repeated row changes neither the maximum nor the means of its cell
        x = jnp.pad(x, ((0, 0), (0, h % 2), (0, w % 2), (0, 0)), mode="edge")
    h, w = x.shape[1] // 2, x.shape[2] // 2
    x = rows.fill(x[:, : 2 * h, : 2 * w], axis=1, by=2)
    return KINDS[kind](x.reshape(n, -1, 2, w, 2, c))[:, :h]


def maximum(cells: Cells) -> Pooled:
    """The maximum of each cell. Of several equal values the first one gets the whole gradient, as in Caffe."""
    top = jnp.where(cells[:, :, 0] >= cells[:, :, 1], cells[:, :, 0], cells[:, :, 1])
    return jnp.where(top[:, :, :, 0] >= top[:, :, :, 1], top[:, :, :, 0], top[:, :, :, 1])


def average(cells: Cells) -> Pooled:
    """The mean of each cell, in float32.

    It is a sum of slices. As a reduction (jnp.mean) a step at 512 pixels takes 3 to 8 % longer on a CPU.
    """
    sums = widen(cells[:, :, 0]) + cells[:, :, 1]
    return ((sums[:, :, :, 0] + sums[:, :, :, 1]) / 4).astype(cells.dtype)


def root_mean_square(cells: Cells) -> Pooled:
    """Hénaff & Simoncelli 2016, arXiv 1511.06394, without their window. A cell of zeros has the gradient 0."""
    squares = average(cells**2)
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1)), 0)


KINDS = {"max": maximum, "avg": average, "l2": root_mean_square}


def length(*, side: int, rounding: str) -> int:
    """The number of cells along a side of so many positions."""
    return -(-side // 2) if rounding == "ceil" else side // 2
