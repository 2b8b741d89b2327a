"""Trained networks in Python: what `apply` computes, what a file gives, and `nst.paint`."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import model_files
import numpy as np
import pytest

import nst_jax as nst
from nst_jax import pictures
from nst_jax.images.regions import resize_mask
from nst_jax.methods.feedforward import adain, instant, johnson, wct
from nst_jax.methods.feedforward.decoders import Decoder, encode
from nst_jax.methods.feedforward.johnson import Transform, crop, fit
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import models

SIZE = 48


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return model_files.write_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def loaded(files):
    return {method: nst.load_model(path) for method, path in files.items()}


@pytest.fixture(scope="module")
def photo():
    return nst.picture("landscape", size=SIZE)


@pytest.fixture(scope="module")
def styles():
    return [nst.picture(name, size=40) for name in ("brush", "mosaic")]


def test_a_model_says_what_it_is(loaded, files):
    assert loaded["johnson"].method == "johnson"
    assert loaded["cin"].header["style_names"] == ["brush.png", "mosaic.jpg", "ink.png"]
    assert loaded["adain"].header["steps"] == "7"
    assert [file["path"] for file in loaded["johnson"].header["files"]] == [str(files["johnson"])]
    assert loaded["adain"].header["encoder_used"]["sha256"] == loaded["adain"].header["encoder_sha256"]
    assert [level for level, _ in loaded["wct"].apply.levels] == ["relu2_1", "relu1_1"]  # the deepest first
    assert {hash(model.apply) for model in loaded.values()}


def test_johnson_is_the_published_network(loaded, photo):
    model = loaded["johnson"]
    known = johnson.apply(Transform(model.record), model.params["network"], photo[None])
    found = instant.paint(model.apply, model.params, photo[None])
    np.testing.assert_allclose(found, known, atol=1e-5)
    assert found.shape == (1, 36, SIZE, 3)
    assert float(jnp.std(found)) > 0.02
    with pytest.raises(ValueError, match="its own style and strength"):
        model.apply(model.params, photo[None], alpha=0.5)


def test_adain_is_that_of_one_picture_and_one_style(loaded, photo, styles):
    model = loaded["adain"]
    layer, form, encoder = model.apply.layer, model.apply.form, model.params["encoder"]
    multiple = model.record.multiple
    whole = fit(photo[None], multiple=multiple)
    see = lambda images: encode(model.apply.encoder, encoder, images, taps=(layer,))[layer]
    own, *seen = map(see, (whole, *(style[None] for style in styles)))

    def decode(features):
        images: Any = Decoder(model.record).apply(model.params["network"], features)
        return crop(images, height=photo.shape[0], width=photo.shape[1], top=0, left=0)

    looks = [model.apply.study(model.params, style) for style in styles]
    found = instant.paint(
        model.apply, model.params, photo[None], looks, alpha=0.7, shares=jnp.asarray([3.0, 1.0]), masks=None
    )
    first, second = (adain.adain(own, x, alpha=0.7, form=form) for x in seen)
    np.testing.assert_allclose(found, decode(0.75 * first + 0.25 * second), atol=2e-4)
    masks = halves(photo)
    found = instant.paint(model.apply, model.params, photo[None], looks, alpha=1.0, shares=jnp.ones(2), masks=masks)
    around = fit(masks[..., None], multiple=multiple)[..., 0]
    small = [resize_mask(mask, height=own.shape[1], width=own.shape[2])[None] for mask in around]
    total = jnp.zeros_like(own)
    for mask, style in zip(small, seen, strict=True):
        known, aim = (adain.measure(x, m, unbiased=form.unbiased) for x, m in ((own, mask), (style, None)))
        total += mask[..., None] * adain.restyle(own, known, aim, form=form)
    np.testing.assert_allclose(found, decode(total), atol=2e-4)


def test_wct_is_that_of_one_picture_and_one_style(loaded, photo, styles):
    model, rule = loaded["wct"], loaded["wct"].apply.rule
    looks = [model.apply.study(model.params, style) for style in styles]
    for masks in (None, halves(photo)):
        image = photo[None]  # a multiple of what the levels halve it by
        for layer, record in model.apply.levels:
            see = lambda x, layer=layer: encode(model.apply.encoder, model.params["encoder"], x, taps=(layer,))[layer]
            own, first, second = map(see, (image, *(style[None] for style in styles)))
            if masks is None:
                found: Any = sum(wct.wct(own, style, alpha=0.6, rule=rule) for style in (first, second)) / 2
            else:
                found = jnp.zeros_like(own)
                for mask, style in zip(masks, (first, second), strict=True):
                    small = resize_mask(mask, height=own.shape[1], width=own.shape[2])[None]
                    known = wct.measure(own, small)
                    colour = wct.colour_of(wct.measure(style), rule=rule)
                    found += small[..., None] * wct.recolour(own, known, wct.whitening_of(known, rule=rule), colour)
                found = 0.6 * found + 0.4 * own
            image: Any = Decoder(record).apply(model.params["network"][layer], found)
        painted = instant.paint(
            model.apply, model.params, photo[None], looks, alpha=0.6, shares=jnp.ones(2), masks=masks
        )
        np.testing.assert_allclose(painted, image, atol=2e-3 * float(jnp.abs(image).max()))


def halves(photo):
    left = np.zeros(photo.shape[:2], np.float32)
    left[:, : photo.shape[1] // 2] = 1
    return jnp.asarray(np.stack([left, 1 - left]))


@pytest.mark.parametrize("method", ["adain", "wct"])
def test_alpha_of_nothing_is_the_photograph_decoded_and_shares_choose(loaded, photo, styles, method):
    model = loaded[method]
    looks = [model.apply.study(model.params, style) for style in styles]
    run = lambda looks, alpha, **given: instant.paint(
        model.apply, model.params, photo[None], looks, alpha=alpha, **given
    )
    np.testing.assert_array_equal(run(looks, 0.0), run(looks[:1], 0.0))
    one = run(looks, 1.0, shares=jnp.asarray([1.0, 0.0]))
    np.testing.assert_allclose(one, run(looks[:1], 1.0), rtol=1e-3, atol=1e-3 * float(jnp.abs(one).max()))
    assert float(jnp.abs(one - run(looks[1:], 1.0)).max()) > 1e-2
    ones = jnp.ones((1, *photo.shape[:2]))
    whole = run(looks[:1], 1.0, shares=jnp.ones(1), masks=ones)
    np.testing.assert_allclose(whole, one, rtol=1e-2, atol=1e-3 * float(jnp.abs(one).max()))


def test_one_program_serves_other_numbers_and_an_equal_model(files, loaded, photo, styles):
    model, other = loaded["adain"], nst.load_model(files["adain"])
    assert (model.apply, hash(model.apply)) == (other.apply, hash(other.apply))
    looks = [instant.study(model.apply, model.params, styles[0])]
    run = lambda model, alpha: instant.paint(model.apply, model.params, photo[None], looks, alpha=jnp.float32(alpha))
    run(model, 0.5)
    paint: Any = instant.paint
    before = paint._cache_size()
    run(other, 0.25)
    assert paint._cache_size() == before


def test_a_model_of_several_styles_mixes_its_own(loaded, photo):
    model = loaded["cin"]
    paint = lambda *given, **how: nst.paint(model, photo, *given, **how).image
    np.testing.assert_array_equal(paint("mosaic"), paint(1))
    np.testing.assert_array_equal(paint("mosaic.jpg"), paint(None, shares=[0, 2, 0]))
    np.testing.assert_array_equal(paint([0, "ink"], shares=[1, 3]), paint(shares=[0.25, 0, 0.75]))
    assert float(jnp.abs(paint(0) - paint(1)).max()) > 1e-2
    for given, message in (
        (("starry",), "no style starry: it has 0 brush.png, 1 mosaic.jpg, 2 ink.png"),
        ((None,), "several styles, and none is chosen"),
        ((3,), "no style 3"),
    ):
        with pytest.raises(ValueError, match=message):
            paint(*given)
    with pytest.raises(ValueError, match="2 shares for 3 styles"):
        paint(shares=[1, 2])
    with pytest.raises(ValueError, match="give numbers from 0"):
        paint(shares=[0, 0, 0])
    with pytest.raises(ValueError, match="no alpha"):
        paint(0, alpha=0.5)


def test_paint_reads_pictures_by_name_and_returns_a_result(loaded, tmp_path):
    result = nst.paint(loaded["adain"], "landscape", "brush", size=SIZE, alpha=0.5)
    assert result.image.shape == (36, SIZE, 3)
    assert result.facts["style"] == "brush"
    assert Path(result.save(tmp_path / "out.png")).is_file()
    assert result._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="style of a picture"):
        nst.paint(loaded["adain"], "landscape", size=SIZE)
    with pytest.raises(ValueError, match="one style, brush"):
        nst.paint(loaded["johnson"], "landscape", "mosaic", size=SIZE)


@pytest.mark.parametrize("method", ["johnson", "adain"])
@pytest.mark.parametrize("colour", ["keep", "luminance"])
def test_colours_are_those_of_the_photograph(loaded, photo, method, colour):
    style = nst.picture("brush", size=40) if method == "adain" else None
    image = nst.paint(loaded[method], photo, style, colour=colour).image
    inside = np.all((np.asarray(image) > 0.01) & (np.asarray(image) < 0.99), -1)
    chroma = lambda x: np.asarray(x - nst.gray(x))[inside]
    assert inside.mean() > 0.1
    np.testing.assert_allclose(chroma(image), chroma(photo), atol=2e-3)


def test_a_region_without_a_style_stays_and_the_others_have_theirs(loaded, photo, styles):
    model = loaded["adain"]
    masks = halves(photo)
    kept = {"left": nst.region(masks[0], None)}
    image = nst.paint(model, photo, styles[0], regions=kept).image
    np.testing.assert_array_equal(image[:, : SIZE // 2], photo[:, : SIZE // 2])
    whole = nst.paint(model, photo, styles[0]).image
    assert float(jnp.abs(image - whole)[:, SIZE // 2 :].max()) > 1e-3  # its statistics are those of the half
    alone = nst.paint(model, photo, None, regions={"left": nst.region(masks[0], styles[1])}).image
    np.testing.assert_array_equal(alone[:, SIZE // 2 :], photo[:, SIZE // 2 :])
    both = nst.paint(model, photo, styles[0], regions={"left": nst.region(masks[0], styles[1])}).image
    looks = [model.apply.study(model.params, style) for style in (styles[0], styles[1])]
    known = model.apply(model.params, photo[None], looks, alpha=1.0, shares=jnp.ones(2), masks=masks[::-1])[0]
    np.testing.assert_allclose(both, known, atol=2e-4)


def test_an_optimisation_begins_from_a_result(loaded, photo):
    net = nst.load("distilled")
    start = nst.paint(loaded["adain"], photo, "brush", size=SIZE).image
    begun = nst.stylise(net, photo, "brush", size=SIZE, start=start, steps=0, progress=False)
    np.testing.assert_allclose(begun.image, start, atol=1e-6)


def test_pictures_of_several_sizes_keep_their_sizes(loaded, styles):
    for shape in ((37, 51, 3), (33, 32, 3)):
        image = jnp.asarray(np.random.default_rng(0).random(shape), jnp.float32)
        for method, model in loaded.items():
            style = {"adain": styles[0], "wct": styles[0], "cin": 0}.get(method)
            found = nst.paint(model, image, style).image
            assert found.shape == shape
            assert np.isfinite(np.asarray(found)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda notes: notes | {"config": "{}"}, "its header lacks what the network needs"),
        (lambda notes: notes | {"encoder_sha256": "0123456789abcdef"}, "was trained with the encoder"),
    ],
)
def test_a_file_that_does_not_say_enough_is_refused(files, tmp_path, change, message):
    model = models.load(files["adain"])
    models.save(model._replace(notes=change(dict(model.notes))), tmp_path / "other.safetensors")
    with pytest.raises(UserError, match=message):
        nst.load_model(tmp_path / "other.safetensors")


def test_files_that_do_not_belong_together_are_refused(files):
    with pytest.raises(UserError, match="several files are the levels of wct"):
        nst.load_model([files["johnson"], files["adain"]])
    with pytest.raises(UserError, match="two of these files are of one level"):
        nst.load_model([files["wct"] / "relu1_1", files["wct"] / "relu1_1"])
    with pytest.raises(UserError, match="there is no such file"):
        nst.load_model("nowhere.safetensors")
    with pytest.raises(UserError, match=r"no model.safetensors is in this folder"):
        nst.load_model(Path(pictures.path("brush")).parent)


def test_a_transformed_function_is_differentiable(loaded, photo):
    """`apply` is pure: the strength has a gradient."""
    model = loaded["adain"]
    looks = [model.apply.study(model.params, nst.picture("brush", size=40))]
    slope = jax.grad(lambda alpha: jnp.mean(model.apply(model.params, photo[None], looks, alpha=alpha) ** 2))(0.5)
    assert np.isfinite(float(slope))
    assert float(slope) != 0
