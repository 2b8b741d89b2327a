"""Starting images: their middle, their spread and their shares."""

import jax
import numpy as np

from nst_jax.images import starts

KEY = jax.random.key(3)


def test_noise_lies_around_mid_gray():
    image = np.asarray(starts.noise(KEY, height=64, width=48, sigma=0.1))
    assert image.shape == (64, 48, 3)
    assert abs(image.mean() - 0.5) < 0.005
    assert abs(image.std() - 0.1) < 0.005


def test_plain_is_one_shade():
    np.testing.assert_array_equal(starts.plain(height=3, width=2, level=1.0), np.ones((3, 2, 3), np.float32))


def test_a_blend_has_its_share_of_noise_and_of_the_photograph():
    content = jax.random.uniform(jax.random.key(4), (64, 48, 3))
    only = np.asarray(starts.blend(KEY, content, ratio=1.0, spread=0.2))
    assert 0.3 <= only.min() < 0.31
    assert 0.69 < only.max() <= 0.7
    mixed = starts.blend(KEY, content, ratio=0.6, spread=0.2)
    np.testing.assert_allclose(mixed, 0.6 * only + 0.4 * np.asarray(content), atol=1e-6)
