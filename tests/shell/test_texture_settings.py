"""`nst texture=brick.jpg`: its size, its seams, what it is compared with, what is refused."""

import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

import nst_jax
from nst_jax import pictures
from nst_jax.shell.places import conf
from nst_jax.shell.settings import config

BRICK, PHOTO = pictures.path("brick"), pictures.path("landscape")
SMALL = ("network=distilled", "layers=content_relu2_2_style_3", "pattern.layers=[relu2_1]", "pattern.offsets=[2,4]")
SMALL += ("style_scale=0.125", "steps=3")  # the exemplar has 32 x 32 pixels


PATTERN = nst_jax.pattern(layers=["relu2_1"], offsets=[2, 4])


@pytest.fixture
def weave(run_line):
    """Run a line: the picture, its record, and what was printed."""
    return lambda *words: run_line(f"texture={BRICK}", *SMALL, *words)[:3]


def test_a_texture_is_larger_than_its_exemplar_and_tiles_show_its_seams(weave):
    image, record, text = weave("size=48")
    assert image.shape == (48, 48, 3)
    assert "exemplar: 256 x 256 pixels, used at 32 x 32" in text
    assert "texture= is read with content=null style=null content_weight=0 canvas=noise convention=relative" in text
    parts = set(record["terms"]["weighted"])
    assert parts == {"style", "smooth", "spectrum", "shifts", "tv"}
    assert record["config"]["texture"] == str(BRICK)
    assert record["files"]["style"]["sha256"]
    tiles = np.asarray(Image.open(re.search(r"^tiles:   (.*)$", text, re.MULTILINE).group(1)), np.float32) / 255
    np.testing.assert_allclose(tiles, np.tile(image, (2, 2, 1)), atol=0.5 / 255)


@pytest.mark.parametrize(("seamless", "tiles"), [("x", (1, 2)), ("y", (2, 1)), ("none", None)])
def test_borders_meet_along_one_axis_or_none(weave, seamless, tiles):
    image, _, text = weave("size=33", f"pattern.seamless={seamless}")
    sides = {"x": (33, 36), "y": (36, 33), "none": (33, 33)}[seamless]
    assert image.shape[:2] == sides
    assert ("rounded up so that the borders meet" in text) == (seamless != "none")
    found = list(Path("runs").rglob("tiles.png"))
    assert len(found) == (tiles is not None)
    if tiles:
        with Image.open(found[0]) as picture:
            assert picture.size == (sides[1] * tiles[1], sides[0] * tiles[0])


def test_the_terms_are_those_of_the_rolled_texture(weave):
    """A texture that starts as its exemplar, rolled by what the poolings divide, has the same objective."""
    exemplar = Image.open(BRICK).resize((32, 32))
    values = {}
    for name, (down, right) in {"as it is": (0, 0), "rolled": (8, 16)}.items():
        Image.fromarray(np.roll(np.asarray(exemplar), (down, right), (0, 1))).save(f"{name}.png")
        words = ("canvas=file", f"canvas.path={name}.png", "size=32", "steps=0", "network.pool=avg")
        values[name] = weave(*words)[1]["terms"]["terms"]
    for name, value in values["as it is"].items():
        assert values["rolled"][name] == pytest.approx(value, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("seamless", "along"), [("x", 1), ("y", 0)])
def test_a_texture_may_be_rolled_along_the_axis_that_wraps(seamless, along):
    net = nst_jax.load("distilled", pool="avg")
    words = {"pattern": PATTERN, "style_layers": ("relu1_1", "relu2_1"), "seamless": seamless}
    posed = nst_jax.texture_problem(net, nst_jax.picture("brick", size=32), size=32, **words)
    image = nst_jax.picture("mosaic", size=32)
    value = lambda image: float(nst_jax.objective(*nst_jax.split(posed), image))
    assert value(jnp.roll(image, 8, along)) == pytest.approx(value(image), rel=1e-4)
    assert value(jnp.roll(image, 8, 1 - along)) != pytest.approx(value(image), rel=1e-3)


