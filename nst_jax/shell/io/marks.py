"""The mark of a sweep's job: written last, it says that the job has ended and what came of it."""

import json
from pathlib import Path
from typing import Any

from nst_jax.shell.io.atomic import write_text

DONE, FAILED, MISSING = "done", "failed", "missing"
MARK = "mark.json"


def read(folder: Path) -> dict[str, Any] | None:
    """The mark in a job's folder: `row`, `swept` and `words`; None if the job has not ended."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) else None


def status(folder: Path) -> str:
    """done, failed or missing."""
    mark = read(folder)
    return mark["row"]["status"] if mark else MISSING


def write(folder: Path, mark: dict[str, Any]) -> None:
    """Write the mark."""
    write_text(folder / MARK, json.dumps(mark, indent=1))
