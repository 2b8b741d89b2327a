"""The program of a group of jobs: compiled once, as wide as the memory allows."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jax.stages import Compiled

from nst_jax.methods.multiscale import Passage
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.minimise import State
from nst_jax.parallel import lanes
from nst_jax.parallel.lanes import Axes
from nst_jax.shell.running.cost import Way, gib
from nst_jax.shell.running.device import free_memory
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
    """
    many, most = (width, width) if width else (len(jobs), most or len(jobs))
    first, problems = jobs[0], [job.problem for job in jobs]
    mesh, began = devices() if many > 1 else None, time.perf_counter()
    width, room, way = even_width(many, most, mesh), share * free_memory(), first.choice.way
    while True:
        spec = first.spec._replace(network=way.network, tiles=way.tiles)
        found = axes or lanes.share(problems if width > 1 else problems[:1])  # one lane: the program of a single run
        advance, measure = lower_and_compile(spec, first, found, width, mesh)
        need = bytes_of(advance)
        made = Program(spec, way, found, width, mesh, advance, measure, need, time.perf_counter() - began)
        if need <= room:
            return made
        if not axes and width > (mesh.size if mesh else 1):
            width = even_width(many, max(1, min(width - 1, int(width * room / need))), mesh)
        elif less := first.choice.retreat(way):
            log(f"plan: {way.name} needs {gib(need)} of {gib(room)}, by the compiler; compiles {less.name}")
            way = less
        else:
            return made


def even_width(jobs: int, most: int, mesh: Mesh | None) -> int:
    """At most so many lanes at a time, in parts of equal length, divisible by the devices."""
    parts = -(-jobs // max(1, most))
    return lanes.divisible(lanes=-(-jobs // parts), devices=mesh.size if mesh else 1)


def devices() -> Mesh | None:
    """All devices of this process in a row; None if there is one only."""
    many = len(jax.devices())
    return jax.make_mesh((many,), ("lanes",), axis_types=(AxisType.Auto,)) if many > 1 else None


def lower_and_compile(spec: Spec, job: Job, axes: Axes, width: int, mesh: Mesh | None) -> tuple[Compiled, Compiled]:
    """Both programs, from shapes alone: no memory of the lanes is taken yet."""

    def outline(leaf: Any, axis: int | None) -> jax.ShapeDtypeStruct:
        spread = PartitionSpec() if axis is None or mesh is None else PartitionSpec(mesh.axis_names[0])
        shape = np.shape(leaf) if axis is None else (width, *np.shape(leaf))
        return jax.ShapeDtypeStruct(shape, leaf.dtype, sharding=NamedSharding(mesh, spread) if mesh else None)

    leaves, tree = jax.tree.flatten(job.problem)
    problems: Problem = tree.unflatten([outline(leaf, axis) for leaf, axis in zip(leaves, axes, strict=True)])
    starts = outline(job.start, 0)
    states = jax.eval_shape(partial(lanes.begin, spec, axes=axes), problems, starts)
    if mesh:
        states = jax.tree.map(lambda a: outline(jax.ShapeDtypeStruct(a.shape[1:], a.dtype), 0), states)
    steps, turns = outline(jnp.int32(0), 0), outline(jnp.int32(0), None)
    advance = lanes.advance.lower(spec, problems, states, axes=axes, steps=steps, turns=turns, room=ROOM).compile()
    return advance, lanes.values.lower(spec, problems, starts, axes=axes).compile()


def sizes_of(program: Compiled) -> dict[str, int] | None:
    """Bytes that a call takes, by kind, by the compiler's own account; None where it has none.

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
    return problems, lay_out(program, lanes.begin(program.spec, problems, starts, axes=program.axes))


def go_on(program: Program, jobs: Sequence[Job], passage: Passage, states: State) -> tuple[Problem, State]:
    """The same, with the states that a program of another size has left."""
    problems, starts = stack(program, jobs)
    handed = lanes.hand_on(program.spec, passage, problems, states, starts, axes=program.axes)
    return problems, lay_out(program, handed)


def stack(program: Program, jobs: Sequence[Job]) -> tuple[Problem, Any]:
    """The problems and the starts side by side, spread over the devices."""
    problems = lanes.stack_as([job.problem for job in jobs], program.axes)
    starts: Any = jnp.stack([job.start for job in jobs])
    return lanes.shard(problems, starts, program.axes, program.mesh) if program.mesh else (problems, starts)


def lay_out(program: Program, states: State) -> State:
    """The states laid out as the program wants them. What one program returns, jax may leave on every device."""
    if program.mesh is None:
        return states
    return jax.device_put(states, NamedSharding(program.mesh, PartitionSpec(program.mesh.axis_names[0])))
