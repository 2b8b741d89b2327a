"""Differences of two arrays other than sum and mean of squares: scaled, pulled, and of the picture itself."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.losses import mse
from nst_jax.types import Activation, Scalar


def unit_pull(loss: Callable[[Activation, Any], Scalar]) -> Callable[[Activation, Any], Scalar]:
    """The loss with its own value, but a gradient for the activation that is scaled to a mean |.| of 1.

    crowsonkb/style_transfer num_utils.py:85-87, normalize: every layer pulls alike, however large its error.
    """

    def pulled(activation: Activation, target: Any) -> Scalar:
        f = activation.astype(jnp.float32)
        value, grad = jax.value_and_grad(loss)(lax.stop_gradient(f), target)
        along = jnp.sum(f * (grad / (jnp.abs(grad).mean() + jnp.finfo(jnp.float32).eps)))
        return value + along - lax.stop_gradient(along)

    return pulled


def scaled_error(a: Array, b: Array) -> Scalar:
    """Sum d^2 / (sum |d| + 1e-8): style-transfer-pytorch @1107fe6, ScaledMSELoss."""
    d = a.astype(jnp.float32) - b.astype(jnp.float32)
    return jnp.sum(d**2) / (jnp.sum(jnp.abs(d)) + 1e-8)


def laplacian_error(f: Activation, p: Activation) -> Scalar:
    """Mean squared difference of the Laplacians of the pictures, averaged over 4 x 4 pixels, colours summed.

    Li et al. 2017, arXiv 1707.01253, eq. 6; askerlee/lapstyle lap_style.lua:26-27, 210-222.
    """
    return jnp.mean((laplacian(f) - laplacian(p)) ** 2)


def laplacian(f: Activation) -> Float[Array, "h w"]:
    """4 times the pixel less its four neighbours, where all four exist."""
    h, w = f.shape[0] // 4, f.shape[1] // 4
    x = f[: 4 * h, : 4 * w].reshape(h, 4, w, 4, -1).mean((1, 3)).sum(-1)
    return 4 * x[1:-1, 1:-1] - x[:-2, 1:-1] - x[2:, 1:-1] - x[1:-1, :-2] - x[1:-1, 2:]


def pictures_by_laplacian(f: Activation, p: Activation) -> Scalar:
    """At the layer `input`, which is the picture, its Laplacian is compared; at every other layer the values."""
    return laplacian_error(f, p) if f.shape[-1] == 3 else mse(f, p)
