"""Downloads that are whole and verified, or not there.

Why not pooch: it verifies and renames atomically too, but it does not resume (575 MB over a bad line), does not try
several addresses for one file, and does not tell a login page from a weight file.
"""

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nst_jax.extractors.addresses import Published
from nst_jax.shell.errors import NoWeights
from nst_jax.shell.io import atomic, cache

TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18  # bytes
MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
FAILURES = (OSError, http.client.HTTPException, ValueError)  # ValueError: not an address
Log = Callable[[str], object]


class Source(NamedTuple):
    """One address of one file."""

    url: str
    file: str  # its name in the cache
    digest: str  # algorithm:hex, or the beginning of it, algorithm:hex*
    size: int = 0  # bytes; 0 where nobody states it


class Unreachable(NoWeights):
    """No address gave the file."""


class Unusable(ValueError):
    """An answer that is not the file; the message says what it is instead."""


def sources(published: tuple[Published, ...], mirror: str | None) -> list[Source]:
    """Every address, in the order of the attempts. The user's own mirror comes first.

    Args:
      published: the files, each of which would do.
      mirror: the address of one of the files, or of a folder with them; without it, NST_JAX_MIRROR.
    """
    found = [Source(url, p.file, p.digest, p.size) for p in published for url in p.urls]
    if base := mirror or os.environ.get("NST_JAX_MIRROR"):
        files = {p.file: p for p in published}
        last = urllib.parse.urlsplit(base).path.rpartition("/")[2]
        if last in files:
            return [Source(base, last, files[last].digest, files[last].size), *found]
        return [Source(f"{base.rstrip('/')}/{p.file}", p.file, p.digest, p.size) for p in published] + found
    return found


def fetch(published: tuple[Published, ...], *, mirror: str | None, log: Log) -> Path:
    """Download the first of the files that an address gives in full and with the right hash.

    Returns:
      Its path in the cache folder.

    Raises:
      Unreachable: it names every address that was tried, why each failed, and what can be done instead.
    """
    failures = []
    if cache.is_open_to_others():
        log(f"{cache.folder()}: other users may write to this cache folder; NST_JAX_CACHE names another")
    for source in sources(published, mirror):
        try:
            found = _obtain(source, log)
        except FAILURES as error:
            failures.append(f"{source.url}: {_reason(error)}")
            continue
        for failure in failures:
            log(failure)
        return found
    raise Unreachable(
        "the weights could not be downloaded; tried\n"
        + "".join(f"  {failure}\n" for failure in failures)
        + "Three ways on: weights=file weights.path=FILE with a copy of your own; "
        "weights.mirror=URL (or NST_JAX_MIRROR) with another address of it; "
        "weights=random, an untrained network (He, Wang & Hopcroft 2016, arXiv 1606.04801).\n"
        "Or, with nothing to download: network=distilled, a small VGG-16 that comes with nst_jax"
    )


def _obtain(source: Source, log: Log) -> Path:
    """Download from one address. The download of a killed run goes on; after a wrong hash it starts again, once."""
    final = cache.folder() / source.file
    part = cache.begin_download(source.file)
    resumes = part.stat().st_size > 0
    size = f" ({source.size / 1e6:.0f} MB)" if source.size else ""
    where = urllib.parse.urlsplit(source.url).netloc or source.url
    log(f"downloading {source.file}{size} from {where}" + (", continued" if resumes else ""))
    try:
        _transfer(source.url, part, size=source.size)
        if resumes and not cache.matches(part, source.digest):
            part.write_bytes(b"")
            _transfer(source.url, part, size=source.size)
        _check(part, source.digest)
        atomic.commit(part, final)
    except BaseException as error:
        _abandon(part, error)
        raise
    cache.remove_stale(source.file)
    return final


def _abandon(part: Path, error: BaseException) -> None:
    """Remove a wrong file. Keep what a broken line or Ctrl-C left, marked so that the next attempt continues it."""
    if isinstance(error, Unusable) or part.stat().st_size == 0:
        part.unlink(missing_ok=True)
    else:
        os.utime(part, (0, 0))


def _transfer(url: str, part: Path, *, size: int, again: bool = True) -> None:
    """Append what is still missing of `url`.

    Args:
      url: the address.
      part: the file.
      size: of the whole file in bytes; 0 where nobody states it. No more is read.
      again: whether to ask for all of it where the server has no bytes beyond those that are here.
    """
    done = part.stat().st_size
    headers = {"User-Agent": "nst_jax"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not again:
            raise
        part.write_bytes(b"")  # no bytes beyond these: the file was complete, or it is another
        return _transfer(url, part, size=size, again=False)
    with answer:
        continues = done > 0 and answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")
        length = int(answer.headers.get("Content-Length") or 0)
        start = done if continues else 0  # a server without ranges sends everything again
        # part may not be a link: in a folder that others may write to, it could lead to another file
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)), "ab") as out:
            out.truncate(start)
            _copy(answer, out, start, length, size)
    if length and part.stat().st_size < start + length:
        raise ConnectionError(f"cut short, {part.stat().st_size:,} of {start + length:,} bytes")


def _copy(answer: Any, out: Any, start: int, length: int, size: int) -> None:
    from tqdm import tqdm

    # disable=None: a bar on a terminal, nothing in a log file
    with tqdm(total=start + length or None, initial=start, unit="B", unit_scale=True, disable=None) as bar:
        first = start == 0
        while chunk := answer.read(CHUNK):
            if first and chunk.lstrip()[:10].lower().startswith(MARKUP):
                raise Unusable("the answer is a web page, not a weight file")
            first = False
            if size and bar.n + len(chunk) > size:
                raise Unusable(f"the answer is longer than the {size:,} bytes of the published file")
            out.write(chunk)
            bar.update(len(chunk))


def _check(part: Path, expected: str) -> None:
    found = cache.digest(part, expected.partition(":")[0])
    if not cache.is_hash(found, expected):
        raise Unusable(f"wrong content: {part.stat().st_size:,} bytes with {found}, expected {expected}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error) or type(error).__name__
