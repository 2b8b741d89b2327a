"""The content in a shallow or a deep layer: Gatys et al. 2016 (CVPR), Figure 5.

Expected: a shallow layer keeps the photograph's details under the texture; a deep one lets edges and colours go with
the style. One weight does not mean the same in both layers: the plot compares them at equal style distance, too.
Cost: 24 runs, one program for each layer; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python -m experiments.papers.content_layer content=photo.jpg style=painting.jpg
    python -m experiments.papers.content_layer network=distilled size=128 steps=100

With weights of three blocks: layers=content_relu2_2_style_3,content_relu3_3_style_3
"""

import sys
from pathlib import Path

import numpy as np

from experiments.common import figures, reading, study
from experiments.common.reading import picture, values, where
from nst_jax.shell.reports import labels

KEYS = ("layers", "style_weight", "seed", "ssim_content", "style_distance", "seconds")


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing and draw the figure: pictures of the first seed at one weight, SSIM against style."""
    runs = study.sweep("content_layer", *words, home=home)
    layers, weights = values(runs.rows, "layers"), values(runs.rows, "style_weight")
    named = reading.words(runs.rows, "layers")
    usual = min(weights, key=lambda w: abs(np.log(w / 1e3)))  # the paper's, where it is among them
    at_usual = {layer: where(runs.rows, layers=layer, style_weight=usual) for layer in layers}
    at_usual = {layer: rows for layer, rows in at_usual.items() if rows}
    figure, (axis,) = figures.page({named[layer]: picture(rows[0]) for layer, rows in at_usual.items()}, plots=1)
    for colour, layer in enumerate(layers):
        groups = [where(runs.rows, layers=layer, style_weight=w) for w in weights]
        points = [[(row["style_distance"], row["ssim_content"]) for row in rows] for rows in groups if rows]
        axis.plot(*np.transpose([np.median(group, axis=0) for group in points]), color=f"C{colour}", label=named[layer])
        axis.plot(*np.transpose(np.concatenate(points)), ".", color=f"C{colour}")
    axis.set(xlabel=labels.name("style_distance"), ylabel=labels.name("ssim_content"))
    axis.legend()
    parts = [
        f"{named[layer]}: SSIM {reading.quartiles(row['ssim_content'] for row in rows)}, "
        f"style distance {reading.quartiles(row['style_distance'] for row in rows)}"
        for layer, rows in at_usual.items()
    ]
    answer = f"At a weight of style of {usual:g}, median and quartiles over the seeds: {'; '.join(parts)}."
    return study.record(runs, figure, [{k: row[k] for k in KEYS} for row in runs.rows], answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
