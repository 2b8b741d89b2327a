"""The runs and the sweeps that are in the folder already."""

import io
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import pictures
from nst_jax.shell.places import PICTURES
from nst_jax.shell.reports import gallery

SWEEPS = "sweeps"  # the folder of the sweeps, within that of the runs
MOST = 48  # runs on the page
CHECKPOINT, LATEST, COMMAND = "checkpoint.npz", "latest.png", "command.txt"
SMALL = 360  # pixels of the longer side
SHOWN = (*PICTURES, ".html", ".json", ".csv", ".yaml", ".txt", ".log", ".jsonl", ".mp4")  # files that may be looked at


def runs(root: Path) -> list[dict[str, Any]]:
    """The newest runs, the last one first. The keys of each are path, picture, title, when, command and unfinished."""
    folders = [path.parent for path in root.glob("*/*/config.yaml") if path.parent.parent.name != SWEEPS]
    folders = [folder for folder in folders if not folder.parent.is_symlink()]  # latest
    folders.sort(key=lambda folder: (folder / "config.yaml").stat().st_mtime, reverse=True)
    found = (describe(root, folder) for folder in folders)
    return [run for run, _ in zip((run for run in found if run), range(MOST), strict=False)]


def describe(root: Path, folder: Path) -> dict[str, Any] | None:
    """The entry of a run on the page. A run without a picture gives None."""
    config = gallery.settings(folder)
    result = folder / str(config.get("output", {}).get("file"))
    shown = next((path for path in (result, folder / LATEST) if path.is_file()), None)
    if shown is None:
        return None
    command = folder / COMMAND
    return {
        "path": folder.relative_to(root).as_posix(),
        "picture": shown.relative_to(root).as_posix(),
        "title": " in the style of ".join(title for title in titles(config) if title),
        "when": time.strftime("%d %b %Y, %H:%M", time.localtime(shown.stat().st_mtime)),
        "command": command.read_text(encoding="utf-8", errors="replace").strip() if command.is_file() else "",
        "unfinished": (folder / CHECKPOINT).is_file(),
    }


def titles(config: dict[str, Any]) -> Iterable[str]:
    """The names of the photograph and of the paintings."""
    styles = config.get("style")
    named = styles if isinstance(styles, list) else [styles]
    yield Path(str(config["content"])).stem if config.get("content") else ""
    yield " and ".join(Path(str(style)).stem for style in named if style)


def sweeps(root: Path) -> list[dict[str, Any]]:
    """The sweeps, the newest first: {"path", "title", "many"}."""
    folder = root / SWEEPS
    found = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    counted = ((path, len(list(path.glob("*/mark.json")))) for path in found)
    return [{"path": p.relative_to(root).as_posix(), "title": p.name, "many": many} for p, many in counted if many]


def photo_of(root: Path, run: str) -> Path:
    """The photograph of a run. Raises UserError where it is no longer there."""
    content = gallery.settings(find(root, run)).get("content")
    path = Path(str(content)).expanduser()
    if content is None or not path.is_file():
        raise UserError(f"{run}: its photograph is no longer where it was")
    return path


def find(root: Path, name: str) -> Path:
    """A file or folder within the folder of the runs. Raises UserError for anything else."""
    path = (root / name.replace("\0", "")).resolve()
    if not path.is_relative_to(root.resolve()) or not path.exists():
        raise UserError(f"there is no {name} among the runs")
    if path.is_file() and path.suffix.lower() not in SHOWN:
        raise UserError(f"{name} is no file to look at")
    return path


def page(root: Path, sweep: str) -> Path:
    """Build the page of a sweep again, and return its path. Raises UserError if there is no such sweep."""
    return gallery.build(find(root, sweep))


def thumbnail(path: Path) -> bytes:
    """A small copy of a picture, WebP. Raises UserError for a damaged picture or another kind of file."""
    try:
        with Image.open(path, formats=pictures.FORMATS) as image:
            small = image.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{path.name} is no whole picture ({error})") from None
    small.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, format="WEBP", quality=80)
    return file.getvalue()
