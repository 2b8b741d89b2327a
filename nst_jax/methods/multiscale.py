"""From coarse to fine: the sizes, and what one of them hands on to the next.

A layer sees a window of some hundred pixels at most, so that a large image gets small strokes and no large ones. A run
that begins small and grows has both: Gatys et al. 2017 (arXiv 1611.07865, section 7), crowsonkb/style-transfer-pytorch.
The pictures are taken from the originals at every size; the image, and the moments of Adam, go on.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from nst_jax.images.size import enlarge
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim import minimise
from nst_jax.optim.minimise import State
from nst_jax.optim.solvers import carry
from nst_jax.types import Image

MOMENTS = ("rescale", "resize", "forget")


class Passage(NamedTuple):
    """How one size hands on to the next.

    Attributes:
      kernel: of the interpolation: see `images.size.enlarge`.
      moments: what the optimiser knows of the gradient. resize: it is enlarged, as published by crowsonkb
        (style_transfer.py:285-295). rescale: it is enlarged, and each power of the gradient multiplied by that power of
        n / n', n pixels before and n' after: a mean over positions has a gradient per pixel that falls so, and without
        it Adam takes steps that are too short for some 100 iterations. forget: the optimiser begins anew.
    """

    kernel: str
    moments: str


def sizes(*, first: int, last: int, factor: float) -> list[int]:
    """The sizes in pixels, from the smallest that is `first` or more: `last` divided by powers of the factor.

    With 128, 512 and the square root of 2: 128, 181, 256, 362, 512, as in style_transfer.py:268-276 of
    crowsonkb/style-transfer-pytorch.

    Raises ValueError for a factor that is not above 1.
    """
    if not factor > 1:
        raise ValueError(f"the factor between two sizes must be above 1, not {factor}")
    found = [last]
    while (size := round(last / factor ** len(found))) >= max(first, 1):
        found.append(size)
    return found[::-1]


@partial(jax.jit, static_argnums=(0, 1))
def hand_on(spec: Spec, passage: Passage, problem: Problem, state: State, start: Image) -> State:
    """The state of a run at another size.

    Args:
      spec: of the new size.
      passage: how.
      problem: of the new size.
      state: of the old size. Its counts of steps and evaluations go on; the lowest value and the mean begin anew.
      start: an image of the new size. Only its shape counts.
    """
    change = changer(passage, before=state.x.shape, after=start.shape)
    fresh = transfer.begin(spec, problem, jnp.clip(change(minimise.outcome(state), power=0), 0, 1))
    solver = transfer.solver(spec, problem)
    opt = fresh.opt if passage.moments == "forget" else carry(solver, state.opt, fresh.opt, change)
    return fresh._replace(opt=opt, steps=state.steps, evaluations=state.evaluations, finite=state.finite)


def changer(passage: Passage, *, before: tuple[int, ...], after: tuple[int, ...]) -> Callable[..., Array]:
    """A function (array, power=of the gradient that it holds) -> the array at the other size.

    A square is interpolated linearly and stays non-negative.
    """
    ratio = (before[0] * before[1]) / (after[0] * after[1]) if passage.moments == "rescale" else 1.0
    height, width = after[:2]

    def change(x: Array, *, power: int) -> Array:
        if before == after:
            return x
        large = enlarge(x, height=height, width=width, kernel="linear" if power == 2 else passage.kernel)
        return jnp.maximum(large, 0) * ratio**2 if power == 2 else large * ratio**power

    return change
