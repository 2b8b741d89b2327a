"""What fewer bits in the convolutions cost and save: float32, tf32, bfloat16.

Source: Micikevicius et al. 2018 (arXiv 1710.03740) for 16 bits, NVIDIA's A100 white paper for TF32. Expected: on a GPU
tf32 is faster and the pictures differ by a few levels after many steps, though the losses hardly do; bfloat16 more so.
A CPU has no tf32. Every picture is measured in float32, whatever made it.
Cost: three runs of one program each; at size=512 steps=500 an hour on a CPU, two minutes on a GPU.

    python -m experiments.papers.precision content=photo.jpg style=painting.jpg
    python -m experiments.papers.precision network=distilled size=64 steps=100 optimiser=adam
"""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import nst_jax as nst
from experiments.common import figures, judging, study
from experiments.common.reading import picture
from nst_jax.shell.running.job import Job

KEY = "device.precision"


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw the pictures, and ten times their difference from that of float32."""
    runs = study.sweep("precision", *words, home=home)
    rows = sorted(runs.rows, key=lambda row: ("float32", "tf32", "bfloat16").index(row[KEY]))
    exact = study.job("precision", *study.without(words, KEY), f"{KEY}=float32")
    pictures = [picture(row) for row in rows]
    off = [image.astype(float) - pictures[0] for image in pictures]
    table = [
        {k: row[k] for k in (KEY, "total", "seconds")}
        | {"total_float32": loss(exact, image)}
        | {k: v for k, v in judging.measure(exact, image).items() if k in ("ssim_content", "style_distance")}
        | {"largest_difference": float(abs(d).max()), "rms_difference": float(np.sqrt(np.mean(d**2)))}
        for row, image, d in zip(rows, pictures, off, strict=True)
    ]
    base = table[0]
    parts = [f"{base[KEY]} took {base['seconds']:.3g} s to a loss of {base['total_float32']:.5g}"]
    for line in table[1:]:
        longer, off_by = line["seconds"] / base["seconds"], 100 * (line["total_float32"] / base["total_float32"] - 1)
        parts += [
            f"{line[KEY]} took {longer:.2f} times as long to a picture {line['rms_difference']:.2g} levels of 255 away "
            f"(root mean square; at most {line['largest_difference']:.0f}), whose loss in float32 is {off_by:+.2g} %"
        ]
    cells = [pictures, [np.clip(128 + 10 * d, 0, 255).astype(np.uint8) for d in off]]
    figure = figures.grid(cells, across=[row[KEY] for row in rows], down=["result", "10 x difference"])
    return study.record(
        runs,
        figure,
        table,
        f"{'; '.join(parts)}. Timed once, without compiling; other work on the machine shows in it.",
    )


def loss(job: Job, image: np.ndarray) -> float:
    """What a job minimises. image: (height, width, 3) bytes."""
    return float(nst.objective(job.spec, job.problem, jnp.float32(image) / 255))


if __name__ == "__main__":
    main(*sys.argv[1:])
