"""Figures: grids of pictures with labels, and plots."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nst_jax.shell.reports.labels import value as in_words


def grid(
    cells: Sequence[Sequence[np.ndarray | None]], *, across: Sequence[Any], down: Sequence[Any], title: str = ""
) -> Figure:
    """Pictures in lines and columns, labelled. None leaves a gap."""
    width, height = shape(cells)
    figure = Figure(figsize=(len(across) * width + 0.6, len(down) * height + 0.5), layout="constrained")
    fill(figure, cells, across, down)
    figure.suptitle(title, fontsize=9)
    return figure


def fold(
    cells: Sequence[Sequence[np.ndarray | None]], *, across: Sequence[Any], down: Sequence[Any], columns: int
) -> Figure:
    """A grid too wide for a page: its lines side by side, so many columns at a time."""
    parts = [slice(first, first + columns) for first in range(0, len(across), columns)]
    width, height = shape(cells)
    lines = 1 + max(str(label).count("\n") for label in across)
    size = (columns * width + 0.6, len(parts) * (len(down) * height + 0.25 + 0.15 * lines))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subfigures(len(parts), 1, squeeze=False)[:, 0]
    for part, panel in zip(parts, panels, strict=True):
        gaps = columns - len(across[part])
        fill(panel, [[*line[part], *[None] * gaps] for line in cells], [*across[part], *[""] * gaps], down)
    return figure


def shape(cells: Sequence[Sequence[np.ndarray | None]]) -> tuple[float, float]:
    """Width and height of a picture on paper, in inches."""
    first = next(c for line in cells for c in line if c is not None)
    return 1.6 * first.shape[1] / max(first.shape[:2]), 1.6 * first.shape[0] / max(first.shape[:2])


def fill(panel: Any, cells: Sequence[Sequence[np.ndarray | None]], across: Sequence[Any], down: Sequence[Any]) -> None:
    """The pictures and their labels, into a figure or a part of one."""
    lines = panel.subplots(len(down), len(across), squeeze=False)
    for axes, line in zip(lines, cells, strict=True):
        for axis, cell in zip(axes, line, strict=True):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if cell is not None:
                axis.imshow(cell)
    for axis, label in zip(lines[0], across, strict=True):
        axis.set_title(in_words("", label), fontsize=8)
    for axis, label in zip(lines[:, 0], down, strict=True):
        axis.set_ylabel(in_words("", label), fontsize=8)


def plot(draw: Callable[..., None], *, columns: int = 1, width: float = 4.0) -> Figure:
    """A figure of plots side by side; draw(*axes) draws them."""
    figure = Figure(figsize=(columns * width, 3.2), layout="constrained")
    draw(*figure.subplots(1, columns, squeeze=False)[0])
    return figure


def page(pictures: Mapping[str, np.ndarray], *, plots: int) -> tuple[Figure, list[Any]]:
    """Labelled pictures in a line, and under them the axes of plots that are still empty."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=(1, 2))[:, 0]
    cells = top.subplots(1, len(pictures), squeeze=False)[0]
    for axis, (label, picture) in zip(cells, pictures.items(), strict=True):
        axis.imshow(picture)
        axis.set_axis_off()
        axis.set_title(label, fontsize=8)
    axes = list(bottom.subplots(1, plots, squeeze=False)[0])
    for axis in axes:
        axis.tick_params(which="both", labelsize=7)
    return figure, axes
