"""`regions.sky={content: sky.png, style: night.jpg}`: masks of every kind, what is said, what is refused."""

import csv
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import nst_jax
from nst_jax import pictures
from nst_jax.shell.cli.quoting import quote

BRUSH, MOSAIC, PHOTO = (pictures.path(name) for name in ("brush", "mosaic", "landscape"))
SKY, PARTS = (pictures.path(name) for name in pictures.MASKS)
BLUE = "#3c78dc"  # the sky in PARTS
SMALL = ("network=distilled", "size=24", "steps=3")


@pytest.fixture
def paint(run_line):
    """Run a line: the picture, its record, and what was printed."""
    return lambda *words: run_line(PHOTO, *SMALL, *words)[:3]


def save(array, name):
    Image.fromarray(np.asarray(array, np.uint8)).save(name)
    return name


def test_sky_and_land_have_different_paintings(paint):
    image, record, text = paint(BRUSH, f"regions.sky={{content: {SKY}, style: {MOSAIC}, weight: 2}}")
    assert "region sky: 36." in text
    assert "the rest of the picture: 63." in text
    assert {"sky/style/relu1_1", "style/relu1_1"} <= record["terms"]["terms"].keys()
    assert set(record["terms"]["weighted"]) == {"content", "sky/style", "style"}
    assert record["files"]["regions.sky.content"]["path"] == str(SKY)
    assert record["files"]["regions.sky.style"]["sha256"]
    assert record["config"]["regions"]["sky"]["weight"] == 2
    other, _, _ = paint(BRUSH)
    assert np.abs(image - other).max() > 0.02


def test_a_mask_of_ones_is_the_style_of_the_whole_picture(paint):
    ones = save(np.full((384, 512), 255), "ones.png")
    whole, _, text = paint(BRUSH, f"regions.all={{content: {ones}, style: {MOSAIC}}}")
    plain, _, _ = paint(MOSAIC)
    np.testing.assert_allclose(whole, plain, atol=1 / 255)
    assert "the regions cover the whole picture: style has no part in it" in text


@pytest.mark.parametrize("how", ["gray", "colour", "opacity"])
def test_every_kind_of_mask_is_the_same_region(paint, how):
    if how == "gray":
        mask = f"content: {save(np.asarray(Image.open(SKY)) // 128 * 255, 'hard.png')}"
    elif how == "colour":
        mask = f"content: {PARTS}, colour: '{BLUE}'"
    else:
        rgba = Image.open(PHOTO).convert("RGBA")
        rgba.putalpha(Image.open(SKY))
        rgba.save("cut out.png")
        mask = "content: 'cut out.png'"
    _, record, text = paint(BRUSH, f"regions.sky={{{mask}, style: null}}")
    share = float(re.search(r"region sky: ([\d.]+)% of the pixels, kept", text).group(1))
    assert share == pytest.approx(36.2, abs=0.2)
    assert set(record["terms"]["weighted"]) == {"content", "style"}


def test_what_is_kept_is_the_photograph(paint):
    image, _, text = paint(f"regions.ground.content={SKY}", f"regions.ground.style={BRUSH}", "canvas=noise")
    assert "the rest of the picture: 63.8% of the pixels, kept" in text
    photo = np.asarray(nst_jax.picture("landscape", size=24))
    np.testing.assert_allclose(image[12:], photo[12:], atol=1.5 / 255)
    assert np.abs(image - photo)[:5].max() > 0.1


def test_a_region_without_a_style_has_that_of_the_rest(paint):
    half = save(np.repeat([[255, 0]], 64, 0).repeat(32, 1), "half.png")
    _, record, _ = paint(BRUSH, f"regions.sky={{content: {SKY}, style_region: {half}}}")
    assert record["files"]["regions.sky.style"]["path"] == str(BRUSH)
    assert record["files"]["regions.sky.style_region"]["path"] == half


def test_a_mask_of_another_size_is_resized_and_said(paint):
    small = save(np.asarray(Image.open(SKY).resize((100, 40))), "small.png")
    text = paint(BRUSH, f"regions.sky={{content: {small}, style: {MOSAIC}}}")[2]
    line = "regions.sky.content: 100 x 40 pixels, resized to those of the photograph, 512 x 384; its shape is another"
    assert line in text


