"""The same weights at other sizes: what changes, and what convention.resolution=invariant makes of it.

Source: Gatys, Ecker & Bethge 2016 (CVPR), eqs. 1 and 4: content is a sum over positions, style is not, so that the
balance moves with the size. Expected: as published the content grows stronger with the size, with `invariant` less of a
change; strokes keep their size in pixels, so that the pictures differ all the same.
Cost: 6 runs of 6 programs; at steps=500 half a day on a CPU, minutes on a GPU.

    python -m experiments.papers.resolution content=photo.jpg style=painting.jpg
    python -m experiments.papers.resolution network=distilled size=32,48,64 optimiser=adam
"""

import sys
from pathlib import Path

import numpy as np

import nst_jax as nst
from experiments.common import figures, study
from experiments.common.reading import picture, values, where

RESOLUTION = "convention.resolution"


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw a line for each reading of the weights, a column for each size."""
    runs = study.sweep("resolution", *words, home=home)
    kinds, cells, table = values(runs.rows, RESOLUTION), [], []
    sizes = values(runs.rows, "size")
    for kind in kinds:
        line = [next(iter(where(runs.rows, convention__resolution=kind, size=size)), None) for size in sizes]
        cells.append([row and picture(row) for row in line])
        smallest = next(image for image in cells[-1] if image is not None)
        table += [
            {k: row[k] for k in (RESOLUTION, "size", "ssim_content", "style_distance", "seconds")}
            | {"ssim_smallest": alike(image, smallest)}
            for row, image in zip(line, cells[-1], strict=True)
            if row
        ]
    parts = []
    for kind in kinds:
        first, last = (where(table, convention__resolution=kind)[i] for i in (0, -1))
        parts += [
            f"{kind}: from {first['size']} to {last['size']} pixels SSIM with the content picture goes from "
            f"{first['ssim_content']:.3f} to {last['ssim_content']:.3f}, style distance from "
            f"{first['style_distance']:.3g} to {last['style_distance']:.3g}; the largest picture, reduced, has SSIM "
            f"{last['ssim_smallest']:.3f} with the smallest"
        ]
    answer = f"{'. '.join(parts)}. One pair, one run each."
    return study.record(runs, figures.grid(cells, across=sizes, down=kinds, title="size, pixels"), table, answer)


def alike(a: np.ndarray, b: np.ndarray) -> float:
    """SSIM of two pictures of bytes, the first at the size of the second."""
    one, other = (image.astype(np.float32) / 255 for image in (a, b))
    return float(nst.ssim(nst.resize(one, height=b.shape[0], width=b.shape[1]), other))


if __name__ == "__main__":
    main(*sys.argv[1:])
