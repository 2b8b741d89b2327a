"""The cache folder, and files that are either complete or not there.

Everything is written under a name of its own in the same folder and gets its final name by `os.replace`,
which is atomic: a process killed at any moment leaves no half-written file under a final name.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nst_jax.shell.errors import UserError

PART = ".part"
STALE = 120.0  # seconds without a byte after which a leftover has no owner any more: four network timeouts


def folder() -> Path:
    """The cache folder, made if need be; NST_JAX_CACHE overrides the platform's own."""
    from platformdirs import user_cache_dir

    place = Path(os.environ.get("NST_JAX_CACHE") or user_cache_dir("nst_jax")).expanduser()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{place}: no cache folder can be made here ({error}); set NST_JAX_CACHE") from error
    return place


@contextmanager
def complete(path: Path) -> Iterator[Path]:
    """A name to write to, which becomes `path` when the block ends well, and vanishes when it does not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=PART)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error})") from error
    os.close(number)
    draft = Path(name)
    try:
        yield draft
        settle(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def settle(draft: Path, path: Path) -> None:
    """Give a finished draft its final name, with the bytes on the disk first and the usual permissions."""
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    mask = os.umask(0)
    os.umask(mask)
    draft.chmod(0o666 & ~mask)  # mkstemp makes it private, and a cache may be shared
    draft.replace(path)


def digest(path: Path, algorithm: str) -> str:
    """The file's hash as `algorithm:hex`."""
    with path.open("rb") as stream:
        return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"


def matches(path: Path, expected: str) -> bool:
    """Whether a file is there and has the hash `algorithm:hex`."""
    return path.is_file() and digest(path, expected.partition(":")[0]) == expected


def checksum(path: Path) -> Path:
    """Where the checksum of a converted file lies."""
    return path.with_name(path.name + ".sha256")


def write_checked(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file and its checksum. Killed in between, the old checksum refuses the new file: it is made again."""
    with complete(path) as draft:
        write(draft)
    with complete(checksum(path)) as draft:
        draft.write_text(f"{digest(path, 'sha256').removeprefix('sha256:')}  {path.name}\n")


def intact(path: Path) -> bool:
    """Whether a converted file is there and is what its checksum says."""
    beside = checksum(path)
    return beside.is_file() and matches(path, "sha256:" + (beside.read_text().split() or ["none"])[0])


def leftovers(place: Path, file: str) -> list[Path]:
    """Drafts of `file` that nobody writes any more."""
    drafts = [p for p in place.glob(f"{file}*{PART}") if p.is_file()]
    return [p for p in drafts if time.time() - p.stat().st_mtime > STALE]
