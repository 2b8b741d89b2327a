"""A search over style weight and learning rate on two objectives: what keeps the content, and what gets the style.

Source: Akiba et al. 2019 (arXiv 1907.10902), Optuna; its sampler here is a tree of Parzen estimators. Expected: a front
along the style weight; learning rates that are too small stay near the photograph, too large ones leave it for nothing.
Needs the extra `optuna`: pip install 'nst-jax[optuna]'.
Cost: 32 runs, 8 lanes of one program at a time; at size=512 steps=500 a day on a CPU, ten minutes on a GPU.

    python -m experiments.papers.search content=photo.jpg style=painting.jpg
    python -m experiments.papers.search network=distilled size=64 steps=100 hydra.sweeper.trials=16
"""

import sys
from pathlib import Path

from experiments.common import figures, reading, study
from experiments.common.reading import picture
from experiments.common.study import Row
from nst_jax.shell.reports import labels

SEARCHED = ("style_weight", "optimiser.learning_rate")
MOST = 8  # pictures


def main(*words: str, home: Path | None = None) -> Path:
    """Run the trials that are missing; draw the Pareto front, from most content to most style."""
    runs = study.sweep("search", *words, home=home)
    front = sorted((row for row in runs.rows if not any(beats(other, row) for other in runs.rows)), key=ssim)[::-1]
    table = [
        {k: row[k] for k in (*SEARCHED, "ssim_content", "style_distance", "seconds") if k in row}
        | {"front": row in front}
        for row in sorted(runs.rows, key=ssim)[::-1]
    ]
    chosen = [front[i * (len(front) - 1) // max(1, min(MOST, len(front)) - 1)] for i in range(min(MOST, len(front)))]
    heads = ["\n".join(f"{row[k]:.2g}" for k in SEARCHED if k in row) for row in chosen]
    searched = ", ".join(labels.name(key) for key in SEARCHED)
    title = f"Pareto front: {searched}; SSIM {ssim(front[0]):.2f} ... {ssim(front[-1]):.2f}"
    ends = [f"{row['ssim_content']:.3f} and {row['style_distance']:.3g}" for row in (front[0], front[-1])]
    rates = [row[SEARCHED[1]] for row in front if SEARCHED[1] in row]
    answer = (
        f"{len(front)} of {len(runs.rows)} trials are beaten by no other; from one end of the front to the other SSIM "
        f"with the content picture and style distance are {ends[0]}, and {ends[1]}."
        + (f" Learning rates of the front: {reading.quartiles(rates)}." if rates else "")
        + " One pair, one seed: neighbours on the front may differ by chance (experiments.papers.seeds)."
    )
    return study.record(
        runs, figures.grid([[picture(row) for row in chosen]], across=heads, down=[""], title=title), table, answer
    )


def ssim(row: Row) -> float:
    """The first objective."""
    return row["ssim_content"]


def beats(a: Row, b: Row) -> bool:
    """Whether a is nowhere worse than b, and somewhere better."""
    better = (a["ssim_content"] - b["ssim_content"], b["style_distance"] - a["style_distance"])
    return min(better) >= 0 and max(better) > 0


if __name__ == "__main__":
    main(*sys.argv[1:])
