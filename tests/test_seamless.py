"""An image whose opposite borders meet: networks with circular padding, and total variation around the border."""

import inspect
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.extractors import architecture
from nst_jax.extractors.base import features
from nst_jax.extractors.vgg import VGG, prepare, random_params
from nst_jax.losses import smoothness
from nst_jax.losses.moments import moments
from nst_jax.losses.term import Aim, View
from nst_jax.published import CONVENTIONS
from nst_jax.published.base import smooth, wrap_smooth

BLOCKS = ((4, 1), (6, 1), (8, 1), (8, 1), (8, 1))
KEY = jax.random.key(0)
X = jax.random.uniform(jax.random.key(1), (32, 48, 3))
GRAM = CONVENTIONS["gatys_released"].style_term


def vgg(padding):
    """A network of five blocks, and its parameters as spectra and as they are."""
    plain = random_params(KEY, blocks=BLOCKS)
    net = VGG(("relu1_1", "relu5_1"), blocks=BLOCKS, pool="avg", rounding="floor", padding=padding)
    return net, {**prepare(plain, convolution="winograd", dtype="float32"), "conv1_1": plain["conv1_1"]}


def distilled(padding):
    arch = architecture("distilled")
    return arch.tap({"relu1_1", "relu4_1"}, pool="max", rounding="floor", padding=padding), arch.random(KEY)


NETWORKS = {"vgg": vgg, "distilled": distilled}


@pytest.fixture(scope="module", params=NETWORKS)
def build(request):
    return NETWORKS[request.param]


def loss(net, params, image):
    """A loss of moments. The style's have other padding: it is not periodic."""
    seen = features(net, params, image)
    aims = {tap: GRAM.aim(View(jnp.ones((3, 3, f.shape[-1])), 1, None)) for tap, f in seen.items()}
    return jnp.sum(jnp.stack([jnp.log(GRAM.value(f, aims[tap])) for tap, f in seen.items()]))


def roll(x, down, right):
    return jnp.roll(x, (down, right), (0, 1))


def test_a_rolled_image_has_the_same_loss_and_the_rolled_gradient(build):
    """By multiples of 16: the cells of the poolings line up."""
    value = jax.jit(jax.value_and_grad(partial(loss, *build("circular"))))
    (one, slope), (other, moved) = value(X), value(roll(X, 16, -32))
    np.testing.assert_allclose(one, other, rtol=1e-5)
    np.testing.assert_allclose(moved, roll(slope, 16, -32), atol=1e-3 * float(jnp.abs(slope).max()))
    zeros = jax.jit(partial(loss, *build("zero")))
    assert abs(zeros(X) - zeros(roll(X, 16, -32))) > 1e-4


def test_of_an_image_in_tiles_the_features_are_tiles(build):
    see = jax.jit(partial(features, *build("circular")))
    whole = see(jnp.tile(X, (2, 2, 1)))
    for tap, f in see(X).items():
        np.testing.assert_allclose(whole[tap], jnp.tile(f, (2, 2, 1)), atol=1e-4 * float(jnp.abs(f).max()))


def test_lanes_of_an_image_around_the_border(build):
    net, params = build("circular")
    both = jnp.stack([X, roll(X, 5, 3)])
    lanes = jax.jit(jax.vmap(partial(loss, net, params)))(both)
    np.testing.assert_allclose(lanes, [loss(net, params, x) for x in both], rtol=1e-4)


@pytest.mark.parametrize("padding", ["circular_x", "circular_y"])
def test_one_axis_only(padding):
    value = jax.jit(partial(loss, *vgg(padding)))
    along, across = (value(roll(X, *by)) for by in ((0, 16), (16, 0)))
    if padding == "circular_y":
        along, across = across, along
    np.testing.assert_allclose(along, value(X), rtol=1e-5)
    assert abs(across - value(X)) > 1e-4


@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_a_flat_image_has_flat_features_without_zeros(padding):
    net, params = vgg(padding)
    deep = features(net, params, jnp.full((32, 32, 3), 0.8))["relu5_1"]
    spread = float(jnp.abs(deep - deep[0, 0]).max() / deep.max())
    assert (spread < 1e-4) == (padding == "circular")


def test_a_style_in_tiles_is_met_at_every_size():
    net, params = vgg("circular")
    seen, large = (features(net, params, x) for x in (X, jnp.tile(X, (2, 1, 1))))
    for tap, f in seen.items():
        one, other = (m.second / m.mass for m in (moments(f), moments(large[tap])))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * float(one.max()))


VARIATIONS = [
    function
    for name, function in inspect.getmembers(smoothness, inspect.isfunction)
    if function.__module__ == smoothness.__name__ and list(inspect.signature(function).parameters) == ["image", "wrap"]
    if name not in ("steps_down", "steps_right", "corner", "unseen_squared_steps", "wrapped_steps")
]
SMALL = jax.random.uniform(KEY, (5, 7, 3))


@pytest.mark.parametrize("function", VARIATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("wrap", [(0, 1), (1,), (0,)])
def test_total_variation_of_a_rolled_image_is_the_same_along_the_axes_that_meet(function, wrap):
    for axis in wrap:
        np.testing.assert_allclose(function(jnp.roll(SMALL, 2, axis), wrap), function(SMALL, wrap), rtol=1e-5)
        ramp = jnp.broadcast_to(jnp.arange(6.0).reshape((6, 1, 1) if axis == 0 else (1, 6, 1)), (6, 6, 3)) / 6
        if function is not smoothness.across_and_between_colours or axis == 1:
            assert function(ramp, (axis,)) > 1.5 * function(ramp, ())  # the jump from the last to the first


def test_there_are_variations_to_try():
    assert {smoothness.corner_mean, smoothness.nine_point, smoothness.absolute_steps} <= set(VARIATIONS)


def test_the_smoothness_term_of_a_convention_wraps():
    plain = smooth(smoothness.corner_mean)
    assert plain == CONVENTIONS["relative"].smooth_term
    term = wrap_smooth(plain, axes=(0, 1))
    values = [term.value(x, Aim()) for x in (SMALL, roll(SMALL, 2, 3))]
    np.testing.assert_allclose(values, float(smoothness.corner_mean(SMALL, (0, 1))), rtol=1e-6)
    assert term == wrap_smooth(plain, axes=(0, 1))  # one program
    assert wrap_smooth(term, axes=()) == plain
