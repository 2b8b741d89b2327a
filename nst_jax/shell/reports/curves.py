"""The curves of a run as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst_jax.shell.io.atomic import draft


def plot(path: Path, totals: np.ndarray, records: Sequence[Mapping[str, Any]]) -> None:
    """Draw the total at every iteration, and each weighted part at the snapshots.

    Args:
      path: of the PNG to write.
      totals: the objective at every iteration.
      records: of the snapshots, each with a `step` and `weighted`, by part.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5))  # margins by hand: a layout engine draws all of it twice
    axes = figure.subplots(gridspec_kw={"left": 0.12, "right": 0.98, "bottom": 0.11, "top": 0.97})
    axes.plot(np.arange(len(totals)), totals, color="black", lw=1.5, label="total")
    steps = [r["step"] for r in records]
    for part in dict.fromkeys(part for r in records for part in r["weighted"]):
        values = np.array([r["weighted"].get(part, np.nan) for r in records])
        if (values > 0).any():
            axes.plot(steps, np.where(values > 0, values, np.nan), "o-", ms=3, lw=1, label=part)
    if (totals > 0).any():
        axes.set_yscale("log")
    axes.set(xlabel="iteration", ylabel="weighted loss")
    axes.grid(alpha=0.3)
    axes.legend()
    with draft(path) as part:
        figure.savefig(part, dpi=120, format="png")
