"""A run in chunks of about a second, with a progress bar."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim import solvers
from nst_jax.parallel import lanes
from nst_jax.types import Image

CHUNK = 256  # steps between two looks at the state, at most


def step_through(spec: Spec, numbers: Problem, start: Image, steps: int) -> transfer.Result:
    """The run in chunks of about a second, with a progress bar."""
    axes: lanes.Axes = (None,) * len(jax.tree.leaves(numbers))
    image, values, infos = step_through_lanes(spec, numbers, start[None], axes, steps)
    return transfer.Result(image[0], {k: v[0] for k, v in values.items()}, jax.tree.map(lambda a: a[0], infos))


def step_through_lanes(spec: Spec, numbers: Problem, begins: Array, axes: lanes.Axes, steps: int) -> transfer.Result:
    """The lanes' runs in chunks of about a second, with a progress bar."""
    import time

    from tqdm.auto import tqdm

    states, chunks, turns = lanes.begin(spec, numbers, begins, axes=axes), [], 1
    advance = partial(lanes.advance, spec, numbers, axes=axes, room=CHUNK)
    with tqdm(total=steps * len(begins), unit="step", disable=steps == 0) as bar:
        while (left := np.where(np.asarray(states.finite), steps - np.asarray(states.steps), 0)).any():
            before, began = np.asarray(states.evaluations), time.perf_counter()
            done = np.asarray(states.steps)
            wanted = jnp.asarray(np.minimum(left, CHUNK), jnp.int32)
            states, infos = jax.block_until_ready(advance(states=states, steps=wanted, turns=jnp.int32(turns)))
            seconds = max(time.perf_counter() - began, 1e-6)
            turns = max(1, min(CHUNK, round((np.asarray(states.evaluations) - before).max() / seconds)))
            taken = np.asarray(states.steps) - done
            chunks.append((done, taken, jax.tree.map(np.asarray, infos)))
            bar.update(int(taken.sum()))
    shape = (len(begins), steps)
    blank = (np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32), np.zeros(shape, np.int32))
    curve = solvers.Info(*blank)  # pyright: ignore[reportArgumentType]
    for done, taken, infos in chunks:
        for lane, (first, many) in enumerate(zip(done, taken, strict=True)):
            for whole, part in zip(curve, infos, strict=True):
                whole[lane, first : first + many] = part[lane, :many]
    last = lanes.images(states)
    return transfer.Result(last, lanes.values(spec, numbers, last, axes=axes), jax.tree.map(jnp.asarray, curve))