def test_masks_that_overlap_are_divided_and_said(paint):
    more = f"regions.more={{content: {SKY}, style: null}}"
    text = paint(BRUSH, f"regions.sky={{content: {SKY}, style: {MOSAIC}}}", more)[2]
    assert re.search(
        r"the masks of sky, more sum to more than 1 in 3\d\.\d% of the pixels, and are divided there", text
    )
    assert "region sky: 18." in text


def test_layers_without_the_region_are_said(paint):
    _, record, text = paint(BRUSH, f"regions.sky={{content: {SKY}, style: {MOSAIC}}}", "masks.carry=inside")
    assert "region sky: nothing of it is left at relu3_1, relu4_1, relu5_1; it is not compared there" in text
    assert "sky/style/relu2_1" in record["terms"]["terms"]
    assert "sky/style/relu3_1" not in record["terms"]["terms"]


@pytest.mark.parametrize("colour", ["match", "luminance", "keep"])
def test_colours_go_with_regions(paint, colour):
    image, _, _ = paint(BRUSH, f"regions.sky={{content: {SKY}, style: {MOSAIC}}}", f"colour={colour}")
    assert np.isfinite(image).all()


def test_weights_of_a_region_are_lanes_of_one_program(nst):
    sky = f"regions.sky={{content: {SKY}, style: {MOSAIC}}}"
    code, text = nst("-m", PHOTO, BRUSH, sky, "regions.sky.weight=0.1,1,10", *SMALL)
    assert code == 0, text
    assert "program 1/1: 3 lanes" in text
    with next(iter(Path("runs").rglob("results.csv"))).open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["regions.sky.weight"]) for row in rows] == [0.1, 1, 10]
    relative = [float(row["weighted_sky_style"]) / float(row["sky_style_relu1_1"]) for row in rows]
    assert relative[2] > relative[0]
    assert all(row["style_distance"] for row in rows)


def test_a_region_is_said_in_one_word_or_in_several(paint):
    sky = f"regions.sky={{content: {SKY}, style: {MOSAIC}}}"
    image, _, _ = paint(BRUSH, sky)
    again, _, _ = paint(BRUSH, f"regions.sky.content={SKY}", f"regions.sky.style={MOSAIC}")
    np.testing.assert_array_equal(image, again)


BAD = {
    "regions.sky.weight=2": "regions.sky.content must be a mask of the photograph",
    f"regions.sky={{content: {SKY}, styl: x}}": "regions.sky has no styl. Did you mean style?",
    f"regions.style={{content: {SKY}}}": "regions.style: a region's name is letters, digits and _",
    f"regions.sky={{content: {SKY}, weight: -1}}": "regions.sky.weight must be a finite number, 0 or more; got -1",
    f"regions.sky={{content: {SKY}, colour: reddish}}": "regions.sky.colour must be a colour",
    f"regions.sky={{content: {SKY}, style: null, style_region: {SKY}}}": "style_region is a part of a style picture",
    f"regions.sky={{content: {PARTS}, style: null}}": "a mask is gray, and this picture has colours (#3c78dc 36%",
    f"regions.sky={{content: {PARTS}, colour: red, style: null}}": "no pixel has the colour red; it has #3c78dc 36%",
    "regions.sky={content: nowhere.png}": "no file nowhere.png",
    "regions.sky={content: black.png}": "region sky: its mask is empty",
    "regions=3": "regions",
    f"regions.sky={{content: {SKY}}} masks.carry=insid": "masks.carry must be one of simple, inside, all; got insid",
    f"regions.sky={{content: {SKY}}} masks.weigh=x": "masks.weigh must be one of area, equal; got x",
    f"regions.sky={{content: {SKY}}} masks.grow=-30": "region sky: its mask is empty",
    f"regions.sky={{content: {SKY}}} convention=strotss": "compares no moments: it cannot measure a region",
}


@pytest.mark.parametrize("line", BAD)
def test_mistakes_are_said(nst, line):
    save(np.zeros((384, 512)), "black.png")
    code, text = nst(PHOTO, BRUSH, *re.sub(r"\} (?=\w)", "}\n", line).split("\n"), *SMALL)
    assert code in (1, 2)
    assert BAD[line] in text, text
    assert "Traceback" not in text


