"""The problem that every benchmark solves: VGG-19, five style layers, one content layer, untrained weights."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax import CONVENTIONS, SOLVERS, VGG, VGG19, Problem, Spec, transfer
from nst_jax.vgg import prepared, random_params

STYLE = tuple(f"relu{block}_1" for block in range(1, 6))
CONTENT = ("relu4_2",)
NET = VGG((*STYLE, *CONTENT), blocks=VGG19, pool="avg", rounding="floor", padding="zero")
PARAMS = jax.jit(lambda: random_params(jax.random.key(0), blocks=VGG19))()
ADAM = {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8}
SPECS = {
    "adam": (("clamp", True),),
    "lbfgs": (("memory", 50), ("evaluations", 20)),
    "lbfgs_torch": (("memory", 100),),
}


def spec(name: str) -> Spec:
    """The method with that solver, as torch's own L-BFGS is run: history 100, one evaluation a step."""
    return Spec(NET, CONVENTIONS["gatys_released"], SOLVERS[name], SPECS[name])


def pictures(size: int) -> tuple[jax.Array, jax.Array]:
    """Content and style: smooth noise, so that no file is needed."""
    rng = np.random.default_rng(size)
    coarse = [rng.uniform(0.1, 0.9, (k, k, 3)).astype(np.float32) for k in (9, 33)]
    return tuple(jnp.clip(jax.image.resize(c, (size, size, 3), "cubic"), 0, 1) for c in coarse)  # type: ignore[return-value]


def problem(size: int, *, solver: str, convolution: str, style_weight: float = 1e3) -> tuple[Problem, jax.Array]:
    """What is solved, and where it starts."""
    content, style = pictures(size)
    params = prepared(PARAMS, convolution=convolution, dtype="float32")
    targets = transfer.targets(NET, params, content, style, content_layers=CONTENT, style_layers=STYLE)
    factors: dict[str, Any] = {"content_layers": dict.fromkeys(CONTENT, 1.0), "style_layers": dict.fromkeys(STYLE, 1.0)}
    pull = {"content_weight": 1.0, "style_weight": style_weight, "tv_weight": 0.0}
    weights = transfer.weights(CONVENTIONS["gatys_released"], targets, **pull, **factors)
    hyper = {"adam": ADAM, "lbfgs": {}, "lbfgs_torch": {"learning_rate": 1.0}}[solver]
    return Problem(params, targets, weights, {k: jnp.float32(v) for k, v in hyper.items()}), content


def gradient(solver: str) -> Callable[[Problem, jax.Array], Any]:
    """One value-and-gradient of the objective, compiled."""
    return jax.jit(jax.value_and_grad(lambda p, x: transfer.objective(spec(solver), p, x), 1))
