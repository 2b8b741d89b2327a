"""What a job left behind, and numbers of several: its picture, its curve, medians, distances."""

import csv
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from nst_jax.shell.sweeps import sheet

Row = dict[str, Any]


def picture(row: Row) -> np.ndarray:
    """The result of a job, (h, w, 3) bytes."""
    with Image.open(row["folder"] / "result.png") as image:
        return np.asarray(image.convert("RGB"))


def curve(row: Row) -> dict[str, np.ndarray]:
    """What every iteration of a job saw: total, grad_norm, evaluations."""
    with (row["folder"] / "curve.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    return {key: np.array([float(line[key]) for line in lines]) for key in lines[0]}


def descent(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Evaluations spent, from 0 on, and the loss of the image that they led to, over the first loss."""
    seen = curve(row)
    losses = np.append(seen["total"], row["total"])
    return np.cumsum(np.append(0, seen["evaluations"])), losses / losses[0]


def values(rows: Iterable[Row], key: str) -> list[Any]:
    """The values of a key, each once, in order."""
    return sheet.values(list(rows), key)


def where(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """The rows with these values. Dots of a key are written as two underscores: optimiser__learning_rate=0.1."""
    return [r for r in rows if all(r.get(k.replace("__", ".")) == v for k, v in wanted.items())]


def spread(found: Iterable[float]) -> str:
    """Median and quartiles, in words of three digits."""
    low, middle, high = np.percentile(list(found), (25, 50, 75))
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def apart(a: Any, b: Any) -> float:
    """The root mean square of a difference: of pixels in [0, 1], or of anything else."""
    return float(np.sqrt(np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)))


def relative(a: Any, b: Any) -> float:
    """|a - b| / |b|."""
    return apart(a, b) / apart(b, 0)
