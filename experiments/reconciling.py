"""Weights of one meaning for every Gram convention, as the words of a sweep; and a style picture that all can take."""

from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jax import tree
from PIL import Image

from experiments import study
from experiments.canonical_table import weights
from nst_jax import translate
from nst_jax.conventions import CONVENTIONS
from nst_jax.image import cover
from nst_jax.shell import files, prepare
from nst_jax.shell.schema import Config

NAME = "conventions_reconciled"


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
