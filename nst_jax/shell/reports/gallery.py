"""nst-gallery FOLDER: a sweep as one static page, index.html, that needs neither a server nor a network."""

import csv
import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from omegaconf.errors import OmegaConfBaseException
from PIL import Image
from yaml import YAMLError

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import marks
from nst_jax.shell.io.atomic import draft, write_text
from nst_jax.shell.reports import labels, sheet, table
from nst_jax.shell.settings.config import plain_yaml

THUMBNAIL = 256  # pixels of the longer side
POINTS = 60  # of a curve on the page
BESIDE = ("step", "grad_norm", "evaluations")  # of curve.csv, what is no part of the total
SEARCH = "search.json"  # what a search looks for


def build(folder: Path) -> Path:
    """Write the page, and the table and the sheet beside it; returns the page's path."""
    rows = table.rows(folder) if folder.is_dir() else []
    if not rows:
        raise UserError(f"{folder}: no sweep is here, or none of its jobs has ended")
    table.write(folder, rows)
    given = {row["path"]: settings(folder / row["path"]) for row in rows}
    keys = table.swept_keys(folder)
    pictures = {row["path"]: p for row in rows if (p := picture(folder, row, given[row["path"]]))}
    said = words(rows, keys, given)
    sheet.draw(folder, rows, keys, pictures, lambda key, value: said["labels"][key].get(str(value), str(value)))
    (folder / "thumbs").mkdir(exist_ok=True)
    cells = [cell(folder, row, pictures.get(row["path"]), given[row["path"]]) for row in rows]
    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    told = {"title": folder.resolve().name, "keys": keys, "cells": cells, **said}
    told["search"] = objectives(folder)
    data = json.dumps(told, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    title = html.escape(told["title"])
    return write_text(folder / "index.html", page.replace("/*DATA*/", data).replace("<!--TITLE-->", title))


def words(rows: Sequence[dict[str, Any]], keys: Sequence[str], given: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The swept keys and their values in words: {"names": by key, "labels": by key and value}.

    given: the settings of each job, by its path in the folder.
    """
    firsts = {key: {row.get(key): given[row["path"]] for row in reversed(rows)} for key in keys}
    said = {key: labels.values(key, configs) for key, configs in firsts.items()}
    found = {key: {str(value): text for value, text in texts.items()} for key, texts in said.items()}
    return {"names": {key: labels.name(key) for key in keys}, "labels": found}


def objectives(folder: Path) -> dict[str, Any] | None:
    """The objectives of a search in this folder, or None."""
    try:
        told = json.loads((folder / SEARCH).read_text(encoding="utf-8"))
        return {"objectives": [str(o) for o in told["objectives"]], "directions": [str(d) for d in told["directions"]]}
    except (OSError, ValueError, LookupError, TypeError):
        return None


def picture(folder: Path, row: dict[str, Any], config: dict[str, Any]) -> Path | None:
    """The picture of the job with these settings, if it has one."""
    found = config.get("output", {}).get("file")
    path = folder / row["path"] / str(found)
    # the mark has the size of the picture of a job that is done; that of another is decoded to see whether it is whole
    return path if found and path.is_file() and (row["status"] == marks.DONE or is_picture(path)) else None


def settings(job: Path) -> dict[str, Any]:
    """The settings of a job; none where the file is missing or damaged."""
    try:
        return plain_yaml(job / "config.yaml")
    except (OSError, ValueError, TypeError, YAMLError, OmegaConfBaseException):
        return {}


def is_picture(path: Path) -> bool:
    """Whether Pillow can read the whole picture."""
    try:
        with Image.open(path) as image:
            image.load()
        return True
    except (OSError, ValueError, SyntaxError):
        return False


def address(*parts: str) -> str:
    """A path within the folder as the page names it: # and ? and % have a meaning there."""
    return "/".join(quote(part) for part in parts)


def cell(folder: Path, row: dict[str, Any], result: Path | None, config: dict[str, Any]) -> dict[str, Any]:
    """One job on the page: its row, its picture and its settings."""
    mark = marks.read(folder / row["path"]) or {"words": []}  # a damaged one
    told = {
        "row": finite(row),
        "words": shorten(mark["words"], folder / row["path"], result),
        "curve": curve(folder / row["path"]),
    }
    if result is None:
        return told
    thumb = thumbnail(folder, result, row["path"])
    return told | {"image": address(row["path"], result.name), **thumb, "before": before(folder, config.get("content"))}


def shorten(words: Sequence[str], job: Path, result: Path | None) -> list[str]:
    """The line of a job: its words, or the one that takes its settings from its result, where that is shorter."""
    again = [f"from={job.as_posix()}"]
    has_record = result is not None and result.with_suffix(".json").is_file()
    return again if has_record and len(again[0]) < len(" ".join(words)) else list(words)


def finite(row: dict[str, Any]) -> dict[str, Any]:
    """The row without numbers that JSON does not know."""
    return {k: v if not isinstance(v, float) or abs(v) < float("inf") else str(v) for k, v in row.items()}


def thumbnail(folder: Path, source: Path, name: str) -> dict[str, Any]:
    """A small copy of a picture, made again where the picture is newer."""
    path = folder / "thumbs" / f"{name}.webp"
    if not path.exists() or path.stat().st_mtime < source.stat().st_mtime:
        with Image.open(source) as image, draft(path) as part:
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            small.save(part, format="WEBP", quality=80)
    with Image.open(source) as image:
        return {"thumb": address("thumbs", f"{name}.webp"), "size": list(image.size)}


def before(folder: Path, content: Any) -> str | None:
    """The content picture at this path, copied beside the page, once for all jobs that have it."""
    source = Path(str(content))
    try:
        if content is None or not source.expanduser().is_file():
            return None
        source = source.expanduser()
        path = folder / "thumbs" / f"content_{fingerprint(source, source.stat().st_mtime_ns)}.webp"
        if not path.exists():
            with Image.open(source) as image, draft(path) as part:
                small = image.convert("RGB")
                small.thumbnail((1024, 1024))
                small.save(part, format="WEBP", quality=85)
    except (OSError, ValueError, SyntaxError, RuntimeError):  # RuntimeError: ~ of nobody
        return None
    return address("thumbs", path.name)


@cache
def fingerprint(path: Path, changed: int) -> str:
    """A hash of a file's bytes: two pictures may share name and size."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def curve(job: Path) -> dict[str, list[tuple[int, float]]]:
    """[step, value] of the total and of each of its parts, thinned out: of every iteration, or of the snapshots."""
    try:
        with (job / "curve.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        rows = []
    rows = rows or list(records(job / "metrics.jsonl"))
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows[:: max(1, len(rows) // POINTS)]:
        for name, value in row.items():
            try:
                number = float(value)
                if name not in BESIDE and abs(number) < float("inf"):
                    found.setdefault(name, []).append((int(row["step"]), float(f"{number:.4g}")))
            except (ValueError, TypeError, LookupError):
                continue  # a damaged line
    return found


def records(metrics: Path) -> Iterable[dict[str, Any]]:
    """The total and its parts at each snapshot."""
    if not metrics.exists():
        return
    for line in metrics.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
            yield {"step": record["step"], "total": record["total"], **record.get("weighted", {})}
        except (ValueError, LookupError, TypeError):
            continue  # a damaged line
