"""The network `distilled`: VGG's layers and shapes, in few channels."""

import hashlib
import json
from importlib import resources

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from nst_jax.extractors import architecture, distilled, vgg
from nst_jax.extractors.base import activations, features, shapes
from nst_jax.nn.lifted import Lifted

ARCH = architecture("distilled")
SETTINGS = {"pool": "max", "rounding": "floor", "padding": "zero"}
SHA256 = "15fabfc78ac7ee193174acee353aeb5ea406b3f8c6d0cb740bb0588a70c7a990"


@pytest.fixture(scope="module")
def shipped():
    return resources.files("nst_jax.trained") / "distilled.safetensors"


@pytest.fixture(scope="module")
def params():
    return jax.jit(ARCH.random)(jax.random.key(0))


@pytest.fixture(scope="module")
def image():
    return jax.random.uniform(jax.random.key(1), (37, 34, 3))


def plain(params, image):
    """Every activation by NumPy, in float64, without the layers' own code."""
    x = np.asarray(image, np.float64) @ np.asarray(params["input"]["kernel"], np.float64)
    x = x + np.asarray(params["input"]["bias"])
    out = {"input": x}
    for name in vgg.layers(vgg.VGG16)[1:]:
        if name.startswith("pool"):
            h, w = (n // 2 for n in x.shape[:2])
            x = x[: 2 * h, : 2 * w].reshape(h, 2, w, 2, -1).max((1, 3))
        elif name.startswith("conv"):
            own = {k: np.asarray(a, np.float64) for k, a in params[name].items()}
            padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
            x = np.einsum("hwcij,ijco->hwo", windows, own["kernel"]) + own["bias"]
        else:
            x = np.maximum(x, 0)
        if name in distilled.LAYERS:
            own = params[distilled.lift_of(name)]
            out[name] = x @ np.asarray(own["kernel"], np.float64) + np.asarray(own["bias"])
    return out


def test_every_layer_against_numpy(params, image):
    # offsets and biases that are not 0
    drawn = jax.tree.map(lambda a: a + 0.1 * jax.random.normal(jax.random.key(a.size), a.shape), params)
    seen = jax.jit(lambda p, x: features(ARCH.tap(ARCH.layers, **SETTINGS), p, x))(drawn, image)
    for name, expected in plain(drawn, image).items():
        size = np.abs(expected).max()
        np.testing.assert_allclose(seen[name] / size, expected / size, atol=2e-5, err_msg=name)


def test_shapes_are_those_of_vgg(params):
    tapped = ARCH.tap(ARCH.layers, **SETTINGS)
    told = ARCH.shapes(tapped, height=37, width=34)
    assert told == shapes(tapped, params, height=37, width=34)
    wide = architecture("vgg16")
    same = wide.tap(tuple(n for n in wide.layers if n in ARCH.layers), **SETTINGS)
    assert told == wide.shapes(same, height=37, width=34)


def test_published_layers_are_there():
    assert set(ARCH.layers) >= {f"relu{b}_{i}" for b, (_, n) in enumerate(vgg.VGG16, 1) for i in range(1, n + 1)}
    assert {"conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1", "conv4_2"} <= set(ARCH.layers)
    assert "conv4_3" not in ARCH.layers


def test_layer_that_is_not_there_is_named(params, image):
    with pytest.raises(ValueError, match="distilled has no layer conv4_3"):
        ARCH.tap(("conv4_3",), **SETTINGS)
    with pytest.raises(ValueError, match="no layer relu9_9"):
        features(ARCH.build(("relu9_9",), **SETTINGS), params, image)


def test_activations_are_not_yet_lifted(params, image):
    seen = activations(ARCH.tap(("input", "relu3_1"), **SETTINGS), params, image)
    assert isinstance(seen["relu3_1"], Lifted)
    assert seen["relu3_1"].narrow.shape == (9, 8, distilled.WIDTHS["conv3_1"])
    assert isinstance(seen["input"], jax.Array)


@pytest.mark.parametrize("taps", [("relu2_1",), ("conv2_1",), ("pool1",), ("relu1_2", "pool2"), ("input",)])
def test_needs_no_more_than_its_taps(params, image, taps):
    network = ARCH.tap(taps, **SETTINGS)
    part = {name: params[name] for name in ("input", *ARCH.needs(taps))}
    whole, least = (jax.jit(lambda p: features(network, p, image))(p) for p in (params, part))
    for tap in taps:
        np.testing.assert_array_equal(whole[tap], least[tap])
    for name in ARCH.needs(taps):
        with pytest.raises(KeyError, match=name):
            features(network, {n: layer for n, layer in part.items() if n != name}, image)


@pytest.mark.parametrize("convolution", ["auto", "winograd"])
def test_winograd_changes_little(params, image, convolution):
    network = ARCH.tap(("relu4_1",), **SETTINGS)
    ready = ARCH.ready(params, convolution=convolution, dtype="float32")
    assert ready["conv3_2"]["kernel"].ndim == 3
    assert (ready["conv1_2"]["kernel"].ndim == 3) == (convolution == "winograd")
    found, expected = (features(network, p, image)["relu4_1"] for p in (ready, params))
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


def test_checkpoint_changes_no_gradient(params, image):
    def slope(checkpoint):
        network = ARCH.tap(("relu1_1", "relu3_1"), pool="max", rounding="floor", padding="zero", checkpoint=checkpoint)
        return jax.grad(lambda x: sum(a.sum() for a in features(network, params, x).values()))(image)

    slopes = [slope(False), slope(True)]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-5, atol=1e-5 * np.abs(slopes[0]).max())


def test_shipped_file_is_the_one_of_the_model_card(shipped):
    content = shipped.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256
    assert len(content) <= 4_000_000


def test_shipped_layers(shipped):
    with safe_open(str(shipped), "np") as file:
        found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        notes = file.metadata()
    expected = {f"{n}.kernel": shape for n, shape in ARCH.kernels.items()}
    expected |= {f"{n}.bias": shape[-1:] for n, shape in ARCH.kernels.items()}
    assert found == expected | {"input.kernel": (3, 3), "input.bias": (3,)}
    assert {"teacher", "teacher_sha256", "command", "config", "date", "held_out", "licence"} <= set(notes)
    assert json.loads(notes["config"])["teacher"] == notes["teacher"] == "vgg16"
    assert "/" not in notes["config"]  # names of files, not where they were
    assert np.isfinite(np.concatenate([a.ravel() for a in load_file(str(shipped)).values()])).all()


def test_trunk_is_narrow():
    """The multiplications of a picture: a seventh of VGG-19's to relu5_1 at most."""

    def count(kernels):
        return sum(np.prod(shape) / 4.0 ** (int(name[4]) - 1) for name, shape in kernels.items())

    own = {n: s for n, s in distilled.CONVOLUTIONS.items() if n <= "conv5_1"}
    wide = {n: s for n, s in vgg.kernels(vgg.VGG19).items() if n <= "conv5_1"}
    assert count(own) <= count(wide) / 7
    assert jnp.prod(jnp.array(own["conv1_1"])) == 3 * 3 * 3 * 16
