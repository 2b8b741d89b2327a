"""Six pairs by the teacher, by distilled and by texnet, side by side, each network with the losses that it comes with.

No network is tuned to another one, as in extractors_compared: this is what a line of `nst` gives. Look at the strokes'
direction and length, at colours, faces, thin shapes and borders. Expected: docs/distilled.md.
Cost: 18 runs, half an hour on two CPU cores. The same line again runs only what is missing.

    python -m experiments.networks.side_by_side data=FOLDER size=512 steps=100 to=docs/side_by_side.jpg

FOLDER holds weights/ and images/.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import nst_jax as nst
from experiments.common import study
from experiments.networks.candidates import TEACHER
from experiments.networks.extractors_compared import PAIRS, TEACHER_FILE, picture, settings

CELL = 400  # pixels of a picture's longer side on the sheet
GAP, HEAD = 6, 26  # pixels between pictures, and of the line that names the networks


def main(*words: str) -> Path:
    """Run what is missing, write the sheet, and return its path."""
    c = settings(words)
    data = Path(c.data)
    networks = {
        TEACHER: nst.load(data / "weights" / TEACHER_FILE, network="vgg16", preprocessing="caffe"),
        "distilled": nst.load(c.distilled.distilled, network="distilled"),
        "texnet": nst.load(c.texnet.texnet, network="texnet"),
    }
    rows = []
    for content, style in PAIRS:
        photo, painting = (picture(data, name, c.size) for name in (content, style))
        row = {content: photo, style: painting}
        for name, net in networks.items():
            kept = study.HOME / "side_by_side" / f"{content}_{style}_{name}_{c.size}_{c.steps}.npy"
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                np.save(kept, nst.stylise(net, photo, painting, solver=nst.lbfgs(memory=20), steps=c.steps).image)
            row[name] = np.load(kept)
        rows.append(row)
    path = Path(c.get("to", study.HOME / "side_by_side" / "sheet.jpg"))
    sheet(rows, names=("photograph", "painting", *networks)).save(path, quality=85)
    return path


def sheet(rows: list[Mapping[str, np.ndarray]], *, names: tuple[str, ...]) -> Image.Image:
    """A line of pictures for each pair, under the names of the columns."""
    cells = [[fit(picture) for picture in row.values()] for row in rows]
    heights = [max(cell.height for cell in line) for line in cells]
    size = len(names) * (CELL + GAP) - GAP, HEAD + sum(heights) + GAP * (len(heights) - 1)
    page, top = Image.new("RGB", size, "white"), HEAD
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    for column, name in enumerate(names):
        draw.text((column * (CELL + GAP) + 2, 4), name, fill="black", font=font)
    for line, height in zip(cells, heights, strict=True):
        for column, cell in enumerate(line):
            page.paste(cell, (column * (CELL + GAP), top))
        top += height + GAP
    return page


def fit(values: np.ndarray) -> Image.Image:
    """A picture in [0, 1], its longer side CELL pixels."""
    whole = Image.fromarray(np.round(255 * np.clip(np.asarray(values), 0, 1)).astype(np.uint8))
    factor = CELL / max(whole.size)
    return whole.resize((round(whole.width * factor), round(whole.height * factor)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
