"""The convolutions of a table in the order of Keras' files, and untrained parameters."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from nst_jax.extractors.blocks.table import (
    Block,
    Chain,
    Conv,
    Part,
    Pool,
    Sum,
    every_convolution,
    kernels,
    last_of,
    sums,
)
from nst_jax.types import Params

# Of a normal number that is drawn again beyond two deviations, as jax's he_normal has it.
DEVIATION = 0.8796256610342398


def keras_order(blocks: tuple[Block, ...]) -> tuple[str, ...]:
    """The convolutions in the order of Keras' files: by their distance to the output, then from left to right.

    Keras sorts a model's layers by depth (keras/src/ops/function.py, map_graph). Its names count what the process has
    built before, and say nothing.
    """
    found: list[str] = []
    for block in blocks:
        own = list(depths(block.part, behind=0))
        found += [name for depth, name in sorted(own, key=lambda pair: -pair[0]) if name]
    return tuple(found)


def depths(part: Part, *, behind: int) -> Iterator[tuple[int, str]]:
    """The convolutions with their distance in layers to the end of the block; then that of the part's input, nameless.

    behind: the distance of the part that follows.
    """
    match part:
        case Conv():
            here = behind + 1 + (part.eps is not None) + part.rectify
            yield here, part.name
            yield here, ""
            return
        case Pool():
            yield behind + 1, ""
            return
        case Chain():
            inner: list[tuple[int, str]] = []
            for each in reversed(part.parts):
                *own, (behind, _) = depths(each, behind=behind)
                inner = own + inner
            yield from inner
            yield behind, ""
            return
    ends = []
    for each in part.parts:
        *own, (end, _) = depths(each, behind=behind + 1 + isinstance(part, Sum))
        yield from own
        ends.append(end)
    yield max(ends), ""


def draw(key: Array, blocks: tuple[Block, ...]) -> Params:
    """Untrained parameters, of the sizes of `base.draw_params`. Normalisations are the identity.

    But the last one on each way around a shortcut has the factor 1 / sqrt(number of shortcuts). With 1 the activations
    would grow by sqrt(2) at each of them (Zhang, Dauphin & Ma 2019, arXiv 1901.09321).
    """
    params = draw_kernels(key, kernels(blocks))
    around = [last_of(part.parts[-1]).name for part in sums(Chain(tuple(block.part for block in blocks)))]
    for conv in every_convolution(blocks):
        if conv.eps is not None:
            ones, zeros = jnp.ones(conv.width), jnp.zeros(conv.width)
            scale = ones / jnp.sqrt(len(around)) if conv.name in around else ones
            own = {"scale": scale, "offset": zeros, "mean": zeros, "variance": ones - conv.eps}
            params[conv.name] = {"kernel": params[conv.name]["kernel"], **own}
    return params


def draw_kernels(key: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """He-normal kernels and zero biases. All are cut from one array: a draw for each is compiled for half a minute."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    whole = jax.random.truncated_normal(key, -2.0, 2.0, (sum(sizes),)) / DEVIATION
    params: dict[str, Any] = {"input": {"kernel": 255.0 * jnp.eye(3), "bias": jnp.full(3, -127.5)}}
    ends = itertools.accumulate(sizes)
    for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True):
        scale = math.sqrt(2 / math.prod(shape[:3]))
        kernel = scale * whole[end - size : end].reshape(shape)
        params[name] = {"kernel": kernel, "bias": jnp.zeros(shape[-1])}
    return params
