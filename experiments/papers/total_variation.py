"""How smoothness trades grain for style: squared steps against absolute ones.

Source: Mahendran & Vedaldi 2015 (arXiv 1412.0035), section 4, where the exponent is called beta; jcjohnson/neural-style
(squares) and neural-style-pt (absolute values), whose weights of 1e-3 do not mean the same. Expected: grain falls first
and style distance rises later; where a curve lies below the other, its exponent is the better bargain.
Cost: 10 runs, two programs; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python -m experiments.papers.total_variation content=photo.jpg style=painting.jpg
    python -m experiments.papers.total_variation network=distilled size=64 optimiser=adam
"""

import sys
from pathlib import Path

import numpy as np

from experiments.common import figures, study
from experiments.common.reading import picture, values, where
from nst_jax.shell.reports import labels

COLUMNS = ("convention", "tv_weight", "ssim_content", "style_distance", "seconds")


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw style distance over grain, a curve for each kind of smoothness."""
    runs = study.sweep("total_variation", *words, home=home)
    table = [{k: row[k] for k in COLUMNS} | {"grain": grain(picture(row))} for row in runs.rows]

    def draw(left, right):
        for axis, metric in ((left, "style_distance"), (right, "ssim_content")):
            for kind in values(table, "convention"):
                line = where(table, convention=kind)
                axis.plot([r["grain"] for r in line], [r[metric] for r in line], "o-", label=kind)
                for row in line:
                    axis.annotate(f"{row['tv_weight']:g}", (row["grain"], row[metric]), fontsize=6)
            axis.set(xlabel="grain, of 255", ylabel=labels.name(metric))
        left.legend(fontsize=7)

    parts = []
    for kind in values(table, "convention"):
        line = sorted(where(table, convention=kind), key=lambda row: row["tv_weight"])
        parts += [
            f"{kind}: from weight {line[0]['tv_weight']:g} to {line[-1]['tv_weight']:g} grain goes from "
            f"{line[0]['grain']:.3g} to {line[-1]['grain']:.3g} of 255, style distance from "
            f"{line[0]['style_distance']:.3g} to {line[-1]['style_distance']:.3g}"
        ]
    return study.record(
        runs, figures.plot(draw, columns=2), table, f"{'; '.join(parts)}. One pair, one run each.", vector=True
    )


def grain(image: np.ndarray) -> float:
    """The energy of high frequencies: root mean square of the luminance less the mean of its four neighbours."""
    y = image @ np.array((0.299, 0.587, 0.114))
    around = (y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:]) / 4
    return float(np.sqrt(np.mean((y[1:-1, 1:-1] - around) ** 2)))


if __name__ == "__main__":
    main(*sys.argv[1:])
