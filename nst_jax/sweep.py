"""Many runs in one program: Problems with a leading axis, each lane of it one run.

Lanes share the `Spec` and the shapes; they differ in numbers. Every turn is one evaluation of each lane, within its
line search or not; the cost is that of the lane that needs the most of them. A lane equals the single run to
tolerance, not to the bit, since a batched convolution adds up in another order. A lane that is not finite stands
still, and no value of another lane depends on it.

A leaf that is the same for all lanes, as the network's weights are, is kept once: `axes` says which.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Float, Int

from nst_jax import optimise, transfer
from nst_jax.losses import Terms
from nst_jax.optimise import State, Walk
from nst_jax.solvers import Info
from nst_jax.transfer import Problem, Result, Spec
from nst_jax.types import Image

Axes = tuple[int | None, ...]  # for each leaf of a Problem: 0 if it has an entry for each lane, None if they share it
Images = Float[Array, "lanes _ _ 3"]


def stack(problems: Sequence[Problem]) -> tuple[Problem, Axes]:
    """Problems of one structure as one with a leading axis. A leaf that is one object in all of them stays one."""
    leaves = [jax.tree.leaves(p) for p in problems]
    shared = [all(leaf is column[0] for leaf in column) for column in zip(*leaves, strict=True)]
    axes = tuple(None if s else 0 for s in shared)
    return stack_as(problems, axes), axes


def stack_as(problems: Sequence[Problem], axes: Axes) -> Problem:
    """Problems as one with a leading axis where `axes` says so: a part of a sweep in the layout of the whole."""
    columns = zip(*(jax.tree.leaves(p) for p in problems), strict=True)
    stacked = [column[0] if axis is None else jnp.stack(column) for column, axis in zip(columns, axes, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(problems[0]), stacked)


def all_lanes(problems: Problem) -> Axes:
    """The axes of a Problem each of whose leaves has an entry for each lane."""
    return (0,) * len(jax.tree.leaves(problems))


def mapped(function: Callable[..., Any], problems: Problem, axes: Axes) -> Callable[..., Any]:
    """function(problem, *others) over the lanes of the problems, and of all the others."""
    tree = jax.tree.unflatten(jax.tree.structure(problems), axes)
    return lambda *others: jax.vmap(function, in_axes=(tree, *(0 for _ in others)))(problems, *others)


@partial(jax.jit, static_argnums=0, static_argnames="axes")
def begin(spec: Spec, problems: Problem, starts: Images, *, axes: Axes) -> State:
    """The states before the first step, with a leading axis."""
    return mapped(partial(transfer.begin, spec), problems, axes)(starts)


@partial(jax.jit, static_argnums=0, static_argnames=("axes", "room"), donate_argnames="states")
def advance(
    spec: Spec,
    problems: Problem,
    states: State,
    *,
    axes: Axes,
    steps: Int[Array, " lanes"],
    room: int,
    turns: Int[Array, ""] | int | None = None,
) -> tuple[State, Info]:
    """Up to `steps` iterations, each lane its own number, in one program; see `optimise.advance`.

    `states` is used up: its memory is taken over. The loop's condition is one for all lanes, and each turn is told
    which are active: a loop under vmap would choose between each lane's old state and its new one, memory and all.
    """

    def one(problem: Problem, walk: Walk, active: Array) -> Walk:
        minimised = partial(transfer.objective, spec, problem)
        return optimise.turned(minimised, transfer.solver(spec, problem), walk, active=active)

    going = jax.vmap(lambda walk, steps: optimise.going(walk, steps=steps))
    walks = jax.vmap(partial(optimise.begun, room=room))(states)
    turn = mapped(one, problems, axes)
    walks = optimise.turning(
        lambda walks: going(walks, steps).any(), lambda walks: turn(walks, going(walks, steps)), walks, turns=turns
    )
    return walks.state, walks.infos


@partial(jax.jit, static_argnums=0, static_argnames="axes")
def terms(spec: Spec, problems: Problem, images: Images, *, axes: Axes) -> Terms:
    """The unweighted terms of each lane's image."""
    return mapped(partial(transfer.terms, spec), problems, axes)(images)


