"""Where each array of a run lies on a mesh of devices: lanes along one axis of it, rows of the image along another.

The image, the solver's arrays of its shape, L-BFGS's flat memories, and the aims with the layout of an activation are
cut by their rows. All else is whole on each device. XLA follows the layout of the arguments, and exchanges the rows
at the seams of a convolution. `nn.rows` does what it cannot find out by itself; for it, programs are traced `within`.

An argument of a program must be cut evenly (jax.jit). One that the devices do not divide is whole on each of them; the
activations made of it are cut all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding, PartitionSpec, Sharding

from nst_jax.losses.term import Aim
from nst_jax.methods.transfer import Problem
from nst_jax.nn.rows import ROWS
from nst_jax.optim.minimise import State

LANES = "lanes"  # the axis of a mesh
Axes = tuple[int | None, ...]  # for each leaf of a Problem: 0 if it has an entry for each lane, None if they share it
AnyMesh = Mesh | AbstractMesh
Shape = tuple[int, int]  # height and width of the image


def make_mesh(*, lanes: int, rows: int, devices: Sequence[Any] | None = None) -> Mesh:
    """The first lanes * rows devices, by these two axes. devices: to choose from; None: all."""
    chosen = (jax.devices() if devices is None else devices)[: lanes * rows]
    return jax.make_mesh((lanes, rows), (LANES, ROWS), axis_types=(AxisType.Auto,) * 2, devices=chosen)


def lanes_of(mesh: AnyMesh | None) -> int:
    """Along how many devices the lanes are spread. Raises ValueError for a mesh with other axes."""
    if mesh is not None and not mesh.shape.keys() <= {LANES, ROWS}:
        raise ValueError(f"the axes of a mesh are {LANES} and {ROWS}; this one has {', '.join(mesh.shape)}")
    return 1 if mesh is None else mesh.shape.get(LANES, 1)


def rows_of(mesh: AnyMesh | None) -> int:
    """Along how many devices the rows of an image are spread."""
    return 1 if mesh is None else mesh.shape.get(ROWS, 1)


def within(mesh: Mesh | None) -> AbstractContextManager[Any]:
    """Where programs for the mesh are traced."""
    return nullcontext() if mesh is None else jax.set_mesh(mesh)


def spans_processes(mesh: Mesh | None) -> bool:
    """Whether some of the devices belong to another process."""
    return mesh is not None and not whole(mesh).is_fully_addressable


def put(tree: Any, places: Any) -> Any:
    """The arrays, laid out so.

    Of several processes each has the whole of an array, the same in all of them, and takes its own part of it.

    Args:
      tree: arrays that this process has.
      places: a sharding for each.
    """

    def one(leaf: Any, place: Sharding) -> jax.Array:
        if place.is_fully_addressable:
            return jax.device_put(leaf, place)
        known = np.asarray(leaf)
        return jax.make_array_from_callback(known.shape, place, lambda index: known[index])

    return jax.tree.map(one, tree, places)


def fetch(tree: Any) -> Any:
    """The arrays whole, as numpy arrays. Of several processes each gets all of them, and each must ask."""

    def one(leaf: Any) -> np.ndarray:
        if isinstance(leaf, jax.Array) and not (leaf.is_fully_addressable or leaf.is_fully_replicated):
            everywhere = whole(leaf.sharding.mesh)  # pyright: ignore[reportAttributeAccessIssue]
            leaf = jax.jit(_same, out_shardings=everywhere)(leaf)
        return np.asarray(leaf)

    return jax.tree.map(one, tree)


def _same(leaf: jax.Array) -> jax.Array:
    return leaf


def whole(mesh: AnyMesh) -> NamedSharding:
    """Every device has all of it."""
    return NamedSharding(mesh, PartitionSpec())


def of_leaf(mesh: AnyMesh, shape: tuple[int, ...], *, lane: bool, rows: int | None) -> NamedSharding:
    """Where an array lies.

    Args:
      mesh: of the devices.
      shape: of the array.
      lane: whether its first axis is that of the lanes.
      rows: the axis that has the image's rows, without that of the lanes; None: it has none.
    """
    axes: list[str | None] = [LANES if LANES in mesh.shape else None] if lane else []
    if rows is not None and rows + lane < len(shape) and rows_of(mesh) > 1:
        even = shape[rows + lane] % rows_of(mesh) == 0
        axes += [*[None] * rows, ROWS] if even else []
    return NamedSharding(mesh, PartitionSpec(*axes))


def of_images(mesh: AnyMesh, shape: tuple[int, ...]) -> NamedSharding:
    """Where the images of the lanes lie. shape: (lanes, height, width, 3)."""
    return of_leaf(mesh, shape, lane=True, rows=0)


def axis_of_rows(shape: tuple[int, ...], image: Shape) -> int | None:
    """The axis of an array that has the rows of an image of this height and width: 0, or 1 if it is flat, or None."""
    if shape[:2] == image:
        return 0
    return 1 if len(shape) == 2 and shape[1] == 3 * image[0] * image[1] else None


def of_state(mesh: AnyMesh, state: State, *, image: Shape, lanes: bool) -> State:
    """Where the leaves of a state lie: a State of shardings. lanes: whether each has a leading axis."""
    place = lambda leaf: of_leaf(mesh, leaf.shape, lane=lanes, rows=axis_of_rows(leaf.shape[lanes:], image))
    return jax.tree.map(place, state)


def of_aims(mesh: AnyMesh, aims: Mapping[str, Aim], *, lane: Mapping[str, Aim] | None = None) -> dict[str, Aim]:
    """Where the leaves of aims lie. lane: which have a leading axis; None: none."""

    def place(rows: int | None, part: Any, flags: Any) -> Any:
        return jax.tree.map(lambda leaf, flag: of_leaf(mesh, leaf.shape, lane=flag, rows=rows), part, flags)

    flags = jax.tree.map(lambda _: False, aims) if lane is None else lane
    return {
        name: Aim(place(0, aim.local, flags[name].local), place(None, aim.whole, flags[name].whole))
        for name, aim in aims.items()
    }


def of_problem(mesh: AnyMesh, problem: Problem, *, image: Shape, axes: Axes | None = None) -> Problem:
    """Where the leaves of a Problem lie: a Problem of shardings. axes: which have a leading axis; None: none."""
    leaves, tree = jax.tree.flatten(problem)
    lane = tree.unflatten([axis == 0 for axis in axes or (None,) * len(leaves)])

    def place(rows: Callable[[tuple[int, ...]], int | None], part: Any, lane: Any) -> Any:
        own = lambda leaf, lane: of_leaf(mesh, leaf.shape, lane=lane, rows=rows(leaf.shape[lane:]))
        return jax.tree.map(own, part, lane)

    never, alike = (lambda shape: None), partial(axis_of_rows, image=image)
    aims, params = of_aims(mesh, problem.aims, lane=lane.aims), place(never, problem.params, lane.params)
    return place(alike, problem, lane)._replace(aims=aims, params=params)
