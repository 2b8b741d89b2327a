"""Comparisons that need the activations themselves: sorted values and nearest patches.

Pictures may differ in size. Where positions are paired, the longer list is thinned or the shorter repeated.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from nst_jax.losses.differences import sse
from nst_jax.losses.term import View
from nst_jax.types import Activation, Scalar

Rows = Float[Array, "n c"]  # one row for each position
Patches = Float[Array, "n 9 c"]

AT_ONCE = 1024  # positions compared in one product: memory only


def rows(activation: Activation) -> Rows:
    """One row for each position."""
    return activation.reshape(-1, activation.shape[-1])


class Slices(NamedTuple):
    """A distribution by its projections: the values along each direction, sorted."""

    values: Float[Array, "n k"]
    directions: Float[Array, "k c"]


def draw_slices(activation: Activation, view: View) -> Slices:
    """The style's projections on as many random unit vectors as there are channels: Heitz et al. 2021, CVPR.

    arXiv 2006.07229, section 4; ryushinn/texsyn_sliceW metrics.py:165-187. The directions stay for the run.
    """
    if view.key is None:
        raise ValueError("sliced Wasserstein draws its directions: give `key`")
    directions = jax.random.normal(view.key, (activation.shape[-1],) * 2)
    return slice_along(activation, directions / jnp.linalg.norm(directions, axis=1, keepdims=True))


DRAWS = frozenset({draw_slices})  # what needs a key


def sort_channels(activation: Activation, view: View) -> Rows:
    """The histogram of each channel: its values, sorted."""
    return jnp.sort(rows(activation), axis=0)


def slice_along(activation: Activation, directions: Float[Array, "k c"]) -> Slices:
    """The projections on `directions`, sorted."""
    along = jnp.matmul(rows(activation), directions.T, precision=lax.Precision.HIGHEST)
    return Slices(jnp.sort(along, axis=0), directions)


def slice_error(activation: Activation, target: Slices) -> Scalar:
    """Mean squared difference of the sorted projections: the sliced 2-Wasserstein distance."""
    own = slice_along(activation, target.directions).values
    return jnp.mean((own - stretch(target.values, count=len(own))) ** 2)


def histogram_error(activation: Activation, target: Rows) -> Scalar:
    """The squared distance to the activation whose histograms were matched: Risser et al. 2017, arXiv 1701.08893.

    Matching is exact here, by rank; the paper has 256 bins. Ranks do not change under a small step, so the
    gradient is the paper's, with the matched activation held constant.
    """
    own = jnp.sort(rows(activation), axis=0)
    return sse(own, stretch(target, count=len(own)))


def stretch(values: Float[Array, "n k"], *, count: int) -> Float[Array, "m k"]:
    """Sorted values as quantiles of another number of positions; the nearest, as in texsyn_sliceW metrics.py:181."""
    return jax.image.resize(values, (count, values.shape[1]), "nearest")


class Neighbours(NamedTuple):
    """The style's patches of 3 x 3 positions."""

    lengths: Float[Array, " n"]
    values: Patches


def neighbours(activation: Activation, view: View) -> Neighbours:
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
    own = patches(activation)
    nearest = lax.stop_gradient(most_similar(own, target))
    return sse(own, target.values[nearest])


def most_similar(own: Patches, target: Neighbours) -> Int[Array, " n"]:
    """For each patch the one of the style with the highest normalised cross-correlation: eq. 3."""
    # the length of `own` scales all scores of a patch alike: it does not matter to the largest
    unit = target.values / jnp.maximum(target.lengths, jnp.finfo(jnp.float32).tiny)[:, None, None]

    def best(patch: Float[Array, "9 c"]) -> Int[Array, ""]:
        return jnp.argmax(jnp.einsum("kc,nkc->n", patch, unit, precision=lax.Precision.HIGHEST))

    return lax.map(best, lax.stop_gradient(own), batch_size=AT_ONCE)
