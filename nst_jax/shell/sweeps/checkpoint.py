"""A lane on disk: the optimiser's state, its curve and its records, so that a killed run goes on from there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst_jax.shell.saving import replacing, write_text

NAME = "checkpoint.npz"


class Saved(NamedTuple):
    """What a checkpoint holds."""

    leaves: list[np.ndarray]  # of the State, in jax's order
    curve: dict[str, np.ndarray]
    records: list[dict[str, Any]]
    seconds: float


def save(folder: Path, saved: Saved) -> None:
    """Write the checkpoint in one go."""
    arrays = {f"leaf_{i}": leaf for i, leaf in enumerate(saved.leaves)}
    arrays |= {f"curve_{name}": values for name, values in saved.curve.items()}
    told = json.dumps({"records": saved.records, "seconds": saved.seconds})
    with replacing(folder / NAME) as part, part.open("wb") as file:
        np.savez(file, told=np.array(told), **arrays)  # pyright: ignore[reportArgumentType]


def load(folder: Path, shapes: Sequence[tuple[int, ...]]) -> Saved | None:
    """The checkpoint, None where there is none or one of another program. metrics.jsonl is cut back to it."""
    try:
        with np.load(folder / NAME) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError, EOFError):
        return None
    told = json.loads(str(arrays.pop("told")))
    curve = {k.removeprefix("curve_"): arrays.pop(k) for k in [k for k in arrays if k.startswith("curve_")]}
    leaves = [arrays[f"leaf_{i}"] for i in range(len(arrays))]
    if [leaf.shape for leaf in leaves] != list(shapes):
        return None
    write_text(folder / "metrics.jsonl", "".join(json.dumps(record) + "\n" for record in told["records"]))
    return Saved(leaves, curve, told["records"], told["seconds"])


def drop(folder: Path) -> None:
    """The run has ended: its state is of no use any more."""
    (folder / NAME).unlink(missing_ok=True)
