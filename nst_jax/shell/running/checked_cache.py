"""jax's cache of compiled programs, with a checksum in each entry that binds it to its key.

jax loads what it finds under a key. A damaged entry costs a warning and a compilation in each start, since jax never
writes over an entry; one that belongs to another key is another program. Here both are removed, compiled and written
again.
"""

import hashlib
import logging
from pathlib import Path
from typing import Any

LOG = logging.getLogger("nst_jax")
DIGEST = hashlib.sha256().digest_size  # bytes before the program


class CheckedCache:
    """jax's interface of a cache: get, put, clear and `_path`."""

    def __init__(self, kept: Any, folder: str) -> None:
        self.kept, self._path = kept, kept._path
        self.folder, self.said = Path(folder), False

    def get(self, key: str) -> bytes | None:
        """The program under a key, or None if it is absent or damaged. A damaged program is removed."""
        entry = self.kept.get(key)
        if entry is None:
            return None
        if entry[:DIGEST] == digest(key, entry[DIGEST:]):
            return entry[DIGEST:]
        (self.folder / f"{key}-cache").unlink(missing_ok=True)
        if not self.said:
            LOG.warning("a damaged entry of the cache of compiled programs is removed: %s", self.folder)
            self.said = True
        return None

    def put(self, key: str, value: bytes) -> None:
        """Keep a program under a key."""
        self.kept.put(key, digest(key, value) + value)

    def clear(self) -> None:
        """Forget what the process remembers."""
        self.kept.clear()


def digest(key: str, value: bytes) -> bytes:
    """The checksum of a program under its key."""
    return hashlib.sha256(key.encode() + b"\0" + value).digest()


def check_entries(folder: str) -> None:
    """Let jax check the entries of its cache in this folder. Without this function of jax's, they are not checked."""
    from jax._src import compilation_cache  # no public name gives the cache

    current = getattr(compilation_cache, "get_file_cache", None)
    if current is None:
        return
    whole = getattr(current, "of_jax", current)  # checked once, however often this is called

    def get_file_cache(path: str) -> Any:
        found = whole(path)
        return (CheckedCache(found[0], path), found[1]) if found and path == folder else found

    get_file_cache.of_jax = whole  # pyright: ignore[reportFunctionMemberAccess]
    compilation_cache.get_file_cache = get_file_cache
