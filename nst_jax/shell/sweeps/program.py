"""The program of a group of jobs: compiled once, as wide as the memory allows."""

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from nst_jax import sweep
from nst_jax.optimise import State
from nst_jax.shell.loop import ROOM
from nst_jax.shell.prepare import Job
from nst_jax.shell.schema import Sweep
from nst_jax.sweep import Axes
from nst_jax.transfer import Problem, Spec


class Program(NamedTuple):
    """Compiled for `width` lanes."""

    spec: Spec
    axes: Axes
    width: int
    mesh: Mesh | None
    advance: Callable[..., Any]
    measure: Callable[..., Any]
    bytes: int
    seconds: float  # to compile


def compiled(jobs: Sequence[Job], how: Sweep) -> Program:
    """The program of these jobs, which have one Spec. A width that takes too much memory is tried smaller."""
    spec, axes = jobs[0].spec, shared(jobs)
    mesh, began = devices(), time.perf_counter()
    width, room = evened(len(jobs), how.lanes or len(jobs), mesh), how.memory * memory()
    while True:
        advance, measure = built(spec, jobs[0], axes, width, mesh)
        need = taken(advance)
        if need <= room or width <= (mesh.size if mesh else 1):
            return Program(spec, axes, width, mesh, advance, measure, need, time.perf_counter() - began)
        width = evened(len(jobs), max(1, min(width - 1, int(width * room / need))), mesh)


def shared(jobs: Sequence[Job]) -> Axes:
    """Which leaves of the problems all jobs have in common. Nothing is copied."""
    columns = zip(*(jax.tree.leaves(job.problem) for job in jobs), strict=True)
    return tuple(None if all(leaf is c[0] for leaf in c) else 0 for c in columns)


def evened(jobs: int, most: int, mesh: Mesh | None) -> int:
    """At most so many lanes at a time, in parts of equal length, divisible by the devices."""
    parts = -(-jobs // max(1, most))
    return sweep.divisible(lanes=-(-jobs // parts), devices=mesh.size if mesh else 1)


def devices() -> Mesh | None:
    """All devices of this process in a row, None if there is one only."""
    many = len(jax.devices())
    return jax.make_mesh((many,), ("lanes",), axis_types=(AxisType.Auto,)) if many > 1 else None


def memory() -> int:
    """Free bytes of the device; of the machine, where the device says nothing."""
    known = jax.devices()[0].memory_stats() or {}
    if "bytes_limit" in known:
        return known["bytes_limit"] - known.get("bytes_in_use", 0)
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # macOS
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def built(spec: Spec, job: Job, axes: Axes, width: int, mesh: Mesh | None) -> tuple[Any, Any]:
    """Both programs, from shapes alone: nothing of the lanes' memory is taken yet."""

    def outlined(leaf: Any, axis: int | None) -> jax.ShapeDtypeStruct:
        spread = PartitionSpec() if axis is None or mesh is None else PartitionSpec(mesh.axis_names[0])
        shape = np.shape(leaf) if axis is None else (width, *np.shape(leaf))
        return jax.ShapeDtypeStruct(shape, leaf.dtype, sharding=NamedSharding(mesh, spread) if mesh else None)

    leaves, tree = jax.tree.flatten(job.problem)
    problems: Problem = tree.unflatten([outlined(leaf, axis) for leaf, axis in zip(leaves, axes, strict=True)])
    starts = outlined(job.start, 0)
    states = jax.eval_shape(partial(sweep.begin, spec, axes=axes), problems, starts)
    if mesh:
        states = jax.tree.map(lambda a: outlined(jax.ShapeDtypeStruct(a.shape[1:], a.dtype), 0), states)
    asked, turns = outlined(jnp.int32(0), 0), outlined(jnp.int32(0), None)
    advance = sweep.advance.lower(spec, problems, states, axes=axes, steps=asked, turns=turns, room=ROOM).compile()
    return advance, sweep.terms.lower(spec, problems, starts, axes=axes).compile()


def taken(program: Any) -> int:
    """Bytes that a call takes, by the compiler's own account."""
    known = program.memory_analysis()
    parts = ("argument_size_in_bytes", "output_size_in_bytes", "temp_size_in_bytes")
    return sum(getattr(known, part, 0) for part in parts)


def begun(program: Program, jobs: Sequence[Job]) -> tuple[Problem, State]:
    """The problems of exactly `width` jobs side by side, and their states before the first step."""
    problems = sweep.stack_as([job.problem for job in jobs], program.axes)
    starts: Any = jnp.stack([job.start for job in jobs])
    if program.mesh:
        problems, starts = sweep.laid(problems, starts, program.axes, program.mesh)
    return problems, spread(program, sweep.begin(program.spec, problems, starts, axes=program.axes))


def spread(program: Program, states: State) -> State:
    """The states where the program wants them. What one program returns, jax may have left on every device."""
    if program.mesh is None:
        return states
    return jax.device_put(states, NamedSharding(program.mesh, PartitionSpec(program.mesh.axis_names[0])))
