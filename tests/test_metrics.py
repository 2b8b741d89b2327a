"""The measures: known answers, and SSIM against a plain twin."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import linalg

from nst_jax.analysis.frechet import frechet_distance
from nst_jax.analysis.metrics import ssim, style_distances
from nst_jax.losses.moments import moments

# Wang et al. 2004, section III.C, and ITU-R BT.601: written out, so that a changed constant is seen
WINDOW, SIGMA, K1, K2, LUMA = 11, 1.5, 0.01, 0.03, (0.299, 0.587, 0.114)
A, B = (jax.random.uniform(jax.random.key(k), (17, 15, 3)) for k in (0, 1))


def twin(a, b):
    """Equation 13 of Wang et al. 2004, a window at a time, in float64."""
    x, y = (np.asarray(image, np.float64) @ np.asarray(LUMA) for image in (a, b))
    at = np.arange(WINDOW) - WINDOW // 2
    w = np.exp(-(at[:, None] ** 2 + at**2) / (2 * SIGMA**2))
    w, values = w / w.sum(), []
    for i in range(x.shape[0] - WINDOW + 1):
        for j in range(x.shape[1] - WINDOW + 1):
            p, q = (image[i : i + WINDOW, j : j + WINDOW] for image in (x, y))
            mp, mq = (w * p).sum(), (w * q).sum()
            vp, vq, both = (w * (p - mp) ** 2).sum(), (w * (q - mq) ** 2).sum(), (w * (p - mp) * (q - mq)).sum()
            top = (2 * mp * mq + K1**2) * (2 * both + K2**2)
            values.append(top / ((mp**2 + mq**2 + K1**2) * (vp + vq + K2**2)))
    return np.mean(values)


def test_ssim_is_equation_13():
    np.testing.assert_allclose(ssim(A, B), twin(A, B), rtol=1e-4)
    near = jnp.clip(A + 0.05 * B, 0, 1)
    np.testing.assert_allclose(ssim(A, near), twin(A, near), rtol=1e-4)


@pytest.mark.parametrize("shape", [(17, 15, 3), (5, 30, 3)])
def test_ssim_of_equal_pictures_is_one(shape):
    image = jax.random.uniform(jax.random.key(2), shape)
    np.testing.assert_allclose(ssim(image, image), 1, rtol=1e-5)


def test_ssim_falls_with_noise():
    values = [float(ssim(A, A + s * jax.random.normal(jax.random.key(5), A.shape))) for s in (0.01, 0.1, 0.5)]
    assert values == sorted(values, reverse=True)


def test_style_distances():
    wanted = {"relu1_1": moments(A), "relu2_1": moments(B)}
    same = style_distances(wanted, wanted)
    assert all(float(v) < 1e-6 for v in same.values())
    brighter = {k: moments(f * jnp.sqrt(1.5)) for k, f in (("relu1_1", A), ("relu2_1", B))}
    np.testing.assert_allclose(list(style_distances(brighter, wanted).values()), 0.5, rtol=1e-4)


def frechet_by_scipy(x, y):
    """The formula as it is written, in float64."""
    one, two = (np.cov(f, rowvar=False) for f in (x, y))
    gap = x.mean(0) - y.mean(0)
    return gap @ gap + np.trace(one + two) - 2 * np.real(np.trace(linalg.sqrtm(one @ two)))


@pytest.mark.parametrize("rows", [(300, 170), (40, 9)])  # the second: covariances that are singular
def test_the_frechet_distance_is_its_formula(rows):
    rng = np.random.default_rng(0)
    x, y = (rng.random((n, 1)) + rng.standard_normal((n, 24)) @ rng.standard_normal((24, 24)) for n in rows)
    found = frechet_distance(jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32))
    np.testing.assert_allclose(found, frechet_by_scipy(x, y), rtol=1e-4)


def test_the_frechet_distance_of_one_feature_is_known():
    """Of two normal distributions of one variable: (m1 - m2)^2 + (s1 - s2)^2."""
    x, y = np.array([1.0, 3, 5, 7]), np.array([2.0, 2, 8])
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    found = frechet_distance(jnp.asarray(x, jnp.float32)[:, None], jnp.asarray(y, jnp.float32)[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="two features"):
        frechet_distance(jnp.ones((1, 3)), jnp.ones((4, 3)))


def test_equal_features_have_no_distance():
    x = jax.random.normal(jax.random.key(0), (50, 8))
    assert float(frechet_distance(x, x[::-1])) < 1e-5
