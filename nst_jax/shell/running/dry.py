"""`nst dry_run=true`: compile the program and take two steps; write nothing."""

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from nst_jax.shell.running import program
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.program import Program

STEPS = 2


def rehearse(job: Job, log: Callable[..., object]) -> int:
    """Say what the run would take, and return the exit code 0."""
    made = program.compile_program([job], most=1, share=1.0)
    log("dry run: nothing is written")
    for line in memory(made.advance):
        log(line)
    first = measure_seconds(job, made, 1)  # evaluates the start as well, and warms up
    each = max(0.0, measure_seconds(job, made, 1 + STEPS) - first) / STEPS
    log(f"compiling: {made.seconds:.1f} s")
    log(f"a step: {each:.3g} s, from {STEPS} of them (a line search may take more later)")
    log(f"all {job.plan.steps} steps: about {clock(job.plan.steps * each)}")
    return 0


def memory(compiled: Any) -> list[str]:
    """What the compiled program asks for, in MiB. jax may know nothing on this device."""
    sizes = program.sizes_of(compiled)
    if sizes is None:
        return ["memory: not known on this device"]
    lines = [f"{name}: {size / 2**20:.0f} MiB" for name, size in sizes.items()]
    return [*lines, f"memory: {sum(sizes.values()) / 2**20:.0f} MiB"]


def measure_seconds(job: Job, made: Program, steps: int) -> float:
    """How long so many steps take from the start."""
    problems, states = program.begin(made, [job])
    began = time.perf_counter()
    wanted, unlimited = np.full(1, steps, np.int32), np.int32(2**31 - 1)
    jax.block_until_ready(made.advance(problems, states, steps=wanted, turns=unlimited))
    return time.perf_counter() - began


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or f"{seconds:.2g} s"
