"""What nested sets of layers know of the style: Gatys et al. 2015 (arXiv 1508.06576), Figure 1, top.

Expected: the first layer gives colours and grain only, each deeper one larger pieces of the painting; a layer that
was not asked for is matched badly.
Cost: 15 runs, one program for each set; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python experiments/style_reconstruction.py style=painting.jpg
    python experiments/style_reconstruction.py network=texnet layers=nested_1,nested_2,nested_3,nested_4 size=128
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import jax

import nst_jax as nst
from experiments import figures, judging, reading, study
from experiments.reading import picture, values, where


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing and draws the figure: a column for each set of layers; the first seed."""
    done = study.sweep("style_reconstruction", *words, home=home)
    sets = values(done.rows, "layers")
    whole = max(judging.jobs(done.rows), key=lambda job: len(job.problem.targets.style))
    goals = whole.problem.targets.style

    @jax.jit
    def distances(image: jax.Array) -> Mapping[str, jax.Array]:
        seen = nst.features(whole.spec.network.clone(taps=tuple(goals)), whole.problem.params, image)
        return nst.metrics.style_distances({layer: nst.moments(f) for layer, f in seen.items()}, goals)

    off = [distances((picture(row) / 255).astype("float32")) for row in done.rows]
    table = [
        {"layers": row["layers"], "seed": row["seed"]} | {layer: float(far[layer]) for layer in goals}
        for row, far in zip(done.rows, off, strict=True)
    ]
    deepest = list(goals)[-1]
    told = [f"{n} {reading.spread(row[deepest] for row in where(table, layers=n))}" for n in sets]
    seen = f"Distance of the Gram matrices in {deepest}, |G - A| / |A|, median and quartiles over the seeds: "
    figure = figures.grid([[picture(where(done.rows, layers=n)[0]) for n in sets]], across=sets, down=[""])
    return study.record(done, figure, table, f"{seen}{'; '.join(told)}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
