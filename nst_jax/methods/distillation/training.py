"""A step of the training, and the state that it changes.

Errors are relative to the teacher's activations, layer by layer: one number means the same in every layer, and the
weights of a VGG, whatever their scale, need no constant of their own.

    embedding: |Q f' + b - f|^2 / |f|^2                  Wang et al. 2020, CVPR, arXiv 2003.08436, eq. 5
    Gram:      |G(Q f' + b) - G(f)| / |G(f)|             what a style term sees

An image that is optimised finds every direction where the student is wrong. So a part of each batch comes from
optimisation: transfers by the student itself, some steps further with each step of the training.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float, Int

from nst_jax.extractors.base import Extractor
from nst_jax.extractors.distilled import CHANNELS
from nst_jax.methods.distillation.student import (
    RELUS,
    Batch,
    Images,
    Layer,
    Teacher,
    grams,
    lifted_grams,
    look,
    raise_up,
    see,
    square,
)
from nst_jax.types import Params, Scalar

STYLE = tuple(f"relu{block}_1" for block in range(1, 6))  # what a student's own transfers match
CONTENT = "relu4_2"
GRAMS = (*STYLE, "relu1_2", "relu2_2", "relu3_3", "relu4_3")  # the style layers of published programs
LIFE = 60  # Adam's steps of a transfer before another begins
RATE = 0.03  # of those steps
ADAM = optax.adam(RATE, b1=0.9, b2=0.99)


class Settings(NamedTuple):
    """The static settings of a step."""

    gram: float  # weight of the Gram errors
    rate: float  # learning rate, at its highest
    warmup: int
    steps: int
    decay: float  # of the mean of the parameters
    turns: int  # of the transfers, in each step


class Transfers(NamedTuple):
    """Transfers under way, one in each row."""

    image: Images
    content: Images
    style: Images
    balance: Float[Array, " n"]  # of the content
    adam: Any  # its state, a row for each
    age: Int[Array, " n"]  # steps


class Fresh(NamedTuple):
    """The input of a step: pictures to learn from, and the starts of transfers."""

    pictures: Images
    start: Images
    content: Images
    style: Images
    balance: Float[Array, " n"]


class State(NamedTuple):
    """All that a step needs."""

    step: Array
    params: Any
    mean: Any  # of the parameters, by decay: what is kept
    opt: Any
    transfers: Transfers


def optimiser(settings: Settings) -> optax.GradientTransformation:
    """AdamW, warmed up, then a cosine to a fiftieth."""
    rate = optax.warmup_cosine_decay_schedule(0.0, settings.rate, settings.warmup, settings.steps, settings.rate / 50)
    return optax.chain(optax.clip_by_global_norm(5.0), optax.adamw(rate, weight_decay=1e-4))


def begin(params: Params, settings: Settings, fresh: Fresh) -> State:
    """The state before the first step. params: those of `prune`."""
    state = State(jnp.int32(0), params, params, optimiser(settings).init(params), begin_transfers(fresh))
    return jax.tree.map(jnp.copy, state)  # a step donates each array: none may be there twice


def begin_transfers(fresh: Fresh) -> Transfers:
    """Transfers before their first step."""
    ages = jnp.zeros(fresh.start.shape[0], int)
    return Transfers(fresh.start, fresh.content, fresh.style, fresh.balance, jax.vmap(ADAM.init)(fresh.start), ages)


class Errors(NamedTuple):
    """Relative errors by layer, of each picture."""

    embedding: Mapping[str, Float[Array, " n"]]  # squared
    gram: Mapping[str, Float[Array, " n"]]


def errors(params: Params, images: Images, wanted: Mapping[str, Batch], entry: Layer) -> Errors:
    """How far the student is from the teacher's activations `wanted`."""
    seen = see(params, images, entry, taps=RELUS, learn=True)
    embedding, statistics = {}, {}
    for name in RELUS:
        target, size = wanted[name], wanted[name][0].size
        # a flat picture has little in the deep layers: a fiftieth of the common size is added
        embedding[name] = square(raise_up(params, name, seen[name]) - target) / (square(target) + 0.02 * size)
    for name in GRAMS:
        aim = grams(wanted[name])
        floor = 1e-4 * aim.shape[-1] ** 2
        error = square(lifted_grams(params, name, seen[name]) - aim) / (square(aim) + floor)
        statistics[name] = jnp.sqrt(jnp.minimum(error, 1.0) + 1e-8)
    return Errors(embedding, statistics)


