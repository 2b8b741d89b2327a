"""Closed forms, plain twins and invariances of the losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.conventions import CONVENTIONS, GATYS_2016, GRAM
from nst_jax.losses import (
    Moments,
    Targets,
    Terms,
    correlation,
    gram,
    moments,
    nothing,
    sse,
    steps_down,
    steps_right,
    terms,
    total,
)

RNG = np.random.default_rng(0)


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
    np.testing.assert_allclose(GATYS_2016.style(moments(f), moments(a), 99), wanted, rtol=1e-5)


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
    np.testing.assert_allclose(jax.grad(GATYS_2016.content)(f, p), f - p, rtol=1e-6)


def test_style_gradient_is_equation_6():
    """dE/dF = F^T (G - A) / (N^2 M^2), with Gram matrices as sums over positions of pictures of one size."""
    f, a = activation(), activation()
    m, n = 35, 4
    sums = [np.einsum("hwi,hwj->ij", x, x) for x in (np.asarray(f), np.asarray(a))]
    wanted = np.einsum("hwi,ij->hwj", f, sums[0] - sums[1]) / (n**2 * m**2)
    got = jax.grad(lambda f: GATYS_2016.style(moments(f), moments(a), 35))(f)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", GRAM)
def test_every_term_is_nothing_at_its_target(name):
    f, convention = activation(), CONVENTIONS[name]
    assert convention.content(f, f) == 0
    assert convention.style(moments(f), moments(f), 35) == 0
    assert convention.smooth(jnp.full((4, 5, 3), 0.3)) == 0


def test_total_variation_of_a_ramp():
    """A picture that grows by 1/255 to the right: every horizontal step is 1 on 0..255, every vertical one 0."""
    ramp = jnp.broadcast_to(jnp.arange(6.0)[None, :, None] / 255, (4, 6, 3))
    np.testing.assert_allclose(CONVENTIONS["neural_style_pt"].smooth(ramp), 4 * 5 * 3, rtol=1e-5)
    np.testing.assert_allclose(CONVENTIONS["keras"].smooth(ramp), 3 * 5 * 3, rtol=1e-5)
    assert steps_down(ramp).max() == 0
    np.testing.assert_allclose(steps_right(ramp), 1 / 255, rtol=1e-4)


def test_neural_style_smooths_without_counting_it():
    """Its gradient is that of half the squared steps; its value is missing from the loss, as published."""
    x = jnp.asarray(RNG.random((4, 5, 3)), jnp.float32)
    assert CONVENTIONS["neural_style"].smooth(x) == 0

    def half(x):
        return 256**2 * ((x[1:, :-1] - x[:-1, :-1]) ** 2 + (x[:-1, 1:] - x[:-1, :-1]) ** 2).sum() / 2

    np.testing.assert_allclose(jax.grad(CONVENTIONS["neural_style"].smooth)(x), jax.grad(half)(x), rtol=1e-4, atol=1e-2)


def test_neural_style_is_a_fiftieth_of_gatys_released():
    """jcjohnson's equal weights are Gatys' 1e3 / N^2 profile: (100 / 5) / (1e3 / 1) = 1 / 50 of its style."""
    f, a = moments(activation(c=8)), moments(activation(c=8))
    ours, theirs = CONVENTIONS["neural_style"], CONVENTIONS["gatys_released"]
    weighted = 100 * ours.profile(8, 5) * ours.style(f, a, 1), 1e3 * theirs.profile(8, 5) * theirs.style(f, a, 1)
    np.testing.assert_allclose(weighted[0] / 5 / weighted[1], 1 / 50, rtol=1e-5)


def test_total_wants_a_weight_for_each_value_and_no_more():
    values = Terms({"a": jnp.float32(2)}, {"b": jnp.float32(3)}, jnp.float32(5))
    assert total(Terms({"a": 1.0}, {"b": 10.0}, 100.0), values) == 532
    with pytest.raises(ValueError, match="c"):
        total(Terms({"c": 1.0}, {"b": 10.0}, 100.0), values)


def test_terms_go_by_layer():
    f, p = activation(), activation()
    values = terms(GATYS_2016, Targets({"x": p}, {"y": moments(p)}), {"x": f, "y": p}, f[..., :3])
    assert set(values.content) == {"x"}
    assert values.style["y"] == 0
    np.testing.assert_allclose(values.content["x"], sse(f, p) / 2)


def test_moments_are_float32_whatever_comes_in():
    m = moments(activation().astype(jnp.bfloat16))
    assert isinstance(m, Moments)
    assert m.second.dtype == jnp.float32
    assert nothing(activation(c=3)) == 0
