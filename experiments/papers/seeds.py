"""What difference of two runs means anything: the spread of every metric over 32 seeds.

Source: Gatys, Ecker & Bethge 2016 (CVPR), section 2, start from noise; they show one result a pair, and so does nearly
everybody. Expected: the loss and the style distance differ by a few percent, single layers by more.
Cost: 32 lanes of one program; at size=512 steps=500 a day on a CPU, half an hour on a GPU.

    python -m experiments.papers.seeds content=photo.jpg style=painting.jpg
    python -m experiments.papers.seeds network=distilled size=64 steps=100 optimiser=adam
"""

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np

from experiments.common import figures, study
from nst_jax.shell.reports import labels

METRICS = ("total", "weighted_content", "weighted_style", "ssim_content", "style_distance")


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw each metric's spread about its median, and say what exceeds chance."""
    runs = study.sweep("seeds", *words, home=home)
    keys = [key for key in runs.rows[0] if key.startswith((*METRICS, "content_", "style_"))]
    table = [summarise(key, np.array([row[key] for row in runs.rows])) for key in keys]

    def draw(axis):
        for place, line in enumerate(table):
            found = np.array([row[line["metric"]] for row in runs.rows])
            axis.plot(100 * (found / line["median"] - 1), np.full(len(found), place), "|", markersize=7)
        axis.set(yticks=range(len(table)), xlabel="difference from the median, % (logarithmic beyond 10)")
        axis.set_xscale("symlog", linthresh=10)
        axis.set_yticklabels([labels.name(line["metric"]) for line in table], fontsize=6)
        axis.invert_yaxis()

    parts = [
        f"{line['metric']}: median {line['median']:.3g}, two runs of one setting differ by less than "
        f"{line['chance_95']:.2g} ({100 * line['chance_95'] / abs(line['median']):.0f} %) in 95 % of pairs"
        for line in table
        if line["metric"] in ("total", "ssim_content", "style_distance")
    ]
    answer = f"{len(runs.rows)} seeds. {'; '.join(parts)}. A smaller difference of two single runs may be chance."
    return study.record(runs, figures.plot(draw, width=6.5), table, answer, vector=True)


def summarise(metric: str, found: np.ndarray) -> dict[str, Any]:
    """A metric's median, quartiles and deviation, and the difference that 95 % of all pairs of runs stay below."""
    low, middle, high = np.percentile(found, (25, 50, 75)).tolist()
    pairs = [abs(a - b) for a, b in itertools.combinations(found, 2)] or [float("nan")]
    line = {"metric": metric, "median": middle, "lower_quartile": low, "upper_quartile": high}
    return line | {
        "deviation": float(found.std(ddof=min(1, len(found) - 1))),
        "chance_95": float(np.percentile(pairs, 95)),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
