"""Read weight files. Their content tells the format, never their name.

h5py, scipy and safetensors are imported by the reader that needs them.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import torch_files
from nst_jax.shell.io.stored import RATIO, ROOM, Contents, Stored, check_room

HDF5 = b"\x89HDF\r\n\x1a\n"
KNOWN = "Keras .h5, torch .pth, MatConvNet .mat and .safetensors are read"


def read(path: Path) -> Contents:
    """Read the contents of a weight file. Raises UserError for another kind of file, or a damaged one."""
    kind = sniff(path)
    readers = {"keras": _keras, "torch": _torch, "matconvnet": _matconvnet, "safetensors": _safetensors}
    try:
        return readers[kind](path)
    except UserError:
        raise
    except Exception as error:  # each library has its own errors for a damaged file
        raise UserError(f"{path}: damaged or cut short, or not what a {kind} file looks like ({error})") from error


def sniff(path: Path) -> str:
    """The format: keras, torch, matconvnet or safetensors. Raises UserError for any other file."""
    head, size = _head(path)
    start = head.lstrip().lower()
    if head.startswith(HDF5):
        return "keras"
    if head.startswith(b"MATLAB 5.0 MAT-file"):
        return "matconvnet"
    if head.startswith(torch_files.LEGACY_MAGIC) or (head.startswith(b"PK") and _holds_pickle(path)):
        return "torch"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < size:
        return "safetensors"
    raise UserError(f"{path}: {_describe_content(start, size)}; {KNOWN}")


def _head(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as stream:
            return stream.read(512), path.stat().st_size
    except IsADirectoryError as error:
        raise UserError(f"{path}: a folder, not a weight file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def _describe_content(start: bytes, size: int) -> str:
    """Why this is not a weight file."""
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page, not a weight file: the download led to a login or error page"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of git-lfs, not the weights: run `git lfs pull`"
    if start.startswith(b"matlab 7.3"):
        return "a MATLAB 7.3 file; save it with -v7"
    if start.startswith(b"\x80"):
        return "a pickle that torch did not write; pickles are not executed here"
    return "empty" if size == 0 else f"not a weight file, or the beginning is missing ({size:,} bytes)"


def _holds_pickle(path: Path) -> bool:
    """Whether a zip is torch's. A damaged one counts as such: its reader says what is wrong."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, LookupError, OSError, struct.error, NotImplementedError):
        return True


def _torch(path: Path) -> Contents:
    return Contents("torch", torch_files.read(path), {})


def _safetensors(path: Path) -> Contents:
    from safetensors import safe_open

    def load(name: str) -> np.ndarray:
        try:
            with safe_open(path, "np") as file:
                return file.get_tensor(name)
        except Exception as error:  # its own errors, and numpy's for types that numpy lacks
            raise UserError(f"{path}: damaged or cut short, {name} cannot be read ({error})") from error

    with safe_open(path, "np") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        notes = file.metadata() or {}
    return Contents("safetensors", {n: Stored(s, partial(load, n)) for n, s in shapes.items()}, notes)


def _keras(path: Path) -> Contents:
    """Groups are layers. A kernel is the array of rank 4 (2 in a dense layer), a bias that of rank 1.

    Their names say nothing: older Keras called them `uniform1` or `block1_conv1_W_1:0`.
    """
    import h5py

    def load(name: str) -> np.ndarray:
        try:
            with h5py.File(path) as file:
                return np.asarray(file[name])
        except Exception as error:  # h5py reads late, and raises what HDF5 says
            raise UserError(f"{path}: damaged or cut short, {name} cannot be read ({error})") from error

    arrays = {}
    with h5py.File(path) as file:
        found = list(_groups(file))
        for dataset in (d for _, datasets in found for d in datasets):
            if dataset.external or dataset.is_virtual:
                raise UserError(f"{path}: refused, {dataset.name} is kept in other files")
        check_room(path, sum(d.size * d.dtype.itemsize for _, datasets in found for d in datasets))
        for layer, datasets in found:
            roles = {len(d.shape): d for d in datasets}
            plain = len(roles) == len(datasets) and roles.keys() <= {1, 2, 4}
            for d in datasets:
                role = ("bias" if len(d.shape) == 1 else "kernel") if plain else d.name.rpartition("/")[2]
                arrays[f"{layer}.{role}"] = Stored(tuple(d.shape), partial(load, d.name))
    return Contents("keras", arrays, {})


