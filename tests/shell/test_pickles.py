"""The .pth reader: tensors of numbers, and nothing else."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import weight_files

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import torch_files

WRITERS = [weight_files.pth, weight_files.legacy_pth]


class Evil:
    """What an attacker writes: unpickling it would run a command."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def zipped(path: Path, pickled: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
    return path


@pytest.mark.parametrize("write", WRITERS)
def test_tensors_come_back_to_the_bit(tmp_path, write):
    tensors = weight_files.numbered(weight_files.synthetic())
    read = torch_files.read(write(tmp_path / "a.pth", tensors))
    assert read.keys() == tensors.keys()
    for name, stored in read.items():
        assert stored.shape == tensors[name].shape
        np.testing.assert_array_equal(stored.read(), tensors[name])


@pytest.mark.parametrize("write", WRITERS)
def test_a_damaged_file_is_a_plain_error(tmp_path, write):
    whole = write(tmp_path / "a.pth", weight_files.numbered(weight_files.synthetic())).read_bytes()
    for size in (30, 200, len(whole) // 2, len(whole) - 200):
        cut = tmp_path / "cut.pth"
        cut.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"damaged|cut short"):
            [stored.read() for stored in torch_files.read(cut).values()]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_code_is_refused_by_name_and_not_run(tmp_path, protocol):
    marker = tmp_path / "ran"
    bad = zipped(tmp_path / "bad.pth", pickle.dumps({"conv1_1.weight": Evil(marker)}, protocol=protocol))
    with pytest.raises(UserError, match=r"refused.*system"):
        torch_files.read(bad)
    assert not marker.exists()


def test_code_in_the_legacy_layout_is_refused_too(tmp_path):
    marker = tmp_path / "ran"
    head = weight_files.legacy_pth(tmp_path / "a.pth", {}).read_bytes()
    magic = pickle.dumps(weight_files.MAGIC, protocol=2)
    assert head.startswith(magic)
    (tmp_path / "bad.pth").write_bytes(magic + pickle.dumps(Evil(marker), protocol=2))
    with pytest.raises(UserError, match=r"refused.*system"):
        torch_files.read(tmp_path / "bad.pth")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "pickled"),
    [
        ("builtins.eval", b"cbuiltins\neval\n0N."),  # only mentioned, never called
        ("torch.load", b"\x80\x02ctorch\nload\nX\x01\x00\x00\x00a\x85R."),
        ("builtins.getattr", b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93."),
        ("NEWOBJ", b"\x80\x02ccollections\nOrderedDict\n)\x81."),
        ("INST", b"(ios\nsystem\n."),
        ("EXT1", b"\x80\x02\x82\x01."),
    ],
)
def test_everything_that_is_not_a_tensor_is_refused(tmp_path, name, pickled):
    with pytest.raises(UserError, match=name):
        torch_files.read(zipped(tmp_path / "bad.pth", pickled))


@pytest.mark.parametrize(("shape", "strides"), [((10**6,), (1,)), ((2, 2), (-1, 1)), ((10**9, 10**9), (0, 0))])
def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(tmp_path, shape, strides):
    array = np.lib.stride_tricks.as_strided(np.zeros(4, np.float32), (4,), (4,))
    honest = weight_files.state_dict({"a": array}, view=b"")
    numbers = weight_files._numbers
    lying = honest.replace(numbers((4,)) + numbers((1,)), numbers(shape) + numbers(strides))
    assert lying != honest
    bad = zipped(tmp_path / "bad.pth", lying)
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr("archive/data/0", array.tobytes())
    with pytest.raises(UserError, match="damaged"):
        torch_files.read(bad)["a"].read()


def test_a_dict_that_holds_itself_does_not_hang(tmp_path):
    with pytest.raises(UserError, match="damaged"):
        torch_files.read(zipped(tmp_path / "loop.pth", b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."))


@pytest.mark.parametrize("modern", [True, False])
def test_what_torch_writes(tmp_path, modern):
    torch = pytest.importorskip("torch", reason="torch is not installed; the files above are written without it")
    tensors = {n: torch.from_numpy(a) for n, a in weight_files.numbered(weight_files.synthetic()).items()}
    turned = {"turned": tensors["features.0.weight"].transpose(0, 1)[1:], "half": torch.ones(3).half()}
    torch.save({"state_dict": tensors | turned, "epoch": 3}, tmp_path / "a.pth", _use_new_zipfile_serialization=modern)
    read = torch_files.read(tmp_path / "a.pth")
    for name, tensor in (tensors | turned).items():
        np.testing.assert_array_equal(read[f"state_dict.{name}"].read(), tensor.numpy())
