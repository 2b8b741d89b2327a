"""Closed forms, plain twins and invariances of the losses."""

import jax
import jax.numpy as jnp
import numpy as np
import plain
import pytest

from nst_jax.losses.differences import sse
from nst_jax.losses.moments import Moments, correlation, gram, moments
from nst_jax.losses.smoothness import steps_down, steps_right
from nst_jax.losses.statistics import root
from nst_jax.losses.term import Aim, View, part, sum_parts, taps, total, values
from nst_jax.published import CONVENTIONS, GATYS_2016, GRAM

RNG = np.random.default_rng(0)


def value(term, f, a, pixels=35):
    """A term of the activation f that aims at the activation a."""
    return term.value(f, term.aim(View(a, pixels, None)))


def smooth(name):
    """The total variation of a convention, as a function of the image."""
    return lambda image: CONVENTIONS[name].smooth_term.value(image, Aim())


def activation(h=5, w=7, c=4):
    return jnp.asarray(RNG.standard_normal((h, w, c)), jnp.float32)


def test_a_correlations_gradients_are_jaxs_own():
    """The first and the second derivative."""
    f, weights = activation(), jnp.asarray(RNG.standard_normal((4, 4)), jnp.float32)
    plain = lambda f: jnp.einsum("hwc,hwd->cd", f, f)
    np.testing.assert_allclose(correlation(f), plain(f), rtol=1e-5)

    def first(kind):
        return jax.grad(lambda f: (weights * kind(f) ** 2).sum())

    np.testing.assert_allclose(first(correlation)(f), first(plain)(f), rtol=1e-4, atol=1e-4)
    second = [jax.grad(lambda f, kind=kind: (first(kind)(f) ** 2).sum())(f) for kind in (correlation, plain)]
    np.testing.assert_allclose(*second, rtol=1e-3, atol=1e-2)


def test_gram_of_a_constant_image():
    np.testing.assert_allclose(gram(moments(jnp.full((5, 3, 2), 3.0))), np.full((2, 2), 9.0))


def test_equations_3_and_4_as_nested_loops():
    """Gatys et al. 2016, written as in the paper; the two pictures differ in size."""
    f, a = activation(3, 4, 2), activation(2, 3, 2)

    def matrix(x):
        flat = np.asarray(x, np.float64).reshape(-1, 2).T
        return [[sum(flat[i][k] * flat[j][k] for k in range(flat.shape[1])) for j in range(2)] for i in range(2)]

    g, b, m, n = matrix(f), matrix(a), 12, 6
    wanted = sum((g[i][j] / m - b[i][j] / n) ** 2 for i in range(2) for j in range(2)) / (4 * 2**2)
    np.testing.assert_allclose(value(GATYS_2016.style_term, f, a, 99), wanted, rtol=1e-5)


def test_moments_add_over_any_split():
    f = activation(6, 5, 3)
    parts = jax.tree.map(jnp.add, moments(f[:2]), moments(f[2:]))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), parts, moments(f))


def test_gram_ignores_where_things_are():
    f = activation()
    mixed = RNG.permutation(f.reshape(-1, 4)).reshape(f.shape)
    np.testing.assert_allclose(gram(moments(f)), gram(moments(jnp.asarray(mixed))), rtol=1e-4, atol=1e-5)


def test_content_gradient_is_the_difference():
    """Gatys et al. 2016, eq. 2: F - P where F > 0; the ReLU brings the rest."""
    f, p = activation(), activation()
    np.testing.assert_allclose(jax.grad(lambda f: value(GATYS_2016.content_term, f, p))(f), f - p, rtol=1e-6)


def test_style_gradient_is_equation_6():
    """dE/dF = F^T (G - A) / (N^2 M^2), with Gram matrices as sums over positions of pictures of one size."""
    f, a = activation(), activation()
    m, n = 35, 4
    sums = [np.einsum("hwi,hwj->ij", x, x) for x in (np.asarray(f), np.asarray(a))]
    wanted = np.einsum("hwi,ij->hwj", f, sums[0] - sums[1]) / (n**2 * m**2)
    got = jax.grad(lambda f: value(GATYS_2016.style_term, f, a))(f)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", GRAM)
def test_every_term_is_nothing_at_its_target(name):
    f, convention = activation(), CONVENTIONS[name]
    assert value(convention.content_term, f, f) == 0
    assert value(convention.style_term, f, f) == 0
    if convention.smooth_term is not None:
        assert smooth(name)(jnp.full((4, 5, 3), 0.3)) == 0


