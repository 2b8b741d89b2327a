"""grid.png: the pictures of a sweep over its keys, with labels, for a paper: a panel for each value of a third key."""

import itertools
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from nst_jax.shell.io.atomic import draft
from nst_jax.shell.reports import labels

INCH = 1.6  # of a picture's longer side
DOTS = 200  # an inch
FONTS = (  # for scripts that matplotlib's own font lacks
    *(
        "Noto Sans CJK SC",
        "Noto Sans CJK JP",
        "Noto Sans CJK KR",
        "WenQuanYi Zen Hei",
        "Microsoft YaHei",
        "Hiragino Sans",
    ),
    *("PingFang SC", "MS Gothic", "Malgun Gothic", "Arial Unicode MS", "Noto Sans Arabic", "Noto Sans Devanagari"),
)
MOST = 16  # pictures in a row or a column: more are not readable
PANELS = 6  # on a page
PAGES = 8

Rows = Sequence[Mapping[str, Any]]
Words = Callable[[str, Any], str]  # (key, value) -> the value in words


def draw(folder: Path, rows: Rows, keys: Sequence[str], pictures: Mapping[str, Path], words: Words) -> list[Path]:
    """Draw the grid over the first two keys that have several values, a panel for each value of the others.

    Args:
      folder: where grid.png goes, and grid_2.png and so on where one page is not enough.
      rows: of the table.
      keys: that are swept.
      pictures: the path of a row's picture by its `path`.
      words: a value in words.

    Returns:
      The pages; none without a picture. Each says how many of how many pictures it shows.
    """
    for old in folder.glob("grid*.png"):
        old.unlink()
    there = [row for row in rows if row["path"] in pictures]
    if not there:
        return []
    use_fonts()
    across, down, rest = axes(rows, keys)
    ranks = [values(there, key) for key in rest]
    panels = sorted(
        {tuple(row.get(key) for key in rest) for row in there},
        key=lambda panel: [rank.index(value) for rank, value in zip(ranks, panel, strict=True)],
    )
    pages = [panels[first : first + PANELS] for first in range(0, len(panels), PANELS)][:PAGES]
    grid = Grid(across, down, values(rows, across)[:MOST], values(rows, down)[:MOST], rest, words)
    found = {grid.place(row): pictures[row["path"]] for row in there}
    made = []
    for number, chosen in enumerate(pages, 1):
        path = folder / ("grid.png" if number == 1 else f"grid_{number}.png")
        draw_page(path, grid, chosen, found, f"page {number} of {len(pages)}" if len(pages) > 1 else "", len(there))
        made.append(path)
    return made


class Grid(NamedTuple):
    """The places of a sheet."""

    across: str
    down: str
    columns: list[Any]
    lines: list[Any]
    rest: list[str]
    words: Words

    def place(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """The place of a row: line, column, and the values of the panel."""
        return row.get(self.down), row.get(self.across), *(row.get(key) for key in self.rest)


def draw_page(
    path: Path, grid: Grid, panels: Sequence[Sequence[Any]], found: Mapping[Any, Path], page: str, many: int
) -> None:
    """Draw some panels below each other."""
    from matplotlib.figure import Figure

    columns, lines = grid.columns, grid.lines
    wanted = [(line, column, *panel) for panel in panels for line in lines for column in columns]
    shown = [place for place in wanted if place in found]
    with Image.open(found[shown[0]] if shown else next(iter(found.values()))) as first:
        width, height = (INCH * side / max(first.size) for side in first.size)
    high = len(lines) * height + 0.75
    figure = Figure(figsize=(len(columns) * width + 0.9, len(panels) * high + 0.3), layout="constrained")
    parts = figure.subfigures(len(panels), 1, squeeze=False)[:, 0]
    for part, panel in zip(parts, panels, strict=True):
        cells = part.subplots(len(lines), len(columns), squeeze=False)
        for axis, (line, column) in zip(cells.flat, itertools.product(lines, columns), strict=True):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if place := found.get((line, column, *panel)):
                with Image.open(place) as picture:
                    axis.imshow(np.asarray(picture))
        for axis, value in zip(cells[-1], columns, strict=True):
            axis.set_xlabel(grid.words(grid.across, value) if grid.across else "", fontsize=8)
        for axis, value in zip(cells[:, 0], lines, strict=True):
            axis.set_ylabel(grid.words(grid.down, value) if grid.down else "", fontsize=8)
        part.supxlabel(labels.name(grid.across), fontsize=9)
        part.supylabel(labels.name(grid.down), fontsize=9)
        said = [f"{labels.name(key)} = {grid.words(key, value)}" for key, value in zip(grid.rest, panel, strict=True)]
        part.suptitle("\n".join(textwrap.wrap(", ".join(said), round(16 * figure.get_figwidth()))), fontsize=8)
    note = f"{len(shown)} of {many} pictures" if len(shown) < many else ""
    if note or page:
        figure.suptitle(", ".join(filter(None, (page, note))), fontsize=8)
    with draft(path) as part, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name in a script that no font of this machine has
        figure.savefig(part, dpi=DOTS, format="png")


@cache
def use_fonts() -> None:
    """Let matplotlib look for a letter in the fonts of this machine for other scripts, too."""
    from matplotlib import font_manager, rcParams

    there = {font.name for font in font_manager.fontManager.ttflist}
    rcParams["font.sans-serif"] = [*rcParams["font.sans-serif"][:1], *(name for name in FONTS if name in there)]


def axes(rows: Rows, keys: Sequence[str]) -> tuple[str, str, list[str]]:
    """Which key goes across, which down, and the rest of those with several values."""
    many = [key for key in keys if len(values(rows, key)) > 1]
    across, down = (*many, "", "")[:2]
    return across, down, many[2:]


def values(rows: Rows, key: str) -> list[Any]:
    """The values of a key, in order. The empty key ("") has one value, None."""
    found = {row.get(key) for row in rows} if key else {None}
    return sorted(found, key=lambda v: (v is None, isinstance(v, str), labels.rank(key, v), v if v is not None else 0))
