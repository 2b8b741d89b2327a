"""Downloads that are either whole and verified, or not there.

Why not pooch: it verifies and swaps atomically too, but it does not resume (575 MB over a bad line), does
not try several addresses for one file, and does not know a login page from a weight file.
"""

import http.client
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nst_jax.shell import cache
from nst_jax.shell.errors import NoWeights
from nst_jax.shell.published import Published

TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18
MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
FAILURES = (OSError, http.client.HTTPException, ValueError)  # ValueError: an address that is none
Log = Callable[[str], object]


class Source(NamedTuple):
    """One address of one file."""

    url: str
    file: str
    digest: str


class Unreachable(NoWeights):
    """No address gave the file."""


class Unusable(ValueError):
    """An answer that is not the file; the message says what it is instead."""


def sources(published: tuple[Published, ...], mirror: str | None) -> list[Source]:
    """Every address in the order in which they are tried; the user's own mirror comes first."""
    found = [Source(url, p.file, p.digest) for p in published for url in p.urls]
    if base := mirror or os.environ.get("NST_JAX_MIRROR"):
        names = {p.file: p for p in published}
        last = urllib.parse.urlsplit(base).path.rpartition("/")[2]
        if last in names:  # the address of one file
            return [Source(base, last, names[last].digest), *found]
        return [Source(f"{base.rstrip('/')}/{p.file}", p.file, p.digest) for p in published] + found
    return found


def fetch(published: tuple[Published, ...], *, mirror: str | None, log: Log) -> Path:
    """The first of the files that some address gives in full and with the right hash, in the cache folder.

    Raises Unreachable, which names every address tried and why it failed, and what can be done instead.
    """
    failures = []
    for source in sources(published, mirror):
        try:
            return _obtain(source, log)
        except FAILURES as error:
            failures.append(f"  {source.url}: {_reason(error)}")
            log(f"{source.url}: {_reason(error)}")
    raise Unreachable(
        "the weights could not be downloaded; tried\n" + "\n".join(failures) + "\n"
        "Three ways on: weights=file weights.path=FILE with a copy of your own; "
        "weights.mirror=URL (or NST_JAX_MIRROR) with another address of it; "
        "weights=random, an untrained network (He, Wang & Hopcroft 2016, arXiv 1606.04801).\n"
        "Or, with nothing to download: network=texnet, the small network that comes with nst_jax"
    )


def _obtain(source: Source, log: Log) -> Path:
    """One address: what a killed run left is continued; if that gives a wrong hash, once more from the start."""
    final = cache.folder() / source.file
    draft = _draft(source.file)
    resumed = draft.stat().st_size > 0
    log(f"downloading {source.url} to {final}" + (" (continued)" if resumed else ""))
    try:
        _transfer(source.url, draft)
        if resumed and not cache.matches(draft, source.digest):
            draft.write_bytes(b"")
            _transfer(source.url, draft)
        _check(draft, source.digest)
        cache.settle(draft, final)
    except BaseException as error:
        _abandon(draft, error)
        raise
    for old in cache.leftovers(final.parent, source.file):
        old.unlink(missing_ok=True)
    return final


def _draft(file: str) -> Path:
    """A file of our own to download to: the longest leftover that nobody writes any more, or a new one."""
    place = cache.folder()
    number, name = tempfile.mkstemp(dir=place, prefix=file + ".", suffix=cache.PART)
    os.close(number)
    for old in sorted(cache.leftovers(place, file), key=lambda p: p.stat().st_size, reverse=True):
        try:
            old.replace(name)  # atomic: of several processes, one gets it
            break
        except FileNotFoundError:
            continue
    os.utime(name)
    return Path(name)


def _abandon(draft: Path, error: BaseException) -> None:
    """A wrong file goes; what a broken line or Ctrl-C left stays, marked so that the next attempt continues it."""
    if isinstance(error, Unusable) or draft.stat().st_size == 0:
        draft.unlink(missing_ok=True)
    else:
        os.utime(draft, (0, 0))


def _transfer(url: str, draft: Path) -> None:
    """Append what is still missing of `url`."""
    done = draft.stat().st_size
    asked = {"User-Agent": "nst_jax"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=asked), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        draft.write_bytes(b"")  # nothing beyond what we have: it was complete, or another file
        return _transfer(url, draft)
    with answer:
        continues = done > 0 and answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")
        length = int(answer.headers.get("Content-Length") or 0)
        start = done if continues else 0  # a server without ranges sends everything again
        with draft.open("ab") as out:
            out.truncate(start)
            _copy(answer, out, start, length)
    if length and draft.stat().st_size < start + length:
        raise ConnectionError(f"cut short, {draft.stat().st_size:,} of {start + length:,} bytes")


def _copy(answer: Any, out: Any, start: int, length: int) -> None:
    from tqdm import tqdm

    # disable=None: a bar on a terminal, nothing in a log file
    with tqdm(total=start + length or None, initial=start, unit="B", unit_scale=True, disable=None) as bar:
        first = start == 0
        while chunk := answer.read(CHUNK):
            if first and chunk.lstrip()[:10].lower().startswith(MARKUP):
                raise Unusable("the answer is a web page, not a weight file")
            first = False
            out.write(chunk)
            bar.update(len(chunk))


def _check(draft: Path, expected: str) -> None:
    found = cache.digest(draft, expected.partition(":")[0])
    if found != expected:
        raise Unusable(f"wrong content: {draft.stat().st_size:,} bytes with {found}, expected {expected}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error) or type(error).__name__
