"""Draw docs/pictures/metrics.jpg and print the table of docs/explanations/metrics.md.

python -m tools.metrics_page runs/metrics   # what the commands of that page leave, with metrics.csv by nst-export
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/pictures/metrics.jpg"
WORDS = {
    "a_photograph": "the photograph itself",
    "b_painting": "the painting itself",
    "c_instant": "one pass (any_style)",
    "d_instant_20": "one pass, and 20 steps",
    "e_steps_20": "20 steps",
    "f_steps_300": "300 steps",
}
WEIGHT = "100 steps, style weight "
KEYS = ("run", "width", "height", "style_weight")
INCH, QUALITY = 1.75, 85

Row = Mapping[str, str]


def label(row: Row) -> str:
    """What a run is, in words."""
    folder = row["run"].split("/")[0]
    return f"{WEIGHT}{float(row['style_weight']):,.0f}" if folder.startswith("g_") else WORDS[folder]


def pair(row: Row) -> str:
    """The photograph of a run, by its name."""
    return "portrait" if "portrait" in row["run"] else "landscape"


def order(row: Row) -> tuple[str, str, float]:
    """The order of the table."""
    return pair(row), row["run"].split("/")[0], float(row["style_weight"] or 0)


def write_table(rows: Sequence[Row]) -> str:
    """The table in Markdown."""
    measures = [key for key in rows[0] if key not in KEYS]
    lines = [
        "| picture | result | " + " | ".join(f"`{m}`" for m in measures) + " |",
        "|---" * (len(measures) + 2) + "|",
    ]
    for row in rows:
        numbers = [f"{float(row[m]):.3f}" if row[m] else "" for m in measures]
        lines.append(" | ".join([f"| {pair(row)}", label(row), *numbers]) + " |")
    return "\n".join(lines)


def draw(folder: Path, rows: Sequence[Row]) -> None:
    """Draw the results, a line for each photograph."""
    from matplotlib.figure import Figure

    lines = [[row for row in rows if pair(row) == name] for name in dict.fromkeys(map(pair, rows))]
    across = max(map(len, lines))
    figure = Figure(figsize=(across * INCH, len(lines) * INCH * 1.25), layout="constrained")
    cells = figure.subplots(len(lines), across, squeeze=False)
    for axis in cells.flat:
        axis.set_axis_off()
    for axes, line in zip(cells, lines, strict=True):
        for axis, row in zip(axes, line, strict=False):
            with Image.open(folder / row["run"] / "result.png") as picture:
                axis.imshow(np.asarray(picture))
            numbers = f"SSIM {float(row['ssim']):.2f}  LPIPS {float(row['lpips_alex']):.2f}"
            words = label(row).replace(", style", ",\nstyle").replace(", and", "\nand")
            axis.set_title(f"{words}\n{numbers}\njudge {float(row['judge_distance']):.2f}", fontsize=7)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=130, pil_kwargs={"quality": QUALITY})


def main() -> None:
    """Write both."""
    folder = Path(sys.argv[1])
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=order)
    print(write_table(rows))
    draw(folder, rows)


if __name__ == "__main__":
    main()
