"""The mark of a sweep's job: written last, it says that the job has ended, what came of it, and which files it left."""

import json
from pathlib import Path
from typing import Any

from nst_jax.shell.io.atomic import PART, write_text

DONE, FAILED, MISSING, DAMAGED = "done", "failed", "missing", "damaged"
MARK = "mark.json"
GROWING = (MARK, "nst.log", ".lock")  # files whose size says nothing


def read(folder: Path) -> dict[str, Any] | None:
    """The mark in a job's folder: `row`, `swept`, `words` and `files`. A missing or damaged mark gives None."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    known = isinstance(mark, dict) and isinstance(mark.get("row"), dict) and isinstance(mark.get("swept"), list)
    return {"words": [], "files": {}, **mark} if known and isinstance(mark["row"].get("status"), str) else None


def exists(folder: Path) -> bool:
    """Whether the folder has a mark, damaged or not."""
    return (folder / MARK).is_file()


def status(folder: Path) -> str:
    """done, failed, missing, or damaged: the mark cannot be read, or a file of a job that is done is not as it was."""
    found = row(folder)
    return MISSING if found is None else found["status"]


def row(folder: Path) -> dict[str, Any] | None:
    """The row of the table of a job that has ended; one that says `damaged` where that is so. None if it has not."""
    mark = read(folder)
    if mark is None:
        return {"status": DAMAGED, "path": folder.name} if exists(folder) else None
    lost = mark["row"]["status"] == DONE and not is_whole(folder, mark)
    return {**mark["row"], **({"status": DAMAGED} if lost else {}), "path": folder.name}


def is_whole(folder: Path, mark: dict[str, Any]) -> bool:
    """Whether each file that the mark names is there with its size."""
    try:
        return all((folder / name).stat().st_size == size for name, size in mark["files"].items())
    except OSError:
        return False


def write(folder: Path, mark: dict[str, Any]) -> None:
    """Write the mark. It notes the size of each file of the folder."""
    files = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in GROWING and not path.name.endswith(PART)
    }
    write_text(folder / MARK, json.dumps({**mark, "files": files}, indent=1))
