"""How a style term's gradient reaches the image: layer by layer, how much of it and where."""

from functools import partial

import jax
import numpy as np

import nst_jax as nst
from nst_jax.shell.prepare import Job


@partial(jax.jit, static_argnums=0)
def slopes(spec: nst.Spec, problem: nst.Problem, image: jax.Array) -> dict[str, tuple[jax.Array, jax.Array]]:
    """The gradient of each layer's style term, in the layer and in the image."""
    seen, back = jax.vjp(partial(nst.features, spec.network, problem.params), image)
    height, width, _ = image.shape

    def own(layer: str) -> jax.Array:
        aim = problem.targets.style[layer]
        return jax.grad(lambda f: spec.convention.style(spec.convention.summary(f), aim, height * width))(seen[layer])

    here = {layer: own(layer) for layer in problem.targets.style}
    return {k: (slope, back({n: slope if n == k else 0 * f for n, f in seen.items()})[0]) for k, slope in here.items()}


def flow(job: Job) -> list[dict[str, float | str]]:
    """What of each layer's gradient reaches the image that the job starts from."""
    lines = []
    for layer, (here, there) in slopes(job.spec, job.problem, job.start).items():
        power = np.sum(np.square(there, dtype=np.float64), axis=-1)
        norm = np.sqrt(power.sum())
        share = power.sum() ** 2 / (power.size * np.sum(power**2))
        lines.append({"layer": layer, "slope": norm, "passed": norm / np.linalg.norm(here), "share": share})
    return lines
