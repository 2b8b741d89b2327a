"""`nst dry_run=true`: the program is compiled and two steps are taken; nothing is written."""

import time
from collections.abc import Callable
from typing import Any

import jax

from nst_jax import transfer
from nst_jax.shell import loop
from nst_jax.shell.prepare import Job
from nst_jax.shell.schema import Config

STEPS = 2


def rehearse(config: Config, job: Job, log: Callable[..., object]) -> int:
    """Say what the run would take, and return the exit code 0."""
    state = transfer.begin(job.spec, job.problem, job.start)
    began = time.perf_counter()
    program: Any = loop.compiled(job, state)
    compiling = time.perf_counter() - began
    log("dry run: nothing is written")
    for line in memory(program.memory_analysis()):
        log(line)
    first = seconds(job, program, state, 1)  # evaluates the start as well, and warms up
    state = transfer.begin(job.spec, job.problem, job.start)
    each = max(0.0, seconds(job, program, state, 1 + STEPS) - first) / STEPS
    log(f"compiling: {compiling:.1f} s")
    log(f"a step: {each:.3g} s, from {STEPS} of them (a line search may take more later)")
    log(f"all {config.steps} steps: about {clock(config.steps * each)}")
    return 0


def memory(analysis: Any) -> list[str]:
    """What the compiled program asks for, in MiB. jax may know nothing on this device."""
    if analysis is None:
        return ["memory: not known on this device"]
    sizes = {
        "weights, targets and the solver's state": analysis.argument_size_in_bytes,
        "working memory": analysis.temp_size_in_bytes,
        "results beside the state": analysis.output_size_in_bytes - analysis.alias_size_in_bytes,
    }
    total = sum(sizes.values())
    return [f"{name}: {size / 2**20:.0f} MiB" for name, size in sizes.items()] + [f"memory: {total / 2**20:.0f} MiB"]


def seconds(job: Job, program: Callable[..., Any], state: Any, steps: int) -> float:
    """How long so many steps take."""
    began = time.perf_counter()
    asked, unlimited = jax.numpy.int32(steps), jax.numpy.int32(2**31 - 1)
    jax.block_until_ready(program(job.problem, state, steps=asked, turns=unlimited))
    return time.perf_counter() - began


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or f"{seconds:.2g} s"
