"""grid.png: the pictures of a sweep over two of its keys, with labels, for a paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst_jax.shell.io.atomic import draft

INCH = 1.6  # of a picture's longer side
DOTS = 200  # an inch
MOST = 16  # pictures in a row or a column: more are not readable


def draw(path: Path, rows: Sequence[dict[str, Any]], keys: Sequence[str], pictures: dict[str, Path]) -> None:
    """Draw the grid over the first two keys that have several values; of the others, their first value.

    rows: of the table. pictures: the path of a row's picture by its `path`. Nothing is drawn without a picture.
    """
    from matplotlib.figure import Figure

    across, down, fixed = axes(rows, keys)
    columns, lines = (values(rows, key)[:MOST] for key in (across, down))
    shown = [row for row in rows if all(row.get(k) == v for k, v in fixed.items()) and row["path"] in pictures]
    if not shown:
        return
    with Image.open(pictures[shown[0]["path"]]) as first:
        width, height = (INCH * side / max(first.size) for side in first.size)
    figure = Figure(figsize=(len(columns) * width + 0.9, len(lines) * height + 0.6), layout="constrained")
    cells = figure.subplots(len(lines), len(columns), squeeze=False)
    for axis in cells.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for row in shown:
        if row.get(across) in columns and row.get(down) in lines:
            with Image.open(pictures[row["path"]]) as picture:
                cells[lines.index(row.get(down)), columns.index(row.get(across))].imshow(np.asarray(picture))
    for axis, value in zip(cells[-1], columns, strict=True):
        axis.set_xlabel(label(value), fontsize=8)
    for axis, value in zip(cells[:, 0], lines, strict=True):
        axis.set_ylabel(label(value), fontsize=8)
    figure.supxlabel(across, fontsize=9)
    figure.supylabel(down, fontsize=9)
    figure.suptitle(", ".join(f"{k} = {label(v)}" for k, v in fixed.items()), fontsize=8)
    with draft(path) as part:
        figure.savefig(part, dpi=DOTS, format="png")


def axes(rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> tuple[str, str, dict[str, Any]]:
    """Which key goes across, which down, and the values of the rest."""
    many = [key for key in keys if len(values(rows, key)) > 1]
    across, down = (*many, "", "")[:2]
    return across, down, {key: values(rows, key)[0] for key in many[2:]}


def values(rows: Sequence[dict[str, Any]], key: str) -> list[Any]:
    """A key's values in order; one None for no key ("")."""
    found = {row.get(key) for row in rows} if key else {None}
    return sorted(found, key=lambda v: (v is None, isinstance(v, str), v if v is not None else 0))


def label(value: Any) -> str:
    """A value in few letters; of a path, its name."""
    return f"{value:g}" if isinstance(value, float) else Path(str(value)).stem if "/" in str(value) else str(value)
