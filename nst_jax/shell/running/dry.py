"""`nst dry_run=true`: compile the program, take two steps of a small one; write nothing."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from nst_jax.shell.running import plan, program
from nst_jax.shell.running.cost import Way, gib, lesser_ways, on_cpu, whole_way
from nst_jax.shell.running.device import free_memory
from nst_jax.shell.running.inputs import sizes_of_run
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.once import memory
from nst_jax.shell.running.prepare import prepare
from nst_jax.shell.running.program import Program
from nst_jax.shell.running.scales import without_painting
from nst_jax.shell.settings.scale import work
from nst_jax.shell.settings.schema import Config

STEPS, MOST_STEPS = 2, 100  # measured
LONG_ENOUGH = 0.5  # seconds of them together
PIXELS = 192 * 256  # of the image whose steps are measured, about
SHORTEST = 96  # pixels of its shorter side, for the deepest layers' sake


def rehearse(config: Config, log: Callable[[str], object]) -> int:
    """Say what the run would take, and return the exit code 0.

    The memory is the compiler's account of the whole program, which is compiled from shapes alone. The time is
    measured on a smaller image, and scaled in proportion to the pixels. If each position of the image is compared with
    each position of the style picture, the time is scaled in proportion to the square of the pixels at most.
    """
    once = memory()
    log("dry run: nothing is written")
    if steps := steps_of_strokes(config):
        log(f"strokes: {steps} steps for each style picture, of which none is taken now")
    whole = prepare(without_painting(config), log, once, compute=jax.eval_shape)
    log("compiles the program")
    made = program.compile_program([whole], most=1, share=1.0, log=log, mesh=config.device.mesh)
    if made.mesh:
        log(f"mesh: {program.describe_mesh(made.mesh)}; the memory is that of one device")
    log(f"compiling: {made.seconds:.1f} s")
    for line in describe_memory(made.advance):
        log(line)
    scale = smaller(whole)
    sample = prepare(whole_at_once(without_painting(config)), ignore, once, scale=scale)
    width, height = sample.facts["size"]
    log(f"measures a few steps at {width} x {height} pixels")
    how = {"most": 1, "share": 1.0, "mesh": config.device.mesh}
    small = made if scale == 1 else program.compile_program([sample], **how, log=ignore)
    each = seconds_of_a_step(partial(measure_seconds, sample, small)) * pixels(whole) / pixels(sample)
    most = each * pixels(whole) / pixels(sample) if grows(whole, sample) else each
    at_once = each
    each, most = (n * made.way.work for n in (each, most))
    log(f"a step: about {between(each, most, '{:.2g} s'.format)} (a line search may take more)")
    whole_steps = work(sizes_of_run(config), done=whole.plan.steps)
    if whole.plan.stage.many > 1:
        many = f"{whole.plan.stage.many} sizes: {whole.plan.steps} steps"
        log(f"{many}, which take as long as {whole_steps:.0f} at the last one")
    log(f"all {whole.plan.steps} steps: about {between(whole_steps * each, whole_steps * most, clock)}")
    found = ({} if made.mesh else ways_of(config, whole)) | {made.way.name: made.way}
    for line in compare(found, made.way, seconds=at_once, steps=whole_steps):
        log(line)
    if steps := steps_of_strokes(config):
        sides = sum(height * width for height, width, _ in (picture.shape for picture in whole.style.pictures))
        log(f"before them, the strokes: at most {clock(steps * most * sides / pixels(whole))}")
    return 0


def ways_of(config: Config, job: Job) -> dict[str, Way]:
    """All ways to compute the run, by name; off the CPU in half the precision, too. That is another result."""
    seen, tiles = job.choice.seen, not plan.obstacle(job.spec.terms, job.choice.seen.net)
    named = {way.name: way for way in (whole_way(seen), *lesser_ways(seen, checkpoint=not on_cpu(), tiles=tiles))}
    if on_cpu() or config.device.precision == "bfloat16":  # a CPU computes in float32, whatever the precision
        return named
    half = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, jnp.bfloat16), seen.params)
    return named | {"whole, device.precision=bfloat16": whole_way(seen._replace(params=half))}


def compare(found: Mapping[str, Way], chosen: Way, *, seconds: float, steps: float) -> list[str]:
    """A table of ways: memory and time. It marks the one that is taken.

    Args:
      found: the ways, by name.
      chosen: the one that is taken.
      seconds: of a step of the whole image.
      steps: of the run, in steps at its last size.
    """
    rows = [("plan", "memory", "a step", "the run")]
    for name, way in found.items():
        each, taken = seconds * way.work, "  <- taken" if name == chosen.name else ""
        rows.append((name, gib(way.memory), f"{each:.2g} s", clock(steps * each) + taken))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def steps_of_strokes(config: Config) -> int:
    """The number of steps that paint each style picture before the run."""
    painted = config.strokes.style is not None and config.strokes.mix == "repaint" and config.style_weight
    return config.strokes.steps if painted else 0


def whole_at_once(config: Config) -> Config:
    """The settings without what needs less memory: what it adds to the time of a step is known."""
    return replace(config, device=replace(config.device, tiles="none", checkpoint=False))


def ignore(line: str) -> None:
    """Say nothing: the whole picture's conversions are said."""


def smaller(job: Job) -> float:
    """The scale of the sides at which a step is measured, 1 for an image that is small itself."""
    height, width, _ = job.content.shape
    scale = max(math.sqrt(PIXELS / (height * width)), SHORTEST / min(height, width))
    return 1.0 if scale > 1 / math.sqrt(2) else scale


def pixels(job: Job) -> int:
    """Of the image."""
    return job.content.shape[0] * job.content.shape[1]


def grows(whole: Job, sample: Job) -> bool:
    """Whether what is aimed at in the style picture grows with it."""
    names = [t.name for t in whole.spec.terms if t.of == "style"]
    shapes = [[leaf.shape for leaf in jax.tree.leaves([j.problem.aims[n] for n in names])] for j in (whole, sample)]
    return shapes[0] != shapes[1]


def between(least: float, most: float, words: Callable[[float], str]) -> str:
    """One number in words, or two."""
    return words(least) if least == most else f"{words(least)} to {words(most)}"


def describe_memory(compiled: Any) -> list[str]:
    """The memory of the compiled program, in MiB. jax may know nothing on this device."""
    sizes = program.sizes_of(compiled)
    if sizes is None:
        return ["memory: not known on this device"]
    lines = [f"{name}: {size / 2**20:.0f} MiB" for name, size in sizes.items()]
    return [*lines, f"memory: {sum(sizes.values()) / 2**20:.0f} MiB, of {free_memory() / 2**20:.0f} MiB free"]


def seconds_of_a_step(measure: Callable[[int], float]) -> float:
    """How long a step takes. Quick ones are repeated, until together they are longer than the noise of the clock.

    measure: returns the seconds that so many steps take from the start.
    """
    first = measure(1)  # evaluates the start as well, and warms up
    steps = max(STEPS, min(MOST_STEPS, round(LONG_ENOUGH / first)))
    whole = measure(1 + steps)
    return (whole - first) / steps if whole > first else whole / (1 + steps)


def measure_seconds(job: Job, made: Program, steps: int) -> float:
    """How long so many steps take from the start."""
    problems, states = program.begin(made, [job])
    began = time.perf_counter()
    program.advance(made, problems, states, steps=[steps], turns=2**31 - 1)
    return time.perf_counter() - began


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or f"{seconds:.2g} s"
