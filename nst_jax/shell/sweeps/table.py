"""The table of a sweep: a row for each job in its folder."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell.saving import write_text
from nst_jax.shell.sweeps import cells, parquet


def rows(folder: Path) -> list[dict[str, Any]]:
    """A row for each job that has ended, in the order of the swept values."""
    found = [mark for path in sorted(folder.iterdir()) if path.is_dir() and (mark := cells.marked(path))]
    order = lambda value: (isinstance(value, str), value)
    return [m["row"] for m in sorted(found, key=lambda m: [order(m["row"].get(k)) for k in m["swept"]])]


def swept(folder: Path) -> list[str]:
    """The keys of the sweep."""
    marks = (cells.marked(path) for path in sorted(folder.iterdir()) if path.is_dir())
    return list(dict.fromkeys(key for mark in marks if mark for key in mark["swept"]))


def columns(found: Sequence[dict[str, Any]]) -> list[str]:
    """Every column of the rows, in the order of their first appearance."""
    return list(dict.fromkeys(key for row in found for key in row))


def write(folder: Path, found: Sequence[dict[str, Any]]) -> None:
    """results.csv and results.parquet, empty where a job has no such value."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns(found), lineterminator="\n")
    table.writeheader()
    table.writerows(found)
    write_text(folder / "results.csv", text.getvalue())
    parquet.write(folder / "results.parquet", columns(found), found)
