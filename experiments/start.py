"""Where the run starts, and whether it matters: Gatys et al. 2016 (CVPR), Figure 6.

Expected: results of one look, which differ in details and lean a little towards their start; two noises give two
pictures. With few steps the start is simply still there.
Cost: 6 runs of one program; at size=512 steps=500 an hour on a CPU, a minute on a GPU.

    python experiments/start.py content=photo.jpg style=painting.jpg
    python experiments/start.py network=texnet canvas=content,style,noise,noise seed=0,0,0,1 size=128 steps=200
"""

import sys
from itertools import combinations
from pathlib import Path

import jax
import numpy as np

import nst_jax as nst
from experiments import figures, judging, reading, study
from experiments.reading import picture


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing and draws the figure: the results, and how far each pair of them is apart."""
    done = study.sweep("start", *words, home=home)
    names = [f"{row['canvas']} {row['seed']}" if row["canvas"] == "noise" else row["canvas"] for row in done.rows]
    spec, problem = judging.jobs(done.rows[:1])[0][:2]
    features = jax.jit(lambda image: nst.features(spec.network, problem.params, image))
    shown = {name: picture(row) / 255 for name, row in zip(names, done.rows, strict=True)}
    seen = {name: features(image.astype("float32")) for name, image in shown.items()}
    far = {(a, b): (reading.apart(shown[a], shown[b]), mean(seen[a], seen[b])) for a, b in combinations(names, 2)}
    table = [{"one": a, "other": b, "rmse": pixels, "features": off} for (a, b), (pixels, off) in far.items()]
    nothing = (np.nan, np.nan)
    figure, axes = figures.page(shown, plots=2)
    for k, (axis, title) in enumerate(zip(axes, ("pixels, RMSE", "features, relative"), strict=True)):
        drawn = axis.imshow([[far.get((a, b), far.get((b, a), nothing))[k] for b in names] for a in names])
        axis.set_title(title, fontsize=8)
        axis.set(yticks=range(len(names)), yticklabels=names, xticks=[])
        figure.colorbar(drawn, ax=axis)
    kinds: dict[str, list[tuple[float, float]]] = {}
    for (a, b), off in far.items():
        kinds.setdefault(" and ".join(sorted((a.split()[0], b.split()[0]))), []).append(off)
    both = {kind: [reading.spread(off) for off in zip(*offs, strict=True)] for kind, offs in kinds.items()}
    told = "; ".join(f"{kind} by {pixels} and {off}" for kind, (pixels, off) in both.items())
    seen = f"How far two results are apart, in pixels (RMSE) and in features (relative to their norm): {told}."
    return study.record(done, figure, table, seen)


def mean(a: nst.types.Activations, b: nst.types.Activations) -> float:
    """The relative distance of features, over the tapped layers and both directions."""
    return float(np.mean([reading.relative(x, y) for k in a for x, y in ((a[k], b[k]), (b[k], a[k]))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
