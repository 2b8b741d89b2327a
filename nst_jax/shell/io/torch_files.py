"""Read the tensors of a .pth file, by name, without torch.

Both layouts are read: the zip archive (torch >= 1.6), and the older stream of five pickles before the raw storages.
The pickles are not executed: see `pickles`.
"""

import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.pickles import Refused, Tensor, replay
from nst_jax.shell.io.stored import Stored, check_room

LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the pickled number that starts an old .pth
DAMAGED = (
    *(ValueError, LookupError, TypeError, AttributeError, EOFError, OSError, RuntimeError, OverflowError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


def read(path: Path) -> dict[str, Stored]:
    """The tensors of a .pth by name, those in nested dicts as `outer.inner`. Raises UserError for any other file."""
    try:
        return _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
    except Refused as error:
        raise UserError(f"{path}: refused, it holds code or objects, not only tensors: {error}") from error
    except DAMAGED as error:
        raise UserError(f"{path}: not a readable .pth, perhaps damaged or cut short ({error})") from error


def _read_zip(path: Path) -> dict[str, Stored]:
    with zipfile.ZipFile(path) as archive:
        check_room(path, sum(member.file_size for member in archive.infolist()))
        pickled = next(name for name in [*archive.namelist(), ""] if name.endswith("data.pkl") or not name)
        root = pickled.removesuffix("data.pkl")
        order = root + "byteorder"
        if order in archive.namelist() and archive.read(order).strip() != b"little":
            raise ValueError("its numbers are big-endian")
        with archive.open(pickled) as stream:
            tensors = _tensors(replay(stream))
    return {name: Stored(t.shape, partial(_unzip, path, root, t)) for name, t in tensors.items()}


def _unzip(path: Path, root: str, tensor: Tensor) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            numbers = archive.read(f"{root}data/{tensor.storage.key}")
        return _array(tensor, np.frombuffer(numbers, tensor.storage.dtype))
    except DAMAGED as error:
        raise UserError(f"{path}: damaged or cut short ({error})") from error


def _read_legacy(path: Path) -> dict[str, Stored]:
    with path.open("rb") as stream:
        _, _, system, content, keys = (replay(stream) for _ in range(5))
        if not system["little_endian"]:
            raise ValueError("its numbers are big-endian")
        tensors = _tensors(content)
        places = _places(stream, keys, {t.storage.key: t.storage.dtype for t in tensors.values()})
    return {name: Stored(t.shape, partial(_slice, path, places, t)) for name, t in tensors.items()}


def _places(stream: Any, keys: list[str], dtypes: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Where each storage begins, in bytes, and how many elements it has. They follow in the order of `keys`."""
    places = {}
    for key in keys:
        size = int.from_bytes(stream.read(8), "little", signed=True)
        places[key] = (stream.tell(), size)
        if key not in dtypes:
            break  # a storage that no tensor uses: its element size is unknown, and so is what follows
        stream.seek(size * np.dtype(dtypes[key]).itemsize, 1)
    return places


def _slice(path: Path, places: dict[str, tuple[int, int]], tensor: Tensor) -> np.ndarray:
    try:
        start, size = places[tensor.storage.key]
        return _array(tensor, np.fromfile(path, tensor.storage.dtype, count=size, offset=start))
    except DAMAGED as error:
        raise UserError(f"{path}: damaged or cut short ({error})") from error


def _array(tensor: Tensor, flat: np.ndarray) -> np.ndarray:
    """A copy of the tensor's elements. The bounds are checked first: strides from a file reach anywhere."""
    start = tensor.storage.start + tensor.offset
    last = start + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    sizes = [start, *tensor.shape, *tensor.strides]
    if max(map(abs, sizes)) >= 2**62 or len(tensor.shape) > 8:
        raise ValueError("a tensor of an impossible shape")
    if min(sizes) < 0 or last >= flat.size or np.prod(tensor.shape, dtype=object) > flat.size:
        raise ValueError("a tensor reaches beyond its numbers")
    steps = [s * flat.itemsize for s in tensor.strides]
    return np.lib.stride_tricks.as_strided(flat[start:], tensor.shape, steps).copy()


def _tensors(content: Any, prefix: str = "") -> dict[str, Tensor]:
    """The tensors in nested dicts. Numbers and strings beside them, such as an epoch, are left out."""
    if not isinstance(content, dict):
        raise ValueError("it does not hold a dict of tensors")
    found: dict[str, Tensor] = {}
    for key, value in content.items():
        if isinstance(value, Tensor):
            found[f"{prefix}{key}"] = value
        elif isinstance(value, dict):
            found |= _tensors(value, f"{prefix}{key}.")
    return found
