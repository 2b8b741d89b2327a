"""What a layer keeps of the content: Gatys et al. 2015 (arXiv 1508.06576), Figure 1, bottom.

Expected: the first layers give the photograph back almost as it was; deeper ones keep where things are and lose the
pixels. A large distance of features says that the run has not converged, and nothing about the layer.
Cost: 15 runs, one program for each layer; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python -m experiments.papers.content_reconstruction content=photo.jpg
    python -m experiments.papers.content_reconstruction network=distilled size=128 steps=100
"""

import sys
from pathlib import Path

import jax

import nst_jax as nst
from experiments.common import figures, judging, reading, study
from experiments.common.reading import picture, values, where
from nst_jax.shell.running.job import Job

features = jax.jit(nst.features, static_argnums=0)


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing and draw the figure: the photograph, and a column for each layer; the first seed."""
    runs = study.sweep("content_reconstruction", *words, home=home)
    layers, jobs = values(runs.rows, "layers"), judging.jobs(runs.rows)
    table = [
        {k: row[k] for k in ("layers", "seed", "ssim_content", "seconds")} | errors(row, job)
        for row, job in zip(runs.rows, jobs, strict=True)
    ]
    pictures = [jobs[0].content.clip(0, 1), *(picture(where(runs.rows, layers=n)[0]) for n in layers)]
    named = reading.words(runs.rows, "layers")
    listed = [f"{named[n]} {reading.quartiles(row['rmse'] for row in where(table, layers=n))}" for n in layers]
    answer = (
        f"Error of the pixels (RMSE of [0, 1], median and quartiles over the seeds): {'; '.join(listed)}. Error of the "
        f"matched features, over their norm: {reading.quartiles(row['features'] for row in table)} over all runs."
    )
    figure = figures.grid([pictures], across=["photograph", *(named[n] for n in layers)], down=[""])
    return study.record(runs, figure, table, answer)


def errors(row: study.Row, job: Job) -> dict[str, float]:
    """How far the result is from the photograph, in pixels and in the features that were matched."""
    image = picture(row) / 255
    activations = features(job.spec.network, job.problem.params, image.astype("float32"))
    goals = {t.tap: job.problem.aims[t.name].local for t in job.spec.terms if t.of == "content"}
    found = [reading.relative_difference(activations[layer], goals[layer]) for layer in goals]
    return {"rmse": reading.rms_difference(image, job.content), "features": sum(found) / len(found)}


if __name__ == "__main__":
    main(*sys.argv[1:])
