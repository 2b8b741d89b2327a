"""How deep the style layers go, against how much style counts: Gatys et al. 2015 (arXiv 1508.06576), Figure 3.

Expected: deeper subsets give larger and smoother structures of the style; more weight on style loses the content.
Cost: 20 runs, one program for each subset; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python -m experiments.papers.layers_by_ratio content=photo.jpg style=painting.jpg
    python -m experiments.papers.layers_by_ratio network=distilled size=128 steps=50
"""

import sys
from pathlib import Path

from experiments.common import figures, reading, study
from experiments.common.reading import picture, values, where

COLUMNS = ("layers", "style_weight", "ssim_content", "judge_distance", "style_distance", "seconds")


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing and draw the figure: a line for each subset, a column for each weight of style."""
    runs = study.sweep("layers_by_ratio", *words, home=home)
    subsets, weights = values(runs.rows, "layers"), values(runs.rows, "style_weight")
    cells, table = [], []
    for subset in subsets:
        line = [next(iter(where(runs.rows, layers=subset, style_weight=w)), None) for w in weights]
        cells.append([row and picture(row) for row in line])
        table += [
            {k: row[k] for k in COLUMNS if k in row}  # a sweep of before has no judge
            for row in line
            if row
        ]
    ends = [[row["ssim_content"] for row in where(table, style_weight=w)] for w in (weights[0], weights[-1])]
    answer = (
        f"SSIM with the content picture, over the subsets: {reading.quartiles(ends[0])} at the lowest weight of style, "
        f"{reading.quartiles(ends[1])} at the highest."
    )
    named = reading.words(runs.rows, "layers")
    figure = figures.grid(cells, across=weights, down=[named[s] for s in subsets], title="style weight (beta)")
    return study.record(runs, figure, table, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
