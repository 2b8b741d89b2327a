"""Pictures in: any common file becomes sRGB in [0, 1], and says what was done to it on the way."""

import contextlib
import difflib
import logging
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageColor

from nst_jax.shell import pixels
from nst_jax.shell.errors import UserError

_LOG = logging.getLogger(__name__)

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")  # no EPS or PDF: those start other programs
MIN_SIDE = 16  # pixels; below, VGG's fourth pooling has nothing left to pool
MAX_PIXELS = 100_000_000  # 1.2 GB as float32

# what Pillow's decoders raise on damaged files, by the experience of its bug tracker
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, struct.error, zlib.error)


class Picture(NamedTuple):
    """A picture as it was read."""

    image: np.ndarray  # (height, width, 3) float32 sRGB in [0, 1], laid over the background
    alpha: np.ndarray | None  # (height, width) float32 in [0, 1]; None where all is opaque
    notes: tuple[str, ...]  # each conversion, in plain words


def read(
    path: str | Path,
    *,
    background: str = "white",
    max_pixels: int = MAX_PIXELS,
    log: Callable[[str], object] = _LOG.warning,
) -> Picture:
    """The picture in a PNG, JPEG, WebP, TIFF, BMP or GIF file, upright and in sRGB.

    `background` is the colour (name or #rrggbb) that shows through transparent places; `max_pixels` is
    checked against the header, before anything is decoded. Every conversion goes to `log`, and into the
    notes. Raises UserError for a file that is missing, no picture, damaged, too small or too large.
    """
    path = Path(path).expanduser()
    colour = _colour(background)
    with _opened(path) as stream, _warnings_told() as told:
        image, alpha, notes = _decoded(path, stream, max_pixels=max_pixels)
    if alpha is not None:
        image = pixels.over(image, alpha, colour)
        notes = (*notes, f"transparency laid over {background}")
    notes += tuple(f"Pillow warns: {warning}" for warning in told)
    for note in notes:
        log(f"{path.name}: {note}")
    return Picture(image, alpha, notes)


def _colour(background: str) -> tuple[int, ...]:
    try:
        return ImageColor.getrgb(background)
    except ValueError as error:
        raise UserError(f"no colour {background!r}: give a name like white, or #rrggbb") from error


def _opened(path: Path) -> BinaryIO:
    if path.is_dir():
        raise UserError(f"{path} is a folder: give one picture in it")
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise UserError(f"no file {path}{_nearest(path)}") from error
    except OSError as error:
        raise UserError(f"cannot open {path}: {error.strerror}; check its permissions") from error


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return f": there is no folder {path.parent}"
    names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f": did you mean {path.with_name(close[0])}?" if close else ": check the path"


@contextlib.contextmanager
def _warnings_told() -> Iterator[list[str]]:
    """Collect Pillow's warnings as text, and lift its pixel limit: ours is checked instead."""
    limit, told = Image.MAX_IMAGE_PIXELS, []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield told
        finally:
            Image.MAX_IMAGE_PIXELS = limit
            texts = (str(warning.message).strip() for warning in caught)
            told.extend(dict.fromkeys(texts))


def _decoded(path: Path, stream: BinaryIO, *, max_pixels: int) -> pixels.Unpacked:
    try:
        picture = Image.open(stream, formats=FORMATS)
    except _DAMAGE as error:
        raise UserError(_no_picture(path)) from error
    _check_size(path, *picture.size, max_pixels=max_pixels)
    try:
        lost = pixels.losses(picture)
        picture.load()
    except _DAMAGE as error:
        raise UserError(f"{path} is damaged or cut short ({error}): fetch or export it again") from error
    unpacked = pixels.unpack(picture)
    return unpacked._replace(notes=lost + unpacked.notes)


def _check_size(path: Path, width: int, height: int, *, max_pixels: int) -> None:
    if min(width, height) < MIN_SIDE:
        raise UserError(
            f"{path} is too small: {width} x {height} pixels; each side needs at least {MIN_SIDE}: "
            "take a larger picture"
        )
    if width * height > max_pixels:
        raise UserError(
            f"{path} is too large: {width:,} x {height:,} pixels, the limit is {max_pixels:,} in all: "
            "shrink it first, or raise max_pixels"
        )


def _no_picture(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(64)
    if not head:
        return f"{path} is empty (0 bytes): fetch or export it again"
    kinds = "PNG, JPEG, WebP, TIFF, BMP or GIF"
    if head.isascii() and all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        start = head.decode("ascii").split("\n")[0][:30].strip()
        return f"{path} holds text (it begins with {start!r}), no picture: give a {kinds} file"
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return f"{path} is an HEIC photo: save it as JPEG or PNG first"
    return f"{path} is no picture we can read: give a whole {kinds} file"
