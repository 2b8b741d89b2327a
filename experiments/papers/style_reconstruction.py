"""What nested sets of layers keep of the style: Gatys et al. 2015 (arXiv 1508.06576), Figure 1, top.

Expected: the first layer gives colours and grain only, each deeper one larger pieces of the painting; a layer that
was not asked for is matched badly.
Cost: 15 runs, one program for each set; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python -m experiments.papers.style_reconstruction style=painting.jpg
    python -m experiments.papers.style_reconstruction network=distilled size=128 steps=100
"""

import sys
from pathlib import Path

from experiments.common import figures, judging, reading, study
from experiments.common.reading import picture, values, where
from nst_jax.analysis.metrics import style_distances
from nst_jax.losses.term import taps


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing and draw the figure: a column for each set of layers; the first seed."""
    runs = study.sweep("style_reconstruction", *words, home=home)
    sets, named = values(runs.rows, "layers"), reading.words(runs.rows, "layers")
    whole = max(judging.jobs(runs.rows), key=lambda job: len(job.spec.terms))  # the one with all layers
    layers = taps(whole.spec.terms, "style")
    goals = judging.style_moments(whole, whole.style.pictures[0])
    images = [(picture(row) / 255).astype("float32") for row in runs.rows]
    distances = [style_distances(judging.style_moments(whole, image), goals) for image in images]
    table = [
        {"layers": row["layers"], "seed": row["seed"]} | {layer: float(far[layer]) for layer in layers}
        for row, far in zip(runs.rows, distances, strict=True)
    ]
    deepest = layers[-1]
    parts = [f"{named[n]} {reading.quartiles(row[deepest] for row in where(table, layers=n))}" for n in sets]
    answer = f"Distance of the Gram matrices in {deepest}, |G - A| / |A|, median and quartiles over the seeds: "
    cells = [picture(where(runs.rows, layers=n)[0]) for n in sets]
    figure = figures.grid([cells], across=[named[n] for n in sets], down=[""])
    return study.record(runs, figure, table, f"{answer}{'; '.join(parts)}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
