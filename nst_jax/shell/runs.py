"""The folder of a run: settings, pictures, a line of numbers for each snapshot, curves, provenance."""

import csv
import io
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.saving import replacing, write_text


def fresh(parent: Path) -> Path:
    """A new folder within `parent`, named by the time; never one that is there already."""
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    for turn in range(1, 10_000):
        folder = parent / (stamp if turn == 1 else f"{stamp}_{turn}")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(
                f"cannot make the folder {folder}: {error.strerror}. Choose another: output.folder=..."
            ) from None
    raise UserError(f"cannot find a free name in {parent}")


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Within, what is told goes into the folder's nst.log too."""
    handler = logging.FileHandler(folder / "nst.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger("nst_jax").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("nst_jax").removeHandler(handler)
        handler.close()


def note(folder: Path, record: Mapping[str, Any]) -> None:
    """Append one line to metrics.jsonl. One write of a whole line: a kill leaves whole lines behind."""
    line = json.dumps(record) + "\n"
    descriptor = os.open(folder / "metrics.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def snapshot(folder: Path, step: int) -> Path:
    """The name of the snapshot after `step` iterations."""
    (folder / "snapshots").mkdir(exist_ok=True)
    return folder / "snapshots" / f"step_{step:06d}.png"


def curve(folder: Path, rows: Mapping[str, np.ndarray]) -> None:
    """Write what every iteration saw to curve.csv, a row each."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["step", *rows])
    for step, values in enumerate(zip(*rows.values(), strict=True)):
        table.writerow([step, *(v.item() for v in values)])
    write_text(folder / "curve.csv", text.getvalue())


def plot(folder: Path, totals: np.ndarray, records: list[dict[str, Any]]) -> None:
    """Draw loss.png: the total at every iteration, and each weighted term at the snapshots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5))  # margins by hand: a layout engine draws all of it twice
    axes = figure.subplots(gridspec_kw={"left": 0.12, "right": 0.98, "bottom": 0.11, "top": 0.97})
    axes.plot(np.arange(len(totals)), totals, color="black", lw=1.5, label="total")
    steps = [r["step"] for r in records]
    for name in ("content", "style", "tv"):
        values = np.array([r["weighted"][name] for r in records])
        if (values > 0).any():
            axes.plot(steps, np.where(values > 0, values, np.nan), "o-", ms=3, lw=1, label=name)
    if (totals > 0).any():
        axes.set_yscale("log")
    axes.set(xlabel="iteration", ylabel="weighted loss")
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(folder / "loss.png") as part:
        figure.savefig(part, dpi=120, format="png")
