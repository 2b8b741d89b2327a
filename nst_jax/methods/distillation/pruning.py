"""The start of a training: channels of the teacher, and kernels and lifts by least squares."""

import functools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from nst_jax.extractors.distilled import WIDTHS, lift_of
from nst_jax.methods.distillation.student import INPUT, Batch, Images, Layer, Teacher, enter
from nst_jax.nn.conv import conv
from nst_jax.nn.pooling import pool
from nst_jax.nn.precision import product
from nst_jax.types import Scalar

MANY = 16_000  # positions of a batch that a fit takes
DAMPING = 3e-5  # of a fit, of the mean variance


def prune(teacher: Teacher, batches: Sequence[Images], say: Callable[[str], object]) -> dict[str, dict[str, Array]]:
    """Some channels of the teacher, layer by layer, with the kernels and the lifts that fit best.

    The channels of a layer are the ones that predict all others best. Their kernels are fitted to the teacher's
    values before the ReLU, from the student's values of the layer before: He, Zhang & Sun 2017, ICCV, arXiv 1707.06168.
    The fit includes the student's errors so far, and they do not add up.

    Args:
      teacher: the network to prune.
      batches: images to fit to.
      say: receives the name of each layer.
    """
    params: dict[str, dict[str, Array]] = {}
    own = [enter(images, teacher.params["input"]) for images in batches]
    theirs = [INPUT * x for x in own]
    for name, width in WIDTHS.items():
        say(name)
        relu = name.replace("conv", "relu")
        if name.endswith("_1") and name != "conv1_1":
            own, theirs = ([halve(x) for x in each] for each in (own, theirs))
        layer, size = teacher.params[name], teacher.sizes[relu]
        theirs, moments, sums = zip(*map(partial(look_on, layer, size), own, theirs), strict=True)
        chosen, whole = choose(add_up(moments), count=width), add_up(sums)
        found = solve(whole._replace(cross=whole.cross[:, chosen]))
        params[name] = {"kernel": found["kernel"].reshape(3, 3, -1, width), "bias": found["bias"]}
        own = [advance_layer(x, params[name]) for x in own]
        params[lift_of(relu)] = solve(add_up(correlate(x, y / size) for x, y in zip(own, theirs, strict=True)))
    return params


@jax.jit
def look_on(layer: Layer, size: Scalar, own: Batch, theirs: Batch) -> tuple[Batch, "Sums", "Sums"]:
    """One layer of the teacher on a batch.

    Args:
      layer: the teacher's, prepared.
      size: of the layer.
      own: what the student has before the layer.
      theirs: what the teacher has there.

    Returns:
      What the teacher has after its ReLU; its second moments; what gives its values before the ReLU by a linear map
      of the student's 3 x 3 neighbours.
    """
    linear = conv(theirs, layer["kernel"], layer["bias"], padding="zero")
    relu = jax.nn.relu(linear)
    return relu, correlate(relu / size, relu[..., :1]), correlate(patches(own), linear / size)


@jax.jit
def halve(x: Batch) -> Batch:
    """The pooling between blocks."""
    return pool(x, kind="max", rounding="floor")


class Sums(NamedTuple):
    """The sums for a least-squares fit of the targets y to the rows x. A column of ones is part of x."""

    own: Float[Array, "k k"]  # sum of x x^T
    cross: Float[Array, "k c"]  # sum of x y^T


def add_up(parts: Iterable[Sums]) -> Sums:
    """The sums over several batches."""
    return functools.reduce(lambda a, b: jax.tree.map(jnp.add, a, b), parts)


@jax.jit
def correlate(a: Batch, wanted: Batch) -> Sums:
    """The sums over the positions of a batch, or over evenly many of them: as many as a fit needs."""
    step = max(1, a.shape[0] * a.shape[1] * a.shape[2] // MANY)
    rows, aims = (x.reshape(-1, x.shape[-1])[::step] for x in (a, wanted))
    rows = jnp.concatenate([rows, jnp.ones((len(rows), 1))], -1)
    return Sums(product(rows.T, rows), product(rows.T, aims))


def solve(sums: Sums) -> dict[str, Array]:
    """The linear map with the least squared error, slightly damped: a kernel (k, c) and a bias (c)."""
    n = sums.own[-1, -1]
    middle, centre = sums.own[-1, :-1] / n, sums.cross[-1] / n
    spread = sums.own[:-1, :-1] / n - jnp.outer(middle, middle)
    damped = spread + DAMPING * (jnp.trace(spread) / len(spread) + 1e-9) * jnp.eye(len(spread))
    kernel = jnp.linalg.solve(damped, sums.cross[:-1] / n - jnp.outer(middle, centre))
    return {"kernel": kernel, "bias": centre - product(middle, kernel)}


@jax.jit
def advance_layer(x: Batch, layer: Layer) -> Batch:
    """One convolution and its ReLU."""
    return jax.nn.relu(conv(x, layer["kernel"], layer["bias"], padding="zero"))


@partial(jax.jit, static_argnames="count")
def choose(sums: Sums, *, count: int) -> Int[Array, " count"]:
    """The channels that predict all channels best by a linear map, one after the other: pivoted Cholesky."""
    n = sums.own[-1, -1]
    middle = sums.own[-1, :-1] / n
    spread = sums.own[:-1, :-1] / n - jnp.outer(middle, middle)
    floor = 1e-6 * jnp.trace(spread) / len(spread)

    def take(number: Any, so_far: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        left, chosen, free = so_far
        gains = jnp.where(free, jnp.sum(left**2, 0) / (jnp.diagonal(left) + floor), -1.0)
        best = jnp.argmax(gains)
        left = left - jnp.outer(left[:, best], left[best]) / (left[best, best] + floor)
        return left, chosen.at[number].set(best), free.at[best].set(False)

    first = spread, jnp.zeros(count, int), jnp.ones(len(spread), bool)
    return jnp.sort(jax.lax.fori_loop(0, count, take, first)[1])


def patches(x: Batch) -> Batch:
    """The 3 x 3 neighbours of each position, with zeros beyond the border: (n, h, w, 9 c)."""
    _, h, w, _ = x.shape
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return jnp.concatenate([padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], -1)
