"""What a researcher types: load, stylise, problem, over, run, add, sweep."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

import nst_jax as nst
from nst_jax.shell.errors import UserError

QUICK = {"steps": 2, "progress": False}


@pytest.fixture(scope="module")
def net():
    return nst.load("distilled")


@pytest.fixture(scope="module")
def pair():
    return nst.picture("landscape", size=32), nst.picture("brush", size=24)


@pytest.fixture(scope="module")
def problem(net, pair):
    return nst.problem(
        net, *pair, style_layers=("relu1_1", "relu2_1"), content_layers={"relu2_2": 2.0}, convention="relative"
    )


def test_a_bundled_picture_and_a_file_of_the_same():
    by_name = nst.picture("landscape", size=40)
    assert max(by_name.shape[:2]) == 40
    np.testing.assert_array_equal(by_name, nst.picture(nst.pictures.path("landscape"), size=40))
    with pytest.raises(UserError, match="no file"):
        nst.picture("landscap", size=40)


def test_distilled_comes_with_vggs_settings(net, pair):
    assert "distilled from vgg16" in net.source
    assert net.extractor.pool == "max"
    assert net.extractor.taps == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
    whole = nst.problem(net, *pair)
    assert whole.parts == {"content": 1.0, "style": 1e3, "tv": 0.0}
    assert whole.terms[-1].compare is nst.CONVENTIONS["gatys_released"].style_term.compare
    assert net.params["conv1_1"]["kernel"].dtype == jnp.float32


def test_texnet_comes_with_its_settings(pair):
    net = nst.load("texnet")
    assert "texnet" in net.source
    assert net.extractor.pool == "avg"
    assert net.extractor.taps == ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu4_1")
    whole = nst.problem(net, *pair)
    assert whole.parts == {"content": 1.0, "style": 3.0, "tv": 4.0}
    assert whole.terms[-2].compare is nst.CONVENTIONS["whitened"].style_term.compare


def test_a_file_of_three_blocks_is_a_vgg_19_with_the_layers_it_has(data, pair):
    net = nst.load(data / "weights/vgg19_blocks1-3.safetensors")
    assert list(net.content_layers) == ["relu3_3"]
    assert list(net.style_layers) == ["relu1_1", "relu2_1", "relu3_1", "relu3_4"]
    whole = nst.problem(net, *pair)
    assert whole.parts["style"] == 1e3
    total = nst.run(whole, **QUICK).curve["total"]
    assert total[1] < total[0]


@pytest.mark.parametrize(("name", "message"), [("vgg20", "Did you mean vgg"), ("nothing.h5", "there is no nothing.h5")])
def test_a_network_that_is_none(name, message):
    with pytest.raises(UserError, match=message):
        nst.load(name)


def test_a_random_network_by_name(pair):
    net = nst.load("vgg19", weights="random", seed=3)
    assert "untrained" in net.source
    result = nst.run(nst.problem(net, *pair, style_layers=["relu1_1"], content_layers=["relu1_2"]), **QUICK)
    assert result.curve["total"][1] < result.curve["total"][0]


def test_stylise_in_a_line(net, tmp_path):
    result = nst.stylise(net, "landscape", "brush", size=32, style_weight=1e2, **QUICK)
    assert result.image.shape == (24, 32, 3)
    path = result.save(tmp_path / "out.png")
    with Image.open(path) as saved:
        assert isinstance(saved, PngImageFile)
        assert saved.size == (32, 24)
        assert saved.text["nst:convention"] == "gatys_released"
        assert saved.text["nst:style_weight"] == "100.0"
    assert result._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("start", ["style", "noise", "gray", "white"])
def test_starts(net, start):
    result = nst.stylise(net, "landscape", "brush", size=32, start=start, steps=0, progress=False)
    spread = float(result.image.std())
    assert spread < 1e-6 if start in ("gray", "white") else spread > 0.01


@pytest.mark.optimised
def test_a_run_with_a_bar_is_the_pure_run(problem):
    plain, watched = (nst.run(problem, steps=5, progress=progress) for progress in (False, True))
    np.testing.assert_array_equal(plain.image, watched.image)
    np.testing.assert_array_equal(plain.curve["total"], watched.curve["total"])
    assert plain.terms.keys() == watched.terms.keys() == {"content/relu2_2", "style/relu1_1", "style/relu2_1", "tv"}


@pytest.mark.optimised
@pytest.mark.parametrize("progress", [False, True])
def test_many_weights_are_lanes(problem, progress):
    weights = jnp.asarray([1.0, 30.0, 1e3])
    many = nst.run(nst.over(problem, style_weight=weights), solver=nst.adam(0.05), steps=3, progress=progress)
    assert many.image.shape == (3, 24, 32, 3)
    for lane, weight in enumerate(weights):
        one = problem._replace(parts={**problem.parts, "style": weight})
        alone = nst.run(one, solver=nst.adam(0.05), steps=3, progress=False)
        np.testing.assert_allclose(many.curve["total"][lane], alone.curve["total"], rtol=1e-3)


def test_learning_rates_and_starts_are_lanes_too(problem):
    rates = nst.run(problem, solver=nst.adam(jnp.asarray([0.01, 0.1])), steps=3, progress=False)
    assert rates.image.shape[0] == 2
    assert not np.allclose(rates.image[0], rates.image[1])
    starts = jax.random.uniform(jax.random.key(0), (2, *problem.content.shape))
    assert nst.run(problem, starts, **QUICK).image.shape == starts.shape
    with pytest.raises(ValueError, match="lanes of weights, numbers and starts differ: 2, 3"):
        nst.run(nst.over(problem, style_weight=jnp.ones(3)), starts, **QUICK)


@pytest.mark.optimised
def test_lanes_in_parts(problem):
    many = nst.over(problem, style_weight=jnp.asarray([1.0, 10.0, 100.0]))
    whole = nst.run(many, solver=nst.adam(), steps=2, progress=False)
    parts = nst.run(many, solver=nst.adam(), steps=2, at_once=2, progress=False)
    np.testing.assert_allclose(parts.image, whole.image, atol=1e-4)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"colour_weight": jnp.ones(2)}, "there is no colour_weight; the parts: content, style, tv"),
        ({"style_weight": 3.0}, "array of one dimension"),
        ({"style_weight": jnp.ones(2), "content_weight": jnp.ones(3)}, "one length"),
    ],
)
def test_over_what_it_cannot(problem, numbers, message):
    with pytest.raises(ValueError, match=message):
        nst.over(problem, **numbers)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((8, 8)), r"an image is \(height, width, 3\)"),
        (np.zeros((1, 8, 8, 3)), r"an image is \(height, width, 3\)"),
        (np.zeros((8, 8, 3), np.uint8), "divide by 255"),
        (np.full((8, 8, 3), 255.0, np.float32), "this has 255; divide by 255"),
        (np.zeros((2, 8, 8, 3), np.float32), "a batch"),
        (np.zeros((3, 8, 8), np.float32), "channels come last"),
        (np.zeros((8, 8, 4), np.float32), "transparency"),
        (np.zeros((8, 8), np.float32), "gray"),
        ("photo.jpg", "nst.picture"),
    ],
)
def test_an_image_that_is_none(net, pair, image, message):
    with pytest.raises(ValueError, match=message):
        nst.problem(net, image, pair[1])


def test_no_picture_for_a_part_that_counts(net, pair):
    with pytest.raises(ValueError, match="content=None needs content_weight=0"):
        nst.problem(net, None, pair[1])
    texture = nst.problem(net, None, pair[1], content_weight=0.0)
    assert not any(name.startswith("content") for name in texture.aims)
    with pytest.raises(ValueError, match="give a start"):
        nst.run(texture, **QUICK)


def test_the_objective_can_be_differentiated_by_a_weight(problem):
    """A problem splits into a Spec and numbers; the objective is a pure function of both and of the image."""

    def distance(weight):
        one = problem._replace(parts={**problem.parts, "style": weight})
        return nst.objective(*nst.split(one), problem.content * 0.5)

    slope = jax.grad(distance)(2.0)
    np.testing.assert_allclose(slope, distance(3.0) - distance(2.0), rtol=1e-3)


def test_a_whole_run_is_differentiated_by_a_weight(problem):
    """By reverse mode, against a difference of two runs; and it is the run that `run` takes."""
    solver = nst.sgd(3e-3, momentum=0.9, clamp=False)

    @jax.jit
    def change(weight):
        image = nst.unrolled(problem, solver=solver, turns=6, style_weight=weight)
        return jnp.sum((image - problem.content) ** 2)

    slope, difference = jax.grad(change)(1.0), (change(1.05) - change(0.95)) / 0.1
    np.testing.assert_allclose(slope, difference, rtol=0.1)
    ran = nst.run(problem, solver=solver, steps=6, progress=False).image
    np.testing.assert_allclose(nst.unrolled(problem, solver=solver, turns=6), ran, atol=1e-5)
    with pytest.raises(ValueError, match="there is no noise_weight"):
        nst.unrolled(problem, turns=1, noise_weight=1.0)


def test_a_sweep_by_a_function(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures = (f"content={nst.pictures.path('landscape')}", f"style={nst.pictures.path('brush')}")
    rows = nst.sweep(*pictures, "network=distilled", "size=24", "steps=1", "output.every=0", "style_weight=1,10")
    assert [row["status"] for row in rows] == ["done", "done"]
    assert all((row["folder"] / "result.png").exists() for row in rows)
    with pytest.raises(UserError, match="Did you mean style_weight"):
        nst.sweep(*pictures, "style_waight=1,2")


def test_a_run_that_ends_above_its_start_keeps_its_best_image(problem):
    """Of two lanes one, with an absurd learning rate; and that lane alone."""
    rates = jnp.asarray([1e-3, 2.0])
    with pytest.warns(UserWarning, match="lanes 1: the objective ends above its start; kept: the best image"):
        both = nst.run(problem, solver=nst.adam(rates, clamp=False), steps=3)
    with pytest.warns(UserWarning, match="the run: the objective ends above its start"):
        alone = nst.run(problem, solver=nst.adam(2.0, clamp=False), steps=3)
    assert both.facts["kept"] == ["last", "best"]
    assert alone.facts["kept"] == "best"
    best = min(alone.curve["total"])
    total = sum(weight * alone.terms[name] for name, weight in problem.weights.items())
    np.testing.assert_allclose(total, best, rtol=1e-5)
    np.testing.assert_allclose(both.image[1], alone.image, atol=1e-5)
    assert np.asarray(both.curve["total"])[0, -1] < np.asarray(both.curve["total"])[0, 0]


def test_stylise_has_the_colours_that_are_asked_for():
    net, photo = nst.load("distilled"), nst.picture("landscape", size=24)
    paint = lambda **words: nst.stylise(net, photo, "mosaic", size=24, steps=2, progress=False, **words).image
    kept, plain, shades = paint(colour="keep"), paint(), paint(colour="luminance")
    np.testing.assert_allclose(kept, nst.with_chroma(plain, photo), atol=1e-6)
    apart = shades - photo
    inside = ((shades > 0) & (shades < 1)).all(-1)
    np.testing.assert_allclose(jnp.ptp(apart, axis=-1)[inside], 0, atol=1e-5)
    assert float(jnp.abs(paint(colour="match") - plain).max()) > 0.01
    many = nst.stylise(net, photo, ["mosaic", "brush"], size=24, colour="match", style_blend=[1, 1], **QUICK)
    assert (many.facts["colour"], many.facts["style_blend"]) == ("match", "[0.5, 0.5]")
    with pytest.raises(ValueError, match="luminance"):
        paint(colour="luma")


def test_several_styles_are_one_aim_or_a_part_for_each(net, pair):
    photo, brush = pair
    mosaic = nst.picture("mosaic", size=24)
    pose = lambda **words: nst.problem(net, photo, [brush, mosaic], convention="gatys_2016", **words)
    blended, summed = pose(style_blend=[3, 1]), pose(style_blend=[3, 1], style_mix="terms")
    assert {"style_1", "style_2"} <= summed.parts.keys()
    assert summed.parts["style_1"] == pytest.approx(3 * summed.parts["style_2"])
    last = [nst.run(problem, photo, nst.adam(0.02), **QUICK).image for problem in (blended, summed)]
    np.testing.assert_allclose(*last, atol=1e-3)
    alone = nst.run(pose(style_blend=[0, 1]), photo, nst.adam(0.02), **QUICK).image
    only = nst.run(nst.problem(net, photo, mosaic, convention="gatys_2016"), photo, nst.adam(0.02), **QUICK).image
    np.testing.assert_allclose(alone, only, atol=1e-3)
    lanes = nst.over(summed, style_1=jnp.array([1.0, 0.0]), style_2=jnp.array([0.0, 1.0]))
    assert nst.run(lanes, photo, nst.adam(0.02), **QUICK).image.shape == (2, *photo.shape)
    for words, said in (
        ({"style_blend": [1]}, "1 shares for 2 styles"),
        ({"style_blend": [0, 0]}, "above 0"),
        ({"style_blend": [1, -1]}, "0 or more"),
        ({"style_mix": "sum"}, "targets or terms"),
    ):
        with pytest.raises(ValueError, match=said):
            pose(**words)
