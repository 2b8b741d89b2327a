"""The network while it is trained: VGG's convolutions, batch normalisation, average pooling, and what judges it.

Afterwards `folding` makes ordinary VGG parameters of it. It shares the layers' names with `nst_jax.extractors.vgg`.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax

from nst_jax.extractors.vgg import Blocks
from nst_jax.nn.conv import rotate
from nst_jax.nn.pooling import pool


class Trunk(nn.Module):
    """The last activation of each block, for a batch (n, h, w, 3) of RGB in [0, 1]."""

    blocks: Blocks

    @nn.compact
    def __call__(self, x: Array, *, training: bool) -> list[Array]:
        x, ends = x - 0.5, []
        for block, (width, depth) in enumerate(self.blocks, 1):
            for i in range(1, depth + 1):
                x = nn.relu(ConvNorm(width, name=f"conv{block}_{i}")(x, training=training))
            ends.append(x)
            x = pool(x, kind="avg", rounding="floor")
        return ends


class ConvNorm(nn.Module):
    """A 3 x 3 convolution without bias, then batch normalisation (Ioffe & Szegedy 2015)."""

    width: int

    @nn.compact
    def __call__(self, x: Array, *, training: bool) -> Array:
        kernel = self.param("kernel", nn.initializers.he_normal(), (3, 3, x.shape[-1], self.width))
        return nn.BatchNorm(use_running_average=not training, momentum=0.95, name="norm")(conv(x, kernel))


class Net(nn.Module):
    """Class and finish of a picture as seen by every block, and its embedding by all of them together.

    Every block is asked, by its channels' statistics alone (deep supervision, Lee et al. 2015): a Gram matrix
    of any layer has to tell textures apart.
    """

    blocks: Blocks
    classes: int
    finishes: int
    width: int  # of the embedding
    sketch: int  # channels of the small Gram matrix

    @nn.compact
    def __call__(self, x: Array, *, training: bool) -> tuple[list[Array], list[Array], Array]:
        ends = Trunk(self.blocks, name="trunk")(x, training=training)
        seen = [nn.standardize(statistics(a, self._sketch(a, i)), axis=0, epsilon=1e-3) for i, a in enumerate(ends, 1)]
        classes = [nn.Dense(self.classes, name=f"class{i}")(s) for i, s in enumerate(seen, 1)]
        finishes = [nn.Dense(self.finishes, name=f"finish{i}")(s) for i, s in enumerate(seen, 1)]
        embedded = nn.Dense(self.width, name="embedding")(jnp.concatenate(seen, -1))
        return classes, finishes, embedded / jnp.linalg.norm(embedded, axis=-1, keepdims=True)

    def _sketch(self, a: Array, block: int) -> Array:
        return nn.Dense(self.sketch, use_bias=False, name=f"sketch{block}")(a)


def statistics(a: Array, sketch: Array) -> Array:
    """Means, standard deviations, and the Gram matrix of a few mixed channels, (n, features)."""
    mean, spread = a.mean((1, 2)), jnp.sqrt(a.var((1, 2)) + 1e-4)
    gram = jnp.einsum("nhwc,nhwd->ncd", sketch, sketch) / (a.shape[1] * a.shape[2])
    rows, columns = jnp.triu_indices(sketch.shape[-1])
    # the root of a second moment has the units of the others
    signed = gram[:, rows, columns]
    return jnp.concatenate([mean, spread, jnp.sign(signed) * jnp.sqrt(jnp.abs(signed) + 1e-6)], -1)


def _plain(x: Array, kernel: Array) -> Array:
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


@jax.custom_vjp
def conv(x: Array, kernel: Array) -> Array:
    """The convolution, its input's gradient written as a convolution: faster on a CPU (see `nst_jax.nn.conv`)."""
    return _plain(x, kernel)


def _backward(saved: tuple[Array, Array], grad: Array) -> tuple[Array, Array]:
    x, kernel = saved
    of_kernel = jax.linear_transpose(lambda k: _plain(x, k), kernel)(grad)[0]
    return _plain(grad, rotate(kernel)), of_kernel


conv.defvjp(lambda x, kernel: (_plain(x, kernel), (x, kernel)), _backward)

Variables = dict[str, Any]
