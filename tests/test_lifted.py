"""Narrow activations and their lifts: moments are those of the lifted activation, exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.losses.moments import moments
from nst_jax.losses.term import View
from nst_jax.nn.lifted import Lifted, dense
from nst_jax.published import CONVENTIONS, convention


@pytest.fixture
def lifted():
    keys = jax.random.split(jax.random.key(0), 3)
    return Lifted(*(jax.random.normal(k, s) for k, s in zip(keys, ((6, 5, 4), (4, 9), (9,)), strict=True)))


def test_dense_is_the_linear_map(lifted):
    expected = np.asarray(lifted.narrow, np.float64) @ np.asarray(lifted.lift, np.float64) + np.asarray(lifted.offset)
    np.testing.assert_allclose(dense(lifted), expected, rtol=1e-5, atol=1e-5)
    plain = jnp.ones((2, 2, 3))
    assert dense(plain) is plain


@pytest.mark.parametrize("masked", [False, True])
def test_moments_of_narrow_are_those_of_lifted(lifted, masked):
    mask = jax.random.uniform(jax.random.key(1), (6, 5)) if masked else None
    for found, expected in zip(moments(lifted, mask), moments(dense(lifted), mask), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-4)


def test_gradient_of_narrow_is_that_of_lifted(lifted):
    def loss(narrow, see):
        return jnp.mean((moments(see(lifted._replace(narrow=narrow))).second - 1) ** 2)

    found, expected = (jax.grad(loss)(lifted.narrow, see) for see in (lambda a: a, dense))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_convention_measures_a_lifted_activation(lifted, name):
    lifted = jax.tree.map(lambda a: jnp.tile(a, (8, 8, 1)) if a.ndim == 3 else a, lifted)
    style = convention(name).style("relu1_1")
    content = convention(name).content("relu1_1")
    for term in (style, content):
        aims = [term.aim(View(a, 400, jax.random.key(2))) for a in (term.see(lifted), dense(lifted))]
        moved = lifted._replace(narrow=lifted.narrow + 0.3)
        found, expected = term.value(moved, aims[0]), term.value(dense(moved), aims[1])
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-4)