def test_total_variation_of_a_ramp():
    """A picture that grows by 1/255 to the right: every horizontal step is 1 on 0..255, every vertical one 0."""
    ramp = jnp.broadcast_to(jnp.arange(6.0)[None, :, None] / 255, (4, 6, 3))
    np.testing.assert_allclose(smooth("neural_style_pt")(ramp), 4 * 5 * 3, rtol=1e-5)
    np.testing.assert_allclose(smooth("keras")(ramp), 3 * 5 * 3, rtol=1e-5)
    assert steps_down(ramp).max() == 0
    np.testing.assert_allclose(steps_right(ramp), 1 / 255, rtol=1e-4)


def test_neural_style_smooths_without_counting_it():
    """Its gradient is that of half the squared steps; its value is missing from the loss, as published."""
    x = jnp.asarray(RNG.random((4, 5, 3)), jnp.float32)
    assert smooth("neural_style")(x) == 0

    def half(x):
        return 256**2 * ((x[1:, :-1] - x[:-1, :-1]) ** 2 + (x[:-1, 1:] - x[:-1, :-1]) ** 2).sum() / 2

    np.testing.assert_allclose(jax.grad(smooth("neural_style"))(x), jax.grad(half)(x), rtol=1e-4, atol=1e-2)


def test_neural_style_is_a_fiftieth_of_gatys_released():
    """jcjohnson's equal weights are Gatys' 1e3 / N^2 profile: (100 / 5) / (1e3 / 1) = 1 / 50 of its style."""
    f, a = activation(c=8), activation(c=8)
    ours, theirs = CONVENTIONS["neural_style"], CONVENTIONS["gatys_released"]
    weighted = [weight * c.share(8, 5) * value(c.style_term, f, a, 1) for weight, c in ((100, ours), (1e3, theirs))]
    np.testing.assert_allclose(weighted[0] / 5 / weighted[1], 1 / 50, rtol=1e-5)


def test_total_wants_a_weight_for_each_value_and_no_more():
    found = {"content/a": jnp.float32(2), "style/b": jnp.float32(3), "tv": jnp.float32(5)}
    assert total({"content/a": 1.0, "style/b": 10.0, "tv": 100.0}, found) == 532
    with pytest.raises(ValueError, match="content/a, content/c"):
        total({"content/c": 1.0, "style/b": 10.0, "tv": 100.0}, found)


def test_terms_go_by_name():
    f, p = activation(), activation()
    chosen = (GATYS_2016.content("x"), GATYS_2016.style("y"))
    aims = {"content/x": Aim(local=p), "style/y": Aim(whole=moments(p))}
    found = values(chosen, aims, {"x": f, "y": p}, f[..., :3])
    assert list(found) == ["content/x", "style/y"]
    assert found["style/y"] == 0
    np.testing.assert_allclose(found["content/x"], sse(f, p) / 2)


def test_two_terms_of_one_name_are_refused():
    twice = (GATYS_2016.content("x"),) * 2
    with pytest.raises(ValueError, match="two terms have one name: content/x, content/x"):
        values(twice, {}, {"x": activation()}, activation()[..., :3])


def test_parts_are_summed_by_what_stands_before_the_last_slash():
    assert [part(name) for name in ("content/relu4_2", "sky/style/relu1_1", "tv")] == ["content", "sky/style", "tv"]
    found = sum_parts({"style/a": 1, "content/a": 2, "style/b": 4, "sky/style/a": 8, "tv": 16})
    assert found == {"style": 5, "content": 2, "sky/style": 8, "tv": 16}


def test_taps_of_terms():
    chosen = CONVENTIONS["neural_style_pt"].terms(("x", "y"), ("y", "z"))
    assert taps(chosen) == ("x", "y", "z")
    assert taps(chosen, of="style") == ("y", "z")
    assert taps(chosen, of="content") == ("x", "y")


def test_a_convention_without_smoothness_has_no_such_term():
    assert [t.name for t in CONVENTIONS["gatys_2016"].terms(("x",), ("y",))] == ["content/x", "style/y"]
    assert [t.name for t in CONVENTIONS["keras"].terms(("x",), ("y",))] == ["content/x", "style/y", "tv"]


def test_a_root_takes_twelve_iterations():
    """Roots of small eigenvalues are not reached in 12 iterations, as published; 11 or 13 give others."""
    values, one = np.geomspace(1e-8, 1, 6), np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0]
    matrix = one * values @ one.T
    with jax.enable_x64(True):
        found = np.asarray(root(jnp.asarray(matrix)))
    np.testing.assert_allclose(found, plain.newton_schulz(matrix, 12), rtol=1e-8, atol=1e-12)
    assert np.abs(found - plain.newton_schulz(matrix, 11)).max() > 1e-6


def test_moments_are_float32_whatever_comes_in():
    m = moments(activation().astype(jnp.bfloat16))
    assert isinstance(m, Moments)
    assert m.second.dtype == jnp.float32
