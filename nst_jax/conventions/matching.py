"""Comparisons that need the activations themselves: sorted values and nearest patches.

Pictures may differ in size. Where positions are paired, the longer list is thinned or the shorter repeated.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from nst_jax.losses import sse
from nst_jax.types import Activation, Scalar

Rows = Float[Array, "n c"]  # one row for each position
Patches = Float[Array, "n 9 c"]

AT_ONCE = 1024  # positions compared in one product: memory only


def itself(activation: Activation) -> Activation:
    """The activation, in float32."""
    return activation.astype(jnp.float32)


def rows(activation: Activation) -> Rows:
    """One row for each position."""
    return activation.reshape(-1, activation.shape[-1])


class Slices(NamedTuple):
    """A distribution by its projections: the values along each direction, sorted."""

    values: Float[Array, "n k"]
    directions: Float[Array, "k c"]


def drawn(key: Array | None, activation: Activation) -> Slices:
    """The style's projections on as many random unit vectors as there are channels: Heitz et al. 2021, CVPR.

    arXiv 2006.07229, section 4; ryushinn/texsyn_sliceW metrics.py:165-187. The directions stay for the run.
    """
    if key is None:
        raise ValueError("sliced Wasserstein draws its directions: give `key`")
    directions = jax.random.normal(key, (activation.shape[-1],) * 2)
    return sliced(activation, directions / jnp.linalg.norm(directions, axis=1, keepdims=True))


def by_channel(key: Array | None, activation: Activation) -> Rows:
    """The histogram of each channel: its values, sorted."""
    return jnp.sort(rows(activation), axis=0)


def sliced(activation: Activation, directions: Float[Array, "k c"]) -> Slices:
    """The projections on `directions`, sorted."""
    along = jnp.matmul(rows(activation), directions.T, precision=lax.Precision.HIGHEST)
    return Slices(jnp.sort(along, axis=0), directions)


def slice_error(activation: Activation, target: Slices) -> Scalar:
    """Mean squared difference of the sorted projections: the sliced 2-Wasserstein distance."""
    seen = sliced(activation, target.directions).values
    return jnp.mean((seen - stretched(target.values, count=len(seen))) ** 2)


def histogram_error(activation: Activation, target: Rows) -> Scalar:
    """The squared distance to the activation whose histograms were matched: Risser et al. 2017, arXiv 1701.08893.

    Matching is exact here, by rank; the paper has 256 bins. Ranks do not change under a small step, so the
    gradient is the paper's, with the matched activation held constant.
    """
    seen = jnp.sort(rows(activation), axis=0)
    return sse(seen, stretched(target, count=len(seen)))


def stretched(values: Float[Array, "n k"], *, count: int) -> Float[Array, "m k"]:
    """Sorted values as quantiles of another number of positions; the nearest, as in texsyn_sliceW metrics.py:181."""
    return jax.image.resize(values, (count, values.shape[1]), "nearest")


class Neighbours(NamedTuple):
    """The style's patches of 3 x 3 positions."""

    lengths: Float[Array, " n"]
    values: Patches


def neighbours(key: Array | None, activation: Activation) -> Neighbours:
    """All patches of the style, and their lengths."""
    values = patches(activation)
    return Neighbours(jnp.sqrt(jnp.sum(values**2, axis=(1, 2))), values)


def patches(activation: Activation) -> Patches:
    """Every patch of 3 x 3 positions, stride 1: Li & Wand 2016, section 3.1."""
    h, w, c = activation.shape
    places = [(i, j) for i in range(3) for j in range(3)]
    parts = [activation[i : h - 2 + i, j : w - 2 + j].reshape(-1, c) for i, j in places]
    return jnp.stack(parts, axis=1)


def patch_error(activation: Activation, target: Neighbours) -> Scalar:
    """Sum over patches of the squared distance to the nearest of the style: Li & Wand 2016, CVPR, eq. 2."""
    seen = patches(activation)
    nearest = lax.stop_gradient(most_similar(seen, target))
    return sse(seen, target.values[nearest])


def most_similar(seen: Patches, target: Neighbours) -> Int[Array, " n"]:
    """For each patch the one of the style with the highest normalised cross-correlation: eq. 3."""
    # the length of `seen` scales all scores of a patch alike: it does not matter to the largest
    unit = target.values / jnp.maximum(target.lengths, jnp.finfo(jnp.float32).tiny)[:, None, None]

    def best(patch: Float[Array, "9 c"]) -> Int[Array, ""]:
        return jnp.argmax(jnp.einsum("kc,nkc->n", patch, unit, precision=lax.Precision.HIGHEST))

    return lax.map(best, lax.stop_gradient(seen), batch_size=AT_ONCE)
