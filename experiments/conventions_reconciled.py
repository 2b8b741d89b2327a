"""Every Gram convention on one pair of pictures: with its published weights, and with weights of one meaning.

Source: docs/conventions.md. Expected: the pictures of the upper row differ, from hardly touched to hardly
recognisable; those of the lower are one picture, since all have the objective of gatys_released. Smoothness is left
out, and the style picture is cut to the image's shape, which sums over positions ask for. Beside the pictures:
experiments/canonical_table.py. Cost: two runs for each of 24 conventions; half an hour on a CPU at size=128 steps=40.

    python experiments/conventions_reconciled.py content=photo.jpg style=painting.jpg size=256 steps=100
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jax import tree
from PIL import Image

from experiments import figures, reading, study
from experiments.canonical_table import weights
from experiments.reading import picture, where
from nst_jax import translate
from nst_jax.conventions import CONVENTIONS
from nst_jax.image import cover
from nst_jax.shell import files, prepare
from nst_jax.shell.schema import Config

NAME = "conventions_reconciled"
HOW = ("as published", "one meaning")


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing; two rows of pictures, a column for each convention."""
    home = home or study.HOME / NAME
    plain = study.without(words, "convention")
    given = (*study.without(plain, "style"), f"style={cut(study.settings(NAME, *plain), home)}")
    names = study.swept(NAME, "convention", words)
    sweeps = (f"convention={','.join(names)}",), equal(names, given)
    studies = [study.sweep(NAME, *given, *more, home=home) for more in sweeps]
    rows = [[next(iter(where(done.rows, convention=name)), None) for name in names] for done in studies]
    table = [
        {
            "convention": name,
            "weights": how,
            "ssim_content": row["ssim_content"],
            "style_distance": row["style_distance"],
        }
        for how, line in zip(HOW, rows, strict=True)
        for name, row in zip(names, line, strict=True)
        if row
    ]
    ends = [[row["style_distance"] for row in where(table, weights=how)] for how in HOW]
    seen = (
        f"Style distance over {len(names)} conventions, median and quartiles: {reading.spread(ends[0])} with published "
        f"weights, from {min(ends[0]):.3g} to {max(ends[0]):.3g}; {reading.spread(ends[1])} with weights of one "
        f"meaning, from {min(ends[1]):.3g} to {max(ends[1]):.3g}."
    )
    cells = [[picture(row) if row else None for row in line] for line in rows]
    done = study.Study(NAME, words, [row for each in studies for row in each.rows], home)
    return study.record(done, figures.grid(cells, across=names, down=HOW), table, seen)


def cut(c: Config, home: Path) -> Path:
    """The style picture with the content picture's proportions, as a file."""
    content, style = (files.read(path).image for path in (c.content or "", c.style or ""))
    size = {"height": content.shape[0], "width": content.shape[1]}
    home.mkdir(parents=True, exist_ok=True)
    path = home / f"{Path(c.style or '').stem}_{size['width']}x{size['height']}.png"
    if not path.exists():  # its time would make other jobs of the same
        shown = np.clip(cover(jnp.asarray(style), **size), 0, 1)
        Image.fromarray(np.round(255 * shown).astype(np.uint8)).save(path)
    return path


def equal(names: list[str], words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a sweep over the conventions in which all have the objective of gatys_released."""
    c, job = study.job(NAME, *words, "convention=gatys_released")
    size = {"height": job.content.shape[0], "width": job.content.shape[1]}
    shapes, said = translate.shapes(prepare.network(c), **size), {"content": [], "style": []}
    for name in names:
        convention = CONVENTIONS[name]
        w, _ = translate.translate(CONVENTIONS["gatys_released"], convention, weights(c), shapes, **size)
        k = next(iter(translate.canonical(convention, w, shapes, **size).style.values()))
        w = tree.map(lambda weight, k=k: weight / k, w)  # the scale of the whole is nothing to L-BFGS, much to float32
        said["content"].append(mapping(w.content))
        said["style"].append(mapping(w.style))
    lists = [f"layers.{side}={','.join(each)}" for side, each in said.items()]
    return (f"convention={','.join(names)}", *lists, "content_weight=1", "style_weight=1", ZIP)


ZIP = "sweep.zip=[convention,layers.content,layers.style]"


def mapping(factors: Mapping[str, float]) -> str:
    """A layer's own factors, as an override says them."""
    return "{" + ",".join(f"{layer}:{float(factor):.6e}" for layer, factor in factors.items()) + "}"


if __name__ == "__main__":
    main(*sys.argv[1:])
