"""Several styles: blended aims and summed terms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst
from nst_jax.losses import term
from nst_jax.losses.moments import gram, mix, moments
from nst_jax.losses.term import Blend
from nst_jax.published import CONVENTIONS

STYLES = tuple(jax.random.uniform(jax.random.key(k), shape) for k, shape in ((1, (12, 16, 3)), (2, (20, 16, 3))))
IMAGE = jax.random.uniform(jax.random.key(3), (16, 16, 3))
NET = nst.Function(lambda params, x, taps: {"input": x @ params}, ("input",))
PARAMS = jax.random.normal(jax.random.key(4), (3, 3))  # square: a covariance of full rank
QUADRATIC = ("gatys_2016", "gatys_released", "neural_style", "keras", "pystiche")
BLENDABLE = [n for n, c in CONVENTIONS.items() if hasattr(c.style_term.aim, "blend")]


def style_value(name, picture, image=IMAGE):
    """The style term of a convention, aimed at a picture or a blend."""
    terms = (CONVENTIONS[name].style("input"),)
    aims = nst.aims(NET, terms, PARAMS, {"style": picture}, pixels=256, key=jax.random.key(0))
    return term.values(terms, aims, NET.apply({"params": PARAMS}, image), image)["style/input"]


def blend(*shares):
    return Blend(STYLES, jnp.asarray(shares, jnp.float32))


def test_the_gram_matrix_of_a_blend_is_the_mean_of_the_gram_matrices():
    one, other = (moments(x) for x in STYLES)
    mixed = mix([one, other], jnp.asarray([0.7, 0.3]))
    np.testing.assert_allclose(gram(mixed), 0.7 * gram(one) + 0.3 * gram(other), rtol=1e-5)
    wanted = 0.7 * one.first / one.mass + 0.3 * other.first / other.mass
    np.testing.assert_allclose(mixed.first / mixed.mass, wanted, rtol=1e-5)


@pytest.mark.parametrize("name", BLENDABLE)
def test_a_share_of_one_is_that_style_alone_and_a_blend_with_itself_changes_nothing(name):
    alone = style_value(name, STYLES[0])
    np.testing.assert_allclose(style_value(name, blend(1, 0)), alone, rtol=1e-3, atol=1e-9)
    twice = Blend((STYLES[0], STYLES[0]), jnp.asarray([0.4, 0.6]))
    np.testing.assert_allclose(style_value(name, twice), alone, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("name", BLENDABLE[:6])
def test_the_order_of_the_styles_is_all_one(name):
    back = Blend(STYLES[::-1], jnp.asarray([0.2, 0.8]))
    np.testing.assert_allclose(style_value(name, back), style_value(name, blend(0.8, 0.2)), rtol=1e-4)


@pytest.mark.parametrize("name", QUADRATIC)
def test_summed_terms_have_the_gradient_of_the_blend_and_differ_by_the_spread_of_the_styles(name):
    """Sum w |G - A_i|^2 = |G - sum w A_i|^2 + const, for shares that sum to 1. The pictures have one size here."""
    same = (STYLES[0], STYLES[1][:12])
    shares = jnp.asarray([0.7, 0.3])
    blended = lambda x: style_value(name, Blend(same, shares), x)
    summed = lambda x: sum(w * style_value(name, s, x) for w, s in zip(shares, same, strict=True))
    other = jax.random.uniform(jax.random.key(9), IMAGE.shape)
    for image in (IMAGE, other):
        scale = float(jnp.abs(jax.grad(blended)(image)).max())
        np.testing.assert_allclose(jax.grad(summed)(image), jax.grad(blended)(image), atol=1e-4 * scale)
    apart = [float(summed(x) - blended(x)) for x in (IMAGE, other)]
    assert apart[0] > 0
    np.testing.assert_allclose(apart[0], apart[1], rtol=1e-2)


def test_the_picture_is_differentiable_by_the_shares():
    slope = jax.grad(lambda share: style_value("gatys_2016", Blend(STYLES, jnp.stack([share, 1 - share]))))(0.3)
    step = 1e-2
    up, down = (style_value("gatys_2016", blend(s, 1 - s)) for s in (0.3 + step, 0.3 - step))
    np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-2)


def test_a_term_that_compares_no_moments_says_so():
    (name,) = [n for n, c in CONVENTIONS.items() if not hasattr(c.style_term.aim, "blend")][:1]
    with pytest.raises(ValueError, match="compares no moments"):
        style_value(name, blend(0.5, 0.5))


def test_a_term_for_each_style():
    terms = CONVENTIONS["gatys_2016"].terms(("input",), ("input",))
    names = [t.name for t in term.split(terms, of="style", into=("style_1", "style_2"))]
    assert names == ["content/input", "style_1/input", "style_2/input"]
