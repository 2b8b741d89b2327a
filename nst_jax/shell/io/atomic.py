"""Files that are whole under their final name, or not there at all.

A file is written under a name of its own in the same folder and gets its final name by `os.replace`, which is atomic.
A process that is killed at any moment leaves the old file, or the new one, and perhaps a file `.NAME.RANDOM.part`.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nst_jax.shell.errors import UserError

PART = ".part"  # the suffix of a file that is being written


@contextmanager
def draft(path: str | Path) -> Iterator[Path]:
    """Yield a name in the same folder to write to. It becomes `path` if the block ends well, and vanishes if not.

    Args:
      path: the final name. An older file of that name is replaced in one go. The folder must exist.

    Raises:
      UserError: `path` is a folder, its folder does not exist, or it cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder: give a file name in it")
    if not path.parent.is_dir():
        raise UserError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        part.touch(exist_ok=False)
        mode = part.stat().st_mode
        yield part
        part.chmod(mode)  # safetensors makes its file private, whatever the umask
        commit(part, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def commit(part: Path, path: Path) -> None:
    """Give a finished file its final name. Its bytes are on the disk first.

    Without that, a power cut may leave the new name with nothing behind it.
    """
    handle = os.open(part, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    part.replace(path)


def write_text(path: str | Path, text: str) -> Path:
    """Write UTF-8 text with line ends of "\\n"; return the path. Raises UserError as `draft` does."""
    with draft(path) as part:
        # file names that are not UTF-8 keep their bytes
        part.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
    return Path(path)
