"""One size, or several from coarse to fine: what it changes at a large size, for as much work.

Source: Gatys, Ecker, Bethge, Hertzmann & Shechtman 2017 (CVPR, arXiv 1611.07865), section 7, who begin small so that
large strokes come out. Work is counted in evaluations at the last size: an evaluation of a smaller image counts by its
pixels. Expected: at one size fine strokes over an unchanged picture; from coarse to fine large strokes too, so that
the style's distance is smaller where the judge sees the pictures reduced.
Cost: 2 runs; at size=1024 steps=100 a quarter of an hour on a CPU with network=distilled, an hour with VGG-19.

    python -m experiments.papers.coarse_to_fine content=photo.jpg style=painting.jpg
    python -m experiments.papers.coarse_to_fine network=distilled size=128 steps=200
"""

import sys
from pathlib import Path

import numpy as np

import nst_jax as nst
from experiments.common import figures, judging, study
from experiments.common.reading import picture, values
from nst_jax.shell.running.inputs import sizes_of_run
from nst_jax.shell.running.job import Job
from nst_jax.shell.settings import config
from nst_jax.shell.settings.scale import work

PARTS = (4, 2, 1)  # the judge sees the pictures at the last size divided by these
LEAST = 16  # pixels of a picture


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw the pictures side by side, and the style's distance at three sizes."""
    runs = study.sweep("coarse_to_fine", *words, home=home)
    pictures = {row["scale"]: picture(row) for row in runs.rows}
    size = study.settings("coarse_to_fine", *plain(words)).size
    sizes = [max(LEAST, round(size / part)) for part in PARTS]
    judges = {n: judging.judge("coarse_to_fine", plain(words), f"size={n}") for n in sizes}
    own = {n: study.job("coarse_to_fine", *plain(words), f"size={n}") for n in sizes}
    table = [
        {
            "scale": row["scale"],
            "evaluations": row["evaluations"],
            "work": work_of(row),
            "seconds": row["seconds"],
            "judged at": n,
            "style_distance": distance(own[n], pictures[row["scale"]]),
            "judge_distance": distance(judges[n], pictures[row["scale"]]),
            "ssim_content": row["ssim_content"],
        }
        for row in runs.rows
        for n in sizes
    ]
    figure, (plot, other) = figures.page(pictures, plots=2)
    for axis, key in ((plot, "style_distance"), (other, "judge_distance")):
        for scale in values(table, "scale"):
            found = [row[key] for row in table if row["scale"] == scale]
            axis.plot(list(map(str, sizes)), found, "o-", label=scale)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("size at which the pictures are judged, pixels", fontsize=8)
    plot.set_title("style distance by the run's own network", fontsize=8)
    other.set_title("by a network that took no part", fontsize=8)
    plot.legend(fontsize=7)
    return study.record(runs, figure, table, compare(table))


def plain(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a run at one size."""
    return (*study.without(words, "scale"), "scale=single")


def work_of(row: study.Row) -> float:
    """The evaluations of a run, counted by pixels, in those at its last size. Adam evaluates once a step."""
    settings = config.from_plain(config.plain_yaml(row["folder"] / "config.yaml"))
    return work(sizes_of_run(settings), done=row["step"])


def distance(job: Job, image: np.ndarray) -> float:
    """The style's distance of a picture at the size of the job."""
    height, width = job.content.shape[:2]
    reduced = nst.resize(image.astype(np.float32) / 255, height=height, width=width)
    return judging.measure(job, np.clip(np.asarray(reduced), 0, 1) * 255)["style_distance"]


def compare(table: list[study.Row]) -> str:
    """The distances of each way at each size, in words."""
    parts = []
    for scale in values(table, "scale"):
        rows = [row for row in table if row["scale"] == scale]
        by = lambda key, rows=rows: ", ".join(f"{row[key]:.3g} at {row['judged at']}" for row in rows)
        parts.append(
            f"scale={scale} ({rows[0]['work']:.3g} evaluations' work, SSIM with the content picture "
            f"{rows[0]['ssim_content']:.3f}): style distance {by('style_distance')} by its own network, "
            f"{by('judge_distance')} by the judge"
        )
    return f"{'. '.join(parts)}. One pair, one run each."


if __name__ == "__main__":
    main(*sys.argv[1:])
