"""How much of a style a feature extractor captures: distilled against its teacher, texnet and untrained networks.

Source: the measurement is ours; the plan is that of Wang et al. 2020 (arXiv 2003.08436), who judge a student by VGG's
Gram matrices; untrained networks: He, Wang & Hopcroft 2016, arXiv 1606.04801. Every network stylises every pair, at the
weight that gives the teacher's SSIM with the photograph. Two networks that no run has optimised then measure the
distances to style and content: VGG-19's first blocks and SqueezeNet. Expected: docs/explanations/distilled.md.
Cost: some 140 runs, an hour and a quarter on two CPU cores. The same line again runs only what is missing.

    python -m experiments.networks.extractors_compared data=FOLDER size=256 steps=100

FOLDER holds weights/ and images/. Other files of weights: distilled.NAME=FILE texnet.NAME=FILE.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from omegaconf import OmegaConf

import nst_jax as nst
from experiments.common import figures, reading, study
from experiments.networks.candidates import FILES, TEACHER, candidates, judges
from experiments.networks.tuning import Bench, Row, tune
from nst_jax.images.size import cover

DEFAULTS = {
    "data": "???",
    "size": 256,
    "steps": 100,
    "seeds": 3,
    "untrained": 1,
    "distilled": {"distilled": "nst_jax/trained/distilled.safetensors"},
    "texnet": {"texnet": "nst_jax/trained/texnet.safetensors"},
}
PAIRS = (
    ("tubingen", "starry_night"),
    ("tubingen", "the_scream"),
    ("landscape", "shipwreck"),
    ("portrait", "starry_night"),
    ("portrait", "brush"),
    ("landscape", "mosaic"),
)


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write table.csv, figure.png and README.md, and return their folder."""
    c = settings(words)
    home, data = home or study.HOME / "extractors_compared", Path(c.data)
    distilled, texnets = ({name: Path(path) for name, path in files.items()} for files in (c.distilled, c.texnet))
    files = {name: data / "weights" / file for name, file in FILES.items()}
    table = candidates(files[TEACHER], distilled, texnets, untrained=c.untrained)
    measuring, rows = judges(files["VGG-19"], files["SqueezeNet"]), []
    for content, style in PAIRS:
        photo, painting = (picture(data, name, c.size) for name in (content, style))
        goal, folder = None, home / "runs" / f"{content}_{style}_{c.size}"
        for name in table:  # the teacher first: its SSIM is the one that all others are tuned to
            bench = Bench(name, table[name], measuring, photo, painting, c.steps, folder)
            found, goal = tune(bench, goal, seeds=c.seeds)
            rows += [{"pair": f"{content} / {style}", **row, "goal": goal} for row in found]
            print(content, style, " ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in found[-1].values()))
    runs = study.Study("networks.extractors_compared", words, [row | {"lane": 0} for row in rows], home)
    return study.record(runs, draw(rows, list(table)), rows, summarise(rows))


def settings(words: Iterable[str]) -> Any:
    """DEFAULTS with the words of the line. Exits where there is no folder of weights and pictures."""
    return read(DEFAULTS, words)


def read(defaults: Mapping[str, Any], words: Iterable[str]) -> Any:
    """The defaults with the words of a line. Exits where there is no folder of weights and pictures."""
    c: Any = OmegaConf.merge(defaults, OmegaConf.from_cli(list(words)))
    needed = (TEACHER, "VGG-19")
    if OmegaConf.is_missing(c, "data") or not all((Path(c.data) / "weights" / FILES[n]).exists() for n in needed):
        sys.exit(f"set data=FOLDER, a folder with {' and '.join(f'weights/{FILES[n]}' for n in needed)}, and images/")
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
    """A line for each network, over pairs and starts: SSIM, distances, errors, and their ratios to the teacher's."""
    chosen = [row for row in rows if row["kind"] == "tuned"]
    columns = [key for key in chosen[0] if key.startswith(("distance", "content error"))]
    heads = [f"{column} | its ratio to {TEACHER}" for column in columns]
    lines = [f"| network | SSIM | {' | '.join(heads)} |", "|---" * (2 + 2 * len(columns)) + "|"]
    for name in dict.fromkeys(row["network"] for row in chosen):
        own = [row for row in chosen if row["network"] == name]
        cells = [reading.quartiles([row["ssim"] for row in own])]
        for column in columns:
            ratios = [row[column] / reference(chosen, row["pair"], column) for row in own]
            cells += [
                reading.quartiles([row[column] for row in own]),
                f"{reading.quartiles(ratios)}, to {max(ratios):.3g}",
            ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(["Median (quartiles).", "", *lines])


def reference(rows: list[Row], pair: str, column: str) -> float:
    """The teacher's median distance on a pair."""
    return float(np.median([r[column] for r in rows if r["pair"] == pair and r["network"] == TEACHER]))


if __name__ == "__main__":
    main(*sys.argv[1:])
