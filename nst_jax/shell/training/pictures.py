"""The pictures that a training sees: every picture of some folders, at several sizes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.pictures import read
from nst_jax.shell.places import PICTURES

SMALLER = 1.6  # each copy of a picture has so many times fewer pixels on a side
ALIKE = 6.0  # mean difference, of 255, of two thumbnails of one picture
FLAT = 8.0  # standard deviation, of 255, of a thumbnail that shows nothing


class Pictures(NamedTuple):
    """Pictures as bytes (height, width, 3), each at several sizes."""

    train: list[np.ndarray]
    held: dict[str, list[np.ndarray]]  # by folder, the largest copy of each picture that is not trained on
    different: int  # pictures, each at all its sizes


def load(folders: Sequence[str], *, side: int, largest: int, held_out: float, log: Callable[[str], object]) -> Pictures:
    """Read the pictures of some folders. One that cannot be read is left out, with a line in the log.

    Pictures with a side shorter than `side` are left out, and so are copies: one wallpaper in ten sizes is one picture.

    Raises:
      UserError: a folder is missing, or holds too few pictures.
    """
    train, thumbnails, held = [], [], defaultdict(list)
    every = round(1 / held_out) if held_out else 0
    for folder, path in find(folders):
        picture = open_picture(path, largest=largest, log=log)
        if picture is None or min(picture.size) < side:
            continue
        small = np.asarray(picture.resize((12, 8))).astype(float)
        if small.std((0, 1)).max() < FLAT or any(np.abs(small - other).mean() < ALIKE for other in thumbnails):
            continue
        thumbnails.append(small)
        copies = list(sizes(picture, side=side))
        if every and len(thumbnails) % every == 0:
            held[folder].append(copies[0])
        else:
            train += copies
    if not train or (every and not held):
        raise UserError(
            f"data={','.join(folders)}: {len(thumbnails)} pictures of {side} pixels and more; give more of them"
        )
    return Pictures(train, dict(held), len(thumbnails))


def find(folders: Sequence[str], key: str = "data") -> Iterator[tuple[str, Path]]:
    """The pictures' paths, in order, each with the name of its folder. Raises UserError if it is no folder.

    key: the setting that names them.
    """
    for folder in folders:
        place = Path(folder).expanduser()
        if not place.is_dir():
            raise UserError(f"{key}={folder}: there is no such folder")
        for path in sorted(p for p in place.rglob("*") if p.suffix.lower() in PICTURES and p.is_file()):
            yield place.resolve().name, path


def open_picture(path: Path, *, largest: int, log: Callable[[str], object]) -> Image.Image | None:
    """The picture in RGB, no side longer than `largest`; None for one that cannot be read."""
    try:
        image = read(path, log=lambda note: None).image
    except UserError as error:
        log(f"left out: {error}")
        return None
    picture = Image.fromarray(np.round(255 * image).astype(np.uint8))
    factor = min(1.0, largest / max(picture.size))
    return scale(picture, factor)


def sizes(picture: Image.Image, *, side: int) -> Iterable[np.ndarray]:
    """The picture at its own size and ever smaller, as long as both sides are `side` or more."""
    factor = 1.0
    while min(picture.size) * factor >= side:
        yield np.asarray(scale(picture, factor))
        factor /= SMALLER


def scale(picture: Image.Image, factor: float) -> Image.Image:
    """The picture with its sides times `factor`."""
    size = [max(1, round(s * factor)) for s in picture.size]
    return picture if factor == 1 else picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
