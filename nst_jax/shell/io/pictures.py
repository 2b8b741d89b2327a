"""Read pictures: any common file becomes sRGB in [0, 1]. Every conversion is logged."""

import contextlib
import hashlib
import logging
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageColor

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import colour
from nst_jax.shell.names import nearest

_LOG = logging.getLogger(__name__)

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")  # no EPS or PDF: those start other programs
MIN_SIDE = 16  # pixels; below, VGG's fourth pooling has no input
MAX_PIXELS = 100_000_000  # 1.2 GB as float32

# what Pillow's decoders raise on damaged files, by the experience of its bug tracker
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, struct.error, zlib.error)


class Picture(NamedTuple):
    """A picture that was read from a file."""

    image: np.ndarray  # (height, width, 3) float32 sRGB in [0, 1], laid over the background
    alpha: np.ndarray | None  # (height, width) float32 in [0, 1]; None where all is opaque
    notes: tuple[str, ...]  # each conversion, in plain words
    sha256: str  # of the file


def read(
    path: str | Path,
    *,
    background: str = "white",
    max_pixels: int = MAX_PIXELS,
    log: Callable[[str], object] = _LOG.warning,
) -> Picture:
    """Read a PNG, JPEG, WebP, TIFF, BMP or GIF file, upright and in sRGB.

    Args:
      path: the file. Its content tells the format, not its suffix.
      background: the colour, a name or #rrggbb, behind transparent pixels.
      max_pixels: the largest picture to read. The header is checked before anything is decoded.
      log: receives each conversion in words, which are the picture's notes, too.

    Raises:
      UserError: the file is missing, no picture, damaged, too small or too large.
    """
    path = expand(path)
    behind = _parse_colour(background)
    with _open(path) as stream, _collect_warnings() as caught:
        digest = hashlib.sha256(stream.read()).hexdigest()
        stream.seek(0)
        image, alpha, notes = _decode(path, stream, max_pixels=max_pixels, near=None)
    if alpha is not None:
        image = colour.blend(image, alpha, behind)
        notes = (*notes, f"transparency laid over {background}")
    notes += tuple(f"Pillow warns: {warning}" for warning in caught)
    for note in notes:
        log(f"{path.name}: {note}")
    return Picture(image, alpha, notes, digest)


def read_near(path: Path, near: tuple[int, int], *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """A picture as bytes (height, width, 3), sRGB on white: one of the many of a training.

    Several threads may read at a time, as they may not by `read`, which collects Pillow's warnings for its log.

    Args:
      path: the file.
      near: a width and a height. A JPEG is decoded at a half, a quarter or an eighth of its size where no side becomes
        shorter than these, in a fraction of the time.
      max_pixels: the largest picture to read.

    Raises:
      UserError: the file is missing, no picture, damaged, too small or too large.
    """
    with _open(path) as stream:
        try:
            image, alpha, _ = _decode(path, stream, max_pixels=max_pixels, near=near)
        except Image.DecompressionBombError as error:
            raise UserError(f"{path} is too large: {error}") from error
    image = image if alpha is None else colour.blend(image, alpha, (255, 255, 255))
    return np.round(255 * image).astype(np.uint8)


def expand(path: str | Path) -> Path:
    """The path with ~ expanded. Raises UserError where nobody's home is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(f"{path}: {error} (~ stands for a home folder)") from None


def _parse_colour(background: str) -> tuple[int, ...]:
    try:
        return ImageColor.getrgb(background)
    except ValueError as error:
        raise UserError(f"no colour {background!r}: give a name like white, or #rrggbb") from error


def _open(path: Path) -> BinaryIO:
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise UserError(f"{path} is a folder: give one picture in it")
        if not stat.S_ISREG(kind):  # to open a pipe that nobody writes to would wait for ever
            raise UserError(f"{path} is no file but a pipe, a socket or a device: give a picture file")
        return path.open("rb")
    except FileNotFoundError as error:
        raise UserError(f"no file {path}{_suggest(path)}") from error
    except ValueError as error:  # a NUL in the name
        raise UserError(f"{str(path)!r} is no file name: {error}") from error
    except OSError as error:
        raise UserError(f"cannot open {path}: {error.strerror}; check its permissions") from error


def _suggest(path: Path) -> str:
    try:
        if not path.parent.is_dir():
            return f": there is no folder {path.parent}"
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:  # a folder that may not be looked into
        return ": check the path"
    near = nearest(path.name, names)
    return f": did you mean {path.with_name(near)}?" if near else ": check the path"


@contextlib.contextmanager
def _collect_warnings() -> Iterator[list[str]]:
    """Collect Pillow's warnings as text, and lift its pixel limit: `max_pixels` is checked instead."""
    limit, texts = Image.MAX_IMAGE_PIXELS, []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield texts
        finally:
            Image.MAX_IMAGE_PIXELS = limit
            texts.extend(dict.fromkeys(str(warning.message).strip() for warning in caught))


def _decode(path: Path, stream: BinaryIO, *, max_pixels: int, near: tuple[int, int] | None) -> colour.Unpacked:
    try:
        picture = Image.open(stream, formats=FORMATS)
    except _DAMAGE as error:
        raise UserError(_describe_content(path)) from error
    _check_size(path, *picture.size, max_pixels=max_pixels)
    try:
        lost = colour.losses(picture)
        if near is not None:
            picture.draft(None, near)  # of effect for a JPEG only
        picture.load()
        unpacked = colour.unpack(picture)
    except _DAMAGE as error:
        raise UserError(f"{path} is damaged or cut short ({error}): fetch or export it again") from error
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


def _describe_content(path: Path) -> str:
    """Why the file is no picture."""
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
    return f"{path} is no picture that can be read here: give a whole {kinds} file"
