import jax.numpy as jnp
import numpy as np
import PIL.Image
import pytest

from nst_jax.images import size as image


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("long", (192, 256)),
        ("short", (256, 341)),
        ("height", (256, 341)),
        ("width", (192, 256)),
        ("area", (222, 296)),
        ("original", (768, 1024)),
    ],
)
def test_the_size_rules(rule, expected):
    assert image.target_shape(height=768, width=1024, size=256, rule=rule) == expected


@pytest.mark.parametrize("rule", ["long", "short", "height", "width", "area"])
@pytest.mark.parametrize("size", [16, 255, 1001])
@pytest.mark.parametrize(("height", "width"), [(600, 800), (801, 600), (333, 334), (50, 50)])
def test_the_aspect_is_kept_to_half_a_pixel(height, width, size, rule):
    h, w = image.target_shape(height=height, width=width, size=size, rule=rule)
    exact = {
        "long": size / max(height, width),
        "short": size / min(height, width),
        "height": size / height,
        "width": size / width,
        "area": size / (height * width) ** 0.5,
    }[rule]
    assert abs(h - height * exact) <= 0.5 + 1e-9
    assert abs(w - width * exact) <= 0.5 + 1e-9


def test_no_side_vanishes():
    assert image.target_shape(height=3, width=10_000, size=100, rule="long") == (1, 100)


def test_original_does_not_look_at_the_size():
    assert image.target_shape(height=30, width=40, size=0, rule="original") == (30, 40)


@pytest.mark.parametrize("size", [0, -5])
def test_a_size_below_one_is_refused(size):
    with pytest.raises(ValueError, match="at least 1"):
        image.target_shape(height=30, width=40, size=size, rule="long")


def test_resize_stays_within_zero_and_one():
    edge = jnp.zeros((20, 20, 3)).at[:, 10:].set(1.0)  # cubic overshoots at it
    large = image.resize(edge, height=50, width=70)
    assert large.shape == (50, 70, 3)
    assert float(large.min()) == 0.0
    assert float(large.max()) == 1.0


def test_shrinking_smooths_a_chessboard_to_gray():
    board = jnp.indices((64, 64)).sum(0) % 2
    small = image.resize(jnp.repeat(board[..., None], 3, 2).astype(jnp.float32), height=16, width=16)
    np.testing.assert_allclose(small[2:-2, 2:-2], 0.5, atol=0.02)


@pytest.mark.parametrize("shape", [(13, 9), (40, 50), (30, 20)])
def test_resize_is_pillows_bicubic(shape):
    """The same kernel (Keys, a = -1/2), as wide as the result's pixels where the picture shrinks."""
    picture = 0.3 + 0.4 * np.random.default_rng(2).random((31, 24, 3), np.float32)
    wanted = [PIL.Image.fromarray(picture[..., c]).resize(shape[::-1], PIL.Image.Resampling.BICUBIC) for c in range(3)]
    found = image.resize(jnp.asarray(picture), height=shape[0], width=shape[1])
    np.testing.assert_allclose(found, np.stack([np.asarray(w) for w in wanted], -1), atol=1e-4)


def test_resize_to_its_own_shape_changes_nothing():
    picture = jnp.linspace(0, 1, 5 * 7 * 3).reshape(5, 7, 3)
    np.testing.assert_allclose(image.resize(picture, height=5, width=7), picture, atol=1e-6)
