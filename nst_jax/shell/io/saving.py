"""Write pictures, and what they came from, as a JSON file beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import draft, write_text

_SOFTWARE, EXIF_IFD, USER_COMMENT, _COLOUR_SPACE = 0x0131, 0x8769, 0x9286, 0xA001
ENCODING = b"ASCII\0\0\0"  # begins a UserComment
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
    """Write an image as PNG, JPEG or WebP, by the suffix of the path; return the path.

    An older file of that name is replaced in one go. No folder is made.

    Args:
      path: ends in .png, .jpg, .jpeg or .webp.
      image: (height, width, 3), sRGB in [0, 1]; what lies outside is clipped.
      alpha: (height, width) in [0, 1]; not in a JPEG.
      quality: 1..100, of JPEG and WebP.
      metadata: goes into a PNG's text chunks, and as one JSON object into the EXIF UserComment of the others.

    Raises:
      UserError: an unknown suffix, a missing folder, values that are not finite, or alpha in a JPEG.
    """
    path = Path(path)
    kind = image_format(path)
    if alpha is not None and kind == "JPEG":
        raise UserError(f"{path}: JPEG has no transparency: name it .png or .webp, or leave out the alpha")
    if not 1 <= quality <= 100:
        raise UserError(f"{path}: quality is {quality}, and must lie in 1..100")
    picture = Image.fromarray(_levels(path, image, alpha))
    with draft(path) as part:
        picture.save(part, format=kind, **_options(path, kind, quality=quality, metadata=metadata))
    return path


def sidecar(path: str | Path, provenance: Mapping[str, Any]) -> Path:
    """Write what a picture came from as JSON beside it, result.png -> result.json; return the JSON's path."""
    text = json.dumps(provenance, indent=2, ensure_ascii=False, default=str)
    return write_text(Path(path).with_suffix(".json"), text + "\n")


def image_format(path: Path) -> str:
    """Pillow's name of the format that the suffix says. Raises UserError for a format that cannot be written."""
    if path.suffix.lower() not in _FORMATS:
        raise UserError(f"cannot write {path.name!r}: name it {', '.join(_FORMATS)}")
    return _FORMATS[path.suffix.lower()]


def _levels(path: Path, image: npt.ArrayLike, alpha: npt.ArrayLike | None) -> np.ndarray:
    """uint8 levels, half rounded up; three channels, or four with alpha."""
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
    """The options of Pillow's save. Each format is marked as sRGB in the shortest way that it has."""
    if kind == "PNG":
        return {"pnginfo": _chunks(metadata)}
    options = {"quality": quality, "exif": _exif(path, kind, metadata)}
    # 4:4:4: at 4:2:0 colour has a quarter of the resolution of luminance, and brush strokes lose theirs
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
    exif[EXIF_IFD] = {USER_COMMENT: ENCODING + text, _COLOUR_SPACE: 1}  # 1: sRGB
    return exif
