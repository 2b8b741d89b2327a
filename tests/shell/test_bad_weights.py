"""Every wrong weight file, and every setting that makes no sense, to one clear sentence."""

import numpy as np
import pytest
import weight_files
from weight_files import containers
from weight_files import load_file as load

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import weights

BLOCK1 = ("conv1_1", "conv1_2")


def test_the_original_values_with_the_wrong_preprocessing_are_refused(data):
    with pytest.raises(UserError, match="these weights need caffe"):
        load(data / "weights" / "vgg19_blocks1-3.safetensors", preprocessing="torchvision")


@pytest.mark.parametrize("name", ["vgg19_blocks1-3.safetensors", "vgg19_blocks1-3_keras_layout.h5"])
def test_real_weights_of_the_wrong_network(data, name):
    with pytest.raises(UserError, match="not weights of vgg16"):
        load(data / "weights" / name, network="vgg16")


def test_the_first_blocks_tell_their_network_by_their_values(tmp_path, data):
    real = load(data / "weights" / "vgg19_blocks1-3.safetensors").params
    prefix = weight_files.safetensors(tmp_path / "a", {n: real[n] for n in BLOCK1})
    with pytest.raises(UserError, match=r"the weights of vgg19, not of vgg16; set network=vgg19"):
        load(prefix, network="vgg16")


def test_squeezenet_is_not_vgg(data):
    with pytest.raises(UserError, match=r"squeezenet.*not weights of vgg19.*conv1_2's kernel is \(1, 1, 64, 16\)"):
        load(data / "weights" / "squeezenet1.1_keras_notop.h5")


def test_the_first_blocks_are_enough_where_no_more_is_needed(tmp_path):
    path = weight_files.keras(tmp_path / "a.h5", weight_files.synthetic())
    assert list(load(path).params) == ["input", *BLOCK1]
    with pytest.raises(UserError, match=r"holds conv1_1 to conv1_2 only.*conv4_2, conv5_1 too"):
        load(path, needed=("conv1_1", "conv4_2", "conv5_1"))


def broken(change):
    layers = weight_files.synthetic()
    change(layers)
    return layers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("conv1_1"), "it has conv1_2 but no conv1_1"),
        (lambda s: s.update(conv9_9=s["conv1_1"]), r"it has no conv9_9\.bias, conv9_9\.kernel"),
        (lambda s: s.update(conv1_2=s["conv1_1"]), r"conv1_2's kernel is \(3, 3, 3, 64\), not \(3, 3, 64, 64\)"),
        (lambda s: s.update(conv1_2=s["conv1_2"] | {"bias": s["conv1_2"]["bias"][1:]}), r"bias is \(63,\), not"),
        (lambda s: s.update(conv1_2={"kernel": s["conv1_2"]["kernel"]}), "conv1_2 should have a kernel and a bias"),
        (lambda s: s["conv1_2"]["bias"].fill(np.nan), "conv1_2 holds values that are not finite"),
        (lambda s: s.clear() or s.update(a={"kernel": np.ones(3)}), r"it has no a\.kernel"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        load(weight_files.safetensors(tmp_path / "a.safetensors", broken(change)), preprocessing="caffe")


def test_pth_files_of_other_networks_are_refused_and_a_classifier_is_left_out(tmp_path):
    tensors = weight_files.numbered(weight_files.synthetic())
    deep = {"features.16.weight": np.zeros((512, 256, 3, 3), np.float32)}  # a pooling in VGG-16, conv3_4 in VGG-19
    with pytest.raises(UserError, match=r"not weights of vgg16, it has no features\.16\.weight"):
        load(weight_files.pth(tmp_path / "deep.pth", tensors | deep), network="vgg16")
    twice = tensors | {f"average.{name}": array for name, array in tensors.items()}
    with pytest.raises(UserError, match=r"it has no average\.features\.0\.weight"):
        load(weight_files.pth(tmp_path / "twice.pth", twice))
    norm = tensors | {"features.1.running_mean": np.zeros(64, np.float32)}
    with pytest.raises(UserError, match=r"it has no features\.1\.running_mean"):
        load(weight_files.pth(tmp_path / "bn.pth", norm))
    dense = tensors | {"classifier.0.weight": np.zeros((2, 2), np.float32)}
    assert list(load(weight_files.pth(tmp_path / "dense.pth", dense)).params) == ["input", *BLOCK1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>Sign in", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
        (b"just text", "not a weight file"),
        (b"MATLAB 7.3 MAT-file, Platform", "save it with -v7"),
        (b"\x80\x04K\x01.", "pickles are not executed"),
        (b"\x89HDF\r\n\x1a\n cut", "damaged or cut short"),
        (b"MATLAB 5.0 MAT-file cut", "damaged or cut short"),
        (b"PK\x03\x04 cut", "damaged or cut short"),
    ],
)
def test_what_is_no_weight_file_is_told_in_words(tmp_path, content, message):
    path = tmp_path / "vgg.h5"  # the name says nothing
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"vgg.h5.*{message}"):
        load(path)


@pytest.mark.parametrize("name", ["h5", "safetensors", "pth", "pth, old", "mat"])
def test_a_short_file_is_refused(tmp_path, name):
    path = containers(tmp_path, weight_files.synthetic())[name]
    path.write_bytes(path.read_bytes()[:-10_000])
    with pytest.raises(UserError, match=r"damaged|cut short|missing"):
        load(path, preprocessing="caffe")


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("kears", {}, "weights=kears is unknown; there are own, keras"),
        ("file", {}, r"weights\.path=FILE"),
        ("keras", {"path": "a.h5"}, "no effect with weights=keras"),
        ("random", {"preprocessing": "caffe"}, "no effect with weights=random"),
        ("random", {"network": "vgg11"}, r"network: there is no vgg11\. Did you mean vgg1"),
    ],
)
def test_settings_that_make_no_sense(source, settings, message):
    with pytest.raises(UserError, match=message):
        weights.load(source, **({"network": "vgg19", "needed": ()} | settings))
