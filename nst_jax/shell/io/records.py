"""The record of a result's run, read back from the picture itself or from the file beside it."""

import json
from pathlib import Path
from typing import Any

from PIL import Image

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.saving import ENCODING, EXIF_IFD, USER_COMMENT

PREFIX = "nst:"  # of a part of the record, in a PNG's text chunks
LARGEST = 64 << 20  # bytes of a record: a larger file is none
Record = dict[str, Any]


def load(path: Path) -> Record | None:
    """The record in a JSON file, or None. Raises UserError for a file that cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        return as_record(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError):
        return None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from None


def extract(path: Path) -> Record | None:
    """The record in a picture's metadata, or None. Another kind of file gives None, too."""
    try:
        with Image.open(path) as image:  # saving.write has the texts before the pixels, which are not decoded here
            texts = {str(key): text for key, text in image.info.items() if isinstance(text, str)}
            comment = image.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT, b"")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if not any(key.startswith(PREFIX) for key in texts) and isinstance(comment, bytes):
        try:
            texts = json.loads(comment.removeprefix(ENCODING))
        except (ValueError, RecursionError):
            return None
    if not isinstance(texts, dict):
        return None
    return as_record({key.removeprefix(PREFIX): part(text) for key, text in texts.items() if key.startswith(PREFIX)})


def part(text: Any) -> Any:
    """A part of the record, parsed from its JSON. Any other text is returned unchanged."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


def as_record(found: Any) -> Record | None:
    """The parsed object if it is a record, or None. A record has the settings of a run."""
    return found if isinstance(found, dict) and isinstance(found.get("config"), dict) else None
