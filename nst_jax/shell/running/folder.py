"""The folder of a run: its log, a line of numbers for each snapshot, snapshots, the curve."""

import csv
import io
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import write_text

# what a run writes beside its picture and its film
NAMES = (
    *("config.yaml", "command.txt", "nst.log", "metrics.jsonl", "curve.csv", "loss.png", "checkpoint.npz", "mark.json"),
    *("snapshots", ".lock"),
)


def make(parent: Path) -> Path:
    """Make a new folder within `parent`, named by the time; never one that exists.

    Raises UserError where none can be made.
    """
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    for number in range(1, 10_000):
        folder = parent / (stamp if number == 1 else f"{stamp}_{number}")
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
def log_into(folder: Path) -> Iterator[None]:
    """Within, the log of the package goes into the folder's nst.log too."""
    handler = logging.FileHandler(folder / "nst.log", encoding="utf-8", errors="surrogateescape")
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


def say(folder: Path, text: str) -> None:
    """Add a line to the run's log, where it can be written."""
    with suppress(OSError), (folder / "nst.log").open("a", encoding="utf-8", errors="surrogateescape") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
