"""The content in a shallow or a deep layer: Gatys et al. 2016 (CVPR), Figure 5.

Expected: a shallow layer keeps the photograph's details under the texture; a deep one lets edges and colours go with
the style. One weight is not one pull: the layers are compared where the style is matched equally well, too.
Cost: 24 runs, one program for each layer; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python experiments/content_layer.py content=photo.jpg style=painting.jpg
    python experiments/content_layer.py network=texnet layers=content_relu2_2_style_4,content_relu4_2_style_4 size=128

With weights of three blocks: layers=content_relu2_2_style_3,content_relu3_3_style_3
"""

import sys
from pathlib import Path

import numpy as np

from experiments import figures, reading, study
from experiments.reading import picture, values, where

KEYS = ("layers", "style_weight", "seed", "ssim_content", "style_distance", "seconds")


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing and draws the figure: pictures of the first seed at one weight, SSIM against style."""
    done = study.sweep("content_layer", *words, home=home)
    layers, weights = values(done.rows, "layers"), values(done.rows, "style_weight")
    usual = min(weights, key=lambda w: abs(np.log(w / 1e3)))  # the paper's, where it is among them
    there = {layer: found for layer in layers if (found := where(done.rows, layers=layer, style_weight=usual))}
    figure, (axis,) = figures.page({layer: picture(found[0]) for layer, found in there.items()}, plots=1)
    for colour, layer in enumerate(layers):
        at = [where(done.rows, layers=layer, style_weight=w) for w in weights]
        points = [[(row["style_distance"], row["ssim_content"]) for row in some] for some in at if some]
        axis.plot(*np.transpose([np.median(some, axis=0) for some in points]), color=f"C{colour}", label=layer)
        axis.plot(*np.transpose(np.concatenate(points)), ".", color=f"C{colour}")
    axis.set(xlabel="style distance, |G - A| / |A|", ylabel="SSIM with the photograph")
    axis.legend()
    told = [
        f"{layer}: SSIM {reading.spread(row['ssim_content'] for row in found)}, "
        f"style distance {reading.spread(row['style_distance'] for row in found)}"
        for layer, found in there.items()
    ]
    seen = f"At a weight of style of {usual:g}, median and quartiles over the seeds: {'; '.join(told)}."
    return study.record(done, figure, [{k: row[k] for k in KEYS} for row in done.rows], seen)


if __name__ == "__main__":
    main(*sys.argv[1:])
