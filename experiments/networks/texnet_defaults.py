"""Which layers, losses and total variation suit texnet: the sweep that its defaults come from.

Source: the measurement is that of experiments.networks.extractors_compared, on three pairs that it does not use. Every
variant stylises every pair at four style weights. Compared is the distance to the style by ImageNet's first blocks at
one SSIM with the photograph, between the weights that enclose it. Expected: docs/explanations/texnet.md.
Cost: 200 runs, ten minutes on two CPU cores at size=128 steps=60. The same line again runs only what is missing.

    python -m experiments.networks.texnet_defaults data=FOLDER size=128 steps=60
"""

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import nst_jax as nst
from experiments.common import figures, study
from experiments.networks.candidates import FILES, judges
from experiments.networks.extractors_compared import picture, settings
from experiments.networks.tuning import Bench, Row, run

LADDER = (1.0, 10.0, 100.0, 1000.0)  # style weights
PAIRS = (("tubingen", "shipwreck"), ("landscape", "mosaic"), ("portrait", "ink"))
TWO_OF_BLOCK = ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu4_1")  # texnet's own
ALL = ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu4_1", "relu4_2")
LAYERS = {
    "first of each block": ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
    "and second of two": TWO_OF_BLOCK,
    "without block 4": ALL[:7],
    "all": ALL,
}
VARIANTS = {f"{n}; {c}": (layers, c, 0.0) for n, layers in LAYERS.items() for c in ("relative", "whitened")} | {
    f"and second of two; whitened, tv {tv:g}": (TWO_OF_BLOCK, "whitened", tv) for tv in (1.0, 4.0, 16.0)
}
GOALS = {"tubingen / shipwreck": 0.48, "landscape / mosaic": 0.39, "portrait / ink": 0.45}  # SSIMs that all reach


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write table.csv, figure.png and README.md, and return their folder."""
    c = settings(words)
    home, data = home or study.HOME / "texnet_defaults", Path(c.data)
    texnet, rows = nst.load(c.texnet.texnet, network="texnet"), []
    measuring = judges(data / "weights" / FILES["VGG-19"], data / "weights" / FILES["SqueezeNet"])
    for (content, style), (variant, (layers, convention, tv)) in product(PAIRS, VARIANTS.items()):
        photo, painting = (picture(data, name, c.size) for name in (content, style))
        net = texnet._replace(style_layers=dict.fromkeys(layers, 1.0), convention=convention)
        folder = home / "runs" / f"{content}_{style}_{c.size}"
        bench = Bench("texnet", net, measuring, photo, painting, c.steps, folder, tv)
        keys = {"pair": f"{content} / {style}", "variant": variant}
        rows += [keys | run(bench, weight, 0) | {"lane": 0} for weight in LADDER]
    table = [{"variant": v, **compare([row for row in rows if row["variant"] == v])} for v in VARIANTS]
    best = min(table, key=lambda line: line["distance"])
    answer = f"The least distance over {len(PAIRS)} pairs, {best['distance']:.3g} (geometric mean): {best['variant']}."
    runs = study.Study("networks.texnet_defaults", words, rows, home)
    return study.record(runs, figures.plot(lambda axis: draw(axis, rows), width=6), table, answer, vector=True)


def compare(rows: list[Row]) -> Row:
    """The distance at the pair's SSIM, between the runs that enclose it: each pair's, and the geometric mean."""
    pairs = {}
    for pair in dict.fromkeys(row["pair"] for row in rows):
        line = sorted((row for row in rows if row["pair"] == pair), key=lambda row: row["ssim"])
        ssims, logs = [row["ssim"] for row in line], np.log([row["distance"] for row in line])
        pairs[pair] = float(np.exp(np.interp(GOALS[pair], ssims, logs)))
    return {"distance": float(np.exp(np.mean(np.log(list(pairs.values()))))), **pairs}


def draw(axis: Any, rows: list[Row]) -> None:
    """Draw every variant's line of SSIM against distance, on the first pair."""
    first = [row for row in rows if row["pair"] == rows[0]["pair"]]
    for variant, mark in zip(VARIANTS, "o^sv" * len(VARIANTS), strict=False):
        line = sorted((row for row in first if row["variant"] == variant), key=lambda row: row["ssim"])
        axis.semilogy([r["ssim"] for r in line], [r["distance"] for r in line], f"{mark}-", ms=3, label=variant)
    axis.set(xlabel="SSIM with the photograph", ylabel="Gram distance, held out")
    axis.legend(fontsize=4)


if __name__ == "__main__":
    main(*sys.argv[1:])
