"""From the trained network to the shipped one: batch normalisation folded in, and every channel's mean made 1."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nst_jax.extractors.base import features
from nst_jax.extractors.vgg import VGG, Blocks, kernels
from nst_jax.types import Params

EPSILON = 1e-5  # flax.linen.BatchNorm's


def fold(variables: dict) -> Params:
    """VGG's parameters of a trained `model.Trunk`: kernel * scale / sqrt(var), bias - mean * the same."""
    params, stats = variables["params"]["trunk"], variables["batch_stats"]["trunk"]
    out = {"input": {"kernel": jnp.eye(3), "bias": jnp.full(3, -0.5)}}
    for name, layer in params.items():
        moments = stats[name]["norm"]
        factor = layer["norm"]["scale"] / jnp.sqrt(moments["var"] + EPSILON)
        out[name] = {"kernel": layer["kernel"] * factor, "bias": layer["norm"]["bias"] - moments["mean"] * factor}
    return out


def normalise(params: Params, pictures: Array, *, blocks: Blocks, floor: float) -> Params:
    """The same network with every channel's mean activation over `pictures` 1 (Gatys et al. 2016, section 2).

    A ReLU commutes with a positive factor: what a layer is divided by, the next one is multiplied with. Channels
    hardly ever active are divided by `floor` times their layer's typical mean instead, lest they drown the rest.
    """
    out, before = {"input": dict(params["input"])}, jnp.ones(3)
    for name, mean in means(params, pictures, blocks=blocks).items():
        factor = 1 / jnp.maximum(mean, floor * jnp.median(mean))
        layer = params[name]
        kernel = layer["kernel"] / before[:, None] * factor
        out[name], before = {"kernel": kernel, "bias": layer["bias"] * factor}, factor
    return out


def means(params: Params, pictures: Array, *, blocks: Blocks) -> dict[str, Array]:
    """Mean activation of each channel after its ReLU, by the convolution's name, over pictures (n, h, w, 3)."""
    names = tuple(kernels(blocks))
    taps = tuple(name.replace("conv", "relu") for name in names)
    network = VGG(taps, blocks, "avg", "floor", "zero")
    one = jax.jit(lambda p, x: {tap: a.mean((0, 1)) for tap, a in features(network, p, x).items()})
    seen = [one(params, picture) for picture in pictures]
    return {name: jnp.mean(jnp.stack([s[tap] for s in seen]), 0) for name, tap in zip(names, taps, strict=True)}


def flat(params: Params) -> Iterator[tuple[str, np.ndarray]]:
    """`conv1_1.kernel` and so on, as float16: the shipped form."""
    for layer, parts in params.items():
        for part, values in parts.items():
            yield f"{layer}.{part}", np.asarray(values, np.float16)
