"""The program of a group of jobs: compiled once, as wide as the memory allows."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.stages import Compiled

from nst_jax.methods.multiscale import Passage
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.minimise import State
from nst_jax.optim.solvers import Info
from nst_jax.parallel import lanes, layout
from nst_jax.parallel.compiler import compiler_options
from nst_jax.parallel.lanes import Axes
from nst_jax.shell.running.cost import Way, gib
from nst_jax.shell.running.device import free_memory, mesh_sides
from nst_jax.shell.running.inputs import Log
from nst_jax.shell.running.job import Job

ROOM = 256  # steps in a chunk at most; the program returns a few numbers for each


class Program(NamedTuple):
    """Compiled for `width` lanes."""

    spec: Spec  # that of the jobs, computed in this way
    way: Way
    axes: Axes
    width: int
    mesh: Mesh | None
    advance: Compiled  # (problems, states, steps=, turns=) -> states, infos
    measure: Compiled  # (problems, images) -> values of the terms
    bytes: int
    seconds: float  # to compile


def compile_program(
    jobs: Sequence[Job],
    *,
    most: int | None,
    share: float,
    log: Log,
    width: int | None = None,
    axes: Axes | None = None,
    mesh: str = "lanes",
) -> Program:
    """The program of these jobs, which have one Spec.

    One that takes too much memory is compiled again: narrower; then, where one lane alone is too much, by the way that
    the plan has for that.

    Args:
      jobs: the jobs. Of their aims the shapes are enough.
      most: lanes at most; None: as many as there are jobs.
      share: of the free memory that the program may take.
      log: takes what is said of it.
      width: lanes of the program, whatever the number of jobs; None: by their number and `most`.
      axes: what the lanes do not share; None: by the jobs.
      mesh: how the devices are used, as in the setting device.mesh.
    """
    many, most = (width, width) if width else (len(jobs), most or len(jobs))
    first, problems = jobs[0], [job.problem for job in jobs]
    grid, began = mesh_of(mesh, lanes=many), time.perf_counter()
    width, room, way = even_width(many, most, grid), share * free_memory(), first.choice.way
    while True:
        spec = first.spec._replace(network=way.network, tiles=way.tiles)
        found = axes or lanes.share(problems if width > 1 else problems[:1])  # one lane: the program of a single run
        going, measuring = lower_and_compile(spec, first, found, width, grid)
        need = bytes_of(going)
        made = Program(spec, way, found, width, grid, going, measuring, need, time.perf_counter() - began)
        if need <= room:
            return made
        if not axes and width > layout.lanes_of(grid):
            width = even_width(many, max(1, min(width - 1, int(width * room / need))), grid)
        elif less := first.choice.retreat(way):
            log(f"plan: {way.name} needs {gib(need)} of {gib(room)}, by the compiler; compiles {less.name}")
            way = less
        else:
            return made


def adopt(program: Program, job: Job) -> Job:
    """The job, computed as the program computes it."""
    return job._replace(spec=program.spec, choice=job.choice._replace(way=program.way))


def even_width(jobs: int, most: int, mesh: Mesh | None) -> int:
    """At most so many lanes at a time. The parts have the same length, and the devices share each part evenly."""
    parts = -(-jobs // max(1, most))
    return lanes.divisible(lanes=-(-jobs // parts), devices=layout.lanes_of(mesh))


def mesh_of(asked: str, *, lanes: int) -> Mesh | None:
    """The devices as the setting device.mesh has them, for so many lanes; None: one device alone."""
    along, rows = mesh_sides(asked, devices=len(jax.devices()))
    along = along if lanes > 1 else 1
    return layout.make_mesh(lanes=along, rows=rows) if along * rows > 1 else None


def mesh_of_process(asked: str) -> Mesh | None:
    """Those devices of this process that share the rows of one image; None: one device alone."""
    rows, own = mesh_sides(asked, devices=len(jax.devices()))[1], jax.local_devices()
    rows = min(rows, len(own))
    return layout.make_mesh(lanes=1, rows=rows, devices=own) if rows > 1 else None


def describe_mesh(mesh: Mesh | None) -> str:
    """How the devices are used, in words."""
    along, rows = layout.lanes_of(mesh), layout.rows_of(mesh)
    parts = [f"lanes over {along} devices"] if along > 1 else []
    return ", ".join([*parts, *([f"each image over {rows} devices, by rows"] if rows > 1 else [])])


def facts(program: Program) -> dict[str, Any]:
    """The part of a result's provenance on its computation, and on the devices that shared it."""
    tiles = {"tiles": program.way.tiles.side} if program.way.tiles else {}
    if program.mesh is None:
        return tiles
    processes = len({device.process_index for device in program.mesh.devices.flat})
    return {**tiles, "mesh": dict(program.mesh.shape), **({"processes": processes} if processes > 1 else {})}