def images(states: State) -> Images:
    """Where each lane is; the best point before it, for one whose value was not finite."""
    return jnp.where(states.finite[:, None, None, None], states.x, states.best)


def over(
    spec: Spec,
    problems: Problem,
    starts: Images,
    *,
    steps: int,
    axes: Axes | None = None,
    lanes: int | None = None,
    mesh: Mesh | None = None,
) -> Result:
    """Every lane's whole run: a Result with a leading axis.

    axes: which leaves of `problems` have the leading axis; None: all. lanes: so many at a time, by one program,
    None: all at once. mesh: devices to lay the lanes over, along its only axis.
    """
    axes = all_lanes(problems) if axes is None else axes
    many = len(starts)
    width = divisible(lanes=min(lanes or many, many), devices=1 if mesh is None else mesh.size)
    parts = []
    for first in range(0, many, width):
        chosen = jnp.minimum(jnp.arange(first, first + width), many - 1)  # the last one again fills the last part
        part, begun = taken(problems, axes, chosen), starts[chosen]
        if mesh is not None:
            part, begun = laid(part, begun, axes, mesh)
        parts.append(_stylised(spec, part, begun, axes=axes, steps=steps))
    return jax.tree.map(lambda *a: jnp.concatenate(a)[:many], *parts)


@partial(jax.jit, static_argnums=0, static_argnames=("axes", "steps"))
def _stylised(spec: Spec, problems: Problem, starts: Images, *, axes: Axes, steps: int) -> Result:
    asked = jnp.full(len(starts), steps, jnp.int32)
    states, infos = advance(
        spec, problems, begin(spec, problems, starts, axes=axes), axes=axes, steps=asked, room=steps
    )
    ended = images(states)
    return Result(ended, terms(spec, problems, ended, axes=axes), infos)


def over_weights(
    spec: Spec, problem: Problem, start: Image, weights: Terms, *, steps: int, lanes: int | None = None
) -> Result:
    """One picture pair under many weights of the terms: `weights` has a leading axis, all else is shared."""
    shared = jax.tree.map(lambda _: None, problem)._replace(weights=jax.tree.map(lambda _: 0, weights))
    axes = tuple(jax.tree.leaves(shared, is_leaf=lambda leaf: leaf is None))
    many = len(jax.tree.leaves(weights)[0])
    starts = jnp.broadcast_to(start, (many, *start.shape))
    return over(spec, problem._replace(weights=weights), starts, steps=steps, axes=axes, lanes=lanes)


def taken(problems: Problem, axes: Axes, chosen: Int[Array, " some"]) -> Problem:
    """The chosen lanes."""
    leaves, tree = jax.tree.flatten(problems)
    some = [leaf if axis is None else leaf[chosen] for leaf, axis in zip(leaves, axes, strict=True)]
    return jax.tree.unflatten(tree, some)


def divisible(*, lanes: int, devices: int) -> int:
    """The next number of lanes that the devices can share."""
    return -(-lanes // devices) * devices


def laid(problems: Problem, starts: Any, axes: Axes, mesh: Mesh) -> tuple[Problem, Any]:
    """Lanes spread over the devices of `mesh`; what they share goes to each. `starts`: any tree with lanes first."""
    spread, whole = (NamedSharding(mesh, spec) for spec in (PartitionSpec(mesh.axis_names[0]), PartitionSpec()))
    leaves, tree = jax.tree.flatten(problems)
    put = [jax.device_put(leaf, whole if axis is None else spread) for leaf, axis in zip(leaves, axes, strict=True)]
    return jax.tree.unflatten(tree, put), jax.device_put(starts, spread)
