"""SqueezeNet: a plain twin of it, its shapes and margins, and its published file."""

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nst_jax.extractors import architecture
from nst_jax.extractors.base import features
from nst_jax.shell.io import weights

ARCH = architecture("squeezenet")
FILE = "weights/squeezenet1.1_keras_notop.h5"
FIRES = ("fire2", "fire3", "fire4", "fire5", "fire6", "fire7", "fire8", "fire9")


def convolve(x, kernel, bias, stride, padding):
    numbers = ("NHWC", "HWIO", "NHWC")
    exact = {"dimension_numbers": numbers, "precision": lax.Precision.HIGHEST}
    return jnp.maximum(lax.conv_general_dilated(x, kernel, (stride, stride), padding, **exact) + bias, 0)


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "VALID")


def twin(params, image):
    """Every layer, as table 1 and figure 2 of arXiv 1602.07360 and the release notes of version 1.1 describe it."""
    part = lambda name: (params[name]["kernel"], params[name]["bias"])
    x = (image @ params["input"]["kernel"] + params["input"]["bias"])[None]
    out = {"input": x, "conv1": convolve(x, *part("conv1"), 2, "VALID")}
    x = pool(out["conv1"])
    for name in FIRES:
        squeezed = convolve(x, *part(f"{name}_squeeze1x1"), 1, "VALID")
        small = convolve(squeezed, *part(f"{name}_expand1x1"), 1, "VALID")
        x = out[name] = jnp.concatenate([small, convolve(squeezed, *part(f"{name}_expand3x3"), 1, "SAME")], -1)
        x = pool(x) if name in ("fire3", "fire5") else x
    return {name: a[0] for name, a in out.items()}


def tap(*layers):
    return ARCH.tap(layers, pool="max", rounding="floor", padding="zero")


def agree(found, expected):
    for layer, a in found.items():
        scale = float(jnp.abs(expected[layer]).max())
        np.testing.assert_allclose(a, expected[layer], atol=1e-5 * scale, err_msg=layer)


def test_every_layer_is_that_of_a_plain_twin():
    params = ARCH.random(jax.random.key(0))
    image = jax.random.uniform(jax.random.key(1), (70, 83, 3))
    found = features(tap(*ARCH.layers), params, image)
    assert set(found) == {"input", "conv1", *FIRES}
    agree(found, jax.jit(twin)(params, image))
    assert ARCH.shapes(tap(*ARCH.layers), height=70, width=83) == {n: a.shape for n, a in found.items()}


def test_nothing_deeper_than_the_taps_is_needed():
    assert ARCH.needs(("conv1",)) == ("conv1",)
    needed = ARCH.needs(("fire3", "conv1"))
    assert needed[-1] == "fire3_expand3x3"
    params = {n: p for n, p in ARCH.random(jax.random.key(0)).items() if n in ("input", *needed)}
    assert features(tap("fire3"), params, jnp.ones((40, 40, 3)))["fire3"].shape == (9, 9, 128)


@pytest.mark.parametrize("setting", [{"pool": "avg"}, {"rounding": "up"}, {"padding": "circular"}])
def test_other_settings_than_its_own_are_refused(setting):
    with pytest.raises(ValueError, match="only"):
        ARCH.tap(("conv1",), **{"pool": "max", "rounding": "floor", "padding": "zero"} | setting)


def test_the_published_file_gives_the_features_of_keras(data):
    """The file is read here once more, by its names alone, and the image is preprocessed as Keras does."""
    path = data / FILE
    image = np.random.default_rng(0).random((64, 75, 3)).astype(np.float32)
    loaded = weights.load("file", network="squeezenet", needed=(), path=str(path))
    assert "BGR" in loaded.source
    assert list(loaded.params) == ["input", *ARCH.kernels]
    with h5py.File(path) as file:
        plain = {}
        for name in ARCH.kernels:
            arrays = []
            group = file[name.replace("_", "/")]
            assert isinstance(group, h5py.Group)
            group.visititems(lambda _, d, to=arrays: to.append(d) if hasattr(d, "shape") else None)
            plain[name] = {"bias" if d.ndim == 1 else "kernel": d[()] for d in arrays}
    plain["input"] = {"kernel": np.eye(3, dtype=np.float32), "bias": np.zeros(3, np.float32)}
    bgr = 255 * image[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    layers = ("conv1", "fire4", "fire9")
    params = jax.tree.map(jnp.asarray, dict(loaded.params))
    expected = jax.jit(twin)(jax.tree.map(jnp.asarray, plain), jnp.asarray(bgr))
    agree(features(tap(*layers), params, jnp.asarray(image)), expected)


def test_saved_weights_are_read_again(data, tmp_path):
    loaded = weights.load("file", network="squeezenet", needed=(), path=str(data / FILE))
    weights.save(loaded, tmp_path / "a.safetensors")
    again = weights.load("file", network="squeezenet", needed=(), path=str(tmp_path / "a.safetensors"))
    assert (again.source, again.sha256) == (loaded.source, loaded.sha256)
    for name, layer in loaded.params.items():
        for part in layer:
            np.testing.assert_array_equal(again.params[name][part], layer[part])


def test_untrained_from_a_stage_on(data):
    found = weights.load("file", network="squeezenet", needed=(), path=str(data / FILE), random_from=2, log=[].append)
    whole = weights.load("file", network="squeezenet", needed=(), path=str(data / FILE)).params
    np.testing.assert_array_equal(found.params["conv1"]["kernel"], whole["conv1"]["kernel"])
    assert not np.array_equal(found.params["fire2_squeeze1x1"]["kernel"], whole["fire2_squeeze1x1"]["kernel"])
