"""The student and its teacher: what each of them gives for a batch of images, in the same units.

Each layer is scaled so that the teacher's activations have the root mean square 1 after the ReLU.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from nst_jax.extractors.base import Extractor, features, preprocess
from nst_jax.extractors.distilled import CONVOLUTIONS, KERNELS, WIDTHS, Distilled, lift, lift_of, narrow
from nst_jax.losses.moments import gram, moments
from nst_jax.nn.conv import conv, trainable
from nst_jax.nn.lifted import Lifted, dense
from nst_jax.types import Activation, Params, Scalar

Images = Float[Array, "n h w 3"]
Batch = Float[Array, "n _ _ _"]
Layer = Mapping[str, Array]  # kernel, bias

RELUS = tuple(name.replace("conv", "relu") for name in WIDTHS)  # what is learnt
INPUT = 60.0  # about the deviation of the preprocessed image: the first kernel is learnt for an input of size 1


class Teacher(NamedTuple):
    """The network that is learnt from."""

    network: Extractor  # static
    params: Any
    sizes: Mapping[str, Scalar]  # the root mean square of each layer


def look(teacher: Teacher, images: Images, taps: tuple[str, ...] = RELUS) -> dict[str, Batch]:
    """The teacher's activations of a batch, scaled so that each layer has size 1 after its ReLU."""
    seen = jax.vmap(partial(features, teacher.network.clone(taps=taps), teacher.params))(images)
    return {name: seen[name] / teacher.sizes[name.replace("conv", "relu")] for name in taps}


def measure_sizes(network: Extractor, params: Params, images: Images) -> dict[str, Scalar]:
    """The root mean square of each layer over a batch."""
    seen = jax.vmap(partial(features, network, params))(images)
    return {name: jnp.sqrt(jnp.mean(seen[name] ** 2)) for name in RELUS}


def see(params: Params, images: Images, entry: Layer, *, taps: tuple[str, ...], learn: bool) -> dict[str, Batch]:
    """The student's narrow activations of a batch. entry: the teacher's own preprocessing."""
    network = Distilled(taps, "max", "floor", "zero")
    return narrow(params, enter(images, entry), network=network, convolve=trainable if learn else conv)


def enter(images: Images, entry: Layer) -> Images:
    """The images preprocessed as for the teacher, of size 1."""
    return preprocess(entry, images) / INPUT


def raise_up(params: Params, name: str, activation: Batch) -> Batch:
    """The activations lifted to the teacher's channels."""
    return jax.vmap(lambda a: dense(lift(params, name, a)))(activation)


def grams(activations: Iterable[Activation | Lifted]) -> Float[Array, "n c c"]:
    """The Gram matrix of each picture, of the lifted activation where it is narrow.

    One product a picture: XLA's CPU backend takes twice as long for a batch of them.
    """
    return jnp.stack([gram(moments(a)) for a in activations])


def lifted_grams(params: Params, name: str, activation: Batch) -> Float[Array, "n c c"]:
    """The Gram matrices of the lifted activations."""
    return grams(lift(params, name, a) for a in activation)


def square(a: Array) -> Float[Array, " n"]:
    """The sum of squares of each row of a batch."""
    return jnp.sum(a.reshape(a.shape[0], -1) ** 2, -1)


def blank() -> dict[str, dict[str, Array]]:
    """Zeros of the shapes of the learnt parameters."""
    names = (*CONVOLUTIONS, *map(lift_of, RELUS))
    return {name: {"kernel": jnp.zeros(KERNELS[name]), "bias": jnp.zeros(KERNELS[name][-1])} for name in names}
