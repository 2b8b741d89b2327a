"""The pictures that a feed-forward network learns from, in memory or on the disk, and the pieces that a step sees.

Which picture a step sees, and what piece of it, depends on the seed and the step's number alone: a resumed training
equals an uninterrupted one, and threads may make the pieces in any order.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.pictures import FORMATS, read_near
from nst_jax.shell.training.pictures import find, scale

LOG = logging.getLogger(__name__)
MEGABYTE = 10**6
TRIES = 20  # pictures in a row that cannot be read

Log = Callable[[str], object]


class Piece(NamedTuple):
    """How a piece of a picture is taken."""

    side: int  # pixels, as the step sees it
    crop: tuple[float, float]  # its side in parts of the picture's shorter one, drawn between these
    flip: bool  # half of them mirrored, left to right


class Corpus(NamedTuple):
    """Pictures."""

    paths: tuple[Path, ...]  # those that are trained on
    kept: tuple[np.ndarray, ...] | None  # the same as bytes (height, width, 3); None: they are read again each time
    held: tuple[np.ndarray, ...]  # those that are not trained on
    sha256: str  # of the hashes of the files; of their names and sizes where they are not kept in memory
    number: int  # of all


def load(
    key: str, folders: Sequence[str], *, side: int, largest: int, held_out: int, memory: float, threads: int, log: Log
) -> Corpus:
    """Find the pictures of some folders, and read them where they have room in memory.

    Pictures with a side shorter than `side` are left out; so are those that cannot be read, with a line in the log.

    Args:
      key: the setting, for messages.
      folders: the folders; pictures in folders within them count.
      side: pixels of a piece.
      largest: pixels of the long side of a picture in memory at most.
      held_out: so many are not trained on, a fifth of all at most.
      memory: megabytes that they may take; where they need more, they stay on the disk.
      threads: that read.
      log: receives what is left out.
    """
    sizes = {path: size for _, path in find(folders, key=key) if (size := measure(path, log=log))}
    paths = [path for path, size in sizes.items() if min(shrink(size, largest=largest)) >= side]
    _check_number(key, folders, len(paths), side=side)
    needed = 3 * sum(int(np.prod(shrink(sizes[path], largest=largest))) for path in paths)
    count = min(held_out, len(paths) // 5)
    apart = {paths[(2 * i + 1) * len(paths) // (2 * count)] for i in range(count)}
    if needed > memory * MEGABYTE:
        LOG.info("%s: %d pictures of %d MB stay on the disk: memory=%g", key, len(paths), needed // MEGABYTE, memory)
        held = read_all([path for path in paths if path in apart], largest=largest, threads=threads, log=log)
        named = "\n".join(f"{path.name} {path.stat().st_size}" for path in paths)
        rest = tuple(path for path in paths if path not in apart)
        return Corpus(rest, None, tuple(held.values()), _hash(named), len(paths))
    found = read_all(paths, largest=largest, threads=threads, log=log)
    rest = tuple(path for path in found if path not in apart)
    _check_number(key, folders, len(rest), side=side)
    hashes = "\n".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in found)
    held = tuple(found[path] for path in found if path in apart)
    return Corpus(rest, tuple(found[path] for path in rest), held, _hash(hashes), len(found))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _check_number(key: str, folders: Sequence[str], number: int, *, side: int) -> None:
    if not number:
        raise UserError(f"{key}={','.join(folders)}: no picture has {side} pixels on its shorter side, or lower side")


def measure(path: Path, *, log: Log) -> tuple[int, int] | None:
    """Width and height by the file's header, or None if the file is not a picture."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            return picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        log(f"left out: {path}: {error}")
        return None


def shrink(size: tuple[int, int], *, largest: int) -> tuple[int, int]:
    """A size with no side longer than `largest`."""
    factor = min(1.0, largest / max(size))
    return round(factor * size[0]), round(factor * size[1])


