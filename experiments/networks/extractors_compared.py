"""How much of a style a feature extractor captures: texnet against ImageNet's and untrained networks.

Source: the measurement is ours; untrained networks: He, Wang & Hopcroft 2016, arXiv 1606.04801. Every network stylises
every pair, at the weight that gives the same SSIM with the photograph. ImageNet's first blocks then measure the
distance to the style, |G - A|^2 / |A|^2, at layers that no run has optimised. Expected: docs/texnet.md.
Cost: some 110 runs, ten minutes on two CPU cores at size=128 steps=60 seeds=1. The same line again runs only what is
missing.

    python -m experiments.networks.extractors_compared data=FOLDER size=160 steps=80

FOLDER holds weights/vgg19_blocks1-3.safetensors and images/. Other files of texnet's weights: texnet.NAME=FILE.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from omegaconf import OmegaConf

import nst_jax as nst
from experiments.common import figures, reading, study
from experiments.networks.candidates import candidates, judge
from experiments.networks.tuning import Bench, Row, tune
from nst_jax.images.size import cover

DEFAULTS = {
    "data": "???",
    "size": 160,
    "steps": 80,
    "seeds": 2,
    "texnet": {"texnet": "nst_jax/trained/texnet.safetensors"},
}
FILES = ("vgg19_blocks1-3.safetensors", "squeezenet1.1_keras_notop.h5")
PAIRS = (("tubingen", "starry_night"), ("tubingen", "the_scream"), ("landscape", "shipwreck"), ("portrait", "brush"))
FIRST = "ImageNet blocks 1-3"  # its SSIM is the one that all others are tuned to


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write table.csv, figure.png and README.md, and return their folder."""
    c = settings(words)
    home, data = home or study.HOME / "extractors_compared", Path(c.data)
    imagenet, squeezenet = (data / "weights" / name for name in FILES)
    texnets = {name: Path(path) for name, path in c.texnet.items()}
    table, measuring, rows = candidates(imagenet, squeezenet, texnets, seeds=c.seeds), judge(imagenet), []
    for content, style in PAIRS:
        photo, painting = (picture(data, name, c.size) for name in (content, style))
        goal, folder = None, home / "runs" / f"{content}_{style}_{c.size}"
        for name in sorted(table, key=lambda name: name != FIRST):
            bench = Bench(name, table[name], measuring, photo, painting, c.steps, folder)
            found, goal = tune(bench, goal, seeds=c.seeds)
            rows += [{"pair": f"{content} / {style}", **row, "goal": goal} for row in found]
            print(content, style, " ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in found[-1].values()))
    runs = study.Study("networks.extractors_compared", words, [row | {"lane": 0} for row in rows], home)
    return study.record(runs, draw(rows, list(table)), rows, summarise(rows))


def settings(words: Iterable[str]) -> Any:
    """DEFAULTS with the words of the line. Exits where there is no folder of weights and pictures."""
    c: Any = OmegaConf.merge(DEFAULTS, OmegaConf.from_cli(list(words)))
    if OmegaConf.is_missing(c, "data") or not (Path(c.data) / "weights" / FILES[0]).exists():
        sys.exit(f"set data=FOLDER, a folder with weights/{FILES[0]} and images/")
    return c


def picture(data: Path, name: str, size: int) -> nst.types.Image:
    """A picture of the folder, or a bundled one, its longer side `size` pixels."""
    path = data / "images" / f"{name}.jpg"
    if not path.exists() and name not in nst.pictures.NAMES:
        sys.exit(f"extractors_compared: {path.parent} has no {path.name}")
    return nst.picture(path if path.exists() else name, size=size)


def draw(rows: list[Row], names: list[str]) -> Any:
    """The tuned pictures: a line for each pair, a column for each network."""
    pairs = list(dict.fromkeys(row["pair"] for row in rows))
    at = {(row["pair"], row["network"]): row["picture"] for row in reversed(rows) if row["kind"] == "tuned"}
    first = np.load(at[pairs[0], names[0]])
    same = {"height": first.shape[0], "width": first.shape[1]}
    cells = [[np.asarray(cover(jnp.asarray(np.load(at[p, n])), **same)) for n in names] for p in pairs]
    return figures.grid(cells, across=names, down=[pair.replace(" / ", "\n") for pair in pairs])


def summarise(rows: list[Row]) -> str:
    """A line for each network, over pairs and starts: distance, SSIM, and the distance's ratio to ImageNet's."""
    chosen = [row for row in rows if row["kind"] == "tuned"]
    reference = {
        pair: np.median([r["distance"] for r in chosen if r["pair"] == pair and r["network"] == FIRST])
        for pair in {row["pair"] for row in chosen}
    }
    lines = [
        "| network | Gram distance: median (quartiles) | SSIM | ratio to ImageNet blocks 1-3 |",
        "|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["network"] for row in chosen):
        own = [row for row in chosen if row["network"] == name]
        columns = (
            [row["distance"] for row in own],
            [row["ssim"] for row in own],
            [row["distance"] / reference[row["pair"]] for row in own],
        )
        lines.append(f"| {name} | {' | '.join(reading.quartiles(column) for column in columns)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
