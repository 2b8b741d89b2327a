"""Conventions in each other's terms: the same objective, the published table, and what has no equivalent."""

import csv
from pathlib import Path

import jax
import numpy as np
import pytest
import yaml

from nst_jax.analysis import translate
from nst_jax.analysis.translate import Weights
from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import features, shapes
from nst_jax.extractors.vgg import VGG, random_params
from nst_jax.losses import term
from nst_jax.methods import transfer
from nst_jax.published import CONVENTIONS, GRAM, LOSSES, PROFILES

ROOT = Path(__file__).parents[1]
BLOCKS = ((4, 1), (6, 2))
NET = VGG(("relu1_1", "relu2_1", "relu2_2"), blocks=BLOCKS, pool="avg", rounding="floor", padding="zero")
KEY = jax.random.key(0)
SIZE = {"height": 14, "width": 18}
SHAPES = shapes(NET, random_params(KEY, blocks=BLOCKS), **SIZE)
WEIGHTS = Weights({"relu2_2": 3.0}, {"relu1_1": 20.0, "relu2_1": 50.0}, 0.0)
TABLE = list(csv.DictReader((ROOT / "docs/explanations/canonical.csv").read_text(encoding="utf-8").splitlines()))


def objective(name, weights):
    """Value and gradient on random pictures of one size."""
    params = random_params(KEY, blocks=BLOCKS)
    content, style, image = (jax.random.uniform(jax.random.key(k), (14, 18, 3)) for k in (1, 2, 3))
    convention = CONVENTIONS[name]
    terms = convention.terms(weights.content, weights.style)
    aims = transfer.aims(NET, terms, params, {"content": content, "style": style}, pixels=14 * 18, key=KEY)
    channels = {layer: SHAPES[layer][2] for layer in weights.style}
    numbers = {"content_weight": 1.0, "style_weight": 1.0, "tv_weight": weights.smooth}
    factors = {"content_layers": weights.content, "style_layers": weights.style}
    w = convention.weights(channels, **numbers, **factors)

    def total(image):
        return term.total(w, term.values(terms, aims, features(NET, params, image), image))

    return jax.jit(jax.value_and_grad(total))(image)


DIFFERENT = {convention: name for name, convention in reversed(GRAM.items()) if name != "laplacian"}  # without aliases


@pytest.mark.parametrize("name", sorted(DIFFERENT.values()))
def test_a_translation_has_the_same_objective(name):
    """From the paper to every other convention that compares Gram matrices."""
    found, remarks = translate.translate(CONVENTIONS["gatys_2016"], CONVENTIONS[name], WEIGHTS, SHAPES, **SIZE)
    assert not any("no equivalent" in remark for remark in remarks)
    (value, gradient), (wanted, exact) = objective(name, found), objective("gatys_2016", WEIGHTS)
    np.testing.assert_allclose(value, wanted, rtol=1e-4)
    assert np.abs(gradient - exact).max() < 1e-4 * np.abs(exact).max()


def test_there_and_back():
    one, other = CONVENTIONS["cysmith"], CONVENTIONS["gordicaleksa"]
    there, _ = translate.translate(one, other, WEIGHTS, SHAPES, **SIZE)
    back, _ = translate.translate(other, one, there, SHAPES, **SIZE)
    for layer, weight in WEIGHTS.style.items():
        np.testing.assert_allclose(back.style[layer], weight, rtol=1e-4)


def test_the_factor_of_fifty():
    """neural-style is Gatys' released code with a style 50 times as weak: (100 / 5) / (1e3 / 1) = 1 / 50."""
    ours = Weights({"relu2_2": 5.0}, dict.fromkeys(WEIGHTS.style, 100.0), 0.0)
    theirs = Weights({"relu2_2": 1.0}, dict.fromkeys(WEIGHTS.style, 1e3), 0.0)
    first = translate.ratios(translate.canonical(CONVENTIONS["neural_style"], ours, SHAPES, **SIZE))
    second = translate.ratios(translate.canonical(CONVENTIONS["gatys_released"], theirs, SHAPES, **SIZE))
    for layer in first:
        np.testing.assert_allclose(first[layer] / second[layer], 1 / 50, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(CONVENTIONS) - set(GRAM) - {"batch_statistics", "adain"}))
def test_what_compares_no_gram_matrices_has_no_canonical_form(name):
    form = translate.canonical(CONVENTIONS[name], WEIGHTS, SHAPES, **SIZE)
    assert all(np.isnan(s) for s in form.style.values())
    _, remarks = translate.translate(CONVENTIONS[name], CONVENTIONS["keras"], WEIGHTS, SHAPES, **SIZE)
    assert any(remark.startswith("style has no equivalent (relu1_1, relu2_1)") for remark in remarks)