def read_all(paths: Sequence[Path], *, largest: int, threads: int, log: Log) -> dict[Path, np.ndarray]:
    """The pictures as bytes (height, width, 3), by path, without those that cannot be read."""

    def read(path: Path) -> np.ndarray | None:
        try:
            return small(path, largest=largest)
        except UserError as error:
            log(f"left out: {error}")
            return None

    with ThreadPoolExecutor(threads) as pool:
        found = zip(paths, pool.map(read, paths), strict=True)
        return {path: picture for path, picture in found if picture is not None}


def small(path: Path, *, largest: int) -> np.ndarray:
    """The picture as bytes (height, width, 3), no side longer than `largest`."""
    with Image.open(path, formats=FORMATS) as head:
        near = shrink(head.size, largest=largest)
    picture = Image.fromarray(read_near(path, near))
    return np.asarray(scale(picture, min(1.0, largest / max(picture.size))))


@lru_cache(maxsize=4)
def shuffle(seed: int, stream: int, turn: int, number: int) -> np.ndarray:
    """The order of so many pictures in one turn through all of them."""
    return np.random.default_rng((seed, stream, turn)).permutation(number)


def pieces(corpus: Corpus, piece: Piece, *, seed: int, stream: int, step: int, count: int) -> np.ndarray:
    """The pieces of a step: (count, side, side, 3), bytes.

    Args:
      corpus: the pictures. Each is seen once in each turn through all of them.
      piece: how a piece is taken.
      seed, stream: two streams of one seed are independent.
      step: the number of the step.
      count: pieces.
    """
    places = range(step * count, (step + 1) * count)
    return np.stack([take(corpus, piece, seed=seed, stream=stream, place=place) for place in places])


def take(corpus: Corpus, piece: Piece, *, seed: int, stream: int, place: int) -> np.ndarray:
    """The piece number `place` of a training."""
    number = len(corpus.paths)
    chosen = int(shuffle(seed, stream, place // number, number)[place % number])
    rng = np.random.default_rng((seed, stream, 1 << 32, place))
    low, high = np.log(piece.crop)
    part, flip = float(np.exp(rng.uniform(low, high))), bool(rng.random() < 0.5) and piece.flip
    where = rng.random(2)
    for i in range(TRIES):
        picture = open_at(corpus, (chosen + i) % number, short=piece.side / part)
        if picture is not None and min(picture.size) >= piece.side:
            return cut(picture, side=piece.side, part=part, where=where, flip=flip)
    raise UserError(f"{TRIES} pictures in a row cannot be read, the last of them {corpus.paths[chosen]}")


def open_at(corpus: Corpus, number: int, *, short: float) -> Image.Image | None:
    """A picture, from the disk at a reduced size whose shorter side is no less than `short`; None if it is damaged."""
    if corpus.kept is not None:
        return Image.fromarray(corpus.kept[number])
    side = int(np.ceil(short))
    try:
        return Image.fromarray(read_near(corpus.paths[number], (side, side)))
    except UserError as error:
        LOG.warning("left out: %s", error)
        return None


def cut(picture: Image.Image, *, side: int, part: float, where: np.ndarray, flip: bool) -> np.ndarray:
    """A square piece of a picture at side x side pixels.

    Args:
      picture: no side is shorter than `side`.
      side: pixels of the result.
      part: the piece's side in parts of the picture's shorter one; it is `side` pixels or more.
      where: from 0 to 1, how far down and how far to the right.
      flip: mirrored, left to right.
    """
    width, height = picture.size
    wanted = min(max(round(part * min(width, height)), side), min(width, height))
    top, left = (int(w * (n - wanted + 1)) for w, n in zip(where, (height, width), strict=True))
    box = (left, top, left + wanted, top + wanted)
    small = picture.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    piece = np.asarray(small)
    return piece[:, ::-1] if flip else piece


def middle(picture: np.ndarray, *, side: int) -> np.ndarray:
    """The largest square around a picture's middle, at side x side pixels."""
    return cut(Image.fromarray(picture), side=side, part=1.0, where=np.full(2, 0.5), flip=False)
