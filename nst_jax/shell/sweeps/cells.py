"""The jobs of a sweep. Each has a folder that is named by its computation, and a mark that is written last."""

import hashlib
import json
import logging
import shlex
import shutil
import stat
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import marks
from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.io.marks import DONE, FAILED
from nst_jax.shell.running import folder as folders
from nst_jax.shell.running.prepare import uses_seed
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.regions import FILES, regions_of
from nst_jax.shell.settings.schema import Config

LOG = logging.getLogger("nst_jax")
Row = dict[str, Any]


class Cell(NamedTuple):
    """One job of a sweep."""

    config: Config
    words: tuple[str, ...]  # the line that runs it alone, without `nst`
    swept: dict[str, Any]  # the keys of the sweep, and this job's values
    folder: Path

    def line(self) -> str:
        """The swept keys and their values, for a person."""
        return " ".join(f"{k}={v}" for k, v in self.swept.items())


def name(config: Config) -> str:
    """A hash of all that the result depends on: the settings, and the bytes of the files that they name.

    The hash covers the seed only if the run uses it.
    """
    plain = settings.plain(config)
    for key in ("sweep", "look", "model", "alpha", "origin"):  # a look is what it sets; no job of a sweep has a model
        plain.pop(key)
    for key in ("folder", "checkpoint", "to"):
        plain["output"].pop(key)
    for key in ("mesh", "distributed"):  # it is the same job on other devices
        plain["device"].pop(key)
    for key in ("content_count", "style_count"):  # the layers that they pick are there by name
        plain["layers"].pop(key)
    if not uses_seed(config):
        plain["seed"] = 0
    paths = (config.content, *settings.styles_of(config), config.canvas.get("path"), config.weights.path)
    paths += tuple(models_at_start(config))
    paths += tuple(getattr(region, key) for region in regions_of(config).values() for key in FILES)
    paths += (config.strokes.style,)
    plain["strokes"] = plain["strokes"] | {"style": None} if config.strokes.style else None
    held = [fingerprint(path, *stamp(path)) for path in paths]
    # the hash covers a picture's bytes, not its path
    plain |= {"content": None, "style": None, "texture": bool(config.texture)}
    return hashlib.sha256(json.dumps([plain, held], sort_keys=True).encode()).hexdigest()[:12]


def models_at_start(config: Config) -> list[str]:
    """The files of the network that paints the first image."""
    if config.canvas.get("start") != "instant":
        return []
    from nst_jax.shell.running.trained import paths_of

    return [str(path) for path in paths_of(config.canvas["model"])]


def stamp(path: str | None) -> tuple[int, int]:
    """Size and time of a file, or zeros if there is no such file."""
    try:
        known = Path(path or "").expanduser().stat()
    except (OSError, ValueError, RuntimeError):  # what is wrong with it, its reader says
        return 0, 0
    return (known.st_size, known.st_mtime_ns) if stat.S_ISREG(known.st_mode) else (0, 0)


@cache
def fingerprint(path: str | None, size: int, changed: int) -> str:
    """The hash of a file's bytes; its name where there is no such file."""
    file = Path(path or "").expanduser()
    return hashlib.sha256(file.read_bytes()).hexdigest() if size or changed else str(path)


def sweep_folder(config: Config, words: Sequence[str], swept: Sequence[str]) -> Path:
    """The sweep's own folder, named by its line without the values of the keys that it sweeps.

    The same line comes back to it, and so does a line with more values; another line has another folder.
    """
    if config.sweep.folder:
        return Path(config.sweep.folder).expanduser()
    fixed = sorted(w for w in words if key_of(w) not in swept and not concerns_sweep(w))
    line = json.dumps([fixed, sorted(swept)])
    pictures = [("content", config.content), *(("style", path) for path in settings.styles_of(config))]
    names = [settings.folder_name(path) for key, path in pictures if path and key not in swept]
    keys = ["by_" + "_".join(sorted(swept)).replace("/", "-")[:60]] if swept else []
    folder = "_".join([*names, *keys, hashlib.sha256(line.encode()).hexdigest()[:8]])
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


def concerns_sweep(word: str) -> bool:
    """Whether an override says how the sweep is run, and not what a job computes."""
    return key_of(word).startswith(("sweep.", "hydra"))


def own_words(words: Sequence[str]) -> tuple[str, ...]:
    """The overrides that say what a job computes, as they are typed."""
    return tuple(w.removeprefix("+") if key_of(w) == settings.FROM else w for w in words if not concerns_sweep(w))


def make_folder(cell: Cell) -> None:
    """Make the job's folder, with its settings in it."""
    cell.folder.mkdir(parents=True, exist_ok=True)
    write_text(cell.folder / "config.yaml", settings.yaml(cell.config))
    write_text(cell.folder / "command.txt", shlex.join(["nst", *cell.words]) + "\n")


def clear(cell: Cell, *, entirely: bool) -> None:
    """Remove what an earlier attempt left; only its mark, if the job failed by no fault of its own."""
    found = marks.read(cell.folder)
    if not entirely and found and found["row"]["status"] == FAILED and not found.get("own", True):
        (cell.folder / marks.MARK).unlink()
    elif cell.folder.exists():
        shutil.rmtree(cell.folder)


def mark(cell: Cell, status: str, *, own: bool = True, **numbers: Any) -> Row:
    """Mark the job as ended; returns its row of the table."""
    row = {**cell.swept, "status": status, **numbers, "path": cell.folder.name}
    marks.write(cell.folder, {"row": row, "swept": list(cell.swept), "words": list(cell.words), "own": own})
    return row


def warn(cell: Cell, text: str) -> None:
    """Say on the screen what is odd about a job that goes on, or that is done."""
    LOG.warning("%s: %s\n     %s", cell.line(), text, cell.folder)


SAID: set[str] = set()  # the reasons that this process has said: each once, whatever the number of jobs


def mark_done(cell: Cell, numbers: Row) -> Row:
    """Mark the job as done."""
    return mark(cell, DONE, **numbers)


def mark_failed(
    cell: Cell, error: BaseException | str, *, numbers: Row | None = None, where: str = "", own: bool = True
) -> Row:
    """Report a failure at once, in the job's own log and, the first with this reason, on the screen. Mark it.

    Args:
      cell: the job.
      error: what happened; an exception's traceback goes to the log.
      numbers: of the row.
      where: in which phase, for the screen.
      own: whether the job itself failed. Without that it goes on from its checkpoint when it is run again.
    """
    if isinstance(error, BaseException):
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        log = "".join(traceback.format_exception(error)).rstrip()
    else:
        text = log = error
    make_folder(cell)
    folders.say(cell.folder, log)
    reason = text if isinstance(error, UserError) else text.splitlines()[0]  # ours say what to do; others are long
    text = text.splitlines()[0][:500]
    if reason not in SAID:
        LOG.error("failed: %s%s: %s\n     %s", cell.line(), where, reason, cell.folder)
        SAID.add(reason)
    return mark(cell, FAILED, own=own, **(numbers or {}), error=text)


def status(cell: Cell) -> str:
    """done, failed, damaged or missing."""
    return marks.status(cell.folder)
