"""`look=`: how much of the painting, in a word, from the command line and from Python."""

import json
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

import nst_jax
from nst_jax import pictures
from nst_jax.published import LOOKS, LOSSES
from nst_jax.published.looks import CONVENTION, MEAN, NETWORKS, is_original
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import preprocessing
from nst_jax.shell.places import conf
from nst_jax.shell.reports import sheet
from nst_jax.shell.running import looks
from nst_jax.shell.settings import config
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.composing import Composer

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('mosaic')}")
LINE = (*PAIR, "network=distilled", "size=24")


@pytest.fixture
def read():
    """Words -> the settings, or the mistake."""
    with initialize_config_dir(str(conf().resolve()), **config.VERSION_BASE):
        composer = Composer(GlobalHydra.instance().config_loader(), compose("config", return_hydra_config=True))
        yield lambda *words: composer.read([*PAIR, *words])


def values(settings, prefix=""):
    """The settings by their keys, dots between the parts."""
    found = {}
    for key, value in settings.items():
        found |= values(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def changes(one, other):
    """The keys that differ, and their values in `other`."""
    before, after = (values(config.plain(each)) for each in (one, other))
    assert before.keys() <= after.keys()
    return {key: after[key] for key in after if key not in before or after[key] != before[key]}


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_sets_what_its_record_says_and_nothing_else(read, name):
    plain = read()
    wanted = {k: v for k, v in LOOKS[name].settings().items() if v != values(config.plain(plain))[k]}
    if start := LOOKS[name].start:
        wanted |= {f"canvas.{key}": value for key, value in read(f"canvas={start}").canvas.items()}
    assert changes(plain, read(f"look={name}")) == {"look": name, **wanted}


def test_a_line_without_a_look_has_the_weights_of_the_convention(read):
    plain, losses = read(), LOSSES["gatys_released"]
    assert changes(plain, read("look=plain")) == {}
    assert plain.look == "plain"
    assert (plain.content_weight, plain.style_weight) == (losses.content_weight, losses.style_weight)
    assert (plain.style_scale, plain.photo.laplacian, plain.photo.matting) == (1.0, 0.0, 0.0)
    other = read("convention=keras")
    assert other.style_weight == LOSSES["keras"].style_weight


def test_each_of_its_settings_can_be_overridden_in_either_order(read):
    for words in (("look=painterly", "style_weight=5", "style_scale=0.5"), ("style_weight=5", "look=painterly")):
        assert read(*words).style_weight == 5
    assert read("look=painterly", "style_scale=0.5").style_scale == 0.5
    assert read("photo.laplacian=0", "look=gentle").photo.laplacian == 0
    assert read("look=painterly", "canvas=content").canvas == {"start": "content"}
    assert read("look=painterly", "canvas.ratio=0.2").canvas["ratio"] == 0.2


def test_a_preset_of_its_convention_goes_with_a_look(read):
    found = read("+preset=gatys_released", "look=strong")
    assert (found.style_weight, found.size_rule) == (LOOKS["strong"].style_weight, "short")


def test_the_looks_are_in_order():
    """From the photograph to the painting: less of the Laplacian, then more of the style, then painted anew."""
    gentle, balanced, strong, painterly = LOOKS.values()
    assert [look.name for look in LOOKS.values()] == ["gentle", "balanced", "strong", "painterly"]
    assert gentle.laplacian
    assert balanced.laplacian
    assert gentle.laplacian > balanced.laplacian > 0
    assert strong.laplacian is painterly.laplacian is None
    assert strong.style_weight
    assert balanced.style_weight
    assert strong.style_weight > balanced.style_weight
    assert (painterly.style_scale, painterly.start) == (2, "blend")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("convention=keras", "look=strong is made for convention=gatys_released; this line has convention=keras"),
        ("+preset=nis", "this line has convention=nis"),
        ("network=texnet", "made for network=vgg19, vgg16, distilled; this line has network=texnet"),
        ("network=squeezenet", "network=squeezenet"),
        ("weights=torchvision", "made for the original values of VGG .*this line has weights=torchvision"),
        ("weights=random", "weights=random"),
        ("weights.random_from=3", "weights.random_from=3"),
        ("weights=file weights.path=x.pth weights.preprocessing=torchvision", "another preprocessing"),
        ("style_weight=3 convention=keras", "The look sets style_weight=10000$"),
    ],
)
def test_where_its_numbers_mean_something_else_it_is_refused(read, words, said):
    found = read("look=strong", *words.split())
    assert isinstance(found, UserError)
    assert re.search(said, str(found)), found
    assert "\n" not in str(found)
    assert not isinstance(read("look=plain", *words.split()), UserError)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("weights", ["own", "keras", "matconvnet", "auto"])
def test_it_goes_with_the_original_values(read, network, weights):
    assert not isinstance(read("look=gentle", f"network={network}", f"weights={weights}"), UserError)


def test_a_file_with_another_input_is_refused_when_it_is_read(read):
    """What a file of weights expects is known when it is read, and not before."""
    found = read("look=strong", "weights=file", "weights.path=x.pth")
    looks.check_input(found, {"input": preprocessing.layer("caffe")})
    looks.check_input(found, {"input": preprocessing.layer("pystiche")})
    with pytest.raises(UserError, match="another preprocessing"):
        looks.check_input(found, {"input": preprocessing.layer("torchvision")})
    looks.check_input(read("weights=file", "weights.path=x.pth"), {"input": preprocessing.layer("torchvision")})


