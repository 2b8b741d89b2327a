"""A lane on disk: the optimiser's state, its curve and its records, so that a killed run goes on from there."""

import json
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst_jax.shell.io.atomic import draft, write_text

NAME = "checkpoint.npz"
WIDTH = "width.json"  # of the program that the run was begun in
# what numpy, zipfile and json raise for damaged files
DAMAGE = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, MemoryError),
)


class Checkpoint(NamedTuple):
    """The content of a checkpoint."""

    leaves: list[np.ndarray]  # of the State, in jax's order
    curve: dict[str, np.ndarray]
    records: list[dict[str, Any]]
    seconds: float  # of optimisation
    stage: int = 0  # which of the run's sizes


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint in one go."""
    arrays = {f"leaf_{i}": leaf for i, leaf in enumerate(checkpoint.leaves)}
    arrays |= {f"curve_{name}": values for name, values in checkpoint.curve.items()}
    facts = json.dumps({"records": checkpoint.records, "seconds": checkpoint.seconds, "stage": checkpoint.stage})
    with draft(folder / NAME) as part, part.open("wb") as file:
        np.savez(file, facts=np.array(facts), **arrays)  # pyright: ignore[reportArgumentType]


def load(folder: Path) -> Checkpoint | None:
    """The checkpoint, or None if it is absent or damaged. metrics.jsonl is cut back to it."""
    try:
        with (folder / NAME).open("rb") as stream, np.load(stream) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(str(arrays.pop("facts")))
        curve = {k.removeprefix("curve_"): arrays.pop(k) for k in [k for k in arrays if k.startswith("curve_")]}
        leaves = [arrays[f"leaf_{i}"] for i in range(len(arrays))]
        lines = "".join(json.dumps(record) + "\n" for record in facts["records"])
        found = Checkpoint(leaves, curve, facts["records"], float(facts["seconds"]), int(facts.get("stage", 0)))
        if len({len(c) for c in curve.values()}) != 1:
            return None
    except DAMAGE:
        return None
    write_text(folder / "metrics.jsonl", lines)
    return found


def fits(checkpoint: Checkpoint, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether its leaves have these shapes: those of the program's state."""
    return [leaf.shape for leaf in checkpoint.leaves] == list(shapes)


def steps(folder: Path) -> int:
    """The number of iterations of the folder's checkpoint, or 0 if it is absent or damaged."""
    try:
        with (folder / NAME).open("rb") as stream, np.load(stream) as file:
            return len(file["curve_total"])
    except DAMAGE:
        return 0


def note_width(folder: Path, width: int) -> None:
    """Write down how many lanes the program has that begins the run."""
    write_text(folder / WIDTH, json.dumps(width))


def former_width(folder: Path) -> int:
    """How many lanes the program had that began the run; 0 where none did, or none that is known."""
    try:
        return max(0, int(json.loads((folder / WIDTH).read_text(encoding="utf-8"))))
    except DAMAGE:
        return 0


def exists(folder: Path) -> bool:
    """Whether the folder has a checkpoint."""
    return (folder / NAME).is_file()


def drop(folder: Path) -> None:
    """Remove the checkpoint: the run has ended."""
    (folder / NAME).unlink(missing_ok=True)
    (folder / WIDTH).unlink(missing_ok=True)