def _groups(file: Any) -> Iterator[tuple[str, list[Any]]]:
    """Each layer with its datasets, in the network's order. The attribute `layer_names` has this order."""
    root = next((_member(file, name) for name in ("model_weights", "layers") if name in file), file)
    names = [n.decode() if isinstance(n, bytes) else str(n) for n in root.attrs.get("layer_names", ())]
    seen = set()
    for name in [*names, *sorted(root, key=_natural)]:
        found = _datasets(_member(root, name)) if name in root and name not in seen else []
        fresh = [d for d in found if d.name not in seen]
        seen |= {name, *(d.name for d in fresh)}
        if fresh:
            yield name, fresh


def _member(group: Any, name: str) -> Any:
    """The group's member of a name. Raises UserError for a link that leads to another file or to another place."""
    import h5py

    place = group
    for part in name.strip("/").split("/"):
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise UserError(f"{group.file.filename}: refused, {name} is a link")
        place = place[part]
    return place


def _datasets(group: Any) -> list[Any]:
    found: list[Any] = []
    if hasattr(group, "visititems"):
        group.visititems(lambda _, d: found.append(d) if hasattr(d, "shape") else None)
    return found


def _natural(name: str) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _matconvnet(path: Path) -> Contents:
    """layers{i} is a struct; `weights` is {kernel, bias}, and `filters`, `biases` before beta 8.

    The kernels are (height, width, in, out) and are not transposed. MatConvNet's importer
    (utils/import-caffe.py, --transpose is its default) takes Caffe's (out, in, h, w) to (w, h, in, out) and
    then to (h, w, in, out), since a MATLAB image is (height, width); scipy keeps the indices as they are.
    The (1, 0, 2, 3) of anishathalye/neural-style (vgg.py, from a mistake in the manual that says FW x FH,
    anishathalye/neural-style#180) therefore transposes every filter. `preprocessing` recognises a transposed
    file of the original values by its content.
    """
    import scipy.io

    check_room(path, _expanded_size(path))
    content = scipy.io.loadmat(path, variable_names=["layers", "meta", "normalization", "net"])
    if "net" in content:
        content |= {field: content["net"][field][0, 0] for field in content["net"].dtype.names}
    if "layers" not in content:
        raise UserError(f"{path}: a MATLAB file without `layers`, not a network of MatConvNet")
    arrays = {}
    for cell in content["layers"].ravel():
        name, pair = _layer(cell)
        for role, values in zip(("kernel", "bias"), pair, strict=False):
            shape = values.shape if role == "kernel" else (values.size,)
            arrays[f"{name}.{role}"] = Stored(tuple(shape), partial(np.reshape, values, shape))
    return Contents("matconvnet", arrays, _average(content))


def _expanded_size(path: Path) -> int:
    """Bytes of a MATLAB 5 file after its compressed elements are expanded; it stops where that is far too much.

    MAT-File Format, MathWorks 2019, section 1: elements of a tag (type, bytes) and data; type 15 is compressed by zlib.
    """
    most, found = ROOM + RATIO * path.stat().st_size, 0
    with path.open("rb") as stream:
        order = "<" if stream.read(128)[126:128] == b"IM" else ">"
        while len(tag := stream.read(8)) == 8 and found <= most:
            kind, size = struct.unpack(f"{order}II", tag)
            if kind != 15:
                found += size
                stream.seek(size, 1)
                continue
            inflate, left = zlib.decompressobj(), size
            while left > 0 and (piece := stream.read(min(left, 1 << 16))) and found <= most:
                left -= len(piece)
                while piece and found <= most:
                    found += len(inflate.decompress(piece, 1 << 20))
                    piece = inflate.unconsumed_tail
    return found


def _layer(cell: np.ndarray) -> tuple[str, list[np.ndarray]]:
    """The name and the arrays of one struct, by the names of its fields: their order differs between releases."""
    struct = cell.ravel()[0]
    fields = struct.dtype.names or ()
    name = str(struct["name"].ravel()[0]) if "name" in fields and struct["name"].size else ""
    if "weights" in fields:
        return name, list(struct["weights"].ravel())
    return name, [struct[f] for f in ("filters", "biases") if f in fields]


def _average(content: dict[str, Any]) -> dict[str, str]:
    """The mean colour that the file subtracts, RGB 0..255: a colour, or in old releases a whole image."""
    try:
        holder = content["meta"].ravel()[0] if "meta" in content else content
        average = holder["normalization"].ravel()[0]["averageImage"]
        mean = np.asarray(average, np.float64).reshape(-1, 3).mean(axis=0)
    except (KeyError, IndexError, ValueError, AttributeError):
        return {}
    return {"mean": " ".join(repr(float(m)) for m in mean)}
