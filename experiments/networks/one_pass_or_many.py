"""One pass, one pass and a few steps, or many steps: how near to the painting and to the photograph, and how long.

Source: the comparison is that of Johnson, Alahi & Fei-Fei 2016 (arXiv 1603.08155, figure 5), who plot the loss of their
networks beside that of an optimisation. Here two networks that took no part measure, VGG-19's first blocks and
SqueezeNet, and the optimisation may begin with the pass (`canvas=instant`).
The model that comes with the package saw the paintings of all pairs but the last two in its training.
Expected: docs/how_to/instant.md.
Cost: 4 runs for each pair, a quarter of an hour on two CPU cores. The same line again runs only what is missing.

    python -m experiments.networks.one_pass_or_many data=FOLDER size=384

FOLDER holds weights/ and images/. few=20 many=300: steps; model=FILE: another model for any style.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nst_jax as nst
from experiments.common import figures, study
from experiments.networks.candidates import FILES, judges
from experiments.networks.extractors_compared import PAIRS as SEEN
from experiments.networks.extractors_compared import picture, read
from experiments.networks.tuning import REFERENCE, Bench, Row, fingerprint, measure, optimise

PAIRS = (*SEEN, ("landscape", "brick"), ("portrait", "tubingen"))
DEFAULTS = {"data": "???", "size": 384, "few": 20, "many": 300, "model": "any_style"}


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write table.csv, figure.png and README.md, and return their folder."""
    c = read(DEFAULTS, words)
    home, data = home or study.HOME / "one_pass_or_many", Path(c.data)
    model, net = nst.load_model(c.model), nst.load("distilled")
    measuring = judges(*(data / "weights" / FILES[name] for name in ("VGG-19", "SqueezeNet")))
    rows: list[Row] = []
    for content, style in PAIRS:
        photo, painting = (picture(data, name, c.size) for name in (content, style))
        folder = home / "runs" / f"{content}_{style}_{c.size}_{fingerprint(model.params)}"
        bench = Bench("distilled", net, measuring, photo, painting, 0, folder)
        rows += [{"pair": f"{content} / {style}", **row} for row in compare(bench, model, few=c.few, many=c.many)]
        print(content, style, "; ".join(f"{row['way']} {row['seconds']:.2f} s" for row in rows[-4:]), flush=True)
    runs = study.Study("networks.one_pass_or_many", words, [row | {"lane": 0} for row in rows], home)
    return study.record(runs, draw(rows, data, c.size), rows, tabulate(rows))


def compare(bench: Bench, model: nst.Model, *, few: int, many: int) -> list[Row]:
    """A row for each way, from the folder where it is there."""
    one = keep(bench, "one pass", lambda: paint(bench, model))
    passed, seconds = np.load(one["picture"]), one["seconds"]
    from_pass = keep(bench, f"one pass, {few} steps", lambda: take(bench, few, passed))
    from_photo = keep(bench, f"{few} steps", lambda: take(bench, few, bench.content))
    whole = keep(bench, f"{many} steps", lambda: take(bench, many, bench.content))
    return [one, from_pass | {"seconds": seconds + from_pass["seconds"]}, from_photo, whole]


def keep(bench: Bench, way: str, run: Any) -> Row:
    """What a way gives, from the folder if it is there."""
    path = bench.folder / way.replace(", ", "_").replace(" ", "_")
    if not path.with_suffix(".json").exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        image, seconds = run()
        np.save(path.with_suffix(".npy"), np.asarray(image))
        path.with_suffix(".json").write_text(json.dumps({**measure(bench, image), "seconds": seconds}), "utf-8")
    row = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return {"way": way, **row, "picture": str(path.with_suffix(".npy"))}


def paint(bench: Bench, model: nst.Model) -> tuple[nst.types.Image, float]:
    """The picture of one pass, in [0, 1], and its seconds without compilation."""
    nst.paint(model, bench.content, bench.style)
    began = time.perf_counter()
    image = nst.paint(model, bench.content, bench.style).image
    return np.clip(np.asarray(image), 0, 1), time.perf_counter() - began


def take(bench: Bench, steps: int, start: Any) -> tuple[nst.types.Image, float]:
    """So many steps from an image."""
    return optimise(bench._replace(steps=steps), REFERENCE, np.asarray(start))


def tabulate(rows: Sequence[Row]) -> str:
    """A line for each way: the medians over the pairs."""
    columns = ("seconds", "ssim", *(key for key in rows[0] if key.startswith(("distance", "content error"))))
    lines = [f"| way | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for way in dict.fromkeys(row["way"] for row in rows):
        own = [row for row in rows if row["way"] == way]
        cells = (f"{np.median([row[column] for row in own]):.3g}" for column in columns)
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(rows: Sequence[Row], data: Path, size: int) -> Any:
    """A line for each pair: the photograph, the painting, and the picture of each way."""
    pairs, ways = (list(dict.fromkeys(row[key] for row in rows)) for key in ("pair", "way"))
    at = {(row["pair"], row["way"]): np.load(row["picture"]) for row in rows}
    given = {pair: [np.asarray(picture(data, name, size)) for name in pair.split(" / ")] for pair in pairs}
    cells = [[*given[pair], *(at[pair, way] for way in ways)] for pair in pairs]
    return figures.grid(
        cells, across=["photograph", "painting", *ways], down=["\n".join(p.split(" / ")) for p in pairs]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
