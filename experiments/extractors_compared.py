"""How much of a style a feature extractor sees: texnet against ImageNet's and untrained networks.

Source: the measurement is ours; untrained networks: He, Wang & Hopcroft 2016, arXiv 1606.04801. Every extractor
stylises every pair, at the weight that gives the same SSIM with the photograph, and ImageNet's first blocks tell how
far the style still is, |G - A|^2 / |A|^2, at layers that no run has optimised. Expected: docs/texnet.md. Cost: some
110 runs, ten minutes on two CPU cores at size=128 steps=60 seeds=1. Every run is kept: the same line again goes on.

    python experiments/extractors_compared.py data=FOLDER size=160 steps=80

FOLDER holds weights/vgg19_blocks1-3.safetensors and images/. Other files of texnet's weights: texnet.NAME=FILE.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from omegaconf import OmegaConf

from experiments import figures, reading, study
from experiments.extractors import extractors, judge
from experiments.tuning import Bench, Row, tuned
from nst_jax.image import cover, resize, target_shape
from nst_jax.shell import files
from nst_jax.types import Image

DEFAULTS = {
    "data": "???",
    "size": 160,
    "steps": 80,
    "seeds": 2,
    "texnet": {"texnet": "nst_jax/trained/texnet.safetensors"},
}
FILES = ("vgg19_blocks1-3.safetensors", "squeezenet1.1_keras_notop.h5")
PAIRS = (("tubingen", "starry_night"), ("tubingen", "the_scream"), ("landscape", "shipwreck"), ("portrait", "brush"))
FIRST = "ImageNet blocks 1-3"  # says which SSIM all others are tuned to


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing, and writes table.csv, figure.png and README.md; their folder."""
    c = settings(words)
    home, data = home or study.HOME / "extractors_compared", Path(c.data)
    weights = [data / "weights" / name for name in FILES]
    trained = {name: Path(path) for name, path in c.texnet.items()}
    table, rows = extractors(weights[0], weights[1], trained, seeds=c.seeds), []
    referee = judge(weights[0])
    for content, style in PAIRS:
        photo, painting = (picture(data, name, c.size) for name in (content, style))
        aim, folder = None, home / "runs" / f"{content}_{style}_{c.size}"
        for name in sorted(table, key=lambda name: name != FIRST):
            found, aim = tuned(Bench(name, table[name], referee, photo, painting, c.steps, folder), aim, seeds=c.seeds)
            rows += [{"pair": f"{content} / {style}", **row, "aim": aim} for row in found]
            print(content, style, " ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in found[-1].values()))
    done = study.Study("extractors_compared", words, [row | {"lane": 0} for row in rows], home)
    return study.record(done, figure(rows, list(table)), rows, seen(rows))


def settings(words: Iterable[str]) -> Any:
    """DEFAULTS with the words of the line; without the folder of weights and pictures it ends in a line."""
    c: Any = OmegaConf.merge(DEFAULTS, OmegaConf.from_cli(list(words)))
    if OmegaConf.is_missing(c, "data") or not (Path(c.data) / "weights" / FILES[0]).exists():
        sys.exit(f"say data=FOLDER, a folder with weights/{FILES[0]} and images/")
    return c


def picture(data: Path, name: str, size: int) -> Image:
    """A picture of the folder, or a bundled one, its longer side `size`."""
    found = [f for f in (data / "images" / f"{name}.jpg", Path("nst_jax/pictures") / f"{name}.jpg") if f.exists()]
    if not found:
        sys.exit(f"extractors_compared: {data / 'images'} has no {name}.jpg")
    image = jnp.asarray(files.read(found[0]).image)
    height, width = target_shape(height=image.shape[0], width=image.shape[1], size=size, rule="long")
    return resize(image, height=height, width=width)


def figure(rows: list[Row], names: list[str]) -> Any:
    """The tuned pictures: a line for each pair, a column for each extractor."""
    pairs = list(dict.fromkeys(row["pair"] for row in rows))
    at = {(row["pair"], row["extractor"]): row["picture"] for row in reversed(rows) if row["kind"] == "tuned"}
    first = np.load(at[pairs[0], names[0]])
    same = {"height": first.shape[0], "width": first.shape[1]}
    cells = [[np.asarray(cover(jnp.asarray(np.load(at[p, n])), **same)) for n in names] for p in pairs]
    return figures.grid(cells, across=names, down=[pair.replace(" / ", "\n") for pair in pairs])


def seen(rows: list[Row]) -> str:
    """A line for each extractor: over pairs and starts, distance and SSIM; and the distance's ratio to ImageNet's."""
    chosen = [row for row in rows if row["kind"] == "tuned"]
    ruler = {
        p: np.median([r["distance"] for r in chosen if r["pair"] == p and r["extractor"] == FIRST])
        for p in {r["pair"] for r in chosen}
    }
    lines = [
        "| extractor | Gram distance: median (quartiles) | SSIM | ratio to ImageNet blocks 1-3 |",
        "|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["extractor"] for row in chosen):
        own = [row for row in chosen if row["extractor"] == name]
        parts = (
            [row["distance"] for row in own],
            [row["ssim"] for row in own],
            [r["distance"] / ruler[r["pair"]] for r in own],
        )
        lines.append(f"| {name} | {' | '.join(reading.spread(part) for part in parts)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
