"""Weights: every container to the same bits, with the preprocessing that belongs to them."""

import subprocess
import sys

import numpy as np
import pytest
import weight_files
from weight_files import containers
from weight_files import load_file as load

from nst_jax.extractors import architecture
from nst_jax.shell.cli import weights as weights_command
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache, weights

BLOCK1 = ("conv1_1", "conv1_2")
CAFFE_BIAS = np.array([-103.939, -116.779, -123.68], np.float32)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NST_JAX_MIRROR", raising=False)


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        for part in ("kernel", "bias"):
            assert a[name][part].dtype == b[name][part].dtype == np.float32
            np.testing.assert_array_equal(a[name][part], b[name][part], err_msg=f"{name}.{part}")


def test_every_container_gives_the_same_bits(tmp_path):
    layers = weight_files.synthetic()
    for name, path in containers(tmp_path, layers).items():
        if name != "safetensors, RGB":  # of values that nobody knows, the colours' order cannot be known
            params = load(path, preprocessing="caffe").params
            same({n: params[n] for n in BLOCK1}, layers)
            np.testing.assert_array_equal(params["input"]["bias"], CAFFE_BIAS)


def test_every_container_gives_the_same_bits_of_the_real_weights(tmp_path, data):
    needed = ("conv3_4",)
    real = load(data / "weights" / "vgg19_blocks1-3.safetensors", needed=needed)
    layers = {n: p for n, p in real.params.items() if n != "input"}
    assert "original Caffe" in real.source
    files = {"published": data / "weights" / "vgg19_blocks1-3_keras_layout.h5", **containers(tmp_path, layers)}
    for path in files.values():
        loaded = load(path, needed=needed)
        same(loaded.params, real.params)
        assert loaded.source == real.source


def test_a_turned_file_of_the_original_values_is_turned_back(tmp_path, data):
    real = load(data / "weights" / "vgg19_blocks1-3.safetensors").params
    layers = {n: real[n] for n in BLOCK1}
    turned = {n: {**p, "kernel": p["kernel"].transpose(1, 0, 2, 3)} for n, p in layers.items()}
    same(load(weight_files.matconvnet(tmp_path / "turned.mat", turned)).params, {"input": real["input"], **layers})


def test_preprocessing_follows_the_format(tmp_path):
    layers = weight_files.synthetic()
    found = load(weight_files.pth(tmp_path / "a.pth", weight_files.numbered(layers))).params["input"]
    gray = np.full(3, 0.25, np.float32)
    expected = (gray - np.array([0.485, 0.456, 0.406], np.float32)) / np.array([0.229, 0.224, 0.225], np.float32)
    np.testing.assert_allclose(gray @ found["kernel"] + found["bias"], expected, rtol=1e-5)
    mat = load(weight_files.matconvnet(tmp_path / "a.mat", layers, mean=(3.0, 2.0, 1.0))).params
    np.testing.assert_array_equal(mat["input"]["bias"], [-1, -2, -3])
    red = np.array([1, 0, 0], np.float32) @ mat["input"]["kernel"]
    np.testing.assert_array_equal(red, [0, 0, 255])  # red comes last: BGR
    for path in (
        weight_files.safetensors(tmp_path / "a.safetensors", layers),
        weight_files.pth(tmp_path / "b.pth", weight_files.named(layers)),
    ):
        with pytest.raises(UserError, match=r"say weights\.preprocessing=caffe .* or torchvision"):
            load(path)


def test_saved_weights_keep_their_preprocessing_and_their_origin(tmp_path):
    first = load(weight_files.pth(tmp_path / "a.pth", weight_files.numbered(weight_files.synthetic())))
    weights.save(first, tmp_path / "b.safetensors")
    again = load(tmp_path / "b.safetensors")
    same(again.params, first.params)
    assert (again.source, again.sha256) == (first.source, first.sha256)
    with pytest.raises(UserError, match="these weights need torchvision"):
        load(tmp_path / "b.safetensors", preprocessing="caffe")


