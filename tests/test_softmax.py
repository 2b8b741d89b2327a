"""Softmax smoothing of activations (SWAG): of every network, as an extractor and as a setting."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst
from nst_jax.extractors import architecture, softmax, vgg
from nst_jax.extractors.base import Function, activations, features, is_local, shapes
from nst_jax.extractors.octaves import in_octaves
from nst_jax.extractors.softmax import Softmax, with_softmax
from nst_jax.losses import term
from nst_jax.methods import tiled, transfer
from nst_jax.methods.transfer import Masks
from nst_jax.nn.lifted import Lifted
from nst_jax.published.ours import RELATIVE

SMALL = vgg.describe("small", ((4, 1), (6, 1), (8, 1)))
OWN = {"padding": "zero"}
IMAGE = jax.random.uniform(jax.random.key(0), (43, 38, 3))
LAYERS = {
    "distilled": ("relu1_1", "relu3_1"),
    "squeezenet": ("conv1", "fire3"),
    "resnet18": ("conv1", "layer2_1"),
}


def settings_of(arch):
    return {"pool": arch.pool, "rounding": arch.rounding, **OWN}


def known(name):
    """A network, its layers and its parameters."""
    arch = architecture(name) if name in LAYERS else SMALL
    layers, params = LAYERS.get(name, ("relu1_1", "relu3_1")), arch.random(jax.random.key(1))
    return arch, layers, {key: params[key] for key in ("input", *arch.needs(layers))}


def plain_layer(params, image, taps):
    """A network of one layer, the image with other numbers, and a constant added to it."""
    return {tap: image * jnp.array([3.0, -2.0, 5.0]) + params for tap in taps}


def of_function(over, temperature=1.0):
    return Softmax(Function(plain_layer, ("x",)), over, temperature)


@pytest.mark.parametrize("over", ["channels", "all"])
@pytest.mark.parametrize("name", ["small", *LAYERS])
def test_it_is_jaxs_softmax_of_the_plain_activations(name, over):
    """A narrow network's are lifted first; parameters and shapes are those of the network itself."""
    arch, layers, params = known(name)
    smooth = with_softmax(arch, over=over, temperature=2.0)
    net, plain = (each.tap(layers, **settings_of(arch)) for each in (smooth, arch))
    found, wanted = (features(each, params, IMAGE) for each in (net, plain))
    assert any(isinstance(a, Lifted) for a in activations(plain, params, IMAGE).values()) == (name == "distilled")
    assert not any(isinstance(a, Lifted) for a in activations(net, params, IMAGE).values())
    assert net.taps == tuple(found) == layers
    for layer in layers:
        axis = 2 if over == "channels" else None
        reference = jax.nn.softmax(wanted[layer] / 2, axis=axis)
        np.testing.assert_allclose(found[layer], reference, rtol=1e-6)
        np.testing.assert_allclose(found[layer].sum(axis), 1, rtol=1e-4)
        assert float(jnp.abs(found[layer] - wanted[layer]).max()) > 0.1
    sizes = {"height": 43, "width": 38}
    assert smooth.shapes(net, **sizes) == arch.shapes(plain, **sizes) == shapes(net, params, **sizes)
    assert smooth.needs(layers) == arch.needs(layers)


def test_a_constant_that_is_added_changes_nothing():
    """Channels: one for each position. All entries: one for the whole layer, and no other."""
    shift = jax.random.normal(jax.random.key(3), (43, 38, 1))
    for over, constant in (("channels", shift), ("channels", 4.0), ("all", 4.0)):
        net = of_function(over)
        found, wanted = (features(net, c, IMAGE)["x"] for c in (jnp.asarray(constant), jnp.asarray(0.0)))
        np.testing.assert_allclose(found, wanted, rtol=2e-5, err_msg=over)
    by_position = features(of_function("all"), shift, IMAGE)["x"]
    assert not np.allclose(by_position, features(of_function("all"), jnp.asarray(0.0), IMAGE)["x"], rtol=0.1)


@pytest.mark.parametrize("over", ["channels", "all"])
def test_a_high_temperature_leaves_nothing_to_see(over):
    """Features become constant, and the gradient of a loss vanishes."""
    arch, layers, params = known("small")
    terms = [t for t in RELATIVE.terms((), layers) if t.tap in layers]  # not the total variation
    terms, style = tuple(terms), IMAGE[::-1] ** 2

    def slope(temperature):
        net = with_softmax(arch, over=over, temperature=temperature).tap(layers, **settings_of(arch))
        aims = transfer.aims(net, terms, params, {"style": style}, pixels=1)
        value = lambda x: sum(term.values(terms, aims, activations(net, params, x), x).values())
        return features(net, params, IMAGE), jnp.abs(jax.grad(value)(IMAGE)).max()

    (_, warm), (seen, hot) = slope(1.0), slope(1e12)
    for layer in layers:
        count = seen[layer].shape[2] if over == "channels" else seen[layer].size
        np.testing.assert_allclose(seen[layer], 1 / count, rtol=1e-5)
    assert hot < 1e-9 * warm


def test_the_input_stays_as_it_is():
    arch, _, params = known("small")
    net = with_softmax(arch, over="channels", temperature=1.0).tap(("input", "relu1_1"), **settings_of(arch))
    plain = arch.tap(("input",), **settings_of(arch))
    np.testing.assert_array_equal(features(net, params, IMAGE)["input"], features(plain, params, IMAGE)["input"])


