"""The terms that keep a result photographic: closed forms, and the dense matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.losses import photo
from nst_jax.losses.differences import laplacian
from nst_jax.losses.term import View

PHOTO = jax.random.uniform(jax.random.key(0), (8, 9, 3))
IMAGE = jax.random.uniform(jax.random.key(1), (8, 9, 3))
TERMS = {"laplacian": photo.laplacian_term(pool=1), "matting": photo.matting_term()}


def value(term, image, of=PHOTO):
    return term.value(image, term.aim(View(of, of.shape[0] * of.shape[1], None)))


def dense(guide, eps):
    """The matting Laplacian of Levin et al. 2006, eq. 12, entry by entry, in float64."""
    guide = np.asarray(guide, np.float64)
    h, w, _ = guide.shape
    number = np.arange(h * w).reshape(h, w)
    matrix = np.zeros((h * w, h * w))
    for i in range(h - 2):
        for j in range(w - 2):
            at, own = number[i : i + 3, j : j + 3].ravel(), guide[i : i + 3, j : j + 3].reshape(9, 3)
            centred = own - own.mean(0)
            inverse = np.linalg.inv(centred.T @ centred / 9 + eps / 9 * np.eye(3))
            matrix[np.ix_(at, at)] += np.eye(9) - (1 + centred @ inverse @ centred.T) / 9
    return matrix


def test_matting_is_the_quadratic_form_of_the_dense_matrix():
    flat = np.asarray(IMAGE, np.float64).reshape(-1, 3)
    expected = np.trace(flat.T @ dense(PHOTO, photo.EPS) @ flat)
    np.testing.assert_allclose(value(TERMS["matting"], IMAGE), expected, rtol=1e-5)


def test_matting_is_nothing_for_colours_that_are_affine_in_the_photographs():
    affine = PHOTO @ jax.random.normal(jax.random.key(2), (3, 3)) + 0.3
    whole = float(value(TERMS["matting"], IMAGE))
    assert abs(float(value(TERMS["matting"], affine))) < 1e-3 * whole
    assert abs(float(value(TERMS["matting"], jnp.full_like(IMAGE, 0.7)))) < 1e-6 * whole


def test_matting_is_quadratic_and_never_negative():
    once = value(TERMS["matting"], IMAGE)
    np.testing.assert_allclose(value(TERMS["matting"], 3 * IMAGE + 0.5), 9 * once, rtol=1e-4)
    assert float(once) > 0


def test_matting_of_a_flat_photograph_is_finite():
    flat = jnp.full_like(PHOTO, 0.5)
    found, slope = jax.value_and_grad(lambda x: value(TERMS["matting"], x, flat))(IMAGE)
    assert np.isfinite(found)
    assert np.isfinite(slope).all()
    spread = sum(float(jnp.var(IMAGE[i : i + 3, j : j + 3], (0, 1)).sum()) for i in range(6) for j in range(7))
    np.testing.assert_allclose(found, 9 * spread, rtol=1e-5)  # nothing is fitted: the variances themselves


def test_the_laplacian_of_the_photograph_itself_is_met_and_a_ramp_is_not_seen():
    term = TERMS["laplacian"]
    assert float(value(term, PHOTO)) == 0
    ramp = PHOTO + 0.1 * jnp.arange(8.0)[:, None, None] + 0.2
    np.testing.assert_allclose(value(term, ramp), 0, atol=1e-6)


def test_one_bright_pixel_has_four_squared_and_four_ones():
    """In all three channels: the colours are summed."""
    bright = PHOTO.at[4, 4].add(1 / 255)
    numbers = 6 * 7
    np.testing.assert_allclose(value(TERMS["laplacian"], bright), 3**2 * (4**2 + 4) / numbers, rtol=1e-3)


def test_pooling_comes_before_the_laplacian():
    large = jax.random.uniform(jax.random.key(3), (17, 14, 3))
    small = large[:16].reshape(8, 2, 7, 2, 3).mean((1, 3))
    np.testing.assert_allclose(laplacian(large, pool=2), laplacian(small, pool=1), atol=1e-5)


@pytest.mark.parametrize("name", TERMS)
def test_the_gradient_is_that_of_finite_differences(name):
    """In float64, each pixel a little up and down."""
    with jax.enable_x64(True):
        image, guide = (jnp.asarray(np.asarray(x, np.float64)[:5, :5]) for x in (IMAGE, PHOTO))
        aim = TERMS[name].aim(View(guide, 25, None))
        function = lambda x: TERMS[name].value(x, aim)
        slope, step = np.asarray(jax.grad(function)(image)), 1e-5
        for at in ((0, 0, 0), (2, 3, 1), (4, 4, 2)):
            there = (function(image.at[at].add(step)) - function(image.at[at].add(-step))) / (2 * step)
            np.testing.assert_allclose(slope[at], there, rtol=1e-6, atol=1e-9)
