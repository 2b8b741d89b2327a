"""The table of a sweep: a row for each job in its folder."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell.io import marks
from nst_jax.shell.io.atomic import write_text


def rows(folder: Path) -> list[dict[str, Any]]:
    """A row for each job that has ended, in the order of the swept values."""
    found = [mark for path in sorted(folder.iterdir()) if path.is_dir() and (mark := marks.read(path))]
    order = lambda value: (isinstance(value, str), value)
    return [m["row"] for m in sorted(found, key=lambda m: [order(m["row"].get(k)) for k in m["swept"]])]


def swept_keys(folder: Path) -> list[str]:
    """The keys of the sweep."""
    found = (marks.read(path) for path in sorted(folder.iterdir()) if path.is_dir())
    return list(dict.fromkeys(key for mark in found if mark for key in mark["swept"]))


def columns(found: Sequence[dict[str, Any]]) -> list[str]:
    """Every column of the rows, in the order of their first appearance."""
    return list(dict.fromkeys(key for row in found for key in row))


def write(folder: Path, found: Sequence[dict[str, Any]]) -> None:
    """Write results.csv. A field is empty where a job has no such value."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns(found), lineterminator="\n")
    table.writeheader()
    table.writerows(found)
    write_text(folder / "results.csv", text.getvalue())