def test_a_convention_that_is_no_gram_matrix_translates_into_its_own_kind():
    found, remarks = translate.translate(CONVENTIONS["adain"], CONVENTIONS["batch_statistics"], WEIGHTS, SHAPES, **SIZE)
    assert remarks == ()
    np.testing.assert_allclose(found.style["relu1_1"], 4 * 20, rtol=1e-4)
    np.testing.assert_allclose(found.style["relu2_1"], 6 * 50, rtol=1e-4)
    same, remarks = translate.translate(
        CONVENTIONS["sliced_wasserstein"], CONVENTIONS["texsyn_sliced"], WEIGHTS, SHAPES, **SIZE
    )
    assert (same.style, remarks) == (WEIGHTS.style, ())


def test_sums_are_said_to_need_pictures_of_one_size():
    for name in ("cysmith", "hwalsuklee", "fzliu", "keras", "titu1994", "hnarayanan"):
        assert translate.needs_one_size(CONVENTIONS[name]), name
        _, remarks = translate.translate(CONVENTIONS[name], CONVENTIONS["gatys_2016"], WEIGHTS, SHAPES, **SIZE)
        assert any("size" in remark for remark in remarks), name
    assert not translate.needs_one_size(CONVENTIONS["gatys_2016"])


def test_smoothness_translates_where_it_is_a_multiple():
    weights = WEIGHTS._replace(smooth=2.0)
    one, other = CONVENTIONS["tensorflow_tutorial"], CONVENTIONS["neural_style_pt"]
    np.testing.assert_allclose(
        translate.translate(one, other, weights, SHAPES, **SIZE).weights.smooth, 2 / 255, rtol=1e-4
    )
    # mean over 13 x 17 x 3 of dx^2 + dy^2 on 0..1; half the sum, on 0..256
    one, other = CONVENTIONS["pystiche"], CONVENTIONS["neural_style"]
    found = translate.translate(one, other, weights, SHAPES, **SIZE)
    np.testing.assert_allclose(found.weights.smooth, 2 * 2 / (13 * 17 * 3 * 256**2), rtol=1e-3)
    found = translate.translate(CONVENTIONS["neural_style"], CONVENTIONS["neural_style_pt"], weights, SHAPES, **SIZE)
    assert np.isnan(found.weights.smooth)
    assert found.remarks == ("smoothness has no equivalent (all layers)",)


def test_a_texture_has_no_content():
    weights = Weights({}, WEIGHTS.style, 0.0)
    form = translate.canonical(CONVENTIONS["deep_textures"], weights, SHAPES, **SIZE)
    assert form.content == {}
    assert translate.ratios(form) == dict.fromkeys(WEIGHTS.style, float("inf"))


def rounded_as(text, value):
    """`value` with as many significant digits as `text` has."""
    digits = len(text.split("e")[0].replace(".", "").lstrip("0")) or 1
    return float(f"{value:.{digits - 1}e}")


@pytest.mark.parametrize("row", TABLE, ids=[f"{row['convention']} {row['content_weight']}" for row in TABLE])
def test_the_canonical_table(row):
    """docs/explanations/canonical.csv, which was computed by other means, to all the digits that it gives."""
    chosen, vgg = PROFILES[row["layers"]], architecture("vgg19")
    net = vgg.tap({*chosen.content, *chosen.style}, pool="max", rounding="floor", padding="zero")
    alpha, beta = float(row["content_weight"]), float(row["style_weight"])
    weights = Weights(dict.fromkeys(chosen.content, alpha), dict.fromkeys(chosen.style, beta), 0.0)
    size = {"height": 512, "width": 512}
    form = translate.canonical(CONVENTIONS[row["convention"]], weights, vgg.shapes(net, **size), **size)
    (c,) = form.content.values()
    assert rounded_as(row["c"], c) == pytest.approx(float(row["c"]), rel=1e-6)
    for column, values in (("s", form.style), ("ratio", translate.ratios(form))):
        for text, value in zip(row[column].split(), values.values(), strict=bool(row[column])):
            assert text == "..." or rounded_as(text, value) == pytest.approx(float(text), rel=1e-6)


@pytest.mark.parametrize("row", TABLE, ids=[f"{row['convention']} {row['content_weight']}" for row in TABLE])
def test_the_weights_of_the_table_are_the_published_ones(row):
    """Up to a common factor: the table was computed for what a convention's record says."""
    record = LOSSES[row["convention"]]
    if row["convention"] != "gatys_2016" or row["content_weight"] == "1e-3":
        ratio = float(row["style_weight"]) / float(row["content_weight"])
        assert record.style_weight / record.content_weight == pytest.approx(ratio)


def test_every_layer_of_conf_is_one_of_a_network():
    known = [{*arch.layers, *arch.raw} for arch in map(architecture, MODULES)]
    for file in (ROOT / "conf/layers").glob("*.yaml"):
        chosen = yaml.safe_load(file.read_text(encoding="utf-8"))
        layers = {layer for part in ("content", "style") for layer in chosen.get(part) or {}}
        assert layers, file.name
        assert any(layers <= names for names in known), file.name
