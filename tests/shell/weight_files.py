"""Writers of every container that weights come in: the tests need neither torch nor a download."""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nst_jax.shell.io import weights

Layers = Mapping[str, Mapping[str, np.ndarray]]
MAGIC = 0x1950A86A20F9469CFC6C  # the number every old .pth starts with (torch/serialization.py, MAGIC_NUMBER)
INDEX = {"conv1_1": 0, "conv1_2": 2, "conv2_1": 5, "conv2_2": 7}  # torchvision's vgg19.features
INDEX |= {"conv3_1": 10, "conv3_2": 12, "conv3_3": 14, "conv3_4": 16}


def synthetic() -> dict[str, dict[str, np.ndarray]]:
    """The first block, with values that nobody has published."""
    rng = np.random.default_rng(0)
    shapes = {"conv1_1": (3, 3, 3, 64), "conv1_2": (3, 3, 64, 64)}
    normal = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    return {name: {"kernel": normal(*shape), "bias": normal(shape[3])} for name, shape in shapes.items()}


def keras(path: Path, layers: Layers, *, rename=lambda layer: f"block{layer[4]}_conv{layer[6]}") -> Path:
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [rename(name).encode() for name in layers]
        for name, parts in layers.items():
            group = file.create_group(rename(name))
            group["uniform1"], group["a_bias"] = parts["kernel"], parts["bias"]
    return path


def safetensors(path: Path, layers: Layers) -> Path:
    from safetensors.numpy import save_file

    # save_file writes the buffer of a view, not its values
    flat = {f"{n}.{p}": np.ascontiguousarray(a) for n, parts in layers.items() for p, a in parts.items()}
    save_file(flat, path)
    return path


def matconvnet(path: Path, layers: Layers, *, mean=(123.68, 116.779, 103.939), release="1.0") -> Path:
    """RGB kernels, (height, width, in, out): layers[0][i][0][0][2][0] is (kernel, bias), in beta16 [0][0]."""
    import scipy.io

    fields = ["name", "type", "weights"] if release == "1.0" else ["weights", "pad", "type", "name", "stride"]
    cells = np.empty((1, 2 * len(layers) + 1), object)
    for i, (name, parts) in enumerate(layers.items()):
        kernel = parts["kernel"][:, :, ::-1] if name == "conv1_1" else parts["kernel"]
        cells[0, 2 * i] = _struct(fields, name, _pair(kernel, parts["bias"][None]))
        cells[0, 2 * i + 1] = _struct(["type", "name"], name.replace("conv", "relu"), None)
    dense = _pair(np.zeros((1, 1, 2, 2), np.float32), np.zeros((1, 2), np.float32))
    cells[0, -1] = _struct(fields, "fc6", dense)
    if release == "1.0":
        content = {"meta": {"normalization": {"imageSize": [224, 224], "averageImage": np.reshape(mean, (1, 1, 3))}}}
    else:
        content = {"normalization": {"averageImage": np.broadcast_to(np.float32(mean), (8, 8, 3))}}
    scipy.io.savemat(path, {"layers": cells, **content})
    return path


def _pair(kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    pair = np.empty((1, 2), object)
    pair[0, 0], pair[0, 1] = kernel, bias
    return pair


def _struct(fields: list[str], name: str, weights: np.ndarray | None) -> np.ndarray:
    values = {"name": name, "type": name[:4], "weights": weights, "pad": np.ones((1, 4)), "stride": np.ones((1, 2))}
    cell = np.empty((1, 1), [(field, object) for field in fields])
    for field in fields:
        cell[field][0, 0] = values[field]
    return cell


def numbered(layers: Layers) -> dict[str, np.ndarray]:
    """torchvision's names and layout."""
    names = {f"features.{INDEX[n]}": parts for n, parts in layers.items()}
    return {f"{n}.{r}": a for n, parts in names.items() for r, a in _torch(parts).items()}


def named(layers: Layers) -> dict[str, np.ndarray]:
    """The names of the files that go round as vgg_conv.pth."""
    return {f"{n}.{r}": a for n, parts in layers.items() for r, a in _torch(parts).items()}


def _torch(parts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"weight": np.ascontiguousarray(parts["kernel"].transpose(3, 2, 0, 1)), "bias": parts["bias"]}


def pth(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """As torch.save writes it since 1.6."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", state_dict(tensors, view=b""))
        archive.writestr("archive/byteorder", "little")
        for key, array in enumerate(tensors.values()):
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return path


def legacy_pth(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """As torch.save wrote it before 1.6: five pickles, then the storages."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    head = b"".join(pickle.dumps(value, protocol=2) for value in (MAGIC, 1001, system))
    keys = pickle.dumps([str(key) for key in range(len(tensors))], protocol=2)
    data = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in tensors.values())
    path.write_bytes(head + state_dict(tensors, view=b"N") + keys + data)
    return path


def state_dict(tensors: Mapping[str, np.ndarray], *, view: bytes) -> bytes:
    """The pickle of an OrderedDict of tensors, opcode by opcode."""
    empty = b"ccollections\nOrderedDict\n)R"
    items = b""
    for key, (name, array) in enumerate(tensors.items()):
        storage = b"(" + _word("storage") + b"ctorch\nFloatStorage\n" + _word(str(key)) + _word("cpu")
        storage += _number(array.size) + view + b"tQ"
        strides = [s // array.itemsize for s in array.strides]
        tensor = storage + b"K\x00" + _numbers(array.shape) + _numbers(strides) + b"\x89" + empty
        items += _word(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + tensor + b"tR"
    # torch hangs module versions on the dict: a BUILD with a state
    metadata = b"}" + _word("_metadata") + empty + b"s"
    return b"\x80\x02" + empty + b"q\x00(" + items + b"u" + metadata + b"b."


def _word(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _numbers(values) -> bytes:
    return b"(" + b"".join(_number(v) for v in values) + b"t"


def containers(folder, layers):
    """The same values in every container, with the name of each."""
    swapped = layers | {"conv1_1": layers["conv1_1"] | {"kernel": layers["conv1_1"]["kernel"][:, :, ::-1]}}
    return {
        "h5": keras(folder / "a", layers),
        "h5, odd names": keras(folder / "b", layers, rename=lambda n: f"c{n[4]}{n[6]}"),
        "safetensors": safetensors(folder / "c", layers),
        "pth": pth(folder / "d", numbered(layers)),
        "pth, old": legacy_pth(folder / "e", named(layers)),
        "mat": matconvnet(folder / "g", layers),
        "mat, beta16": matconvnet(folder / "h", layers, release="beta16"),
        "safetensors, RGB": safetensors(folder / "i", swapped),
    }


def load_file(path, *, network="vgg19", needed=("conv1_1", "conv1_2"), preprocessing="auto"):
    return weights.load("file", network=network, needed=needed, path=str(path), preprocessing=preprocessing)
