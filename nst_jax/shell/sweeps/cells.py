"""The jobs of a sweep: each has a folder named by what it computes, and a mark written last."""

import hashlib
import json
import shlex
import shutil
import time
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from nst_jax.shell import config as settings
from nst_jax.shell.saving import write_text
from nst_jax.shell.schema import Config

DONE, FAILED = "done", "failed"
MARK = "mark.json"  # written last: what it says is there is there


class Cell(NamedTuple):
    """One job of a sweep."""

    config: Config
    words: tuple[str, ...]  # the line that runs it alone, without `nst`
    swept: dict[str, Any]  # the keys of the sweep, and this job's values
    folder: Path


def named(config: Config) -> str:
    """A hash of all that the result depends on: the settings, and what the files hold that they name."""
    plain = settings.plain(config)
    plain.pop("sweep")
    plain["output"].pop("folder")
    paths = (config.content, config.style, config.canvas.get("path"), config.weights.path)
    held = [fingerprint(path, *stamp(path)) for path in paths]
    plain |= {"content": None, "style": None}  # a picture is what it shows, wherever it lies
    return hashlib.sha256(json.dumps([plain, held], sort_keys=True).encode()).hexdigest()[:12]


def stamp(path: str | None) -> tuple[int, int]:
    """Size and time of a file; zeros where there is none."""
    if path is None or not Path(path).expanduser().is_file():
        return 0, 0
    known = Path(path).expanduser().stat()
    return known.st_size, known.st_mtime_ns


@cache
def fingerprint(path: str | None, size: int, changed: int) -> str:
    """The hash of a file's bytes; its name where there is no such file."""
    file = Path(path or "").expanduser()
    return hashlib.sha256(file.read_bytes()).hexdigest() if size or changed else str(path)


def folder_of(config: Config, words: Sequence[str], swept: Sequence[str]) -> Path:
    """The sweep's own folder, by its line without the values of the keys that it sweeps.

    The same line comes back to it, and so does a line with more values; another line has another folder.
    """
    if config.sweep.folder:
        return Path(config.sweep.folder).expanduser()
    fixed = sorted(w for w in words if key_of(w) not in swept and not key_of(w).startswith(("sweep.", "hydra")))
    line = json.dumps([fixed, sorted(swept)])
    pictures = [settings.folder_name(p) for p in (config.content, config.style) if p]
    keys = "_by_" + "_".join(sorted(swept)).replace("/", "-")[:60] if swept else ""
    folder = f"{'_'.join(pictures)}{keys}_{hashlib.sha256(line.encode()).hexdigest()[:8]}"
    return Path(config.output.folder).expanduser() / "sweeps" / folder


def key_of(word: str) -> str:
    """The key of an override."""
    return word.partition("=")[0].lstrip("+~")


def value_of(word: str) -> Any:
    """The value of an override, as a number where it is one."""
    text = word.partition("=")[2]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def opened(cell: Cell) -> None:
    """Make the job's folder, with its settings in it."""
    cell.folder.mkdir(parents=True, exist_ok=True)
    write_text(cell.folder / "config.yaml", settings.yaml(cell.config))
    write_text(cell.folder / "command.txt", shlex.join(["nst", *cell.words]) + "\n")


def cleared(cell: Cell) -> None:
    """Forget an earlier attempt."""
    if cell.folder.exists():
        shutil.rmtree(cell.folder)


def mark(cell: Cell, status: str, **row: Any) -> dict[str, Any]:
    """Write that the job has ended, and what came of it; returns the row of the table."""
    whole = {**cell.swept, "status": status, **row, "path": cell.folder.name}
    told = {"row": whole, "swept": list(cell.swept), "words": list(cell.words)}
    write_text(cell.folder / MARK, json.dumps(told, indent=1))
    return whole


def failed(cell: Cell, error: BaseException, where: str = "") -> dict[str, Any]:
    """Tell of a failure at once, in the job's own log and on the screen."""
    known = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    opened(cell)
    say(cell.folder, "".join(traceback.format_exception(error)).rstrip())
    text = known.splitlines()[0][:500]
    line = " ".join(f"{k}={v}" for k, v in cell.swept.items())
    print(f"nst: failed: {line}{where}: {text}\n     {cell.folder}", flush=True)
    return mark(cell, FAILED, error=text)


def say(folder: Path, text: str) -> None:
    """A line of the job's own log."""
    with (folder / "nst.log").open("a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")


def marked(folder: Path) -> dict[str, Any] | None:
    """What the mark says, None if the job has not ended."""
    try:
        return json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