def test_octaves_are_smoothed_each():
    arch, _, params = known("small")
    taps = ("relu1_1", "octave2_relu1_1")
    net = with_softmax(in_octaves(arch, octaves=2), over="channels", temperature=1.0).tap(taps, **settings_of(arch))
    for found in features(net, params, IMAGE).values():
        np.testing.assert_allclose(found.sum(2), 1, rtol=1e-5)
    assert net.clone(taps=taps[1:]).taps == taps[1:]


def test_without_it_the_network_is_the_same():
    assert with_softmax(SMALL, over="none", temperature=1.0) is SMALL
    assert is_local(SMALL.tap(("relu1_1",), **settings_of(SMALL)))


@pytest.mark.parametrize(
    ("words", "message"),
    [({"over": "chanels", "temperature": 1.0}, "chanels"), ({"over": "all", "temperature": 0.0}, "temperature=0")],
)
def test_mistakes_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        with_softmax(SMALL, **words)


def test_activations_of_less_precision_are_summed_in_float32():
    half = lambda params, image, taps: {tap: image.astype(jnp.bfloat16) for tap in taps}
    assert features(Softmax(Function(half, ("x",)), "channels", 1.0), None, IMAGE)["x"].dtype == jnp.float32


def run_of(over, *, layers=("relu1_1", "relu2_1")):
    arch = with_softmax(SMALL, over=over, temperature=30.0)
    _, _, params = known("small")
    return arch, arch.tap(layers, **settings_of(SMALL)), params, RELATIVE.terms(("relu2_1",), layers)


def test_channels_in_tiles_are_those_of_the_whole():
    arch, net, params, terms = run_of("channels")
    tiles = tiled.tiles_of(arch, net.taps, side=12, rounding="floor", padding="zero")
    pictures = {"content": IMAGE[::-1], "style": IMAGE**2}
    aims = [transfer.aims(net, terms, params, pictures, pixels=1, tiles=each) for each in (None, tiles)]
    whole = lambda x: sum(term.values(terms, aims[0], activations(net, params, x), x).values())
    parts = lambda x: sum(tiled.values(net, terms, params, aims[1], x, tiles=tiles).values())
    (value, slope), (wanted, other) = (jax.jit(jax.value_and_grad(f))(IMAGE) for f in (parts, whole))
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    assert float(jnp.abs(other).max()) > 0
    np.testing.assert_allclose(slope, other, atol=1e-4 * float(jnp.abs(other).max()))


def test_all_entries_are_refused_in_tiles_and_with_masks():
    arch, net, params, terms = run_of("all")
    tiles = tiled.tiles_of(arch, net.taps, side=12, rounding="floor", padding="zero")
    pictures = {"content": IMAGE, "style": IMAGE}
    with pytest.raises(tiled.CannotTile, match="smooth=all"):
        transfer.aims(net, terms, params, pictures, pixels=1, tiles=tiles)
    with pytest.raises(tiled.CannotTile, match="smooth=all"):
        tiled.values(net, terms, params, {}, IMAGE, tiles=tiles)
    masks = {"style": Masks({tap: jnp.ones(IMAGE.shape[:2]) for tap in net.taps}, {})}
    with pytest.raises(ValueError, match="masks"):
        transfer.aims(net, terms, params, pictures, pixels=1, masks=masks)


@pytest.mark.parametrize(("size", "alike"), [((48, 48), True), ((36, 64), True), ((49, 48), True), ((48, 72), False)])
def test_pictures_of_other_sizes_are_refused_where_all_entries_sum_to_one(size, alike):
    """As many pixels are fine, whatever their shape. Over channels the size does not matter."""
    compare = partial(softmax.check_sizes, image=(48, 48), picture=size)
    compare(of_function("channels"))
    compare(of_function("all").network)
    if alike:
        compare(of_function("all"))
    else:
        with pytest.raises(ValueError, match="those of 72 x 48 pixels cannot be compared with those of 48 x 48"):
            compare(of_function("all"))


@pytest.mark.parametrize("over", ["channels", "all"])
def test_a_problem_with_a_softmax_takes_pictures_of_one_size(over):
    _, net, params, _ = run_of(over)
    net = nst.Network(net, params, {"relu2_1": 1.0}, {"relu1_1": 1.0})
    large = jnp.tile(IMAGE, (2, 1, 1))
    if over == "channels":
        nst.problem(net, IMAGE, large)
        return
    nst.problem(net, IMAGE, [IMAGE, IMAGE[::-1]])
    for styles in (large, [IMAGE, large]):
        with pytest.raises(ValueError, match="smooth=all: activations sum to 1 over a picture"):
            nst.problem(net, IMAGE, styles)


@pytest.mark.parametrize("over", ["channels", "all"])
def test_the_gradient_is_finite_where_a_softmax_saturates(over):
    """A temperature of 1 at activations of hundreds: nearly one entry has all."""
    net, image = of_function(over), 300 * IMAGE
    slope = jax.grad(lambda x: (features(net, jnp.asarray(0.0), x)["x"] ** 2).sum())(image)
    assert np.isfinite(slope).all()


def test_equal_ones_are_one_program():
    """A tapped network is hashable, and a jitted function is traced for it once."""
    traced = []

    @partial(jax.jit, static_argnums=0)
    def run(net, image):
        traced.append(net)
        return features(net, jnp.asarray(0.0), image)["x"]

    for temperature in (1.0, 1.0, 2.0):
        run(of_function("channels", temperature), IMAGE)
    assert len(traced) == 2
    assert softmax.SMOOTH == ("none", "channels", "all")
