"""Every Gram convention on one pair of pictures: with its published weights, and with weights of one meaning.

Source: docs/explanations/conventions.md. Expected: the pictures of the upper row differ, from hardly touched to hardly
recognisable; those of the lower row are one picture, since all have the objective of gatys_released. Smoothness is left
out, and the style picture is cut to the image's shape, which sums over positions need. The numbers behind it:
`python -m experiments.common.canonical_table`.
Cost: two runs for each of 24 conventions; half an hour on a CPU at size=128 steps=40.

    python -m experiments.papers.conventions_reconciled content=photo.jpg style=painting.jpg size=256 steps=100
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from experiments.common import figures, reading, study
from experiments.common.reading import picture, where
from nst_jax.analysis import translate
from nst_jax.analysis.translate import Weights
from nst_jax.images.size import cover
from nst_jax.published import LOSSES
from nst_jax.shell.io import pictures as files
from nst_jax.shell.running import networks
from nst_jax.shell.settings.schema import Config

NAME = "conventions_reconciled"
READINGS = ("as published", "one meaning")


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; two rows of pictures, a column for each convention."""
    home = home or study.HOME / NAME
    names = study.swept_values(NAME, "convention", words)
    words_of_all = study.without(words, "convention")
    style = cut_style(study.settings(NAME, *words_of_all), home)
    words_of_all = (*study.without(words_of_all, "style"), f"style={style}")
    published = study.sweep(NAME, f"convention={','.join(names)}", *words_of_all, home=home)
    equal = study.sweep(NAME, *equal_weights(names, words_of_all), *words_of_all, home=home)
    rows = [[next(iter(where(s.rows, convention=name)), None) for name in names] for s in (published, equal)]
    table = [
        {"convention": name, "weights": how, **{k: row[k] for k in ("ssim_content", "style_distance")}}
        for how, line in zip(READINGS, rows, strict=True)
        for name, row in zip(names, line, strict=True)
        if row
    ]
    distances = [[row["style_distance"] for row in where(table, weights=how)] for how in READINGS]
    listed = [
        f"{reading.quartiles(found)} with weights {how}, from {min(found):.3g} to {max(found):.3g}"
        for how, found in zip(("as published", "of one meaning"), distances, strict=True)
    ]
    answer = f"Style distance over {len(names)} conventions, median and quartiles: {'; '.join(listed)}."
    cells = [[picture(row) if row else None for row in line] for line in rows]
    runs = study.Study(f"papers.{NAME}", words, [*published.rows, *equal.rows], home)
    return study.record(runs, figures.fold(cells, across=names, down=READINGS, columns=8), table, answer)


def cut_style(config: Config, home: Path) -> Path:
    """The style picture with the content picture's proportions, as a file."""
    content, style = (files.read(path).image for path in (config.content or "", config.style or ""))
    size = {"height": content.shape[0], "width": content.shape[1]}
    home.mkdir(parents=True, exist_ok=True)
    path = home / f"{Path(config.style or '').stem}_{size['width']}x{size['height']}.png"
    if not path.exists():
        image = np.clip(cover(jnp.asarray(style), **size), 0, 1)
        Image.fromarray(np.round(255 * image).astype(np.uint8)).save(path)
    return path


def equal_weights(names: list[str], words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a sweep over the conventions in which all have the objective of gatys_released."""
    words = (*words, "convention=gatys_released")
    config, job = study.settings(NAME, *words), study.job(NAME, *words)
    size = {"height": job.content.shape[0], "width": job.content.shape[1]}
    arch, network = networks.network(config)
    shapes, released = arch.shapes(network, **size), LOSSES["gatys_released"].convention
    content, style = [], []
    for name in names:
        convention = LOSSES[name].convention
        weights = translate.translate(released, convention, weights_of(config), shapes, **size).weights
        scale = next(iter(translate.canonical(convention, weights, shapes, **size).style.values()))
        # the scale of the whole does not matter to L-BFGS, and much to float32
        weights = jax.tree.map(lambda w, scale=scale: w / scale, weights)
        content.append(as_override(weights.content))
        style.append(as_override(weights.style))
    lists = {"convention": names, "layers.content": content, "layers.style": style}
    swept = (f"{key}={','.join(column)}" for key, column in lists.items())
    return (*swept, "content_weight=1", "style_weight=1", f"sweep.zip=[{','.join(lists)}]")


def weights_of(config: Config) -> Weights:
    """The weights of the settings, layer by layer, without smoothness."""
    content = {layer: config.content_weight * factor for layer, factor in config.layers.content.items()}
    return Weights(content, {layer: config.style_weight * factor for layer, factor in config.layers.style.items()}, 0.0)


def as_override(factors: Mapping[str, float]) -> str:
    """The factors of the layers, as a value of the line."""
    return "{" + ",".join(f"{layer}:{float(factor):.6e}" for layer, factor in factors.items()) + "}"


if __name__ == "__main__":
    main(*sys.argv[1:])
