"""Size independence: what grows with the picture, and what `invariant` makes of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.analysis import resolution, translate
from nst_jax.analysis.resolution import Growth
from nst_jax.analysis.translate import Weights
from nst_jax.extractors.vgg import VGG, shapes
from nst_jax.losses.term import Aim, View
from nst_jax.published import CONVENTIONS

NET = VGG(("relu1_1", "relu2_1", "relu2_2"), blocks=((4, 1), (6, 2)), pool="avg", rounding="floor", padding="zero")
KEY = jax.random.key(7)
WEIGHTS = Weights({"relu2_2": 3.0}, {"relu1_1": 20.0, "relu2_1": 50.0}, 0.0)

GROWN = {
    "gatys_2016": Growth(1.0, 0.0, 0.0),
    "gatys_released": Growth(0.0, 0.0, 0.0),
    "neural_style": Growth(0.0, 0.0, 1.0),
    "neural_style_pt": Growth(0.0, 0.0, 1.0),
    "anishathalye": Growth(0.0, 0.0, 0.0),
    "keras": Growth(1.0, 0.0, 1.0),
    "cysmith": Growth(0.5, 0.0, 1.0),
    "style_transfer_pytorch": Growth(0.0, 0.0, 0.0),
    "style_transfer_caffe": Growth(1.0, 1.0, 1.0),
    "sliced_wasserstein": Growth(0.0, 0.0, 0.0),
    "mrf": Growth(0.0, 1.0, 1.0),
    "histogram": Growth(0.0, 1.0, 0.0),
}


@pytest.mark.parametrize("name", GROWN)
def test_how_terms_grow_with_the_picture(name):
    assert resolution.growth(CONVENTIONS[name]) == GROWN[name]


@pytest.mark.parametrize("name", ["gatys_2016", "fzliu", "keras", "cysmith", "neural_style_pt"])
def test_the_same_weights_mean_the_same_at_another_size(name):
    """The ratio s / c at 64 x 64 is that of 32 x 32 pixels, for all layers; as published it is another one."""

    def ratios(convention, side):
        size = {"height": side, "width": side}
        form = translate.canonical(convention, WEIGHTS, shapes(NET, **size), **size)
        return np.array(list(translate.ratios(form).values()))

    published = CONVENTIONS[name]
    wrapped = resolution.invariant(published, pixels=64 * 64, reference=32 * 32)
    np.testing.assert_allclose(ratios(wrapped, 64), ratios(published, 32), rtol=1e-4)
    changes = resolution.growth(published).content != 0
    assert changes == (not np.allclose(ratios(published, 64), ratios(published, 32), rtol=1e-4))


def error(term, f, a, pixels=64):
    """The term of the activation f, aimed at a."""
    return term.value(f, term.aim(View(a, pixels, KEY)) if term.of else Aim())


@pytest.mark.parametrize("name", ["neural_style_pt", "keras"])
def test_smoothness_of_a_repeated_picture_stays(name):
    tile = jax.random.uniform(jax.random.key(0), (32, 32, 3))
    large = jnp.tile(tile, (2, 2, 1))
    published = CONVENTIONS[name]
    smooth = resolution.invariant(published, pixels=64 * 64, reference=32 * 32).smooth_term
    np.testing.assert_allclose(
        error(smooth, large, None), error(published.smooth_term, tile, None), rtol=0.05
    )  # the tiles meet at new edges


def test_at_the_reference_nothing_changes():
    f, a, image = (jax.random.uniform(jax.random.key(k), (8, 8, n)) for k, n in ((0, 5), (1, 5), (2, 3)))
    for name in ("gatys_2016", "cysmith", "keras", "neural_style_pt"):
        published = CONVENTIONS[name]
        wrapped = resolution.invariant(published, pixels=64, reference=64)
        for part in ("style_term", "content_term"):
            one, other = (error(getattr(c, part), f, a) for c in (wrapped, published))
            np.testing.assert_allclose(one, other, rtol=1e-5, err_msg=f"{name} {part}")
        if published.smooth_term:
            one, other = (error(c.smooth_term, image, None) for c in (wrapped, published))
            np.testing.assert_allclose(one, other, rtol=1e-6)


SUMS = ("cysmith", "hwalsuklee", "fzliu", "keras", "titu1994", "hnarayanan")


@pytest.mark.parametrize("name", SUMS)
def test_the_style_pictures_size_does_not_matter(name):
    """As published it does; with each Gram sum over its own positions, and with `invariant`, it does not."""
    f, a = (jax.random.uniform(jax.random.key(k), (8, 8, 5)) for k in (0, 1))
    twice = jnp.concatenate([a, a])
    published = CONVENTIONS[name]
    assert abs(error(published.style_term, f, twice) / error(published.style_term, f, a) - 1) > 0.5
    for changed in (resolution.one_size(published), resolution.invariant(published, pixels=64, reference=256)):
        one, other = (error(changed.style_term, f, x) for x in (a, twice))
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_one_size_changes_nothing_for_a_style_picture_of_the_images_size(name):
    f, a = (jax.random.uniform(jax.random.key(k), (8, 8, 5)) for k in (0, 1))
    published = CONVENTIONS[name]
    changed = resolution.one_size(published)
    np.testing.assert_allclose(error(changed.style_term, f, a), error(published.style_term, f, a), rtol=1e-5)
    assert (changed.content_term, changed.smooth_term) == (published.content_term, published.smooth_term)
    assert resolution.one_size(changed) == changed


def test_equal_ones_are_one_program():
    one, same, other = (resolution.invariant(CONVENTIONS["keras"], pixels=n, reference=100) for n in (400, 400, 900))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


def test_it_says_what_it_does():
    say = resolution.words
    assert "content times 0.25" in say(CONVENTIONS["gatys_2016"], pixels=64 * 64, reference=32 * 32)
    assert "content times 2, smooth times 4" in say(CONVENTIONS["cysmith"], pixels=256**2, reference=512**2)
    assert "all terms are means" in say(CONVENTIONS["gatys_released"], pixels=64, reference=32)
    assert "the size is the reference" in say(CONVENTIONS["keras"], pixels=64, reference=64)