def test_the_first_layer_of_the_original_values():
    assert preprocessing.CAFFE_MEAN[::-1] == MEAN
    assert is_original({"input": preprocessing.layer("caffe")})
    assert not is_original({"input": preprocessing.layer("torchvision")})
    assert not is_original({"input": {"kernel": 255 * np.eye(3), "bias": np.full(3, -127.5)}})  # untrained
    assert not is_original({})


def test_looks_that_differ_in_numbers_are_one_program(nst):
    code, text = nst("-m", *LINE, "steps=1", "look=gentle,balanced,strong,painterly", "--json")
    assert code == 0, text
    rows = json.loads(text.splitlines()[0])["rows"]
    assert [row["look"] for row in rows] == list(LOOKS)
    assert {row["lanes"] for row in rows} == {2}  # two programs: with the Laplacian, and without


def test_other_layers_are_remarked_on(nst):
    code, text = nst(*LINE, "steps=0", "look=strong", "layers=content_relu2_2_style_3")
    assert code == 0, text
    assert "look=strong is made for layers=gatys" in text
    for words in (("look=strong",), ("layers=content_relu2_2_style_3",)):
        code, text = nst(*LINE, "steps=0", *words)
        assert "layers=gatys" not in text


def test_a_look_is_the_job_of_its_numbers(read):
    strong = LOOKS["strong"].settings()
    assert cells.name(read("look=strong")) == cells.name(read(*(f"{k}={v}" for k, v in strong.items())))
    assert cells.name(read("look=strong")) != cells.name(read("look=gentle"))


def test_a_look_of_ones_own(nst, tmp_path):
    """An option of one's own has what its file says, with any convention."""
    (tmp_path / "own" / "look").mkdir(parents=True)
    (tmp_path / "own" / "look" / "mine.yaml").write_text("# @package _global_\nstyle_weight: 7\n")
    code, text = nst("--config-dir", f"{tmp_path}/own", *LINE, "look=mine", "convention=keras", "--cfg", "job")
    assert code == 0, text
    assert yaml.safe_load(text)["style_weight"] == 7


def test_a_sheet_has_them_in_their_order():
    """As records are: from the photograph to the painting. Words of one's own come last."""
    words = ["plain", *LOOKS, "mine", "other"]
    assert sheet.values([{"look": word} for word in reversed(words)], "look") == words
    assert sheet.values([{"canvas": word} for word in ("style", "noise")], "canvas") == ["noise", "style"]


def test_help(nst):
    code, text = nst("help", "look")
    assert code == 0
    for name, look in LOOKS.items():
        assert f"  {name}: {look.about}" in text
    assert "plain: " in text
    assert "photo={laplacian: " in text


def test_python_and_the_command_minimise_the_same(nst):
    """At the start the terms of both are equal, for a look with the Laplacian and one with a start of its own."""
    net = nst_jax.load("distilled")
    for name, words, start in (("gentle", ("canvas=gray",), "gray"), ("painterly", ("seed=3",), None)):
        code, text = nst(*LINE, "steps=0", *words, f"look={name}", "--json")
        assert code == 0, text
        told = json.loads(text.splitlines()[0])["terms"]["terms"]
        wanted = nst_jax.stylise(
            net, "landscape", "mosaic", look=name, size=24, start=start, steps=0, seed=3, progress=False
        ).terms
        assert told.keys() == wanted.keys()
        for key, value in told.items():
            assert float(wanted[key]) == pytest.approx(value, rel=1e-3), key


def test_python_takes_numbers_of_its_own_beside_a_look():
    net = nst_jax.load("distilled")
    given = {"size": 24, "steps": 0, "progress": False}
    plain = nst_jax.stylise(net, "landscape", "mosaic", style_weight=5.0, **given)
    strong = nst_jax.stylise(net, "landscape", "mosaic", look="strong", style_weight=5.0, **given)
    assert plain.terms.keys() == strong.terms.keys()
    assert strong.facts["style_weight"] == plain.facts["style_weight"] == "5.0"
    assert strong.facts["look"] == "strong"
    assert "laplacian" in nst_jax.stylise(net, "landscape", "mosaic", look="gentle", **given).terms


def test_python_refuses_what_the_command_refuses():
    net, image = nst_jax.load("distilled"), jnp.full((24, 24, 3), 0.5)
    with pytest.raises(ValueError, match="gentle, balanced, strong, painterly"):
        nst_jax.stylise(net, image, image, look="wild")
    with pytest.raises(ValueError, match=f"made for convention='{CONVENTION}', not 'keras'"):
        nst_jax.stylise(net, image, image, look="strong", convention="keras")
    for other in (nst_jax.load("texnet"), nst_jax.load("vgg16", weights="random")):
        with pytest.raises(ValueError, match="made for the original values of VGG"):
            nst_jax.stylise(other, image, image, look="strong")
    with pytest.raises(ValueError, match="an array keeps its size"):
        nst_jax.stylise(net, image, image, look="painterly")


def test_the_numbers_are_in_one_place():
    """The files are generated from the records, but for the one that changes nothing."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in Path(conf() / "look").glob("*.yaml")}
    assert files.keys() == {"plain", *LOOKS}
    assert yaml.safe_load(files["plain"]) is None
    for name, look in LOOKS.items():
        found = yaml.safe_load(files[name])
        assert found.pop("defaults", []) == ([{"override /canvas": look.start}] if look.start else [])
        assert values(found) == {"look": name, **look.settings()}