def loss(
    params: Params, images: Images, wanted: Mapping[str, Batch], entry: Layer, *, weight: float
) -> tuple[Scalar, Errors]:
    """The sum over layers of the mean errors."""
    found = errors(params, images, wanted, entry)
    total = jax.tree.reduce(jnp.add, jax.tree.map(jnp.mean, found.embedding))
    return total + weight * jax.tree.reduce(jnp.add, jax.tree.map(jnp.mean, found.gram)), found


def transfer_loss(params: Params, images: Images, aims: tuple[Batch, dict[str, Array]], entry: Layer, balance: Array):
    """The objective of the student's own transfers: relative Gram errors, and relative content errors by `balance`."""
    content, wanted = aims
    seen = see(params, images, entry, taps=(*STYLE, CONTENT), learn=False)
    value = jnp.sum(balance * square(raise_up(params, CONTENT, seen[CONTENT]) - content) / content[0].size)
    for name in STYLE:
        floor = 1e-4 * CHANNELS[name.replace("relu", "conv")] ** 2
        error = square(lifted_grams(params, name, seen[name]) - wanted[name])
        value += jnp.sum(error / (square(wanted[name]) + floor))
    return value


def go_on(params: Params, transfers: Transfers, fresh: Fresh, entry: Layer, *, turns: int) -> Transfers:
    """Some steps of Adam (0.9, 0.99) for each transfer. One that has had its share begins again."""
    over = transfers.age >= LIFE
    now = jax.tree.map(
        lambda a, b: jnp.where(over.reshape(-1, *[1] * (a.ndim - 1)), a, b), begin_transfers(fresh), transfers
    )
    style = see(params, now.style, entry, taps=STYLE, learn=False)
    content = raise_up(params, CONTENT, see(params, now.content, entry, taps=(CONTENT,), learn=False)[CONTENT])
    aims = content, {name: lifted_grams(params, name, style[name]) for name in STYLE}
    for _ in range(turns):
        slope = jax.grad(transfer_loss, argnums=1)(params, now.image, aims, entry, now.balance)
        moves, adam = jax.vmap(ADAM.update)(slope, now.adam)
        now = now._replace(image=jnp.clip(now.image + moves, -0.1, 1.1), adam=adam, age=now.age + 1)
    return now


@partial(jax.jit, static_argnames=("network", "settings"), donate_argnums=0)
def step(
    state: State, fresh: Fresh, teacher: Any, sizes: Mapping[str, Scalar], *, network: Extractor, settings: Settings
) -> tuple[State, Errors]:
    """One step: the transfers go on, the teacher looks at the pictures, the student learns.

    Args:
      state: what the last step returned.
      fresh: pictures.
      teacher: its parameters, prepared.
      sizes: of its layers.
      network: the teacher, tapped at `RELUS`.
      settings: static.

    Returns:
      The next state, and the errors of each picture: first those of `fresh.pictures`, then those of the transfers.
    """
    entry = teacher["input"]
    transfers = go_on(state.params, state.transfers, fresh, entry, turns=settings.turns)
    images = jnp.concatenate([fresh.pictures, transfers.image])
    wanted = look(Teacher(network, teacher, sizes), images)
    slope, found = jax.grad(partial(loss, weight=settings.gram), has_aux=True)(state.params, images, wanted, entry)
    updates, opt = optimiser(settings).update(slope, state.opt, state.params)
    params = optax.apply_updates(state.params, updates)
    decay = jnp.minimum(settings.decay, (1 + state.step) / (10 + state.step))
    mean = jax.tree.map(lambda m, p: decay * m + (1 - decay) * p, state.mean, params)
    return State(state.step + 1, params, mean, opt, transfers), found
