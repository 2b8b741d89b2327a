"""The cache folder of downloaded and converted weights, their checksums, and what interrupted runs left there."""

import hashlib
import os
import platform
import re
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import atomic

STALE = 120.0  # seconds without a byte, after which no process writes the file any more: four network timeouts


def folder() -> Path:
    """The cache folder, which is made if need be. NST_JAX_CACHE overrides the platform's own. Raises UserError."""
    from platformdirs import user_cache_dir

    place = Path(os.environ.get("NST_JAX_CACHE") or "~")
    try:
        place = Path(os.environ.get("NST_JAX_CACHE") or user_cache_dir("nst_jax")).expanduser()
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: no HOME, and no entry in passwd
        raise UserError(f"{place}: no cache folder can be made here ({error}); set NST_JAX_CACHE") from error
    return place


def digest(path: Path, algorithm: str) -> str:
    """The file's hash as `algorithm:hex`."""
    with path.open("rb") as stream:
        return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"


def sha256(path: Path) -> str:
    """The file's SHA-256, as hexadecimal digits."""
    return digest(path, "sha256").removeprefix("sha256:")


def matches(path: Path, expected: str) -> bool:
    """Whether a file is there and has the hash `algorithm:hex`, or one that begins so: `algorithm:hex*`."""
    return path.is_file() and is_hash(digest(path, expected.partition(":")[0]), expected)


def is_hash(found: str, expected: str) -> bool:
    """Whether a hash is the one that is expected, or begins like it where that ends with `*`."""
    return found.startswith(expected[:-1]) if expected.endswith("*") else found == expected


def converted_path(file: str) -> Path:
    """Where the converted form of a download lies."""
    return folder() / f"{file}.safetensors"


def checksum_path(path: Path) -> Path:
    """Where the checksum of a converted file lies."""
    return path.with_name(path.name + ".sha256")


def write_with_checksum(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file and its checksum. After a kill between the two, the old checksum refuses the new file."""
    with atomic.draft(path) as part:
        write(part)
    atomic.write_text(checksum_path(path), f"{sha256(path)}  {path.name}\n")


def is_intact(path: Path) -> bool:
    """Whether a converted file is there and has the hash that its checksum states."""
    checksum = checksum_path(path)
    return checksum.is_file() and matches(path, "sha256:" + (checksum.read_text().split() or ["none"])[0])


def begin_download(file: str) -> Path:
    """A file of this process to download to: the longest download that no process writes any more, or an empty one."""
    place = folder()
    part = place / f"{file}.{_process(os.getpid())}-{secrets.token_hex(4)}{atomic.PART}"
    part.touch(exist_ok=False)
    stale = [path for path in place.glob(f"{file}.*{atomic.PART}") if is_stale(path)]
    for old in sorted(stale, key=lambda path: path.stat().st_size, reverse=True):
        try:
            old.replace(part)  # atomic: of several processes, one gets it
            break
        except FileNotFoundError:
            continue
    os.utime(part)
    return part


def remove_stale(file: str) -> None:
    """Remove what interrupted downloads and conversions of a file left."""
    for pattern in (f"{file}.*{atomic.PART}", f".{file}.*{atomic.PART}"):
        for path in folder().glob(pattern):
            if is_stale(path):
                path.unlink(missing_ok=True)


def is_stale(path: Path) -> bool:
    """Whether no process writes the unfinished file any more: its own is gone, or has been silent for long.

    A link is never taken: in a folder that others may write to, it could lead to another file.
    """
    try:
        known = path.lstat()
    except FileNotFoundError:  # another process has just taken it
        return False
    if not stat.S_ISREG(known.st_mode) or (hasattr(os, "getuid") and known.st_uid != os.getuid()):
        return False
    return time.time() - known.st_mtime > STALE or _is_orphan(path.name)


def _process(number: int) -> str:
    """A process of this machine, as a part of a file's name."""
    return f"{hashlib.sha256(platform.node().encode()).hexdigest()[:8]}-{number}"


def _is_orphan(name: str) -> bool:
    """Whether the file's name says a process of this machine that is gone."""
    found = re.search(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part$", name)
    if not found or os.name != "posix" or f"{found[1]}-{found[2]}" != _process(int(found[2])):
        return False
    try:
        os.kill(int(found[2]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def is_open_to_others() -> bool:
    """Whether other users may write to the cache folder."""
    return os.name == "posix" and bool(folder().stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))
