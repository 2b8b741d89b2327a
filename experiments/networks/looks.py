"""What each look does to six pairs: how near it is to the photograph and to the painting, by distilled and by VGG-16.

Source: the looks are ours (nst_jax/published/looks.py). A line of `nst -m look=...` for each pair and network, measured
by SSIM with the photograph and by the mean over the style layers of |G - A| / |A|. Expected: gentle, balanced and
strong in this order for every pair and both networks.
Cost: 24 runs of each network; at size=160 steps=100 on two CPU cores 6 minutes for distilled and 15 for VGG-16.

    python -m experiments.networks.looks data=FOLDER size=160 steps=100
    python -m experiments.networks.looks data=FOLDER size=small networks.VGG-16=0

FOLDER holds weights/ and images/. networks.NAME is the number of pairs, of the six, for that network. The same line
again runs only what is missing.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from PIL import Image, ImageOps

import nst_jax as nst
from experiments.common import figures, reading, study
from experiments.networks.candidates import FILES, TEACHER
from experiments.networks.extractors_compared import PAIRS
from nst_jax.published import LOOKS

DEFAULTS = {"data": "outputs/data", "size": 160, "steps": 100, "networks": {"distilled": 6, TEACHER: 6}}
SMALL = {"size": 128, "steps": 100}  # size=small
Row = dict[str, Any]


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write table.csv, figure.png and README.md, and return their folder."""
    c = settings(words)
    home, data = home or study.HOME / "looks", Path(c.data)
    planned = [(name, pair) for name, many in c.networks.items() for pair in PAIRS[:many]]
    rows = [row for name, pair in planned for row in run(name, pair, data, c, home)]
    runs = study.Study("networks.looks", words, rows, home)
    columns = ("network", "pair", "look", "ssim_content", "style_distance", "seconds")
    return study.record(runs, draw(rows, data), [{k: r[k] for k in columns} for r in rows], answer(rows))


def settings(words: Iterable[str]) -> Any:
    """DEFAULTS with the words of the line. Exits where a picture is missing."""
    given = list(words)
    small = SMALL if "size=small" in given else {}
    line = OmegaConf.from_cli([word for word in given if word != "size=small"])
    c: Any = OmegaConf.merge(DEFAULTS, small, line)
    for name in dict.fromkeys(name for pair in PAIRS for name in pair):
        if not path_of(Path(c.data), name).exists():
            sys.exit(f"looks: {path_of(Path(c.data), name)} is missing; set data=FOLDER, with weights/ and images/")
    return c


def path_of(data: Path, name: str) -> Path:
    """The file of a picture: bundled, or of the folder."""
    return nst.pictures.path(name) if name in nst.pictures.NAMES else data / "images" / f"{name}.jpg"


def run(name: str, pair: tuple[str, str], data: Path, c: Any, home: Path) -> list[Row]:
    """The looks of a pair by a network, each a row of the table of its sweep."""
    teacher = (f"weights.path={data / 'weights' / FILES[TEACHER]}", "weights=file", "weights.preprocessing=caffe")
    network = ("network=vgg16", *teacher) if name == TEACHER else (f"network={name}",)
    photo, painting = (path_of(data, each) for each in pair)
    folder = home / "sweeps" / f"{name}_{'_'.join(pair)}_{c.size}_{c.steps}"
    line = (f"look={','.join(LOOKS)}", f"size={c.size}", f"steps={c.steps}", "output.every=0", f"sweep.folder={folder}")
    rows = nst.sweep(f"content={photo}", f"style={painting}", *network, *line)
    return [{"network": name, "pair": " / ".join(pair), **row} for row in rows if row["status"] == "done"]


def draw(rows: list[Row], data: Path) -> Any:
    """The pictures of the first network: a line for each pair, a column for each look."""
    cells, pairs = [], values(reading.where(rows, network=rows[0]["network"]), "pair")
    for pair in pairs:
        made = {row["look"]: row for row in reading.where(rows, network=rows[0]["network"], pair=pair)}
        pictures = [reading.picture(made[look]) if look in made else None for look in LOOKS]
        shape = next(picture.shape for picture in pictures if picture is not None)
        cells.append([*(thumbnail(path_of(data, name), shape) for name in pair.split(" / ")), *pictures])
    down = [pair.replace(" / ", "\n") for pair in pairs]
    return figures.grid(cells, across=["photograph", "painting", *LOOKS], down=down)


def thumbnail(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A picture cut and made small to a shape."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (shape[1], shape[0])))


def answer(rows: list[Row]) -> str:
    """The tables: SSIM and distance of each look over the pairs, and SSIM pair by pair; and how far networks agree."""
    networks, pairs = values(rows, "network"), values(rows, "pair")
    both = [(name, key) for name in networks for key in ("ssim_content", "style_distance")]
    heads = [f"{'SSIM' if key == 'ssim_content' else 'distance'}, {name}" for name, key in both]
    lines = [f"| look | {' | '.join(heads)} |", "|---" * (1 + len(both)) + "|"]
    for look in LOOKS:
        cells = [spread([r[key] for r in reading.where(rows, network=name, look=look)]) for name, key in both]
        lines.append(f"| {look} | {' | '.join(cells)} |")
    lines += ["", f"| SSIM: pair | {' | '.join(LOOKS)} |", "|---" * (1 + len(LOOKS)) + "|"]
    for pair in pairs:
        found = [[r["ssim_content"] for r in reading.where(rows, pair=pair, look=look)] for look in LOOKS]
        lines.append(f"| {pair} | {' | '.join(', '.join(f'{v:.2f}' for v in each) for each in found)} |")
    many = [f"{name} {len(values(reading.where(rows, network=name), 'pair'))}" for name in networks]
    text = [f"Mean (least to most) over pairs: {', '.join(many)}. SSIM by pair: {', '.join(networks)}.", "", *lines]
    if len(networks) > 1:
        text += ["", agreement(rows, networks)]
    return "\n".join(text)


def values(rows: list[Row], key: str) -> list[str]:
    """The values of a key, each once, in the order of the rows."""
    return list(dict.fromkeys(row[key] for row in rows))


def spread(numbers: list[float]) -> str:
    """The mean, the least and the most: "0.50 (0.41 to 0.62)"."""
    return f"{np.mean(numbers):.2f} ({min(numbers):.2f} to {max(numbers):.2f})"


def agreement(rows: list[Row], networks: list[str]) -> str:
    """How far the SSIMs of two networks are apart at the same pair and look."""
    one, other = ({(r["pair"], r["look"]): r["ssim_content"] for r in rows if r["network"] == n} for n in networks[:2])
    apart = [abs(one[key] - other[key]) for key in one.keys() & other.keys()]
    return (
        f"At one pair and look the SSIMs of {networks[0]} and {networks[1]} differ by {reading.quartiles(apart)} "
        f"(median, quartiles), by {max(apart):.2g} at most, over {len(apart)} runs of each."
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
