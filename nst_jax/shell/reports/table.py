"""The table of a sweep: a row for each job in its folder."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell.io import marks
from nst_jax.shell.io.atomic import write_text

FORMULA = tuple("=+-@\t\r")  # a cell that begins so is computed by spreadsheets


def rows(folder: Path) -> list[dict[str, Any]]:
    """A row for each job that has ended, in the order of the swept values."""
    keys = swept_keys(folder)
    found = [row for path in sorted(folder.iterdir()) if path.is_dir() and (row := marks.row(path))]
    return sorted(found, key=lambda row: [order(row.get(key)) for key in keys])


def order(value: Any) -> tuple[bool, bool, Any]:
    """A key to sort numbers before texts, and both before what is missing."""
    if isinstance(value, bool | int | float):
        return False, False, value
    return value is None, True, str(value)


def swept_keys(folder: Path) -> list[str]:
    """The keys of the sweep."""
    found = (marks.read(path) for path in sorted(folder.iterdir()) if path.is_dir())
    return list(dict.fromkeys(key for mark in found if mark for key in mark["swept"]))


def columns(found: Sequence[dict[str, Any]]) -> list[str]:
    """Every column of the rows, in the order of their first appearance."""
    return list(dict.fromkeys(key for row in found for key in row))


def as_text(value: Any) -> Any:
    """A value that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


def as_csv(found: Sequence[dict[str, Any]]) -> str:
    """The rows as CSV. A field is empty where a row has no such value."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns(found), lineterminator="\n")
    table.writeheader()
    table.writerows({key: as_text(value) for key, value in row.items()} for row in found)
    return text.getvalue()


def write(folder: Path, found: Sequence[dict[str, Any]]) -> None:
    """Write results.csv."""
    write_text(folder / "results.csv", as_csv(found))