def lower_and_compile(spec: Spec, job: Job, axes: Axes, width: int, mesh: Mesh | None) -> tuple[Compiled, Compiled]:
    """Both programs, from shapes alone: no memory of the lanes is taken yet."""

    def outline(leaf: Any, axis: int | None) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(np.shape(leaf) if axis is None else (width, *np.shape(leaf)), leaf.dtype)

    leaves, tree = jax.tree.flatten(job.problem)
    problems: Problem = tree.unflatten([outline(leaf, axis) for leaf, axis in zip(leaves, axes, strict=True)])
    starts, steps, turns = outline(job.start, 0), outline(jnp.int32(0), 0), outline(jnp.int32(0), None)
    states = jax.eval_shape(partial(lanes.begin, spec, axes=axes), problems, starts)
    if mesh:
        return compile_on_mesh(spec, mesh, axes, problems, states, steps, turns)
    advance = lanes.advance.lower(spec, problems, states, axes=axes, steps=steps, turns=turns, room=ROOM)
    values, options = lanes.values.lower(spec, problems, starts, axes=axes), compiler_options()
    return advance.compile(compiler_options=options), values.compile(compiler_options=options)


def compile_on_mesh(
    spec: Spec, mesh: Mesh, axes: Axes, problems: Any, states: Any, steps: Any, turns: Any
) -> tuple[Compiled, Compiled]:
    """Both programs for a mesh. A state keeps its layout; every device has the other results whole."""
    _, height, width, _ = states.x.shape
    place = lambda leaf, where: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=where)
    by_rows, whole = layout.of_state(mesh, states, image=(height, width), lanes=True), layout.whole(mesh)
    problems = jax.tree.map(place, problems, layout.of_problem(mesh, problems, image=(height, width), axes=axes))
    states = jax.tree.map(place, states, by_rows)
    steps, turns = place(steps, by_rows.steps), place(turns, whole)

    def advance(problems: Problem, states: State, *, steps: jax.Array, turns: jax.Array) -> Any:
        return lanes.advance(spec, problems, states, axes=axes, steps=steps, turns=turns, room=ROOM)

    with layout.within(mesh):
        stepping = jax.jit(advance, out_shardings=(by_rows, whole), donate_argnames="states")
        measuring = jax.jit(partial(lanes.values, spec, axes=axes), out_shardings=whole)
        made, options = stepping.lower(problems, states, steps=steps, turns=turns), compiler_options()
        values = measuring.lower(problems, states.x)
        return made.compile(compiler_options=options), values.compile(compiler_options=options)


def sizes_of(program: Compiled) -> dict[str, int] | None:
    """Bytes that a call takes, by kind, as the compiler reports them, or None if it does not.

    The state is donated: its output lies in the memory of its argument, and counts once.
    """
    known = program.memory_analysis()
    if known is None:
        return None
    return {
        "weights, aims and the solver's state": known.argument_size_in_bytes,
        "working memory": known.temp_size_in_bytes,
        "results beside the state": known.output_size_in_bytes - known.alias_size_in_bytes,
    }


def bytes_of(program: Compiled) -> int:
    """Bytes that a call takes, 0 where the compiler does not say."""
    return sum((sizes_of(program) or {}).values())


def begin(program: Program, jobs: Sequence[Job]) -> tuple[Problem, State]:
    """The problems of exactly `width` jobs side by side, and their states before the first step."""
    problems, starts = stack(program, jobs)
    return problems, lay_out(program, partial(lanes.begin, program.spec, axes=program.axes), problems, starts)


def go_on(program: Program, jobs: Sequence[Job], passage: Passage, states: State) -> tuple[Problem, State]:
    """The same, with the states that a program of another size has left."""
    problems, starts = stack(program, jobs)
    hand_on = partial(lanes.hand_on, program.spec, passage, axes=program.axes)
    return problems, lay_out(program, hand_on, problems, states, starts)


def stack(program: Program, jobs: Sequence[Job]) -> tuple[Problem, Any]:
    """The problems and the starts side by side, spread over the devices."""
    problems = lanes.stack_as([job.problem for job in jobs], program.axes)
    starts: Any = jnp.stack([job.start for job in jobs])
    return lanes.shard(problems, starts, program.axes, program.mesh) if program.mesh else (problems, starts)


def lay_out(program: Program, make: Callable[..., State], *arguments: Any) -> State:
    """The states that `make` returns, laid out as the program wants them. The last argument: the starts."""
    mesh, (_, height, width, _) = program.mesh, arguments[-1].shape
    if mesh is None:
        return make(*arguments)
    places = layout.of_state(mesh, jax.eval_shape(make, *arguments), image=(height, width), lanes=True)
    with layout.within(mesh):
        return jax.jit(make, out_shardings=places)(*arguments)


def advance(
    program: Program, problems: Problem, states: State, *, steps: Sequence[int], turns: int
) -> tuple[State, Info]:
    """Up to so many steps of each lane, in so many turns at most. The memory of `states` is donated."""
    wanted: Any = np.array([*steps, *[0] * (program.width - len(steps))], np.int32)
    limit: Any = np.int32(turns)
    if program.mesh:
        wanted, limit = layout.put((wanted, limit), (states.steps.sharding, layout.whole(program.mesh)))
    return jax.block_until_ready(program.advance(problems, states, steps=wanted, turns=limit))


def measure(program: Program, problems: Problem, images: Any) -> dict[str, Any]:
    """The unweighted values of each lane's terms, by name, as numpy arrays."""
    if program.mesh:  # what jax computes of states may lie elsewhere
        images = jax.device_put(images, layout.of_images(program.mesh, images.shape))
    return layout.fetch(program.measure(problems, images))