@pytest.mark.parametrize("convention", ["gatys_2016", "sliced_wasserstein", "histogram", "keras", "covariance"])
def test_every_kind_of_statistics_makes_a_texture(weave, convention):
    image, record, _ = weave("size=40", f"convention={convention}", "pattern.spectrum=0", "pattern.shifts=0")
    assert image.shape == (40, 40, 3)
    assert record["config"]["convention"]["name"] == convention
    assert np.isfinite(record["terms"]["total"])


def test_octaves_and_autocorrelation_are_terms(weave):
    _, record, _ = weave("size=40", "pattern.octaves=2", "pattern.autocorrelation=1")
    names = record["terms"]["terms"]
    assert {"style/relu1_1", "style/octave2_relu1_1", "autocorrelation/relu2_1", "shifts/relu2_1"} <= names.keys()


def test_a_sweep_over_exemplars_and_weights(nst):
    mosaic = pictures.path("mosaic")
    words = ("size=32", "pattern.shifts=0,100")
    code, text = nst("-m", f"texture={BRICK},{mosaic}", *SMALL, *words)
    assert code == 0, text
    assert "4 done" in text
    assert len(list(Path("runs").rglob("tiles.png"))) == 4


def test_a_sweep_in_python_takes_the_same_words(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rows = nst_jax.sweep(f"texture={BRICK}", *SMALL, "size=32", "pattern.shifts=0,100")
    assert [row["status"] for row in rows] == ["done", "done"]
    assert all((Path(row["folder"]) / "tiles.png").exists() for row in rows)


def test_dry_run(nst):
    code, text = nst(f"texture={BRICK}", *SMALL, "size=64", "dry_run=true")
    assert code == 0, text
    assert "a step: about" in text


def test_python_makes_the_same_texture(weave):
    """The terms of one image, and a texture that is rolled."""
    net = nst_jax.load("distilled", pool="avg")
    net = net._replace(style_layers={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0})
    exemplar = nst_jax.picture("brick", size=32)
    words = {"pattern": PATTERN, "style_weight": 100.0}
    result = nst_jax.texture(net, exemplar, size=48, steps=2, progress=False, **words)
    assert result.image.shape == (48, 48, 3)
    record = weave("size=48", "steps=0", "canvas=gray")[1]["terms"]["terms"]
    spec, numbers = nst_jax.split(nst_jax.texture_problem(net, exemplar, size=48, **words))
    found = nst_jax.values(spec, numbers, jnp.full((48, 48, 3), 0.5))
    assert found.keys() == record.keys()
    for name, value in found.items():
        assert float(value) == pytest.approx(record[name], rel=1e-3, abs=1e-6)
    rolled = nst_jax.values(spec, numbers, jnp.roll(result.image, (8, 20), (0, 1)))
    for name, value in nst_jax.values(spec, numbers, result.image).items():
        assert float(rolled[name]) == pytest.approx(float(value), rel=1e-3)
    posed = nst_jax.texture_problem(net, exemplar, size=48, **words)
    many = nst_jax.run(nst_jax.over(posed, shifts=[0.0, 100.0]), result.image, steps=0, progress=False)
    np.testing.assert_allclose(many.terms["shifts/relu2_1"][1], many.terms["shifts/relu2_1"][0])
    assert nst_jax.over(posed, shifts=[0.0, 100.0]).weights["shifts/relu2_1"].tolist() == [0.0, 100.0]


def test_mistakes_in_python():
    net, exemplar = nst_jax.load("distilled"), nst_jax.picture("brick", size=32)
    with pytest.raises(ValueError, match="seamless='left'"):
        nst_jax.texture(net, exemplar, seamless="left")
    with pytest.raises(ValueError, match="8 x 8 positions at relu3_1"):
        nst_jax.texture(net, exemplar)
    function = nst_jax.Function(lambda params, image, taps: dict.fromkeys(taps, image), ("a",))
    own = nst_jax.Network(function, {}, {}, {"a": 1.0}, windows=lambda layer: ())
    with pytest.raises(ValueError, match="no padding to choose"):
        nst_jax.texture(own, exemplar, pattern=nst_jax.pattern(shifts=0.0))


WITHOUT_SEAMS = {"inception_v3", "inception_v3_keras", "squeezenet"}  # whose layers lose positions: no borders meet
NEAR = {  # the layer of the shifts: that of a stride of four pixels
    "vgg19": "relu3_1",
    "distilled": "relu3_1",
    "texnet": "relu3_1",
    "squeezenet": "fire2",
    "inception_v3": "Conv2d_4a_3x3",
    "inception_v3_keras": "Conv2d_4a_3x3",
    "googlenet": "conv3",
    "resnet18": "layer1_1",
    "resnet34": "layer1_2",
    "resnet50": "layer1_2",
    "resnet101": "layer1_2",
    "resnet50_keras": "conv2_block3_out",
}


def settings(*words):
    with initialize_config_dir(str(conf()), **config.VERSION_BASE):
        return config.read(compose("config", overrides=list(words)))


@pytest.mark.parametrize("name", NEAR)
def test_each_network_has_a_layer_for_the_shifts(name):
    nothing = ("content=null", "style=null", "content_weight=0", "canvas=noise")
    found = settings(f"texture={BRICK}", *nothing, f"network={name}", "layers=d2l")
    assert found.pattern.layers == [NEAR[name]]
    assert settings("content=a", "style=b", f"network={name}").pattern.layers is None  # no texture: nobody asks


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet", "inception_v3", "googlenet", "resnet18", "resnet50_keras"])
def test_each_network_makes_a_texture(run_line, name):
    """With its own layers, a few steps, as small as they allow; the terms fall."""
    seams = ("pattern.seamless=none",) if name in WITHOUT_SEAMS else ()
    words = (f"texture={BRICK}", f"network={name}", "weights=random", "style_scale=0.4", "size=96", *seams)
    image, record, _ = run_line(*words, "steps=4")[:3]
    assert image.shape == (96, 96, 3)
    assert np.isfinite(image).all()
    assert f"shifts/{NEAR[name]}" in record["terms"]["terms"]
    assert record["config"]["pattern"]["layers"] == [NEAR[name]]
    start = run_line(*words, "steps=0")[1]
    assert record["terms"]["total"] < start["terms"]["total"]


def test_borders_that_cannot_meet_are_said(nst):
    code, text = nst(f"texture={BRICK}", "network=squeezenet", "weights=random", "size=96")
    assert code == 2
    assert "set pattern.seamless=none" in text


def test_python_takes_the_same_layer():
    net = nst_jax.load("resnet18", weights="random")
    posed = nst_jax.texture_problem(net, nst_jax.picture("brick", size=96), size=96)
    assert "shifts/layer1_1" in posed.weights
    posed = nst_jax.texture_problem(nst_jax.load("distilled"), nst_jax.picture("brick", size=96), size=96)
    assert "shifts/relu3_1" in posed.weights


BAD = {
    f"style={PHOTO}": "texture=PICTURE has neither a photograph nor a painting",
    f"content={PHOTO}": "texture=PICTURE has neither a photograph nor a painting",
    "content_weight=1": "texture=PICTURE has no photograph: content_weight=0",
    "colour=match": "texture=PICTURE has the colours of that picture",
    "pattern.seamless=left": "pattern.seamless must be one of none, both, x, y; got left",
    "pattern.shifts=-1": "pattern.shifts must be a finite number, 0 or more; got -1",
    "pattern.offsets=[0]": "pattern.offsets must be whole numbers above 0",
    "pattern.offsets=[16]": "pattern.offsets: 16 reaches over the exemplar's 16 x 16 positions at relu2_1",
    "pattern.layers=[relu9_1]": "layers, of network.name=distilled: there is no relu9_1",
    "pattern.octaves=9": "pattern.octaves must be 1 to 6; got 9",
    "size=100000": "choose a smaller size, or raise max_pixels",
    f"regions.sky={{content: {BRICK}}}": "texture=PICTURE has no regions",
    "texture=nowhere.jpg": "no file nowhere.jpg",
}


@pytest.mark.parametrize("word", BAD)
def test_mistakes_are_said(nst, word):
    code, text = nst(f"texture={BRICK}", *SMALL, "size=32", word)
    assert code in (1, 2)
    assert BAD[word] in text, text
    assert "Traceback" not in text
