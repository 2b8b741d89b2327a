"""One image over several devices by its rows: what operations must know of it where rows do not divide evenly.

XLA cuts an array for the devices by itself, and exchanges the rows at the seams. Along an axis that the devices do not
divide the last one has fewer rows; a reshape of that axis then gathers the array on every device. `fill` prevents it.
Without a mesh that has an axis ROWS (`jax.set_mesh`) nothing here changes a program.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import PartitionSpec

ROWS = "rows"  # the axis of a mesh


def devices() -> int:
    """How many devices share the rows of an image in the program that is being traced."""
    return jax.sharding.get_abstract_mesh().shape.get(ROWS, 1)


def split(x: Array, *, axis: int) -> Array:
    """The array, cut along `axis` for the devices, evenly or not. Its other axes are whole."""
    return lax.with_sharding_constraint(x, PartitionSpec(*[None] * axis, ROWS)) if devices() > 1 else x


def hold(kernel: Array) -> Array:
    """The kernel of a convolution, whole on each device.

    An activation of no more rows than the kernel would have it cut, too: the results are then wrong where there are
    lanes beside the rows (jax 0.10).
    """
    return lax.with_sharding_constraint(kernel, PartitionSpec()) if devices() > 1 else kernel


def fill(x: Array, *, axis: int, by: int) -> Array:
    """The array with zeros behind the last row, so that each device has the same multiple of `by` rows."""
    missing = -x.shape[axis] % (devices() * by)
    if devices() == 1 or not missing:
        return x
    return split(jnp.pad(x, [(0, missing if i == axis else 0) for i in range(x.ndim)]), axis=axis)
