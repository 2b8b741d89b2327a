"""A run in chunks of about a second, with a progress bar."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim import solvers
from nst_jax.optim.minimise import State
from nst_jax.parallel import lanes
from nst_jax.types import Image

CHUNK = 256  # steps between two looks at the state, at most


def step_through(
    spec: Spec, numbers: Problem, start: Image, steps: int, pause: Callable[[], object] = lambda: None, **bar: Any
) -> tuple[transfer.Result, list[str]]:
    """`step_through_lanes` of one lane, without the leading axis."""
    axes: lanes.Axes = (None,) * len(jax.tree.leaves(numbers))
    many, kept = step_through_lanes(spec, numbers, start[None], axes, steps, pause, **bar)
    return jax.tree.map(lambda a: a[0], many), kept


def step_through_lanes(
    spec: Spec,
    numbers: Problem,
    begins: Array,
    axes: lanes.Axes,
    steps: int,
    pause: Callable[[], object] = lambda: None,
    **bar: Any,
) -> tuple[transfer.Result, list[str]]:
    """The lanes' runs in chunks of about a second, with a progress bar, and which image each lane keeps.

    A lane keeps its best image where its objective is not finite, or ends above its start. A warning reports an end
    above the start.

    Args:
      spec, numbers, begins, axes, steps: as `lanes.begin` and `lanes.advance` take them.
      pause: called before each chunk; what it raises ends the run.
      **bar: of tqdm.
    """
    states, chunks = advance(spec, numbers, lanes.begin(spec, numbers, begins, axes=axes), axes, steps, pause, **bar)
    return finish(spec, numbers, states, axes, join(spec, chunks, lanes=len(begins), steps=steps))


Chunks = list[tuple[np.ndarray, np.ndarray, Any]]  # steps done before, steps taken, and the infos, of each lane


def advance(
    spec: Spec,
    numbers: Problem,
    states: State,
    axes: lanes.Axes,
    steps: int,
    pause: Callable[[], object] = lambda: None,
    **bar: Any,
) -> tuple[State, Chunks]:
    """The lanes at so many steps, and their records on the way. The arguments are as for `step_through_lanes`."""
    import time

    from tqdm.auto import tqdm

    chunks, turns = [], 1
    go = partial(lanes.advance, spec, numbers, axes=axes, room=CHUNK)
    total = int((steps - np.asarray(states.steps)).sum())
    with tqdm(total=total, unit="step", **{"disable": total == 0, **bar}) as meter:
        while (left := np.where(np.asarray(states.finite), steps - np.asarray(states.steps), 0)).any():
            pause()
            before, began = np.asarray(states.evaluations), time.perf_counter()
            done = np.asarray(states.steps)
            wanted = jnp.asarray(np.minimum(left, CHUNK), jnp.int32)
            states, infos = jax.block_until_ready(go(states=states, steps=wanted, turns=jnp.int32(turns)))
            seconds = max(time.perf_counter() - began, 1e-6)
            turns = max(1, min(CHUNK, round((np.asarray(states.evaluations) - before).max() / seconds)))
            taken = np.asarray(states.steps) - done
            chunks.append((done, taken, jax.tree.map(np.asarray, infos)))
            meter.update(int(taken.sum()))
    return states, chunks


def finish(
    spec: Spec, numbers: Problem, states: State, axes: lanes.Axes, curve: Any, *, first: int = 0
) -> tuple[transfer.Result, list[str]]:
    """The result, and which image each lane keeps. first: the first step of the curve that is of this problem."""
    last = lanes.images(states)
    values = lanes.values(spec, numbers, last, axes=axes)
    above = is_above_start(numbers, values, curve.value[:, first:])
    if above.any():
        where = "the run" if len(above) == 1 else f"lanes {', '.join(map(str, np.flatnonzero(above)))}"
        warnings.warn(f"{where}: the objective ends above its start; kept: the best image", stacklevel=4)
        last = jnp.where(above[:, None, None, None], states.best, last)
        values = lanes.values(spec, numbers, last, axes=axes)
    kept = ["best" if best else "last" for best in above | ~np.asarray(states.finite)]
    pictures = lanes.pictures(numbers, last, axes=axes)
    return transfer.Result(pictures, values, jax.tree.map(jnp.asarray, curve)), kept


def join(spec: Spec, chunks: Sequence[tuple[np.ndarray, np.ndarray, Any]], *, lanes: int, steps: int) -> Any:
    """The values of every lane at each iteration; NaN, and 0 evaluations, where it took none.

    chunks: the iterations that each lane had done before, how many it took, and what it saw.
    """
    blank = lambda: np.full((lanes, steps), np.nan, np.float32)
    parts = {name: blank() for name in transfer.no_parts(spec, np.float32)}
    curve: Any = solvers.Info(blank(), blank(), np.zeros((lanes, steps), np.int32), parts)  # pyright: ignore
    for done, taken, infos in chunks:
        for lane, (first, many) in enumerate(zip(done, taken, strict=True)):
            for whole, part in zip(jax.tree.leaves(curve), jax.tree.leaves(infos), strict=True):
                whole[lane, first : first + many] = part[lane, :many]
    return curve


def is_above_start(numbers: Problem, values: Mapping[str, Array], totals: np.ndarray) -> np.ndarray:
    """Which lanes end above their start. `totals` is the objective at each iteration, (lanes, steps)."""
    if not totals.shape[1]:
        return np.zeros(len(totals), bool)
    ends = np.sum([np.asarray(numbers.weights[name] * value) for name, value in values.items()], 0)
    return ends > totals[:, 0]
