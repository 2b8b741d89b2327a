"""Pictures and texts out: written beside, then renamed, so that a file with its final name is whole."""

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nst_jax.shell.errors import UserError

_SOFTWARE, _EXIF_IFD, _USER_COMMENT, _COLOUR_SPACE = 0x0131, 0x8769, 0x9286, 0xA001
_EXIF_ROOM = 60_000  # bytes; a JPEG segment ends at 65,533
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def write(
    path: str | Path,
    image: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike | None = None,
    quality: int = 92,
    metadata: Mapping[str, str],
) -> Path:
    """Write (height, width, 3) sRGB in [0, 1] as PNG, JPEG or WebP, by the suffix; returns the path.

    `quality` (1..100) is for JPEG and WebP. `metadata` goes into a PNG's text chunks, and as one JSON
    object into the EXIF UserComment of the others. An older file of that name is replaced in one go. No
    folder is made. Raises UserError for an unknown suffix, a missing folder, non-finite values, or alpha in
    a JPEG.
    """
    path = Path(path)
    kind = image_format(path)
    if alpha is not None and kind == "JPEG":
        raise UserError(f"{path}: JPEG knows no transparency: name it .png or .webp, or leave out the alpha")
    if not 1 <= quality <= 100:
        raise UserError(f"{path}: quality is {quality}, and must lie in 1..100")
    picture = Image.fromarray(_levels(path, image, alpha))
    with replacing(path) as part:
        picture.save(part, format=kind, **_options(path, kind, quality=quality, metadata=metadata))
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write UTF-8 text so that the name holds the old text or the new one, never a part of it."""
    path = Path(path)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return path


def sidecar(path: str | Path, provenance: Mapping[str, Any]) -> Path:
    """Write what a picture came from as JSON beside it (`result.png` -> `result.json`)."""
    text = json.dumps(provenance, indent=2, ensure_ascii=False, default=str)
    return write_text(Path(path).with_suffix(".json"), text + "\n")


def image_format(path: Path) -> str:
    """Pillow's name of the format that a suffix asks for. Raises UserError for a suffix we cannot write."""
    if path.suffix.lower() not in _FORMATS:
        raise UserError(f"cannot write {path.name!r}: name it {', '.join(_FORMATS)}")
    return _FORMATS[path.suffix.lower()]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name in the same folder to write to; it becomes `path` if the block ends well, else vanishes.

    Killed in between, it leaves a file `.<name>.<random>.part` and whatever `path` was before.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: give a file name in it")
    if not path.parent.is_dir():
        raise UserError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        _to_disk(part)
        part.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _to_disk(part: Path) -> None:
    # without it a power cut may leave the new name with nothing behind it
    handle = os.open(part, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _levels(path: Path, image: npt.ArrayLike, alpha: npt.ArrayLike | None) -> np.ndarray:
    """0..255, half rounded up; three channels, or four with alpha."""
    full = np.asarray(image, np.float32)
    if full.ndim != 3 or full.shape[2] != 3:
        raise ValueError(f"an image is (height, width, 3), not {full.shape}")
    if alpha is not None:
        full = np.concatenate([full, np.asarray(alpha, np.float32)[..., None]], axis=2)
    bad = int(full.size - np.isfinite(full).sum())
    if bad:
        raise UserError(f"not writing {path}: {bad} of its {full.size} values are not finite: the run diverged")
    return np.floor(np.clip(full, 0, 1) * 255 + 0.5).astype(np.uint8)


def _options(path: Path, kind: str, *, quality: int, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What goes to Pillow's save: each format is marked as sRGB in the shortest way it knows."""
    if kind == "PNG":
        return {"pnginfo": _chunks(metadata)}
    options = {"quality": quality, "exif": _exif(path, kind, metadata)}
    # at 4:2:0 the colour of a brush stroke would be four times coarser than its light
    return options | ({"subsampling": 0} if kind == "JPEG" else {"method": 4})


def _chunks(metadata: Mapping[str, str]) -> PngInfo:
    chunks = PngInfo()
    chunks.add(b"sRGB", b"\0")  # perceptual
    for key, text in metadata.items():
        chunks.add_text(key, text)  # tEXt, or iTXt where Latin-1 does not do
    return chunks


def _exif(path: Path, kind: str, metadata: Mapping[str, str]) -> Image.Exif:
    text = json.dumps(dict(metadata)).encode("ascii")
    if kind == "JPEG" and len(text) > _EXIF_ROOM:
        text = json.dumps({"provenance": f"too long for a JPEG: see {path.with_suffix('.json').name}"}).encode()
    exif = Image.Exif()
    exif[_SOFTWARE] = metadata.get("Software", "nst-jax").encode("ascii", "replace").decode()
    exif[_EXIF_IFD] = {_USER_COMMENT: b"ASCII\0\0\0" + text, _COLOUR_SPACE: 1}  # 1: sRGB
    return exif
