"""Figures: grids of pictures with labels, and plots."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nst_jax.shell.sweeps import sheet


def grid(
    cells: Sequence[Sequence[np.ndarray | None]], *, across: Sequence[Any], down: Sequence[Any], title: str = ""
) -> Figure:
    """Pictures in lines and columns, labelled. None leaves a gap."""
    first = next(c for line in cells for c in line if c is not None)
    width, height = (1.6 * side / max(first.shape[:2]) for side in (first.shape[1], first.shape[0]))
    figure = Figure(figsize=(len(across) * width + 0.6, len(down) * height + 0.5), layout="constrained")
    for axes, line in zip(figure.subplots(len(down), len(across), squeeze=False), cells, strict=True):
        for axis, cell in zip(axes, line, strict=True):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if cell is not None:
                axis.imshow(cell)
    for axis, label in zip(figure.axes[: len(across)], across, strict=True):
        axis.set_title(sheet.label(label), fontsize=8)
    for axis, label in zip(figure.axes[:: len(across)], down, strict=True):
        axis.set_ylabel(sheet.label(label), fontsize=8)
    figure.suptitle(title, fontsize=9)
    return figure


def plot(draw: Callable[..., None], *, columns: int = 1, width: float = 4.0) -> Figure:
    """A figure of plots side by side, drawn by draw(*axes)."""
    figure = Figure(figsize=(columns * width, 3.2), layout="constrained")
    draw(*figure.subplots(1, columns, squeeze=False)[0])
    return figure


def page(pictures: Mapping[str, np.ndarray], *, plots: int) -> tuple[Figure, list[Any]]:
    """Labelled pictures in a line, and under them the axes of plots that are still empty."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 2))
    cells = top.subplots(1, len(pictures), squeeze=False)[0]
    for axis, (label, shown) in zip(cells, pictures.items(), strict=True):
        axis.imshow(shown)
        axis.set_axis_off()
        axis.set_title(label, fontsize=8)
    axes = list(bottom.subplots(1, plots, squeeze=False)[0])
    for axis in axes:
        axis.tick_params(which="both", labelsize=7)
    return figure, axes
