"""The network: names, truncation, pooling, padding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.extractors.base import features
from nst_jax.extractors.vgg import VGG, VGG16, VGG19, kernels, layers, prepare, random_params
from nst_jax.nn.pooling import pool

SMALL = ((4, 1), (6, 2))
PARAMS = random_params(jax.random.key(0), blocks=SMALL)
IMAGE = jax.random.uniform(jax.random.key(1), (9, 11, 3))


def net(*taps, blocks=SMALL, pool="max", rounding="floor", padding="zero"):
    return VGG(taps, blocks=blocks, pool=pool, rounding=rounding, padding=padding)


def test_names_are_the_published_ones():
    assert len(kernels(VGG19)) == 16
    assert len(kernels(VGG16)) == 13
    assert layers(VGG19)[-3:] == ("conv5_4", "relu5_4", "pool5")
    assert kernels(VGG19)["conv4_1"] == (3, 3, 256, 512)


def test_relu_is_conv_without_what_is_negative():
    seen = features(net("conv2_1", "relu2_1"), PARAMS, IMAGE)
    np.testing.assert_array_equal(seen["relu2_1"], jnp.maximum(seen["conv2_1"], 0))
    assert (seen["conv2_1"] < 0).any()


@pytest.mark.parametrize(("tap", "convolutions"), [("relu1_1", 1), ("pool1", 1), ("conv2_1", 2), ("relu2_2", 3)])
def test_nothing_is_computed_below_the_deepest_tap(tap, convolutions):
    text = jax.jit(lambda p, i: features(net(tap), p, i)).lower(PARAMS, IMAGE).as_text()
    assert text.count("stablehlo.convolution") == convolutions


def test_taps_come_in_the_order_asked_for_and_unbatched():
    seen = features(net("relu2_1", "relu1_1"), PARAMS, IMAGE)
    assert list(seen) == ["relu2_1", "relu1_1"]
    assert seen["relu1_1"].shape == (9, 11, 4)


def test_an_unknown_layer_is_named():
    with pytest.raises(ValueError, match="relu9_9"):
        features(net("relu9_9"), PARAMS, IMAGE)


def test_missing_weights_are_named():
    with pytest.raises(Exception, match="conv2_2"):
        features(net("relu2_2"), {k: v for k, v in PARAMS.items() if k != "conv2_2"}, IMAGE)


def test_an_unknown_pooling_is_not_taken_for_another():
    with pytest.raises(KeyError, match="median"):
        pool(IMAGE[None], kind="median", rounding="floor")


MEANS = {"max": max, "avg": np.mean, "l2": lambda cell: np.sqrt(np.mean(np.square(cell)))}


@pytest.mark.parametrize("kind", MEANS)
def test_rounding(kind):
    """An odd border is dropped by floor, and a cell of its own by ceil, of the pixels that exist."""
    x = jnp.arange(15.0).reshape(1, 3, 5, 1)
    assert pool(x, kind=kind, rounding="floor").shape == (1, 1, 2, 1)
    up = pool(x, kind=kind, rounding="ceil")[0, :, :, 0]
    cells = [[[0, 1, 5, 6], [2, 3, 7, 8], [4, 9]], [[10, 11], [12, 13], [14]]]
    wanted = [[MEANS[kind](c) for c in row] for row in cells]
    np.testing.assert_allclose(up, wanted, rtol=1e-6)


def test_max_pooling_gives_the_gradient_to_one_pixel():
    flat = jax.grad(lambda x: pool(x, kind="max", rounding="floor").sum())(jnp.ones((1, 4, 4, 2)))
    assert float(flat.sum()) == 8
    assert set(np.unique(flat)) == {0.0, 1.0}
    np.testing.assert_array_equal(flat[0, ::2, ::2], 1.0)  # of equal values the first one, as in Caffe


def test_l2_pooling_of_a_flat_cell_is_its_value_and_its_gradient_is_a_quarter_each():
    flat = jnp.full((1, 2, 2, 1), 3.0)
    assert float(pool(flat, kind="l2", rounding="floor")[0, 0, 0, 0]) == pytest.approx(3)
    slope = jax.grad(lambda x: pool(x, kind="l2", rounding="floor").sum())(flat)
    np.testing.assert_allclose(slope, 0.25, rtol=1e-6)


def test_l2_pooling_of_zeros_has_the_gradient_0():
    """After a ReLU whole cells are 0, where the root alone has none."""
    x = jnp.zeros((1, 2, 4, 1)).at[0, 0, 2, 0].set(2.0)
    slope = jax.grad(lambda x: pool(x, kind="l2", rounding="floor").sum())(x)
    np.testing.assert_allclose(slope, jnp.where(x > 0, 0.5, 0.0), rtol=1e-6)


@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate", "circular"])
def test_a_flat_image_shows_its_border_only_with_zeros(padding):
    flat = features(net("conv1_1", padding=padding), PARAMS, jnp.full((8, 8, 3), 0.9))["conv1_1"]
    same = np.allclose(flat[0, 0], flat[4, 4], atol=1e-5)
    assert same == (padding != "zero")


def test_a_network_is_static():
    assert hash(net("relu1_1")) == hash(net("relu1_1"))
    assert net("relu1_1") == net("relu1_1")
    assert net("relu1_1") != net("relu1_1", pool="avg")


def test_random_weights_follow_their_seed():
    again = random_params(jax.random.key(0), blocks=SMALL)
    jax.tree.map(np.testing.assert_array_equal, again, PARAMS)
    other = random_params(jax.random.key(1), blocks=SMALL)
    assert (other["conv1_1"]["kernel"] != PARAMS["conv1_1"]["kernel"]).any()
    wide = random_params(jax.random.key(0), blocks=((256, 2),))["conv1_2"]["kernel"]
    np.testing.assert_allclose(wide.std(), np.sqrt(2 / (9 * 256)), rtol=0.02)  # He et al. 2015, eq. 10


@pytest.mark.parametrize("convolution", ["auto", "direct", "winograd"])
def test_prepared_parameters_are_the_same_network(convolution):
    blocks = ((6, 1), (96, 1), (128, 1))
    plain = random_params(jax.random.key(0), blocks=blocks)
    ready = prepare(plain, convolution=convolution, dtype="float32")
    shapes = {"auto": [4, 4, 3], "direct": [4, 4, 4], "winograd": [3, 3, 3]}[convolution]
    assert [ready[f"conv{b}_1"]["kernel"].ndim for b in (1, 2, 3)] == shapes
    tapped = net("conv2_1", "relu3_1", blocks=blocks)
    seen, wanted = features(tapped, ready, IMAGE), features(tapped, plain, IMAGE)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4 * float(b.max())), dict(seen), dict(wanted))


def test_bfloat16_is_for_the_activations_only():
    ready = prepare(PARAMS, convolution="direct", dtype="bfloat16")
    assert ready["input"]["kernel"].dtype == jnp.float32
    seen = features(net("relu2_2"), ready, IMAGE)["relu2_2"]
    assert seen.dtype == jnp.bfloat16
    exact = np.asarray(features(net("relu2_2"), PARAMS, IMAGE)["relu2_2"])
    np.testing.assert_allclose(seen, exact, atol=0.02 * exact.max())  # eight bits of mantissa, three layers
    slope = jax.grad(lambda i: features(net("relu2_2"), ready, i)["relu2_2"].astype(jnp.float32).sum())(IMAGE)
    assert slope.dtype == jnp.float32


def test_checkpointed_blocks_give_the_same_and_keep_less():
    def total(network):
        return lambda p, i: sum(a.sum() for a in features(network, p, i).values())

    whole = net("relu1_1", "relu2_2")
    blockwise = whole.clone(checkpoint=True)
    kept, redone = (jax.jit(jax.grad(total(n), 1)).lower(PARAMS, IMAGE) for n in (whole, blockwise))
    np.testing.assert_allclose(redone.compile()(PARAMS, IMAGE), kept.compile()(PARAMS, IMAGE), rtol=1e-5, atol=1e-6)
    assert redone.as_text().count("stablehlo.convolution") > kept.as_text().count("stablehlo.convolution")
