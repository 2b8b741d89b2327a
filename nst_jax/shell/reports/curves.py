"""The curves of a run as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst_jax.shell.io.atomic import draft

BESIDE = ("grad_norm", "evaluations")  # what is no part of the total


def plot(path: Path, curve: Mapping[str, np.ndarray], records: Sequence[Mapping[str, Any]]) -> None:
    """Draw the total and each of its parts at every iteration, with a mark at each snapshot.

    Args:
      path: of the PNG to write.
      curve: `total` and the parts at every iteration, by name.
      records: of the snapshots, each with a `step` and `weighted`, by part; the last one is of the end, which no
        iteration starts from.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5))  # margins by hand: a layout engine draws all of it twice
    axes = figure.subplots(gridspec_kw={"left": 0.12, "right": 0.98, "bottom": 0.11, "top": 0.97})
    last = records[-1] if records else None
    shown = False
    for name, values in curve.items():
        if name in BESIDE:
            continue
        steps, values = np.arange(len(values)), np.asarray(values, float)
        if last is not None and last["step"] == len(values):
            end = last["total"] if name == "total" else last["weighted"].get(name, np.nan)
            steps, values = np.append(steps, last["step"]), np.append(values, end)
        if not (values > 0).any():
            continue
        shown = True
        values = np.where(values > 0, values, np.nan)
        style: dict[str, Any] = {"color": "black", "lw": 1.5} if name == "total" else {"lw": 1}
        marks = [r["step"] for r in records if r["step"] < len(values)]
        axes.plot(steps, values, label=name, marker="o", ms=3, markevery=marks, **style)
    if shown:
        axes.set_yscale("log")
        axes.legend()
    axes.set(xlabel="iteration", ylabel="weighted loss")
    axes.grid(alpha=0.3)
    with draft(path) as part:
        figure.savefig(part, dpi=120, format="png")
