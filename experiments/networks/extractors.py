"""What other networks see: one pair by every network at hand, trained and untrained, at one SSIM.

Source: the question is that of Wang, Li & Vasconcelos 2021 (CVPR, arXiv 2104.05623), who compare VGG, ResNet and
Inception, trained and untrained, with and without a softmax; untrained networks: He, Wang & Hopcroft 2016 (arXiv
1606.04801). Every network paints the pair with its own layers, at the style weight that gives one SSIM with the
photograph, or comes nearest to it. Two networks that take no part, VGG-19's first blocks and texnet, measure the
distances to both.
Expected: docs/explanations/networks.md.
Cost: some 60 runs, an hour on two CPU cores. The same line again runs only what is missing.

    python -m experiments.networks.extractors data=FOLDER size=256 steps=100

FOLDER holds weights/ and images/. content=NAME style=NAME: pictures of images/, or bundled ones. networks=[NAME,...]:
of those of candidates.everything.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.common import figures, study
from experiments.networks.candidates import everything, outside_judges
from experiments.networks.extractors_compared import picture, read
from experiments.networks.tuning import Bench, Row, tune

PAIR = {"content": "tubingen", "style": "starry_night"}
DEFAULTS = {"data": "???", "size": 256, "steps": 100, "seeds": 1, "ssim": 0.6, "networks": None, **PAIR}
ACROSS = 4  # pictures in a line of the figure


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write table.csv, figure.png and README.md, and return their folder."""
    c = read(DEFAULTS, words)
    home, data = home or study.HOME / "extractors", Path(c.data)
    photo, painting = (picture(data, name, c.size) for name in (c.content, c.style))
    judges, rows = outside_judges(data / "weights"), []
    folder = home / "runs" / f"{c.content}_{c.style}_{c.size}"
    table = everything(data / "weights")
    for name in c.networks or table:
        bench = Bench(name, table[name](), judges, photo, painting, c.steps, folder)
        found, _ = tune(bench, c.ssim, seeds=c.seeds)
        rows += [{"pair": f"{c.content} / {c.style}", **row, "goal": c.ssim} for row in found]
        print(name, " ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in found[-1].values()), flush=True)
    runs = study.Study("networks.extractors", words, [row | {"lane": 0} for row in rows], home)
    return study.record(runs, draw(rows, [photo, painting]), rows, tabulate(rows))


def tabulate(rows: Sequence[Row]) -> str:
    """A line for each network: the medians over its starts."""
    columns = ("ssim", "weight", *(key for key in rows[0] if key.startswith(("distance", "content error"))))
    lines = [f"| network | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for name in dict.fromkeys(row["network"] for row in rows):
        own = [row for row in rows if (row["network"], row["kind"]) == (name, "tuned")]
        cells = (f"{np.median([row[column] for row in own]):.3g}" for column in columns)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(rows: Sequence[Row], given: Sequence[Any]) -> Any:
    """Photograph, painting, and the tuned picture of each network, with its SSIM and its distances to the painting."""
    cells, titles = [np.asarray(image) for image in given], ["photograph", "painting"]
    for row in {row["network"]: row for row in reversed(rows) if row["kind"] == "tuned"}.values():
        cells.insert(len(given), np.load(row["picture"]))
        measured = (row["ssim"], *(row[key] for key in row if key.startswith("distance")))
        titles.insert(len(given), f"{row['network']}\n{', '.join(f'{value:.2f}' for value in measured)}")
    return figures.fold([cells], across=titles, down=[""], columns=ACROSS)


if __name__ == "__main__":
    main(*sys.argv[1:])
