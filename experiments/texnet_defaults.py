"""Which layers, losses and total variation suit texnet: the sweep that its defaults come from.

Source: the measurement is that of experiments/extractors_compared.py, on three pairs that it does not use. Every
variant stylises every pair at four weights of style; compared is the distance to the style under ImageNet's first
blocks at one SSIM with the photograph, between the weights that enclose it. Expected: docs/texnet.md. Cost: 200 runs,
ten minutes on two CPU cores at size=128 steps=60. Every run is kept: the same line again goes on.

    python experiments/texnet_defaults.py data=FOLDER size=128 steps=60
"""

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from experiments import figures, study
from experiments.extractors import OWN_STYLE, judge, own
from experiments.extractors_compared import FILES, picture, settings
from experiments.tuning import LADDER, Bench, Row, run

PAIRS = (("tubingen", "shipwreck"), ("landscape", "mosaic"), ("portrait", "ink"))
FIRST_OF_BLOCK = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
ALL = ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu4_1", "relu4_2")
LAYERS = {"first of each block": FIRST_OF_BLOCK, "and second of two": OWN_STYLE, "without block 4": ALL[:7], "all": ALL}
LOSSES = {"relative": ("relative", 0.0), "whitened": ("whitened", 0.0)}
VARIANTS = {f"{a}; {b}": (taps, *how) for a, taps in LAYERS.items() for b, how in LOSSES.items()} | {
    f"and second of two; whitened, tv {tv:g}": (OWN_STYLE, "whitened", tv) for tv in (1.0, 4.0, 16.0)
}
AIMS = {"tubingen / shipwreck": 0.48, "landscape / mosaic": 0.39, "portrait / ink": 0.45}  # SSIMs that all reach


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing, and writes table.csv, figure.png and README.md; their folder."""
    c = settings(words)
    home, data = home or study.HOME / "texnet_defaults", Path(c.data)
    referee, weights, rows = judge(data / "weights" / FILES[0]), Path(c.texnet.texnet), []
    for (content, style), (variant, (taps, convention, tv)) in product(PAIRS, VARIANTS.items()):
        photo, painting = (picture(data, name, c.size) for name in (content, style))
        extractor = own(weights, taps)._replace(convention=convention, tv=tv)
        folder = home / "runs" / f"{content}_{style}_{c.size}"
        bench = Bench("texnet", extractor, referee, photo, painting, c.steps, folder)
        told = {"pair": f"{content} / {style}", "variant": variant}
        rows += [told | run(bench, weight, 0) | {"lane": 0} for weight in LADDER]
    table = [{"variant": v, **compared([row for row in rows if row["variant"] == v])} for v in VARIANTS]
    best = min(table, key=lambda line: line["distance"])
    seen = f"The least distance over {len(PAIRS)} pairs, {best['distance']:.3g} (geometric mean): {best['variant']}."
    done = study.Study("texnet_defaults", words, rows, home)
    return study.record(done, figures.plot(lambda axis: draw(axis, rows), width=6), table, seen, plots=True)


def compared(rows: list[Row]) -> Row:
    """The mean over pairs, and each pair's: the distance where the line through the runs has the middle SSIM."""
    each = {}
    for pair in dict.fromkeys(row["pair"] for row in rows):
        line = sorted((row for row in rows if row["pair"] == pair), key=lambda row: row["ssim"])
        ssims, logs = [row["ssim"] for row in line], np.log([row["distance"] for row in line])
        each[pair] = float(np.exp(np.interp(AIMS[pair], ssims, logs)))
    return {"distance": float(np.exp(np.mean(np.log(list(each.values()))))), **each}


def draw(axis: Any, rows: list[Row]) -> None:
    """Every variant's line of SSIM against distance, on the first pair."""
    mine = [row for row in rows if row["pair"] == rows[0]["pair"]]
    for variant, mark in zip(VARIANTS, "o^sv" * len(VARIANTS), strict=False):
        line = sorted((row for row in mine if row["variant"] == variant), key=lambda row: row["ssim"])
        axis.semilogy([r["ssim"] for r in line], [r["distance"] for r in line], f"{mark}-", ms=3, label=variant)
    axis.set(xlabel="SSIM with the photograph", ylabel="Gram distance, held out")
    axis.legend(fontsize=4)


if __name__ == "__main__":
    main(*sys.argv[1:])
