"""The folder of a run: its log, a line of numbers for each snapshot, snapshots, the curve."""

import csv
import errno
import io
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import write_text

ROOM, BLOCK = ".room", 1 << 16
NOTES = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)  # how metrics.jsonl is opened
# what a run writes beside its picture and its film
NAMES = (
    *("config.yaml", "command.txt", "nst.log", "metrics.jsonl", "curve.csv", "loss.png", "checkpoint.npz", "mark.json"),
    *("snapshots", ".lock", "width.json", "latest.png", "tiles.png", ROOM),
)
STROKES = re.compile(r"strokes(_\d+)?\.png")  # the styles in their strokes


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
    line = (json.dumps(record) + "\n").encode()
    descriptor = os.open(folder / "metrics.jsonl", NOTES, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if os.write(descriptor, line) < len(line):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def reserve(folder: Path, size: int) -> None:
    """Take so many bytes of the disk until `release`: snapshots must leave room for the result.

    Raises UserError if fewer are free.
    """
    try:
        with (folder / ROOM).open("wb") as file:
            for _ in range(0, size, BLOCK):
                file.write(bytes(BLOCK))
    except OSError as error:
        release(folder)
        text = f"no room for the result in {folder} ({size / 1e6:.1f} MB): {error.strerror}"
        raise UserError(f"{text}. Free some, or choose another: output.folder=...") from None


def release(folder: Path) -> None:
    """Give back what `reserve` took."""
    with suppress(OSError):
        (folder / ROOM).unlink(missing_ok=True)


def snapshot(folder: Path, step: int) -> Path:
    """The name of the snapshot after `step` iterations."""
    (folder / "snapshots").mkdir(exist_ok=True)
    return folder / "snapshots" / f"step_{step:06d}.png"


def show_latest(folder: Path, picture: Path) -> None:
    """Let latest.png be this snapshot: a viewer that has it open shows the way."""
    part = folder / ".latest.part"
    part.unlink(missing_ok=True)
    try:
        part.hardlink_to(picture)
    except OSError:  # a file system without links
        shutil.copyfile(picture, part)
    with suppress(PermissionError):  # Windows replaces no file that a viewer has open
        part.replace(folder / "latest.png")


def point_latest(root: Path, folder: Path) -> None:
    """Let root/latest point to the newest run, where the system has links."""
    part = root / f".latest.{os.getpid()}"
    with suppress(OSError, ValueError):
        part.unlink(missing_ok=True)
        part.symlink_to(os.path.relpath(folder, root), target_is_directory=True)
        if os.name == "nt":  # Windows replaces no link to a folder
            (root / "latest").unlink(missing_ok=True)
        part.replace(root / "latest")
    with suppress(OSError):
        part.unlink(missing_ok=True)


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
