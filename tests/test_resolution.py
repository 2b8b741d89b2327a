"""Size independence: what grows with the picture, and what `invariant` makes of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax import losses, resolution, translate
from nst_jax.conventions import CONVENTIONS
from nst_jax.resolution import Growth
from nst_jax.translate import Weights
from nst_jax.vgg import VGG

NET = VGG(("relu1_1", "relu2_1", "relu2_2"), blocks=((4, 1), (6, 2)), pool="avg", rounding="floor", padding="zero")
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
        shapes = translate.shapes(NET, height=side, width=side)
        form = translate.canonical(convention, WEIGHTS, shapes, height=side, width=side)
        return np.array(list(translate.ratios(form).values()))

    published = CONVENTIONS[name]
    wrapped = resolution.invariant(published, pixels=64 * 64, reference=32 * 32)
    np.testing.assert_allclose(ratios(wrapped, 64), ratios(published, 32), rtol=1e-4)
    changes = resolution.growth(published).content != 0
    assert changes == (not np.allclose(ratios(published, 64), ratios(published, 32), rtol=1e-4))


@pytest.mark.parametrize("name", ["neural_style_pt", "keras"])
def test_smoothness_of_a_repeated_picture_stays(name):
    tile = jax.random.uniform(jax.random.key(0), (32, 32, 3))
    large = jnp.tile(tile, (2, 2, 1))
    smooth = resolution.invariant(CONVENTIONS[name], pixels=64 * 64, reference=32 * 32).smooth
    np.testing.assert_allclose(smooth(large), CONVENTIONS[name].smooth(tile), rtol=0.05)  # seams are new


def test_at_the_reference_nothing_changes():
    f, a, image = (jax.random.uniform(jax.random.key(k), (8, 8, n)) for k, n in ((0, 5), (1, 5), (2, 3)))
    for name in ("gatys_2016", "cysmith", "keras", "neural_style_pt"):
        published = CONVENTIONS[name]
        wrapped = resolution.invariant(published, pixels=64, reference=64)
        g, b = losses.moments(f), losses.moments(a)
        np.testing.assert_allclose(wrapped.style(g, b, 64), published.style(g, b, 64), rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(wrapped.content(f, a), published.content(f, a), rtol=1e-6)
        np.testing.assert_allclose(wrapped.smooth(image), published.smooth(image), rtol=1e-6)


def test_the_style_pictures_size_does_not_matter():
    f, a = (losses.moments(jax.random.uniform(jax.random.key(k), (8, 8, 5))) for k in (0, 1))
    twice = jax.tree.map(lambda x: 2 * x, a)
    for name in ("keras", "cysmith", "fzliu"):
        wrapped = resolution.invariant(CONVENTIONS[name], pixels=64, reference=256)
        np.testing.assert_allclose(wrapped.style(f, a, 64), wrapped.style(f, twice, 64), rtol=1e-5)


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
