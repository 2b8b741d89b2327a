"""What a layer knows of the content: Gatys et al. 2015 (arXiv 1508.06576), Figure 1, bottom.

Expected: the first layers give the photograph back almost as it was; deeper ones keep what is where and lose the
pixels. A large distance of features says that the run has not converged, and nothing of the layer.
Cost: 15 runs, one program for each layer; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python experiments/content_reconstruction.py content=photo.jpg
    python experiments/content_reconstruction.py network=texnet layers=content_relu1_1,content_relu4_1 size=128
"""

import sys
from pathlib import Path

import jax

import nst_jax as nst
from experiments import figures, judging, reading, study
from experiments.reading import picture, values, where
from nst_jax.shell.prepare import Job

features = jax.jit(nst.features, static_argnums=0)


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing and draws the figure: the photograph, and a column for each layer; the first seed."""
    done = study.sweep("content_reconstruction", *words, home=home)
    layers, jobs = values(done.rows, "layers"), judging.jobs(done.rows)
    table = [
        {k: row[k] for k in ("layers", "seed", "ssim_content", "seconds")} | errors(row, job)
        for row, job in zip(done.rows, jobs, strict=True)
    ]
    shown = [jobs[0].content.clip(0, 1), *(picture(where(done.rows, layers=n)[0]) for n in layers)]
    told = [f"{n} {reading.spread(row['rmse'] for row in where(table, layers=n))}" for n in layers]
    seen = f"Pixels off by (RMSE of [0, 1], median and quartiles over the seeds): {'; '.join(told)}. The features that "
    seen += f"were matched are off by {reading.spread(row['features'] for row in table)} of their norm, over all runs."
    return study.record(done, figures.grid([shown], across=["photograph", *layers], down=[""]), table, seen)


def errors(row: study.Row, job: Job) -> dict[str, float]:
    """How far the result is from the photograph, in pixels and in the features that were matched."""
    wanted, shown = job.problem.targets.content, picture(row) / 255
    seen = features(job.spec.network, job.problem.params, shown.astype("float32"))
    off = [reading.relative(seen[layer], wanted[layer]) for layer in wanted]
    return {"rmse": reading.apart(shown, job.content), "features": sum(off) / len(off)}


if __name__ == "__main__":
    main(*sys.argv[1:])
