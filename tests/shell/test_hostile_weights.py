"""Weight files that are damaged at random, or made to do harm: a line for each, and no byte of another file."""

import pickle
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
import weight_files
from campaign import times
from weight_files import containers
from weight_files import load_file as load

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import formats, pickles

FILES = max(300, times(300))  # damaged ones
SECONDS = 5.0  # that a refusal may take


def refuse(path, match="."):
    began = time.monotonic()
    with pytest.raises(UserError, match=match):
        load(path, preprocessing="caffe")
    assert time.monotonic() - began < SECONDS


def damage(data, rng):
    """A copy with bits flipped, a part cut out, a part repeated, or cut short."""
    copy, kind = bytearray(data), rng.integers(4)
    at, length = int(rng.integers(len(copy))), int(rng.integers(1, 64))
    if kind == 0:
        for place in rng.integers(0, len(copy), length):
            copy[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del copy[at : at + length]
    elif kind == 2:
        copy[at:at] = copy[at : at + length]
    else:
        del copy[at:]
    return bytes(copy)


@pytest.mark.slow
def test_files_damaged_at_random(tmp_path):
    """Half of them in their first kilobyte, where the structure is. They are read, or refused in a line."""
    rng, layers = np.random.default_rng(22), weight_files.synthetic()
    whole = [*containers(tmp_path, layers).values(), compress_hdf5(tmp_path / "gzip.h5", layers)]
    whole.append(deflate(tmp_path / "deflated.pth", layers))
    refused = 0
    for number in range(FILES):
        data = whole[number % len(whole)].read_bytes()
        path = tmp_path / "damaged"
        path.write_bytes(damage(data[:1024], rng) + data[1024:] if number % 2 else damage(data, rng))
        try:
            load(path, preprocessing="caffe")
        except UserError:
            refused += 1
    assert refused > FILES / 4


def compress_hdf5(path, layers):
    import h5py

    with h5py.File(path, "w") as file:
        for name, parts in layers.items():
            group = file.create_group(f"block{name[4]}_conv{name[6]}")
            for part, values in parts.items():
                group.create_dataset(part, data=values, compression="gzip")
    return path


def deflate(path, layers):
    tensors = weight_files.numbered(layers)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", weight_files.state_dict(tensors, view=b""))
        for key, array in enumerate(tensors.values()):
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return path


def test_gzip_and_deflate_are_read(tmp_path):
    layers = weight_files.synthetic()
    for path in (compress_hdf5(tmp_path / "a.h5", layers), deflate(tmp_path / "b.pth", layers)):
        np.testing.assert_array_equal(
            load(path, preprocessing="caffe").params["conv1_2"]["bias"], layers["conv1_2"]["bias"]
        )


@pytest.mark.parametrize("kind", ["external", "virtual", "external link", "soft link"])
def test_an_hdf5_file_does_not_reach_into_other_files(tmp_path, kind):
    import h5py

    secret = tmp_path / "secret"
    secret.write_bytes(b"secret!!" * 100_000)
    path, layers = tmp_path / "a.h5", weight_files.synthetic()
    weight_files.keras(path, layers)
    with h5py.File(path, "a") as file:
        group: Any = file["block1_conv1"]
        del group["a_bias"]
        if kind == "external":
            group.create_dataset("a_bias", (64,), "<f4", external=[(str(secret), 0, 256)])
        elif kind == "virtual":
            with h5py.File(tmp_path / "other.h5", "w") as other:
                other["x"] = np.zeros(64, np.float32)
            layout = h5py.VirtualLayout((64,), "<f4")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (64,))
            group.create_virtual_dataset("a_bias", layout)
        else:
            target = h5py.ExternalLink("other.h5", "/g") if kind == "external link" else h5py.SoftLink("/block1_conv2")
            with h5py.File(tmp_path / "other.h5", "w") as other:
                other.create_group("g")["uniform1"] = np.zeros(3)
            del file["block1_conv1"]
            file["block1_conv1"] = target
    refuse(path, "refused|no conv1_1")


def test_an_input_that_is_no_number(tmp_path):
    layers = weight_files.synthetic() | {"input": {"kernel": np.full((3, 3), np.nan, np.float32), "bias": np.zeros(3)}}
    refuse(weight_files.safetensors(tmp_path / "a", layers), "not finite")


def test_bombs(tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("block1_conv1/kernel", (1 << 30,), "<f4", compression="gzip", chunks=(1 << 20,))
    refuse(tmp_path / "a.h5", "would expand")
    with zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(200_000_000))
    refuse(tmp_path / "b.pth", "would expand")
    squeeze, zeros = zlib.compressobj(9), bytes(1 << 20)
    body = b"".join(squeeze.compress(zeros) for _ in range(200)) + squeeze.flush()
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    (tmp_path / "c.mat").write_bytes(head + struct.pack("<II", 15, len(body)) + body)
    refuse(tmp_path / "c.mat", "would expand")


def test_pickles_that_take_for_ever(tmp_path):
    """Tuples of tuples, whose hash or text is exponential; and more opcodes than any network has."""
    nested = b"\x80\x02)" + b"q\x00h\x00\x86" * 60
    for body in (b"}" + nested[2:] + b"K\x01s.", nested + b"Q."):
        with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02" + body.removeprefix(b"\x80\x02"))
        refuse(tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "b.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"N0" * pickles.MOST + b"}.")
    refuse(tmp_path / "b.pth", "opcodes")


def test_a_pickle_alone_is_refused(tmp_path):
    (tmp_path / "a.pth").write_bytes(pickle.dumps({"a": 1}, protocol=4))
    with pytest.raises(UserError, match="pickle"):
        formats.read(tmp_path / "a.pth")


def test_convert_to_a_folder(tmp_path):
    from nst_jax.shell.cli import weights

    source = weight_files.keras(tmp_path / "a.h5", weight_files.synthetic())
    assert weights.main(["convert", str(source), str(tmp_path)]) == 2


def test_convert_to_a_full_disk(tmp_path):
    """A limit on the size of files stands for it."""
    source = weight_files.keras(tmp_path / "a.h5", weight_files.synthetic())
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999)); "
    code += "from nst_jax.shell.cli.weights import main; sys.exit(main(sys.argv[1:]))"
    words = ["convert", str(source), str(tmp_path / "b.safetensors"), "--preprocessing", "caffe"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "b.safetensors").exists()
