"""A run from coarse to fine: the sizes, and one problem after the other."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import Array

from nst_jax.api.optimisers import Method, lbfgs, solver_name
from nst_jax.api.problems import Task, split
from nst_jax.api.progress import advance, finish, join
from nst_jax.api.results import Result, as_result, first_lane
from nst_jax.images.size import KERNELS
from nst_jax.methods.multiscale import MOMENTS, Passage, sizes
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.parallel import lanes
from nst_jax.types import Image


class Scales(NamedTuple):
    """The sizes of a run from coarse to fine."""

    first: int  # pixels of the smallest one
    factor: float  # between two of them
    then: int | None  # steps at each size after the first; None: half of those at the first
    passage: Passage  # how one size hands on to the next


class Posed(NamedTuple):
    """A problem at one size."""

    task: Task
    start: Image
    photo: Image


def scales(
    first: int = 128,
    *,
    factor: float = math.sqrt(2),
    then: int | None = None,
    kernel: str = "cubic",
    moments: str = "rescale",
) -> Scales:
    """The sizes of a run from coarse to fine, for `stylise`.

    The defaults are as for scale=multi. crowsonkb/style-transfer-pytorch has then=500, kernel="torch" and
    moments="resize".

    Args:
      first: pixels of the longer side at the smallest size.
      factor: between two sizes.
      then: steps at each size after the first; None: half of those at the first.
      kernel: that enlarges the image: cubic, lanczos, linear or torch; see `images.size.enlarge`.
      moments: of Adam: rescale, resize or forget; see `methods.multiscale.Passage`.

    Raises:
      ValueError: an unknown name, or a factor that is not above 1.
    """
    for name, given, known in (("kernel", kernel, tuple(KERNELS)), ("moments", moments, MOMENTS)):
        if given not in known:
            raise ValueError(f"{name}={given!r}: {', '.join(known)}")
    if not factor > 1:
        raise ValueError(f"factor={factor}: a size is larger than the one before it by a factor above 1")
    return Scales(first, factor, then, Passage(kernel, moments))


def run_scales(
    how: Scales,
    longest: int,
    at: Callable[[float], Posed],
    solver: Method | None,
    *,
    steps: int,
    average: Any,
    progress: bool,
) -> tuple[Result, Image]:
    """The run from the smallest size to the last one, and the photograph at the last one.

    Args:
      how: the sizes.
      longest: pixels of the longer side at the last size.
      at: (a part of the last size) -> the problem there.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations at the first size.
      average: as `run` takes it.
      progress: show a progress bar for each size.
    """
    method, chunks = lbfgs() if solver is None else solver, []
    all_sizes = sizes(first=how.first, last=longest, factor=how.factor)
    here = ready(at(all_sizes[0] / longest), method, average)
    states, first, until = lanes.begin(here.spec, here.numbers, here.starts, axes=here.axes), 0, 0
    for number, size in enumerate(all_sizes):
        if number:
            here, first = ready(at(size / longest), method, average), until
            states = lanes.hand_on(here.spec, how.passage, here.numbers, states, here.starts, axes=here.axes)
        until += steps_at(how, number, steps=steps)
        bar = {"desc": f"{here.starts.shape[2]} x {here.starts.shape[1]}", **({} if progress else {"disable": True})}
        states, more = advance(here.spec, here.numbers, states, here.axes, until, **bar)
        chunks += more
    curve = join(here.spec, chunks, lanes=1, steps=until)
    found, kept = finish(here.spec, here.numbers, states, here.axes, curve, first=first)
    facts = {**here.posed.task.facts, "optimiser": solver_name(method), "steps": until, "kept": kept[0]}
    facts |= {"sizes": ", ".join(map(str, all_sizes)), "passage": f"{how.passage.kernel}, {how.passage.moments}"}
    facts |= {} if average is None else {"average": str(average)}
    return as_result(first_lane(found), facts), here.posed.photo


def steps_at(how: Scales, number: int, *, steps: int) -> int:
    """The steps at one of the sizes. number: from 0."""
    return steps if number == 0 else -(-steps // 2) if how.then is None else how.then


class Ready(NamedTuple):
    """A problem at one size, as a program takes it: one lane."""

    posed: Posed
    spec: Spec
    numbers: Problem
    starts: Array
    axes: lanes.Axes


def ready(posed: Posed, method: Method, average: Any) -> Ready:
    """The problem with its optimiser."""
    spec, numbers = split(posed.task, method, average=average)
    return Ready(posed, spec, numbers, posed.start[None], (None,) * len(jax.tree.leaves(numbers)))
