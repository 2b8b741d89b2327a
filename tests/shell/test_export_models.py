"""`nst-export MODEL jax | onnx`: the file gives what the model gives, in a process that knows nothing of nst_jax."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jax.numpy as jnp
import model_files
import numpy as np
import pytest

import nst_jax
from nst_jax.shell.cli import export

NAMES = ("landscape", "portrait")
READER = """
import sys
import numpy as np
from jax import export
with open(sys.argv[1], "rb") as file:
    call = export.deserialize(bytearray(file.read())).call
given = np.load(sys.argv[2])
np.savez(sys.argv[3], *[np.asarray(call(*[given[f"{size}_{name}"] for name in sys.argv[4:]])) for size in (0, 1)])
assert "nst_jax" not in sys.modules
"""
ONNX_READER = """
import sys
import numpy as np
import onnxruntime
session, given = onnxruntime.InferenceSession(sys.argv[1]), np.load(sys.argv[2])
np.savez(sys.argv[3], session.run(None, {name: given[f"0_{name}"] for name in sys.argv[4:]})[0])
"""
EXPORT = "import sys; from nst_jax.shell.cli.export import main; sys.argv[0] = 'nst-export'; main()"
TAKES = {"johnson": ("images",), "cin": ("images", "shares")}
OF_STYLE = ("images", "style", "alpha")
SIZES = ((48, 60), (56, 44))  # Johnson's network mirrors 40 pixels


def run(code, *words, cwd):
    place = str(Path(nst_jax.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([place, *sys.path])},
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def inputs(method):
    """Arguments of two sizes, by name."""
    found = {}
    for number, (height, width) in enumerate(SIZES):
        rng = np.random.default_rng(number)
        found[f"{number}_images"] = rng.random((1, height, width, 3), np.float32)
        found[f"{number}_shares"] = np.asarray([0.25, 0.75, 0.0], np.float32)
        found[f"{number}_style"] = rng.random((width, height, 3), np.float32)
        found[f"{number}_alpha"] = np.float32(0.7)
    return found


def known(model, given, size):
    images, shares, style, alpha = (jnp.asarray(given[f"{size}_{k}"]) for k in ("images", "shares", "style", "alpha"))
    if model.method == "johnson":
        return model.apply(model.params, images)
    if model.method == "cin":
        return model.apply(model.params, images, shares=shares)
    return model.apply(model.params, images, [model.apply.study(model.params, style)], alpha=alpha)


def compare(method, kind, reader, tmp_path, *more, atol):
    path = model_files.write(method, tmp_path)
    told = run(EXPORT, path, kind, "to=out.bin", *more, cwd=tmp_path).strip()
    assert told == "out.bin"
    given = inputs(method)
    np.savez(tmp_path / "in.npz", **given)
    run(reader, "out.bin", "in.npz", "out.npz", *TAKES.get(method, OF_STYLE), cwd=tmp_path)
    model = nst_jax.load_model(path)
    with np.load(tmp_path / "out.npz") as found:
        for size in range(len(found.files)):
            wanted = np.asarray(known(model, given, size))
            assert found[f"arr_{size}"].shape == wanted.shape
            np.testing.assert_allclose(found[f"arr_{size}"], wanted, atol=atol * max(1, np.abs(wanted).max()))


@pytest.mark.skipif(find_spec("flatbuffers") is None, reason="the extra export is not installed")
@pytest.mark.parametrize("method", model_files.LINES)
def test_stablehlo_gives_what_the_model_gives_at_two_sizes(method, tmp_path):
    compare(method, "jax", READER, tmp_path, atol=2e-3 if method == "wct" else 1e-4)


@pytest.mark.parametrize("method", ["johnson", "cin"])
def test_onnx_gives_what_the_model_gives(method, tmp_path):
    if not (find_spec("jax2onnx") and find_spec("onnxruntime")):
        pytest.skip("the extra onnx is not installed: it needs an environment of its own")
    compare(method, "onnx", ONNX_READER, tmp_path, "size=60x48", atol=1e-4)


def test_mistakes_are_said(called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = model_files.write("johnson", tmp_path)
    code, text = called(export.main, "nst-export", path, "tensorflow")
    assert code == 2
    assert "there is no tensorflow" in text
    code, text = called(export.main, "nst-export", "nowhere", "jax")
    assert code == 2
    assert "nst-export: model=nowhere: there is no such file" in text
    for words, message in (
        ((path, "jax", "size=64x64"), "jax takes pictures of any size"),
        ((path, "jax", "out.bin"), "out.bin: nst-export MODEL jax takes to=FILE and size=WIDTHxHEIGHT"),
        ((path, "onnx"), "say size=WIDTHxHEIGHT"),
        ((path, "onnx", "size=62x64"), "multiples of 4, 44 at least"),
        ((model_files.write("adain", tmp_path / "adain"), "onnx", "size=64x64"), "a model of adain has no ONNX"),
    ):
        code, text = called(export.main, "nst-export", *words)
        assert code == 2
        assert message in text, text
    if find_spec("jax2onnx") is None:
        code, text = called(export.main, "nst-export", path, "onnx", "size=64x64")
        assert code == 2
        assert "jax2onnx is not installed: pip install" in text
