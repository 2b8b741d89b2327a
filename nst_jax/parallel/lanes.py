"""Many runs in one program: Problems with a leading axis, each lane of it one run.

Lanes share the `Spec` and the shapes; they differ in numbers. Every turn is one evaluation of each lane, within its
line search or not; the lane that needs the most of them sets the cost. A lane equals the single run to
tolerance, not to the bit: a batched convolution adds up in another order. A lane whose loss is not finite stops, and no
value of another lane depends on it. One lane alone is the program of a single run.

A leaf that is the same for all lanes, such as the network's weights, is kept once: `axes` says which.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh
from jaxtyping import Float, Int

from nst_jax.methods import multiscale, transfer
from nst_jax.methods.multiscale import Passage
from nst_jax.methods.transfer import Problem, Result, Spec
from nst_jax.optim import minimise
from nst_jax.optim.minimise import Chunk, State
from nst_jax.optim.solvers import Info
from nst_jax.parallel import layout
from nst_jax.parallel.layout import Axes
from nst_jax.types import Image

Images = Float[Array, "lanes _ _ 3"]


def share(problems: Sequence[Problem]) -> Axes:
    """Which leaves the problems share: those that are one object in all of them. Nothing is copied."""
    columns = zip(*(jax.tree.leaves(p) for p in problems), strict=True)
    return tuple(None if all(leaf is column[0] for leaf in column) else 0 for column in columns)


def stack(problems: Sequence[Problem]) -> tuple[Problem, Axes]:
    """Problems of one structure as one with a leading axis, and which leaves have it."""
    axes = share(problems)
    return stack_as(problems, axes), axes


def stack_as(problems: Sequence[Problem], axes: Axes) -> Problem:
    """Problems as one with a leading axis where `axes` says so: a part of a sweep in the layout of the whole."""
    columns = zip(*(jax.tree.leaves(p) for p in problems), strict=True)
    stacked = [column[0] if axis is None else jnp.stack(column) for column, axis in zip(columns, axes, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(problems[0]), stacked)


def all_lanes(problems: Problem) -> Axes:
    """The axes of a Problem each of whose leaves has an entry for each lane."""
    return (0,) * len(jax.tree.leaves(problems))


def over_lanes(function: Callable[..., Any], problems: Problem, axes: Axes) -> Callable[..., Any]:
    """function(problem, *others) over the lanes of the problems and of all the others.

    One lane is computed without vmap: as a single run.
    """
    tree = jax.tree.unflatten(jax.tree.structure(problems), axes)

    def run(*others: Any) -> Any:
        if len(jax.tree.leaves(others)[0]) == 1:
            only = jax.tree.map(lambda leaf: leaf[0], others)
            return jax.tree.map(lambda leaf: leaf[None], function(lane(problems, axes, number=0), *only))
        return jax.vmap(function, in_axes=(tree, *(0 for _ in others)))(problems, *others)

    return run


def lane(problems: Problem, axes: Axes, *, number: int) -> Problem:
    """The Problem of one lane."""
    leaves, tree = jax.tree.flatten(problems)
    own = [leaf if axis is None else leaf[number] for leaf, axis in zip(leaves, axes, strict=True)]
    return jax.tree.unflatten(tree, own)


@partial(jax.jit, static_argnums=0, static_argnames="axes")
def begin(spec: Spec, problems: Problem, starts: Images, *, axes: Axes) -> State:
    """The states before the first step, with a leading axis."""
    return over_lanes(partial(transfer.begin, spec), problems, axes)(starts)


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
    """Take up to `steps` iterations, each lane its own number, in one program; see `minimise.advance`.

    The memory of `states` is donated. The loop's condition is one for all lanes, and each turn gets a flag that says
    which are active: a loop under vmap would choose between each lane's old state and its new one, memory and all.
    """
    if len(steps) == 1:
        state = jax.tree.map(lambda leaf: leaf[0], states)
        only = {"steps": steps[0], "room": room, "turns": turns}
        return jax.tree.map(
            lambda leaf: leaf[None], transfer.advance(spec, lane(problems, axes, number=0), state, **only)
        )

    def one(problem: Problem, chunk: Chunk, active: Array) -> Chunk:
        minimised = partial(transfer.objective_in_parts, spec, problem)
        return minimise.take_turn(minimised, transfer.solver(spec, problem), chunk, active=active, decay=problem.decay)

    wants_turn = jax.vmap(lambda chunk, steps: minimise.wants_turn(chunk, steps=steps))
    chunks = jax.vmap(partial(minimise.begin_chunk, room=room, parts=transfer.no_parts(spec, states.x.dtype)))(states)
    turn = over_lanes(one, problems, axes)
    chunks = minimise.run_turns(
        lambda chunks: wants_turn(chunks, steps).any(),
        lambda chunks: turn(chunks, wants_turn(chunks, steps)),
        chunks,
        turns=turns,
    )
    return chunks.state, chunks.infos


@partial(jax.jit, static_argnums=(0, 1), static_argnames="axes")
def hand_on(spec: Spec, passage: Passage, problems: Problem, states: State, starts: Images, *, axes: Axes) -> State:
    """The states of runs at another size; see `multiscale.hand_on`. `spec` and `problems` are of the new size."""
    return over_lanes(partial(multiscale.hand_on, spec, passage), problems, axes)(states, starts)


@partial(jax.jit, static_argnums=0, static_argnames="axes")
def values(spec: Spec, problems: Problem, images: Images, *, axes: Axes) -> dict[str, Float[Array, " lanes"]]:
    """The unweighted values of each lane's terms, by name."""
    return over_lanes(partial(transfer.values, spec), problems, axes)(images)


