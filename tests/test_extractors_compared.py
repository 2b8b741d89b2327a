"""The comparison of feature extractors: its tuning, its other network, and a whole small run that is kept."""

import csv

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import nst_jax as nst
from experiments.networks import extractors_compared, looks, side_by_side, tuning


def rows(**ssims):
    return [{"weight": float(weight[1:]), "ssim": ssim} for weight, ssim in ssims.items()]


def test_a_weight_is_proposed_between_the_neighbours_of_the_aim():
    found = rows(w1=0.9, w10=0.7, w100=0.5, w1000=0.45)
    assert tuning.propose(found, 0.6) == pytest.approx(10**1.5)
    weight = tuning.propose(found, 0.699 - 0.01)
    assert weight is not None
    assert 10 < weight < 100


def test_nothing_is_proposed_near_the_aim():
    assert tuning.propose(rows(w1=0.9, w10=0.601), 0.6) is None


def test_a_weight_beyond_all_is_proposed_while_none_enclose_the_aim():
    assert tuning.propose(rows(w10=0.9, w100=0.7), 0.6) == 1000
    assert tuning.propose(rows(w10=0.9, w100=0.7), 0.95) == 1


def test_squeezenets_first_layer_is_keras(data):
    """conv1 at one position, written out: 3 x 3, stride 2, no padding, BGR in 0..255 minus the mean."""
    path = data / "weights/squeezenet1.1_keras_notop.h5"
    net = nst.load(path, network="squeezenet", preprocessing="caffe")
    image = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    extractor = net.extractor.clone(taps=("conv1", "fire4", "fire9"))
    activations = nst.features(extractor, net.params, jnp.asarray(image))
    window = 255 * image[6:9, 10:13, ::-1] - np.array((103.939, 116.779, 123.68))
    kernel, bias = np.asarray(net.params["conv1"]["kernel"]), np.asarray(net.params["conv1"]["bias"])
    expected = np.maximum(np.einsum("yxc,yxcd->d", window, kernel) + bias, 0)
    np.testing.assert_allclose(activations["conv1"][3, 5], expected, rtol=1e-3, atol=1e-2)
    assert activations["fire4"].shape == (4, 5, 256)
    assert activations["fire9"].shape[-1] == 512


@pytest.mark.slow
def test_small_run_is_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(extractors_compared, "PAIRS", (("landscape", "brush"),))
    monkeypatch.setattr(tuning, "TRIES", 2)
    words = (f"data={data}", "size=48", "steps=2", "seeds=1")
    home = extractors_compared.main(*words, home=tmp_path)
    assert (home / "figure.png").stat().st_size > 10_000
    with (home / "table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert {row["network"] for row in table} == {"VGG-16", "distilled", "texnet", "untrained VGG-16 #0"}
    for column in ("distance", "distance by SqueezeNet", "content error", "content error by SqueezeNet"):
        assert all(0 < float(row[column]) < 10 for row in table)
    assert "its ratio to VGG-16" in (home / "README.md").read_text()
    monkeypatch.setattr(tuning, "stylise", None)  # the same line again computes nothing
    extractors_compared.main(*words, home=tmp_path)


@pytest.mark.slow
def test_sheet_of_pairs_is_drawn_and_its_pictures_are_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(side_by_side, "PAIRS", (("landscape", "brush"), ("portrait", "brush")))
    words = (f"data={data}", "size=48", "steps=1")
    path = side_by_side.main(*words, home=tmp_path)
    with Image.open(path) as sheet:
        assert sheet.width > 5 * 400
        assert np.asarray(sheet).std() > 10
    assert len(list(tmp_path.glob("*.npy"))) == 6
    monkeypatch.setattr(nst, "stylise", None)  # the same line again computes nothing
    assert side_by_side.main(*words, home=tmp_path) == path


@pytest.mark.slow
def test_looks_are_measured_and_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(looks, "PAIRS", (("landscape", "brush"), ("portrait", "mosaic")))
    words = (f"data={data}", "size=48", "steps=2", "networks.VGG-16=1")
    home = looks.main(*words, home=tmp_path)
    assert (home / "figure.png").stat().st_size > 10_000
    with (home / "table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["look"] for row in table] == 3 * ["gentle", "balanced", "strong", "painterly"]
    assert [row["network"] for row in table] == 8 * ["distilled"] + 4 * ["VGG-16"]
    assert all(0 < float(row["ssim_content"]) < 1 and float(row["style_distance"]) > 0 for row in table)
    said = (home / "README.md").read_text()
    assert "distilled 2, VGG-16 1" in said
    assert "over 4 runs of each" in said
    marks = {path: path.stat().st_mtime_ns for path in tmp_path.glob("sweeps/*/*/mark.json")}
    assert len(marks) == 12
    looks.main(*words, home=tmp_path)  # the same line again computes nothing
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("sweeps/*/*/mark.json")} == marks


def test_looks_without_pictures_say_what_is_missing(tmp_path):
    with pytest.raises(SystemExit, match=r"tubingen.jpg is missing; set data=FOLDER"):
        looks.main(f"data={tmp_path}", home=tmp_path)
