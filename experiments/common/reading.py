"""What a run leaves behind: its picture and its curve; and statistics over several runs."""

import csv
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from nst_jax.shell.reports import labels, sheet
from nst_jax.shell.settings.config import plain_yaml

Row = dict[str, Any]


def picture(row: Row) -> np.ndarray:
    """The result of a run, (height, width, 3) bytes."""
    with Image.open(row["folder"] / "result.png") as image:
        return np.asarray(image.convert("RGB"))


def curve(row: Row) -> dict[str, np.ndarray]:
    """The curve of a run: total, grad_norm and evaluations of each iteration."""
    with (row["folder"] / "curve.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    return {key: np.array([float(line[key]) for line in lines]) for key in lines[0]}


def descent(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """The evaluations so far, from 0 on, and the loss after them over the first loss."""
    whole = curve(row)
    losses = np.append(whole["total"], row["total"])
    return np.cumsum(np.append(0, whole["evaluations"])), losses / losses[0]


def values(rows: Iterable[Row], key: str) -> list[Any]:
    """The values of a key, each once, in order."""
    return sheet.values(list(rows), key)


def words(rows: Iterable[Row], key: str) -> dict[Any, str]:
    """The values of a key in a reader's words, by value: of a choice of layers, the layers."""
    known = {row[key]: row["folder"] for row in reversed(list(rows))}
    return labels.values(key, {value: plain_yaml(folder / "config.yaml") for value, folder in known.items()})


def where(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """The rows with these values. Dots of a key are written as two underscores: optimiser__learning_rate=0.1."""
    return [r for r in rows if all(r.get(k.replace("__", ".")) == v for k, v in wanted.items())]


def quartiles(numbers: Iterable[float]) -> str:
    """The median and the quartiles, in three digits: "0.5 (0.4 to 0.6)"."""
    low, middle, high = np.percentile(list(numbers), (25, 50, 75))
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def rms_difference(a: Any, b: Any) -> float:
    """The root mean square of a - b."""
    return float(np.sqrt(np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)))


def relative_difference(a: Any, b: Any) -> float:
    """|a - b| / |b|."""
    return rms_difference(a, b) / rms_difference(b, 0)
