"""The pictures of the page: those that come with the package, those that were dropped on it, and painted masks."""

import io
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst_jax import pictures as bundled
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import pictures
from nst_jax.shell.io.atomic import draft
from nst_jax.shell.places import PICTURES

FOLDER = "pictures"  # within that of the runs
LARGEST = 64 << 20  # bytes of a picture
LARGEST_MASK = 16 << 20
MAX_PIXELS = 100_000_000  # as max_pixels of conf/config.yaml: a larger picture is refused by the run, too
SHOWN = 1024  # pixels of the longer side, on the page
MASK = "_keep"  # the end of a mask's name
LONGEST = 80  # letters of a name


class Shelf:
    """Pictures by their names on the page: `bundled/brush`, `own/beach.jpg`."""

    def __init__(self, folder: Path) -> None:
        """folder: of the runs."""
        self.folder = folder / FOLDER
        self.lock = threading.Lock()  # Pillow's warnings are collected for one picture at a time
        self.shown: dict[tuple[Path, int], bytes] = {}

    def names(self) -> dict[str, list[str]]:
        """The names on the page: photographs, paintings, and what was dropped on it, the newest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        own = [p for p in found if p.suffix.lower() in PICTURES and not p.stem.endswith(MASK) and p.name[0] != "."]
        own.sort(key=lambda path: -path.stat().st_mtime)
        return {
            "photos": [f"bundled/{name}" for name in bundled.CONTENTS],
            "paintings": [f"bundled/{name}" for name in bundled.STYLES],
            "own": [f"own/{path.name}" for path in own],
        }

    def find(self, name: str) -> Path:
        """The file of a picture. Raises UserError for a name that the page does not have."""
        kind, _, rest = name.partition("/")
        if kind == "bundled" and rest in bundled.NAMES:
            return bundled.path(rest)
        path = (self.folder / rest).absolute()
        if kind == "own" and is_plain(rest) and path.is_file():
            return path
        raise UserError(f"there is no picture {name} here: choose it again")

    def add(self, name: str, data: bytes) -> dict[str, Any]:
        """Keep a picture that was dropped on the page, if it is one.

        Args:
          name: of its file; the name here is like it.
          data: the file's bytes.

        Returns:
          Its name on the page, its width and height in pixels, and what was converted.

        Raises:
          UserError: no picture, a damaged one, too small or too large.
        """
        return self._keep(with_suffix(clean(name)), data)

    def add_mask(self, photo: str, data: bytes) -> dict[str, Any]:
        """Keep a painted mask: white where the photograph stays. photo: the name of its photograph."""
        kept = self._keep(f"{clean(self.find(photo).stem)[: LONGEST - 10]}{MASK}.png", data)
        picture = pictures.read(self.find(kept["name"]), log=lambda note: None)
        if float(np.max(picture.image)) < 0.5:
            raise UserError("nothing is painted in the mask")
        return kept

    def show(self, path: Path, *, side: int = SHOWN) -> bytes:
        """A picture as the page shows it, WebP, upright and in sRGB. side: pixels of the longer side, at most."""
        key = path, side
        if key not in self.shown:
            with self.lock:
                picture = pictures.read(path, log=lambda note: None)
            self.shown[key] = shrink(picture.image, side=side)
        return self.shown[key]

    def _keep(self, name: str, data: bytes) -> dict[str, Any]:
        """Write the file under a free name; that of the same bytes where they are here already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock:
            path = free(self.folder / name, data)
            if not path.exists():
                with draft(path) as part:
                    part.write_bytes(data)
            try:
                picture = pictures.read(path, max_pixels=MAX_PIXELS, log=lambda note: None)
            except UserError as error:
                path.unlink(missing_ok=True)
                raise UserError(str(error).replace(str(path), path.name)) from None
        self.shown[path, SHOWN] = shrink(picture.image, side=SHOWN)
        height, width, _ = picture.image.shape
        return {"name": f"own/{path.name}", "width": width, "height": height, "notes": list(picture.notes)}


def is_plain(name: str) -> bool:
    """Whether it is the name of a picture, and no path."""
    return not re.search(r"[/\\\0]", name) and Path(name).suffix.lower() in PICTURES and not name.startswith(".")


def clean(name: str) -> str:
    """A file's name without what a path or a shell could take for something else."""
    last = re.split(r"[/\\]", name)[-1]
    stem, dot, suffix = last.rpartition(".")
    kept = re.sub(r"[^\w.-]+", "_", stem if dot else last).strip("._-") or "picture"
    kind = re.sub(r"[^A-Za-z0-9]", "", suffix) if dot else ""
    return kept[:LONGEST] + (f".{kind}" if kind else "")


def with_suffix(name: str) -> str:
    """The name with a suffix that is a picture's. The file's content tells its format, not the suffix."""
    return name if Path(name).suffix.lower() in PICTURES else f"{Path(name).stem}.png"


def free(path: Path, data: bytes) -> Path:
    """The path, or one with a number behind it: the first that is free, or that has these bytes."""
    number, tried = 1, path
    while tried.exists() and tried.read_bytes() != data:
        number += 1
        tried = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return tried


def shrink(image: np.ndarray, *, side: int) -> bytes:
    """A small WebP of an image (height, width, 3) in [0, 1]."""
    small = Image.fromarray(np.round(255 * np.clip(image, 0, 1)).astype(np.uint8))
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, format="WEBP", quality=86)
    return file.getvalue()
