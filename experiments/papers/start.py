"""Where the run starts, and whether it matters: Gatys et al. 2016 (CVPR), Figure 6.

Expected: results of one look, which differ in details and lean a little towards their start; two noises give two
pictures. With few steps the start is simply still there.
Cost: 6 runs of one program; at size=512 steps=500 an hour on a CPU, a minute on a GPU.

    python -m experiments.papers.start content=photo.jpg style=painting.jpg
    python -m experiments.papers.start network=distilled size=128 steps=200
"""

import sys
from itertools import combinations
from pathlib import Path

import jax
import numpy as np

import nst_jax as nst
from experiments.common import figures, judging, reading, study
from experiments.common.reading import picture


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing and draw the figure: the results, and how far each pair of them is apart."""
    runs = study.sweep("start", *words, home=home)
    names = [f"{row['canvas']} {row['seed']}" if row["canvas"] == "noise" else row["canvas"] for row in runs.rows]
    job = judging.jobs(runs.rows[:1])[0]
    features = jax.jit(lambda image: nst.features(job.spec.network, job.problem.params, image))
    pictures = {name: picture(row) / 255 for name, row in zip(names, runs.rows, strict=True)}
    activations = {name: features(image.astype("float32")) for name, image in pictures.items()}
    far = {
        (a, b): (reading.rms_difference(pictures[a], pictures[b]), difference(activations[a], activations[b]))
        for a, b in combinations(names, 2)
    }
    table = [{"one": a, "other": b, "rmse": pixels, "features": off} for (a, b), (pixels, off) in far.items()]
    unknown = (np.nan, np.nan)
    figure, axes = figures.page(pictures, plots=2)
    for k, (axis, title) in enumerate(zip(axes, ("pixels, RMSE", "features, relative"), strict=True)):
        drawn = axis.imshow([[far.get((a, b), far.get((b, a), unknown))[k] for b in names] for a in names])
        axis.set_title(title, fontsize=8)
        axis.set(yticks=range(len(names)), yticklabels=names, xticks=[])
        figure.colorbar(drawn, ax=axis)
    kinds: dict[str, list[tuple[float, float]]] = {}
    for (a, b), off in far.items():
        kinds.setdefault(" and ".join(sorted((a.split()[0], b.split()[0]))), []).append(off)
    both = {kind: [reading.quartiles(off) for off in zip(*offs, strict=True)] for kind, offs in kinds.items()}
    parts = "; ".join(f"{kind} by {pixels} and {off}" for kind, (pixels, off) in both.items())
    answer = f"How far two results are apart, in pixels (RMSE) and in features (relative to their norm): {parts}."
    return study.record(runs, figure, table, answer)


def difference(a: nst.types.Activations, b: nst.types.Activations) -> float:
    """The relative distance of features, over the tapped layers and both directions."""
    return float(np.mean([reading.relative_difference(x, y) for k in a for x, y in ((a[k], b[k]), (b[k], a[k]))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
