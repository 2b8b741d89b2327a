"""How near a student is to its teacher, by kind of picture: those of each folder, and its own transfers.

An optimised image finds every direction that a student gets wrong. A student that is good on photographs may therefore
be poor on its own transfers. Both are measured, on pictures that it was not trained on.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax.api.networks import Network
from nst_jax.api.optimisers import lbfgs
from nst_jax.api.problems import problem, split
from nst_jax.extractors.distilled import Distilled
from nst_jax.methods import transfer
from nst_jax.methods.distillation import result
from nst_jax.methods.distillation.student import RELUS, Teacher
from nst_jax.methods.distillation.training import CONTENT, STYLE
from nst_jax.types import Image

SIDE = 224  # pixels of the middle of a picture
TRANSFERS = 8
STEPS, STYLE_WEIGHT = 60, 100.0  # of L-BFGS, of convention=relative
STUDENT = Distilled(RELUS, "max", "floor", "zero")

Quality = dict[str, dict[str, tuple[float, float]]]  # kind -> layer -> share of variance explained, cosine of Grams


def measure(teacher: Teacher, params: Mapping[str, Any], held: Mapping[str, Sequence[np.ndarray]]) -> Quality:
    """The share of variance explained, and the mean cosine of the Gram matrices, of each layer.

    Args:
      teacher: the network that the student is compared with.
      params: those of the student.
      held: pictures as bytes, by kind. From each two of them that follow each other, a transfer is made.
    """
    full = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), dict(params))
    told = {kind: compare(teacher, full, map(middle, pictures)) for kind, pictures in held.items()}
    every = [image for pictures in zip(*held.values(), strict=False) for image in map(middle, pictures)]
    if len(every) > 1:
        told["own transfers"] = compare(teacher, full, transfers(full, every))
    return told


def middle(picture: np.ndarray) -> Image:
    """The middle of a picture, RGB in [0, 1]."""
    side = min(SIDE, *picture.shape[:2])
    top, left = ((n - side) // 2 for n in picture.shape[:2])
    return jnp.asarray(picture[top : top + side, left : left + side], jnp.float32) / 255


def transfers(params: Any, pictures: Sequence[Image]) -> Iterable[Image]:
    """The student's transfer of each picture in the style of the one before."""
    extractor, style_layers = STUDENT.clone(taps=(*STYLE, CONTENT)), dict.fromkeys(STYLE, 1.0)
    net = Network(extractor, params, content_layers={CONTENT: 1.0}, style_layers=style_layers, convention="relative")
    for style, content in islice(pairwise(pictures), TRANSFERS):
        task = problem(net, content, style, content_weight=1.0, style_weight=STYLE_WEIGHT)
        yield transfer.stylise(*split(task, lbfgs(memory=20)), content, steps=STEPS).image


def compare(teacher: Teacher, params: Any, images: Iterable[Image]) -> dict[str, tuple[float, float]]:
    """The figures of one kind, by layer."""
    found = [jax.device_get(result.judge(STUDENT, teacher.network, params, teacher.params, image)) for image in images]
    told = {}
    for layer in RELUS:
        error, variance = (sum(float(f[layer][i]) for f in found) for i in (0, 1))
        told[layer] = 1 - error / variance, float(np.mean([f[layer].cosine for f in found]))
    return told
