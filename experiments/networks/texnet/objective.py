"""What training minimises: name the class, name the finish, know a picture again in another view."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array


class Weights(NamedTuple):
    """Of the three tasks; also their values."""

    classes: Array | float
    finishes: Array | float
    contrast: Array | float


def loss(
    outputs: tuple, labels: Array, finish: Array, *, weights: Weights, temperature: float, deep: bool
) -> tuple[Array, dict]:
    """The weighted sum, and figures to report. Label -1 (a scene) has no class. deep: every block is asked."""
    classes, finishes, embedded = outputs
    classes, finishes = (asked if deep else asked[-1:] for asked in (classes, finishes))
    known = labels >= 0
    cross_entropy = optax.softmax_cross_entropy_with_integer_labels
    values = Weights(
        sum(masked_mean(cross_entropy(c, labels), known) for c in classes) / len(classes),
        sum(cross_entropy(f, finish).mean() for f in finishes) / len(finishes),
        contrastive(embedded, temperature=temperature),
    )
    total = jnp.asarray(sum(weight * value for weight, value in zip(weights, values, strict=True)))
    right = {f"right{i}": masked_mean(c.argmax(-1) == labels, known) for i, c in enumerate(classes, 1)}
    right["finish"] = (finishes[-1].argmax(-1) == finish).mean()
    return total, {"loss": total, "pairs": values.contrast, **right}


def masked_mean(values: Array, where: Array) -> Array:
    """The mean of some of the values."""
    return jnp.sum(values * where) / jnp.maximum(where.sum(), 1)


def contrastive(embedded: Array, *, temperature: float) -> Array:
    """A picture's other view, half a batch away, is the nearest of all (NT-Xent: Chen et al. 2020, eq. 1)."""
    n = len(embedded)
    alike = embedded @ embedded.T / temperature - 1e9 * jnp.eye(n)
    other = (jnp.arange(n) + n // 2) % n
    return -jnp.take_along_axis(jax.nn.log_softmax(alike), other[:, None], 1).mean()
