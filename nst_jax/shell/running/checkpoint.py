"""A lane on disk: the optimiser's state, its curve and its records, so that a killed run goes on from there."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst_jax.shell.io.atomic import draft, write_text

NAME = "checkpoint.npz"


class Checkpoint(NamedTuple):
    """What a checkpoint holds."""

    leaves: list[np.ndarray]  # of the State, in jax's order
    curve: dict[str, np.ndarray]
    records: list[dict[str, Any]]
    seconds: float  # of optimisation


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint in one go."""
    arrays = {f"leaf_{i}": leaf for i, leaf in enumerate(checkpoint.leaves)}
    arrays |= {f"curve_{name}": values for name, values in checkpoint.curve.items()}
    facts = json.dumps({"records": checkpoint.records, "seconds": checkpoint.seconds})
    with draft(folder / NAME) as part, part.open("wb") as file:
        np.savez(file, facts=np.array(facts), **arrays)  # pyright: ignore[reportArgumentType]


def load(folder: Path, shapes: Sequence[tuple[int, ...]]) -> Checkpoint | None:
    """The checkpoint; None where there is none, or a damaged one, or one of another program.

    metrics.jsonl is cut back to it.
    """
    try:
        with np.load(folder / NAME) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(str(arrays.pop("facts")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    curve = {k.removeprefix("curve_"): arrays.pop(k) for k in [k for k in arrays if k.startswith("curve_")]}
    leaves = [arrays[f"leaf_{i}"] for i in range(len(arrays))]
    if [leaf.shape for leaf in leaves] != list(shapes):
        return None
    write_text(folder / "metrics.jsonl", "".join(json.dumps(record) + "\n" for record in facts["records"]))
    return Checkpoint(leaves, curve, facts["records"], facts["seconds"])


def steps(folder: Path) -> int:
    """Iterations of the folder's checkpoint; 0 where there is none that can be read."""
    try:
        with np.load(folder / NAME) as file:
            return len(file["curve_total"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return 0


def exists(folder: Path) -> bool:
    """Whether the folder has a checkpoint."""
    return (folder / NAME).is_file()


def drop(folder: Path) -> None:
    """Remove the checkpoint: the run has ended."""
    (folder / NAME).unlink(missing_ok=True)
