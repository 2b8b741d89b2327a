"""The problem that every benchmark solves: VGG-19, five style layers, one content layer, untrained weights."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import nst_jax as nst
from nst_jax.extractors.vgg import VGG, VGG19, prepare, random_params
from nst_jax.published import GATYS_RELEASED

STYLE = tuple(f"relu{block}_1" for block in range(1, 6))
CONTENT = ("relu4_2",)
NET = VGG((*STYLE, *CONTENT), blocks=VGG19, pool="avg", rounding="floor", padding="zero")
PARAMS = jax.jit(lambda: random_params(jax.random.key(0), blocks=VGG19))()
METHODS = {"adam": nst.adam(0.02), "lbfgs": nst.lbfgs(), "lbfgs_torch": nst.lbfgs_torch()}  # history 100 in the last
FACTORS = {"content_layers": dict.fromkeys(CONTENT, 1.0), "style_layers": dict.fromkeys(STYLE, 1.0)}
TERMS = GATYS_RELEASED.terms(CONTENT, STYLE)


def spec(solver: str) -> nst.Spec:
    """The method with that solver. lbfgs_torch is as torch runs its own: one evaluation a step."""
    return nst.Spec(NET, TERMS, METHODS[solver].solver, METHODS[solver].options)


def pictures(size: int) -> tuple[jax.Array, jax.Array]:
    """Content and style: smooth noise, so that no file is needed."""
    rng = np.random.default_rng(size)
    coarse = [rng.uniform(0.1, 0.9, (k, k, 3)).astype(np.float32) for k in (9, 33)]
    return tuple(jnp.clip(jax.image.resize(c, (size, size, 3), "cubic"), 0, 1) for c in coarse)  # type: ignore[return-value]


def problem(size: int, *, solver: str, convolution: str, style_weight: float = 1e3) -> tuple[nst.Problem, jax.Array]:
    """The problem and its start."""
    content, style = pictures(size)
    params = prepare(PARAMS, convolution=convolution, dtype="float32")
    aims = nst.aims(NET, TERMS, params, {"content": content, "style": style}, pixels=size * size)
    channels = {layer: aims[f"style/{layer}"].whole.first.size for layer in STYLE}
    parts = {"content_weight": 1.0, "style_weight": style_weight, "tv_weight": 0.0}
    weights = GATYS_RELEASED.weights(channels, **parts, **FACTORS)
    return nst.Problem(params, aims, weights, dict(METHODS[solver].numbers)), content


def gradient(solver: str) -> Callable[[nst.Problem, jax.Array], Any]:
    """One value-and-gradient of the objective, compiled."""
    return jax.jit(jax.value_and_grad(lambda p, x: nst.objective(spec(solver), p, x), 1))
