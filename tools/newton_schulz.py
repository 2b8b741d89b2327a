"""How far the roots of style_transfer_pytorch, and their gradients, are from what they stand for.

It prints, for each style layer of an untrained VGG-19, the style term as published, by 12 Newton-Schulz iterations; the
term with the exact root (by eigenvalues, in float64); and what part of the published one is its error. Then how far the
program's own gradient, which solves a Lyapunov equation by 12 iterations, is from the gradient of the published term.
The pictures are two of the package's.

    python -m tools.newton_schulz
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import PIL.Image
from jax import Array

from nst_jax import pictures
from nst_jax.extractors import architecture
from nst_jax.extractors.base import features
from nst_jax.images.size import resize
from nst_jax.losses import statistics
from nst_jax.losses.moments import moments
from nst_jax.losses.statistics import BURES_EPS, BURES_ITERATIONS, Gaussian, covariance, gaussian, mean, wasserstein
from nst_jax.losses.term import View
from nst_jax.types import Activation, Image, Scalar

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


class Row(NamedTuple):
    """The style term of one layer."""

    layer: str
    published: float
    exact: float
    gradient: float  # |program's - ours| / |ours|, in the activation

    @property
    def error(self) -> float:
        """What part of the published term is the error of its roots."""
        return 1 - self.exact / self.published


def root(a: np.ndarray) -> np.ndarray:
    """The exact square root of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(a)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def exact_term(f: Activation, a: Activation) -> float:
    """The squared 2-Wasserstein distance over the channels, in float64."""
    (s, mu), (t, nu) = (
        (np.float64(covariance(m)) + BURES_EPS * np.eye(f.shape[-1]), np.float64(mean(m))) for m in map(moments, (f, a))
    )
    half = root(t)
    return float(((mu - nu) ** 2).mean() + np.diag(s + t - 2 * root(half @ s @ half)).mean())


@jax.custom_vjp
def program_root(a: Array) -> Array:
    """The published root, with the gradient that the program gives it."""
    return statistics.root(a)


def _forward(a: Array) -> tuple[Array, Array]:
    root = statistics.root(a)
    return root, root


def _backward(root: Array, grad: Array) -> tuple[Array]:
    """Solve root X + X root = grad by Newton and Schulz: crowsonkb/style-transfer-pytorch, sqrtm.py."""
    norm, three = jnp.sqrt(jnp.sum(root**2)), 3 * jnp.eye(len(root))
    a, q = root / norm, grad / norm
    for _ in range(BURES_ITERATIONS):
        q = (q @ (three - a @ a) - a.T @ (a.T @ q - q @ a)) / 2
        a = a @ (three - a @ a) / 2
    return (q / 2,)


program_root.defvjp(_forward, _backward)


def program_term(f: Activation, target: Gaussian) -> Scalar:
    """`wasserstein` with the program's own gradient."""
    m = moments(f)
    spread = covariance(m) + BURES_EPS * jnp.eye(f.shape[-1])
    between = program_root(target.root @ spread @ target.root)
    moved = jnp.mean((mean(m) - target.mean) ** 2)
    return moved + jnp.mean(jnp.diagonal(spread + target.covariance - 2 * between))


def gradient_distance(f: Activation, target: Gaussian) -> float:
    """How far the program's gradient is from that of what it computes, in parts of the latter."""
    ours = jax.grad(lambda f: wasserstein(moments(f), target))(f)
    theirs = jax.grad(program_term)(f, target)
    return float(jnp.linalg.norm(theirs - ours) / jnp.linalg.norm(ours))


def read(name: str, *, size: int) -> Image:
    """A bundled picture at size x size pixels."""
    array = np.asarray(PIL.Image.open(pictures.path(name)).convert("RGB"), np.float32) / 255
    return resize(jnp.asarray(array), height=size, width=size)


def compare(*, size: int, seed: int, layers: tuple[str, ...] = LAYERS) -> list[Row]:
    """The terms of two bundled pictures.

    Args:
      size: height and width of both pictures, in pixels.
      seed: of the untrained weights.
      layers: style layers of VGG-19.
    """
    vgg = architecture("vgg19")
    net = vgg.tap(layers, pool="max", rounding="floor", padding="zero")
    params = vgg.random(jax.random.key(seed))
    image, style = (read(name, size=size) for name in ("landscape", "brush"))
    seen, wanted = (features(net, params, x) for x in (image, style))
    rows = []
    for layer in layers:
        aim = gaussian(moments(wanted[layer]), View(wanted[layer], size * size, None))
        published = float(wasserstein(moments(seen[layer]), aim))
        exact = exact_term(seen[layer], wanted[layer])
        rows.append(Row(layer, published, exact, gradient_distance(seen[layer], aim)))
    return rows


def main() -> None:
    """Print a line for each layer."""
    for size in (128, 256):
        for seed in (0, 1):
            for row in compare(size=size, seed=seed):
                terms = f"{row.published:.5g}, exact {row.exact:.5g}, {row.error:.1%}; gradient {row.gradient:.1%}"
                print(f"{size} pixels, seed {seed}, {row.layer}: {terms}", flush=True)


if __name__ == "__main__":
    main()