def test_everything_kept_is_a_mistake(nst):
    code, text = nst(PHOTO, f"regions.sky={{content: {SKY}, style: null}}", *SMALL)
    assert code == 2
    assert "there is nothing to paint" in text


def test_names_of_files_are_quoted():
    assert quote("regions.sky={content: my sky.png, style: a=b.jpg}") == (
        "++regions.sky={content:'my sky.png',style:'a=b.jpg'}"
    )
    assert quote("+regions.sky.content=my sky.png") == "++regions.sky.content='my sky.png'"
    assert quote("regions.sky.style=a.jpg,b c.jpg") == "++regions.sky.style=a.jpg,'b c.jpg'"
    assert quote("regions.sky.weight=1,2") == "++regions.sky.weight=1,2"


def network():
    return nst_jax.load("distilled")


def test_regions_in_python():
    net, photo = network(), nst_jax.picture("landscape", size=24)
    brush, mosaic = nst_jax.picture("brush", size=24), nst_jax.picture("mosaic", size=24)
    sky = nst_jax.region(SKY, mosaic)
    problem = nst_jax.problem(net, photo, brush, regions={"sky": sky}, style_weight=10.0)
    assert {"sky/style/relu1_1", "style/relu1_1"} <= set(problem.weights)
    result = nst_jax.run(problem, steps=2, progress=False)
    many = nst_jax.over(problem, style_weight=[1.0, 10.0])
    both = nst_jax.run(many, steps=2, progress=False)
    np.testing.assert_allclose(both.image[1], result.image, atol=1e-3)
    weighed = nst_jax.over(problem, **{"sky/style": [0.0, 10.0]})
    np.testing.assert_allclose(nst_jax.run(weighed, steps=2, progress=False).image[1], result.image, atol=1e-3)
    kept = nst_jax.stylise(net, photo, None, regions={"sky": sky}, steps=2, progress=True)
    np.testing.assert_allclose(kept.image[12:], photo[12:], atol=1e-5)


@pytest.mark.parametrize("carry", ["simple", "inside", "all"])
def test_the_command_and_python_agree(paint, carry):
    """The terms at the start."""
    mask = np.asarray(Image.open(SKY), np.float32) / 255
    record = paint(BRUSH, f"regions.sky={{content: {SKY}, style: {MOSAIC}}}", f"masks.carry={carry}", "steps=0")[1]
    pair = [nst_jax.picture(name, size=24) for name in ("landscape", "brush")]
    sky = nst_jax.region(jnp.asarray(mask), nst_jax.picture("mosaic", size=24))
    problem = nst_jax.problem(network(), *pair, regions={"sky": sky}, carry=carry)
    spec, numbers = nst_jax.split(problem)
    found = nst_jax.values(spec, numbers, pair[0])
    assert found.keys() == record["terms"]["terms"].keys()
    for name in found.keys() - {"content/relu4_2"}:  # that is rounding alone
        assert float(found[name]) == pytest.approx(record["terms"]["terms"][name], rel=1e-3)
    weighted = sum(float(value * numbers.weights[name]) for name, value in found.items())
    assert weighted == pytest.approx(record["terms"]["total"], rel=1e-3)


def test_mistakes_in_python():
    net, photo = network(), nst_jax.picture("landscape", size=24)
    sky = nst_jax.region(jnp.ones((4, 4)), photo)
    bare = net._replace(windows=None)
    with pytest.raises(ValueError, match="does not say what a position sees"):
        nst_jax.problem(bare, photo, photo, regions={"sky": sky._replace(mask=sky.mask / 2)}, carry="inside")
    with pytest.raises(ValueError, match="a mask is in"):
        nst_jax.region(2 * jnp.ones((4, 4)), photo)
    with pytest.raises(ValueError, match=r"a mask is \(height, width\)"):
        nst_jax.region(photo, photo)
    with pytest.raises(ValueError, match="content is None"):
        nst_jax.problem(net, None, photo, regions={"sky": sky}, content_weight=0)
    with pytest.raises(ValueError, match="nothing to paint"):
        nst_jax.problem(net, photo, None, regions={"sky": sky._replace(style=None)})