def test_random_weights_are_seeded_and_say_so():
    first, again, other = (weights.load("random", network="distilled", needed=(), seed=s) for s in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256
    assert "untrained" in first.source
    assert "seed 1" in first.source
    some = weights.load("random", network="distilled", needed=("conv2_1",), seed=1)
    same(some.params, {n: first.params[n] for n in ("conv2_1", "input")})


def test_untrained_from_a_block_on(tmp_path):
    path = weight_files.keras(tmp_path / "a.h5", weight_files.synthetic())  # the first block and nothing else
    told = []
    given = {"network": "vgg19", "needed": ("conv1_1", "conv2_1"), "path": str(path)}
    found = weights.load("file", **given, seed=3, random_from=2, log=told.append)
    trained = load(path).params
    same({n: found.params[n] for n in BLOCK1}, {n: trained[n] for n in BLOCK1})
    np.testing.assert_array_equal(found.params["input"]["bias"], trained["input"]["bias"])
    drawn = weights.load("random", network="vgg19", needed=(), seed=3).params
    np.testing.assert_array_equal(found.params["conv2_1"]["kernel"], drawn["conv2_1"]["kernel"])
    assert "blocks 2 and deeper untrained: He-normal, seed 3" in found.source
    assert any("untrained" in line for line in told)
    with pytest.raises(UserError, match="conv2_1"):
        weights.load("file", **given, random_from=3, log=told.append)
    for source, first in (("own", 0), ("own", 6), ("random", 2)):
        with pytest.raises(UserError, match=r"weights\.random_from"):
            weights.load(source, network="distilled", needed=(), random_from=first)


def test_auto_ends_in_a_clear_choice_and_never_in_other_weights(monkeypatch):
    files = architecture("vgg19").sources["keras"]
    nowhere = tuple(f._replace(urls=("http://127.0.0.1:9/none",)) for f in files)
    monkeypatch.setattr(weights, "ORDER", ("keras",))
    monkeypatch.setitem(architecture("vgg19").sources, "keras", nowhere)
    with pytest.raises(UserError, match="network=distilled"):
        weights.load("auto", network="vgg19", needed=(), log=[].append)


@pytest.mark.parametrize("network", ["distilled", "texnet"])
@pytest.mark.parametrize("source", ["own", "auto"])
def test_some_networks_come_with_the_package(source, network):
    found = weights.load(source, network=network, needed=("conv4_2",), log=[].append)
    assert "come with nst_jax" in found.source
    assert found.params["conv1_1"]["kernel"].dtype == np.float32
    assert set(found.params["input"]) == {"kernel", "bias"}


@pytest.mark.parametrize("network", ["distilled", "texnet"])
def test_they_have_no_other_publisher(network):
    with pytest.raises(UserError, match="weights=own"):
        weights.load("keras", network=network, needed=(), log=[].append)


def test_the_command_converts_and_names_mistakes(tmp_path, capsys):
    source = weight_files.keras(tmp_path / "a.h5", weight_files.synthetic())
    assert weights_command.main(["convert", str(source), str(tmp_path / "b.safetensors")]) == 0
    assert "conv1_1 to conv1_2; vgg19, from a keras file" in capsys.readouterr().out
    same(load(tmp_path / "b.safetensors").params, load(source).params)
    assert weights_command.main(["convert", str(tmp_path / "none"), "x"]) == 2
    assert capsys.readouterr().err.startswith("nst-weights: ")
    assert weights_command.main(["list"]) == 0
    assert weights_command.main(["verify"]) == 0
    damaged = cache.folder() / (architecture("vgg19").sources["keras"][0].file + ".safetensors")
    damaged.write_bytes(b"not what was written")
    assert weights_command.main(["verify"]) == 1
    assert "DAMAGED" in capsys.readouterr().out


def test_no_jax_before_it_is_needed():
    code = "import sys, nst_jax.shell.io.weights, nst_jax.shell.cli.weights; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("prefix", ["module.", "model/vgg/", "state_dict.net."])
def test_a_prefix_before_a_layers_name_is_left_out(tmp_path, prefix):
    layers = weight_files.synthetic()
    file = weight_files.safetensors(tmp_path / "a", {prefix + name: parts for name, parts in layers.items()})
    same({n: load(file, preprocessing="caffe").params[n] for n in BLOCK1}, layers)
    tensors = {prefix + name: a for name, a in weight_files.numbered(layers).items()}
    same({n: load(weight_files.pth(tmp_path / "b", tensors)).params[n] for n in BLOCK1}, layers)


def test_a_name_that_only_ends_like_a_layers_is_another(tmp_path):
    layers = {f"re{name}": parts for name, parts in weight_files.synthetic().items()}
    with pytest.raises(UserError, match=r"it has no reconv1_1\.bias"):
        load(weight_files.safetensors(tmp_path / "a", layers), preprocessing="caffe")


def test_float16_weights_of_a_whole_vgg16(data):
    """HED's fine-tuned VGG-16: not the original values any more, so that the preprocessing must be said."""
    path, needed = data / "weights" / "vgg16_hed.safetensors", ("conv5_3",)
    with pytest.raises(UserError, match=r"say weights\.preprocessing=caffe"):
        load(path, network="vgg16", needed=needed)
    params = load(path, network="vgg16", needed=needed, preprocessing="caffe").params
    assert list(params) == ["input", *architecture("vgg16").kernels]
    assert all(a.dtype == np.float32 for layer in params.values() for a in layer.values())
    np.testing.assert_array_equal(params["input"]["bias"], CAFFE_BIAS)
    assert 0.01 < params["conv1_1"]["kernel"].std() < 1


def test_a_network_without_a_publisher_says_what_there_is(monkeypatch):
    for publisher in list(architecture("squeezenet").sources):
        monkeypatch.delitem(architecture("squeezenet").sources, publisher)
    for source in ("own", "auto", "keras"):
        with pytest.raises(UserError, match=r"squeezenet.*weights=file weights\.path=FILE"):
            weights.load(source, network="squeezenet", needed=(), log=[].append)


def test_saved_weights_have_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    weights.save(weights.load("random", network="distilled", needed=("conv1_1",)), tmp_path / "new" / "a.safetensors")
    assert (tmp_path / "new" / "a.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.safetensors"]


def test_pystiches_mean_in_the_place_of_the_original_one(data):
    """pystiche/enc/prepostprocessing.py @71217c2: (0.485, 0.458, 0.408), times 255, in BGR."""
    path = data / "weights" / "vgg19_blocks1-3.safetensors"
    loaded, original = load(path, preprocessing="pystiche"), load(path)
    np.testing.assert_allclose(loaded.params["input"]["bias"], (-104.04, -116.79, -123.675), rtol=1e-6)
    np.testing.assert_array_equal(loaded.params["input"]["kernel"], original.params["input"]["kernel"])
    same({n: loaded.params[n] for n in BLOCK1}, {n: original.params[n] for n in BLOCK1})
    assert loaded.source.endswith("here BGR, 0..255, minus pystiche's (104.04, 116.79, 123.675)")


def test_weights_may_be_given_rgb_as_it_is(data):
    """`unit`: not what they were trained on, but what a program gives them; the values stay."""
    path = data / "weights" / "vgg19_blocks1-3.safetensors"
    loaded, original = load(path, preprocessing="unit"), load(path)
    np.testing.assert_array_equal(loaded.params["input"]["kernel"], np.eye(3))
    np.testing.assert_array_equal(loaded.params["input"]["bias"], np.zeros(3))
    same({n: loaded.params[n] for n in BLOCK1}, {n: original.params[n] for n in BLOCK1})
    assert loaded.source.endswith("; here RGB, 0..1")
    drawn = weights.load("random", network="distilled", needed=("conv1_1",), preprocessing="unit")
    np.testing.assert_array_equal(drawn.params["input"]["kernel"], np.eye(3))


def test_untrained_weights_have_no_input_of_pystiches():
    with pytest.raises(UserError, match="no effect with weights=random"):
        weights.load("random", network="distilled", needed=(), preprocessing="pystiche")
