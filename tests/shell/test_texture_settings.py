"""`nst texture=brick.jpg`: its size, its seams, what it is compared with, what is refused."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst_jax import pictures

BRICK, PHOTO = pictures.path("brick"), pictures.path("landscape")
SMALL = ("network=distilled", "layers=content_relu2_2_style_3", "pattern.layers=[relu2_1]", "pattern.offsets=[2,4]")
SMALL += ("style_scale=0.125", "steps=3")  # the exemplar has 32 x 32 pixels


@pytest.fixture
def weave(nst):
    """Run a line: the picture, its record, and what was printed."""

    def run(*words):
        code, text = nst(f"texture={BRICK}", *SMALL, *words)
        assert code == 0, text
        path = Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1))
        record = json.loads(path.with_suffix(".json").read_text())
        return np.asarray(Image.open(path), np.float32) / 255, record, text

    return run


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


def test_dry_run(nst):
    code, text = nst(f"texture={BRICK}", *SMALL, "size=64", "dry_run=true")
    assert code == 0, text
    assert "a step: about" in text


BAD = {
    f"style={PHOTO}": "texture=PICTURE has neither a photograph nor a painting",
    f"content={PHOTO}": "texture=PICTURE has neither a photograph nor a painting",
    "content_weight=1": "texture=PICTURE has no photograph: content_weight=0",
    "colour=match": "texture=PICTURE has the colours of that picture",
    "pattern.seamless=left": "pattern.seamless must be one of none, both, x, y; got left",
    "pattern.shifts=-1": "pattern.shifts must be a finite number, 0 or more; got -1",
    "pattern.offsets=[0]": "pattern.offsets must be whole numbers above 0",
    "pattern.offsets=[16]": "pattern.offsets=16 reaches over the exemplar's 16 x 16 positions at relu2_1",
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