def images(states: State) -> Images:
    """Each lane's image; the best one before it, for a lane whose value was not finite."""
    return jax.vmap(minimise.outcome)(states)


def pictures(problems: Problem, images: Images, *, axes: Axes) -> Images:
    """Each lane's image with the kept parts of the photograph."""
    return images if problems.kept is None else over_lanes(transfer.compose, problems, axes)(images)


def run(
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

    Args:
      spec: what all lanes share.
      problems: with a leading axis.
      starts: an image for each lane.
      steps: iterations.
      axes: which leaves of `problems` have the leading axis; None: all.
      lanes: so many at a time, by one program; None: all at once.
      mesh: devices: lanes along its axis `lanes`, rows of the image along `rows`; see `parallel.layout`.
    """
    axes = all_lanes(problems) if axes is None else axes
    many = len(starts)
    width = divisible(lanes=min(lanes or many, many), devices=layout.lanes_of(mesh))
    parts = []
    for first in range(0, many, width):
        chosen = jnp.minimum(jnp.arange(first, first + width), many - 1)  # the last one again fills the last part
        some, begins = take(problems, axes, chosen), starts[chosen]
        if mesh is not None:
            some, begins = shard(some, begins, axes, mesh)
        with layout.within(mesh):
            parts.append(_stylise(spec, some, begins, axes=axes, steps=steps))
    return jax.tree.map(lambda *a: jnp.concatenate(a)[:many], *parts)


@partial(jax.jit, static_argnums=0, static_argnames=("axes", "steps"))
def _stylise(spec: Spec, problems: Problem, starts: Images, *, axes: Axes, steps: int) -> Result:
    wanted = jnp.full(len(starts), steps, jnp.int32)
    states, infos = advance(
        spec, problems, begin(spec, problems, starts, axes=axes), axes=axes, steps=wanted, room=max(1, steps)
    )
    last = images(states)
    return Result(
        pictures(problems, last, axes=axes),
        values(spec, problems, last, axes=axes),
        jax.tree.map(lambda a: a[:, :steps], infos),
    )


def run_weights(
    spec: Spec,
    problem: Problem,
    start: Image,
    weights: dict[str, Float[Array, " lanes"]],
    *,
    steps: int,
    lanes: int | None = None,
) -> Result:
    """One pair of pictures under many weights of the terms: `weights` has a leading axis, all else is shared."""
    flags = jax.tree.map(lambda _: False, problem)._replace(weights=jax.tree.map(lambda _: True, weights))
    axes = tuple(0 if flag else None for flag in jax.tree.leaves(flags))
    many = len(jax.tree.leaves(weights)[0])
    starts = jnp.broadcast_to(start, (many, *start.shape))
    return run(spec, problem._replace(weights=weights), starts, steps=steps, axes=axes, lanes=lanes)


def take(problems: Problem, axes: Axes, chosen: Int[Array, " some"]) -> Problem:
    """The chosen lanes."""
    leaves, tree = jax.tree.flatten(problems)
    some = [leaf if axis is None else leaf[chosen] for leaf, axis in zip(leaves, axes, strict=True)]
    return jax.tree.unflatten(tree, some)


def divisible(*, lanes: int, devices: int) -> int:
    """The next number of lanes that the devices can share."""
    return -(-lanes // devices) * devices


def shard(problems: Problem, starts: Images, axes: Axes, mesh: Mesh) -> tuple[Problem, Images]:
    """The problems and the first images, laid out on the devices of `mesh`."""
    _, height, width, _ = starts.shape
    places = layout.of_problem(mesh, problems, image=(height, width), axes=axes)
    return layout.put(problems, places), layout.put(starts, layout.of_images(mesh, starts.shape))
