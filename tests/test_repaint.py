"""The strokes of one painting, the composition of another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst
from nst_jax.analysis.metrics import style_distances
from nst_jax.losses.moments import moments
from nst_jax.methods import strokes, transfer
from nst_jax.methods.transfer import Spec

CONVENTION = nst.CONVENTIONS["gatys_released"]
LAYERS = {"relu1_1": 1.0, "relu2_1": 1.0}


@pytest.fixture(scope="module")
def net():
    return nst.load("distilled")


@pytest.fixture(scope="module")
def coarse():
    return nst.picture("ink", size=24)


@pytest.fixture(scope="module")
def fine():
    return nst.picture("brush", size=32)


def pose(net, coarse, fine, layers=LAYERS):
    terms = strokes.style_terms(CONVENTION, layers)
    method = nst.lbfgs()
    spec = Spec(net.extractor.clone(taps=tuple(layers)), terms, method.solver, method.options)
    return spec, strokes.pose(spec, net.params, coarse, fine, layers, method.numbers, jax.random.key(0))


def test_layers_are_taken_up_to_the_deepest_in_the_networks_order():
    order = nst.architecture("vgg19").layers
    chosen = {"relu3_1": 3.0, "conv2_1": 2.0, "relu1_1": 1.0}
    assert strokes.layers_up_to(chosen, to="relu2_1", order=order) == {"conv2_1": 2.0, "relu1_1": 1.0}
    assert strokes.layers_up_to(chosen, to="relu3_1", order=order) == chosen
    with pytest.raises(ValueError, match="no style layer is up to relu1_2"):
        strokes.layers_up_to({"relu4_1": 1.0}, to="relu1_2", order=order)
    with pytest.raises(ValueError, match="no layer relu2_1; the style layers here: conv1, fire2"):
        strokes.layers_up_to({"conv1": 1.0, "fire2": 1.0}, to="relu2_1", order=nst.architecture("squeezenet").layers)
    with pytest.raises(ValueError, match="conv2d_3 is a raw output, and has no place"):
        strokes.layers_up_to({"conv2d_3": 1.0}, to="mixed0", order=nst.architecture("inception_v3").layers)


def test_layers_count_alike_whatever_their_channels():
    found = strokes.weights({"relu1_1": 1.0, "relu2_1": 3.0})
    assert {name: float(weight) for name, weight in found.items()} == {"style/relu1_1": 0.5, "style/relu2_1": 1.5}


def test_a_picture_in_its_own_strokes_is_met_at_the_start_and_stays_as_it_is(net, coarse, fine):
    spec, posed = pose(net, coarse, coarse)
    apart = float(transfer.objective(spec, posed, jnp.asarray(fine[:24, :24])))
    assert float(transfer.objective(spec, posed, coarse)) < 1e-12 * apart
    np.testing.assert_allclose(strokes.repaint(spec, posed, coarse, steps=5), coarse, atol=0.5 / 255)


def test_a_loss_of_exactly_nothing_leaves_the_picture_as_it_is(coarse):
    """There the gradient is 0, and has no direction."""
    coarse = jnp.round(coarse[:16, :16] * 8) / 8  # its sums of products and their means are exact, in any order
    net = nst.Function(lambda params, x, taps: {"input": x}, ("input",))
    terms = strokes.style_terms(CONVENTION, {"input": 1.0})
    spec = Spec(net, terms, nst.lbfgs().solver, nst.lbfgs().options)
    posed = strokes.pose(spec, {}, coarse, coarse, {"input": 1.0}, {}, jax.random.key(0))
    assert float(transfer.objective(spec, posed, coarse)) == 0
    np.testing.assert_array_equal(strokes.repaint(spec, posed, coarse, steps=5), coarse)


def test_at_all_layers_the_gram_matrices_become_those_of_the_fine_picture(net, coarse, fine):
    layers = dict.fromkeys(("relu1_1", "relu2_1", "relu3_1"), 1.0)
    spec, posed = pose(net, coarse, fine, layers)
    painted = strokes.repaint(spec, posed, coarse, steps=100)
    assert painted.shape == coarse.shape
    seen = lambda image: {k: moments(f) for k, f in nst.features(spec.network, net.params, image).items()}
    before, after = (style_distances(seen(image), seen(fine)) for image in (coarse, painted))
    assert all(float(after[layer]) < 0.2 * float(before[layer]) for layer in layers)


def test_no_step_changes_nothing(net, coarse, fine):
    spec, posed = pose(net, coarse, fine)
    np.testing.assert_array_equal(strokes.repaint(spec, posed, coarse, steps=0), coarse)


def test_aims_of_one_picture_twice_are_those_of_a_transfer(net, coarse, fine):
    photo, order = nst.picture("landscape", size=24), tuple(net.style_layers)
    terms = CONVENTION.terms(("relu4_2",), order)
    channels = {
        name: shape[2]
        for name, shape in nst.extractors.base.shapes(net.extractor, net.params, height=24, width=24).items()
    }
    parts = {"content_weight": 1.0, "style_weight": 10.0, "tv_weight": 0.0}
    numbers = CONVENTION.weights(
        channels, **parts, content_layers={"relu4_2": 1.0}, style_layers=dict.fromkeys(order, 1.0)
    )
    total = {}
    for name, layers in (("plain", {}), ("divided", LAYERS)):
        own, weights = strokes.divide(terms, numbers, layers)
        pictures = {"content": photo, "style": fine, "strokes": fine}
        aims = transfer.aims(net.extractor, own, net.params, pictures, pixels=photo.shape[0] * photo.shape[1])
        spec = Spec(net.extractor, own, nst.lbfgs().solver, nst.lbfgs().options)
        total[name] = float(transfer.objective(spec, nst.Problem(net.params, aims, weights, {}), photo))
        of = [t.of for t in own]
        assert of.count("strokes") == len(layers)
    assert total["plain"] == pytest.approx(total["divided"], rel=1e-6)
    same, unchanged = strokes.divide(terms, numbers, {})
    assert (same, unchanged) == (terms, numbers)


def test_in_python_a_repainted_style_is_an_image(net, coarse, fine):
    painted = nst.repaint(net, "ink", fine, size=24, steps=2, progress=False)
    np.testing.assert_array_equal(painted, nst.repaint(net, coarse, fine, steps=2, progress=False))
    assert float(jnp.abs(painted - coarse).max()) > 0.01
    np.testing.assert_allclose(painted, nst.repaint(net, coarse, fine, steps=2), atol=1e-4)
    deeper = nst.repaint(net, coarse, fine, to="relu3_1", steps=2, progress=False)
    assert float(jnp.abs(painted - deeper).max()) > 1e-3
    result = nst.stylise(net, "landscape", painted, size=24, steps=1, progress=False)
    assert result.image.shape == (18, 24, 3)
    with pytest.raises(ValueError, match="there is no layer relu9_1"):
        nst.repaint(net, coarse, fine, to="relu9_1")
