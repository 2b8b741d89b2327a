"""The experiments on other networks: their choices of layers, what they read between two runs, and small whole runs."""

import csv
import math

import pytest
from PIL import Image

import nst_jax as nst
from experiments.networks import candidates, extractors, layer_choice, one_pass_or_many, tuning


def test_layers_are_grouped_by_stride():
    assert layer_choice.group(nst.architecture("squeezenet")) == {
        2: ["conv1"],
        4: ["fire2", "fire3"],
        8: ["fire4", "fire5"],
        16: ["fire6", "fire7", "fire8", "fire9"],
    }
    assert list(layer_choice.group(nst.architecture("inception_v3"))) == [2, 4, 8, 16, 32]


def test_each_choice_of_layers_is_there_once(data):
    found = dict(layer_choice.choices("untrained SqueezeNet", data / "weights"))
    assert list(found["first, to 16; content 8"].style_layers) == ["conv1", "fire2", "fire4", "fire6"]
    assert list(found["first, to 16; content 8"].content_layers) == ["fire4"]
    assert list(found["last, to 16; content 4"].content_layers) == ["fire3"]
    assert set(found["last, to 8; content 8"].extractor.taps) == {"conv1", "fire3", "fire5"}
    assert "last, to 32; content 8" not in found  # SqueezeNet ends at 16: it is the choice to 16


def test_what_a_choice_reaches_lies_between_the_runs_around_the_ssim():
    line = [
        {"weight": 1.0, "ssim": 0.8, "distance": 4.0, "content error": 0.1},
        {"weight": 100.0, "ssim": 0.6, "distance": 1.0, "content error": 0.4},
    ]
    found = layer_choice.at(line, 0.7)
    assert found == pytest.approx({"ssim": 0.7, "weight": 10.0, "distance": 2.0, "content error": 0.2})
    beyond = layer_choice.at(line, 0.5)
    assert all(math.isnan(value) for name, value in beyond.items() if name != "ssim")


def test_choices_of_a_network_are_compared_at_an_ssim_that_all_reach():
    def line(choice, *ssims):
        own = {"network": "N", "choice": choice, "layers": choice, "pair": "p"}
        return [own | {"weight": 10.0**i, "ssim": s, "distance": s, "content error": 1.0} for i, s in enumerate(ssims)]

    table = layer_choice.compare([*line("a", 0.9, 0.5), *line("b", 0.7, 0.3)])
    assert [row["ssim"] for row in table] == pytest.approx([0.6, 0.6])
    assert table[0]["weight"] == pytest.approx(10**0.75)
    assert table[1]["weight"] == pytest.approx(10**0.25)


@pytest.mark.slow
def test_small_run_of_the_choice_is_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(layer_choice, "PAIRS", (("landscape", "brush"),))
    monkeypatch.setattr(layer_choice, "LADDER", (0.1, 100.0))
    monkeypatch.setattr(layer_choice, "TRIALS", {"first, to 8; content 8": (0, 8, 8)})
    words = (f"data={data}", "size=64", "steps=4", "networks=[SqueezeNet]")
    home = layer_choice.main(*words, home=tmp_path)
    with (home / "table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["choice"] for row in table] == ["as it comes", "first, to 8; content 8"]
    assert all(float(row["score"]) > 0 for row in table)
    assert "| SqueezeNet | " in (home / "README.md").read_text()
    monkeypatch.setattr(tuning, "stylise", None)  # the same line again computes nothing
    layer_choice.main(*words, home=tmp_path)


@pytest.mark.slow
def test_small_run_by_two_networks_is_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "TRIES", 2)
    words = (f"data={data}", "size=48", "steps=2", "networks=[VGG-16,SqueezeNet]", "content=landscape", "style=brush")
    home = extractors.main(*words, home=tmp_path)
    with Image.open(home / "figure.png") as figure:
        assert figure.width > 1000
    with (home / "table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["network"] for row in table)) == ["VGG-16", "SqueezeNet"]
    for column in ("distance by VGG-19", "distance by texnet", "content error by VGG-19", "content error by texnet"):
        assert all(0 < float(row[column]) < 10 for row in table)


@pytest.mark.slow
def test_small_run_of_one_pass_or_many_is_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(one_pass_or_many, "PAIRS", (("landscape", "brush"),))
    words = (f"data={data}", "size=48", "few=2", "many=4")
    home = one_pass_or_many.main(*words, home=tmp_path)
    with (home / "table.csv").open() as file:
        table = {row["way"]: row for row in csv.DictReader(file)}
    assert list(table) == ["one pass", "one pass, 2 steps", "2 steps", "4 steps"]
    seconds = {way: float(row["seconds"]) for way, row in table.items()}
    assert seconds["one pass, 2 steps"] > seconds["one pass"] > 0
    for column in ("distance", "distance by SqueezeNet", "content error", "ssim"):
        assert all(0 < float(row[column]) < 10 for row in table.values()), column
    assert "| 4 steps | " in (home / "README.md").read_text()
    monkeypatch.setattr(one_pass_or_many, "optimise", None)  # the same line again computes nothing
    one_pass_or_many.main(*words, home=tmp_path)


def test_judges_take_no_part(data):
    taking_part = set(candidates.everything(data / "weights"))
    assert not taking_part & {name.removeprefix(" by ") for name in candidates.outside_judges(data / "weights")}
