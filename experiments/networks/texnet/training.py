"""The training: one jitted step, a Python loop around it, checkpoints that a stopped run goes on from.

The loop is in Python because XLA's CPU backend compiles convolution gradients inside lax.scan to slow code. What a
step draws depends on the seed and its number alone, so that a resumed run equals an uninterrupted one.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import serialization
from jax import Array

from experiments.networks.texnet.config import Config
from experiments.networks.texnet.data import Data
from experiments.networks.texnet.model import Net
from experiments.networks.texnet.objective import Weights, loss, masked_mean
from experiments.networks.texnet.textures import FAMILIES
from experiments.networks.texnet.views import FINISHES, Jitter, views


class State(NamedTuple):
    """All that a step needs."""

    step: Array
    params: Any
    batch_stats: Any
    opt: Any


def network(config: Config) -> Net:
    """The network of these settings."""
    blocks = tuple((width, depth) for width, depth in config.blocks)
    return Net(blocks, len(FAMILIES) * config.variants, FINISHES, config.embedding, config.sketch)


def optimiser(config: Config) -> optax.GradientTransformation:
    """AdamW, warmed up, then a cosine to zero."""
    rate = optax.warmup_cosine_decay_schedule(0.0, config.learning_rate, config.warmup, config.steps)
    return optax.adamw(rate, weight_decay=config.weight_decay)


def begin(config: Config) -> State:
    """The state before the first step."""
    shape = (2, config.side, config.side, 3)
    variables = network(config).init(jax.random.key(config.seed), jnp.zeros(shape), training=True)
    opt = optimiser(config).init(variables["params"])
    return State(jnp.int32(0), variables["params"], variables["batch_stats"], opt)


def stepper(config: Config) -> Callable[[State, Array, Array], tuple[State, dict[str, Array]]]:
    """The jitted step: (state, bytes of pictures, labels) -> (state, figures)."""
    net, tx = network(config), optimiser(config)
    weights = Weights(config.classes, config.finishes, config.pairs)
    jitter = Jitter(config.zoom, config.contrast, config.colour, config.faulty)

    def objective(params: Any, state: State, seen: Array, labels: Array, finish: Array) -> tuple[Array, tuple]:
        variables = {"params": params, "batch_stats": state.batch_stats}
        outputs, changed = net.apply(variables, seen, training=True, mutable=["batch_stats"])
        value, figures = loss(
            outputs, labels, finish, weights=weights, temperature=config.temperature, deep=config.deep
        )
        return value, (changed["batch_stats"], figures)

    @partial(jax.jit, donate_argnums=0)
    def step(state: State, pictures: Array, labels: Array) -> tuple[State, dict[str, Array]]:
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)
        twice, both = jnp.concatenate([pictures, pictures]), jnp.concatenate([labels, labels])
        seen, finish = views(key, twice, side=config.side, jitter=jitter)
        grads, (stats, figures) = jax.grad(objective, has_aux=True)(state.params, state, seen, both, finish)
        updates, opt = tx.update(grads, state.opt, state.params)
        return State(state.step + 1, optax.apply_updates(state.params, updates), stats, opt), figures

    return step


def train(config: Config, data: Data, *, until: int, say: Callable[[str], None]) -> State:
    """The state after `until` steps, from the last checkpoint if there is one."""
    path = Path(config.cache) / f"checkpoint-{Path(config.weights).stem}.msgpack"
    state, step = restore(begin(config), path), stepper(config)
    first, started = int(state.step), time.monotonic()
    for number in range(first, until):
        chosen = np.random.default_rng((config.seed, number)).integers(len(data.labels), size=config.batch)
        state, figures = step(state, jnp.asarray(data.pictures[chosen]), jnp.asarray(data.labels[chosen]))
        if (number + 1) % config.report == 0:
            say(progress(figures, done=number + 1, first=first, until=until, seconds=time.monotonic() - started))
        if (number + 1) % config.checkpoint == 0 or number + 1 == until:
            save(state, path)
    return state


def progress(figures: dict[str, Array], *, done: int, first: int, until: int, seconds: float) -> str:
    """One line: steps, figures, minutes left."""
    left = seconds / (done - first) * (until - done) / 60
    told = " ".join(f"{name} {float(value):.3f}" for name, value in figures.items())
    return f"step {done}/{until} {told} {seconds / 60:.1f} min, {left:.1f} left"


def save(state: State, path: Path) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".partial")
    unfinished.write_bytes(serialization.to_bytes(state))
    unfinished.replace(path)


def restore(state: State, path: Path) -> State:
    """The checkpoint's state, or the given one where there is none."""
    return jax.tree.map(jnp.asarray, serialization.from_bytes(state, path.read_bytes())) if path.exists() else state


def accuracy(config: Config, state: State, data: Data) -> dict[str, float]:
    """The share of held-out pictures whose class each block names, seen in the middle and without a finish."""
    net = network(config)
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    middle = (config.size - config.side) // 2
    window = slice(middle, middle + config.side)
    # in random order: the statistics are standardised over the batch
    order = np.random.default_rng(config.seed).permutation(len(data.labels))
    look = jax.jit(lambda x: net.apply(variables, x, training=False)[0])
    right = []
    for chosen in np.array_split(order, max(1, len(order) // (2 * config.batch))):
        seen = look(data.pictures[chosen][:, window, window].astype(np.float32) / 255)
        right.append([float(masked_mean(c.argmax(-1) == data.labels[chosen], jnp.ones(len(chosen)))) for c in seen])
    asked = len(config.blocks) if config.deep else 1  # the heads of the others were not trained
    return {f"block{i}": round(float(v), 4) for i, v in list(enumerate(np.mean(right, 0), 1))[-asked:]}
