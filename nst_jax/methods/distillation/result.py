"""The result of a training: the parameters in the teacher's units, and how near they are to the teacher."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nst_jax.extractors.base import Extractor, features
from nst_jax.extractors.distilled import CONVOLUTIONS, LINEAR, lift_of
from nst_jax.losses.moments import gram, moments
from nst_jax.methods.distillation.pruning import Sums, add_up, correlate, solve
from nst_jax.methods.distillation.student import INPUT, RELUS, Images, Teacher, see
from nst_jax.types import Image, Params, Scalar


def finish(params: Params, teacher: Teacher, batches: Sequence[Images]) -> dict:
    """The parameters as `extractors.distilled` takes them: in the teacher's units, with the lifts of `LINEAR`.

    batches: images. The lifts before the ReLU, which are not trained, are fitted to them.
    """
    done: dict = {name: dict(params[name]) for name in CONVOLUTIONS}
    done["conv1_1"]["kernel"] = done["conv1_1"]["kernel"] / INPUT
    for name in RELUS:
        own = params[lift_of(name)]
        done[lift_of(name)] = {part: array * teacher.sizes[name] for part, array in own.items()}
    entry = teacher.params["input"]
    for name in LINEAR:
        sums = add_up(_correlate_linear(teacher.network, teacher.params, params, images, name) for images in batches)
        done[lift_of(name)] = solve(sums)
    return {**done, "input": entry}


@partial(jax.jit, static_argnums=(0, 4))
def _correlate_linear(network: Extractor, teacher: Any, params: Any, images: Images, name: str) -> Sums:
    seen = see(params, images, teacher["input"], taps=(name,), learn=False)[name]
    return correlate(seen, jax.vmap(partial(features, network.clone(taps=(name,)), teacher))(images)[name])


class Quality(NamedTuple):
    """How well the student gives one layer of a picture."""

    error: Scalar  # the sum of (g - f)^2, f the teacher's activation
    variance: Scalar  # the sum of (f - mean f)^2
    cosine: Scalar  # of the Gram matrices of g and f, and
    distance: Scalar  # |G(g) - G(f)| / |G(f)|


def compare(activation: Float[Array, "h w c"], wanted: Float[Array, "h w c"]) -> Quality:
    """Compare the student's activation of one picture with the teacher's."""
    own, aim = (gram(moments(a)) for a in (activation, wanted))
    norms = jnp.linalg.norm(own) * jnp.linalg.norm(aim)
    return Quality(
        jnp.sum((activation - wanted) ** 2),
        jnp.sum((wanted - wanted.mean((0, 1))) ** 2),
        jnp.sum(own * aim) / jnp.maximum(norms, 1e-12),
        jnp.linalg.norm(own - aim) / jnp.maximum(jnp.linalg.norm(aim), 1e-12),
    )


@partial(jax.jit, static_argnums=(0, 1))
def judge(student: Extractor, network: Extractor, params: Params, teacher: Params, image: Image) -> dict[str, Quality]:
    """The quality of each tap of the student on one picture. The two networks have the same taps."""
    seen, wanted = features(student, params, image), features(network, teacher, image)
    return {tap: compare(seen[tap], wanted[tap]) for tap in student.taps}
