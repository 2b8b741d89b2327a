"""Pooling by the maximum, the mean and the root of the mean of squares: Gatys et al. 2015 (arXiv 1508.06576), Methods.

They found that average pooling "improves the gradient flow and one obtains slightly more appealing results". Measured
at the start, for each layer's style term: the norm of its gradient in the image; how much of the gradient's norm in
the layer that is (`passed`); and the share of pixels that carry it (`share`, (sum p)^2 / (n sum p^2), p its squares).
Expected: the mean halves a gradient's norm at each pooling and spreads it over more pixels than the maximum does.
Cost: 12 runs, one program for each pooling; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python -m experiments.papers.pooling content=photo.jpg style=painting.jpg
    python -m experiments.papers.pooling network=distilled size=128 steps=200
"""

import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np

import nst_jax as nst
from experiments.common import figures, judging, study
from experiments.common.reading import descent, picture, quartiles, values, where
from nst_jax.shell.running.job import Job


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing and draw the figure: pictures, losses, and what passes from a layer to the image."""
    runs = study.sweep("pooling", *words, home=home)
    table = [
        {"pool": row["network.pool"], "canvas": row["canvas"], "seed": row["seed"], **flow, "loss": descent(row)[1][-1]}
        for row, job in zip(runs.rows, judging.jobs(runs.rows), strict=True)
        for flow in gradient_flow(job)
    ]
    pools, layers = values(table, "pool"), list(dict.fromkeys(row["layer"] for row in table))
    pictures = {
        f"{r['network.pool']}, {r['canvas']}": picture(r) for r in reversed(runs.rows)
    }  # the first seed's remains
    figure, (losses, passed, shares) = figures.page(pictures, plots=3)
    for colour, pool in zip(("C0", "C1", "C2"), pools, strict=False):
        for row in where(runs.rows, network__pool=pool):
            losses.semilogy(*descent(row), color=colour, ls=":" if row["canvas"] == "noise" else "-")
        for axis, key in ((passed, "passed"), (shares, "share")):
            found = [[row[key] for row in where(table, pool=pool, layer=layer)] for layer in layers]
            axis.plot(layers, found, ".", color=colour)
            axis.plot(layers, np.median(found, 1), color=colour, label=pool)
    losses.set_title("loss / first loss, by evaluations (dotted: noise)", fontsize=8)
    passed.set_title("norm of the gradient: in image / in layer", fontsize=8)
    shares.set_title("share of pixels that carry it", fontsize=8)
    shares.legend(fontsize=7)
    return study.record(runs, figure, table, compare([row for row in table if row["layer"] == layers[-1]], pools))


def compare(deepest: list[study.Row], pools: list[str]) -> str:
    """What each pooling does to the deepest layer's gradient, against the maximum, for each start."""
    base = "max" if "max" in pools else pools[0]
    parts = []
    for pool in (p for p in pools if p != base):
        same = lambda row: where(deepest, pool=base, canvas=row["canvas"], seed=row["seed"])
        pairs = [(row, other) for row in where(deepest, pool=pool) for other in same(row)]
        norm, share, loss = (quartiles(row[k] / other[k] for row, other in pairs) for k in ("passed", "share", "loss"))
        parts += [f"{pool} passes {norm} times as much, to {share} times the pixels, and ends at {loss} times the loss"]
    return (
        f"Against {base} pooling, start by start (the gradient of {deepest[0]['layer']}'s style in the image over that "
        f"in the layer; the last loss over the first): {'; '.join(parts)}."
    )


def gradient_flow(job: Job) -> list[dict[str, float | str]]:
    """For each style layer, how much of its gradient reaches the image that the job starts from."""
    lines = []
    for layer, (inner, outer) in gradients(job.spec, job.problem, job.start).items():
        power = np.sum(np.square(outer, dtype=np.float64), axis=-1)
        norm = np.sqrt(power.sum())
        share = power.sum() ** 2 / (power.size * np.sum(power**2))
        lines.append({"layer": layer, "gradient": norm, "passed": norm / np.linalg.norm(inner), "share": share})
    return lines


@partial(jax.jit, static_argnums=0)
def gradients(spec: nst.Spec, problem: nst.Problem, image: jax.Array) -> dict[str, tuple[jax.Array, jax.Array]]:
    """The gradient of each style term, in its layer and in the image."""
    activations, pull_back = jax.vjp(partial(nst.features, spec.network, problem.params), image)
    found = {}
    for term in (t for t in spec.terms if t.of == "style"):
        inner = jax.grad(lambda f, term=term: term.value(f, problem.aims[term.name]))(activations[term.tap])
        only = {layer: inner if layer == term.tap else jax.numpy.zeros_like(f) for layer, f in activations.items()}
        found[term.tap] = inner, pull_back(only)[0]
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
