"""Features, terms, totals and gradients against numbers that PyTorch computed in float64."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from nst_jax import losses, transfer
from nst_jax.conventions import CONVENTIONS
from nst_jax.losses import Terms
from nst_jax.vgg import VGG, VGG19, features, kernels, layers, prepared

CAFFE = {"kernel": 255 * np.eye(3, dtype=np.float32)[::-1], "bias": -np.float32([103.939, 116.779, 123.68])}
LAYERS = {
    "oxford": (("relu1_1", "relu2_1", "relu3_1"), "relu3_2", "relu3_4"),
    "random": (tuple(f"relu{b}_1" for b in range(1, 6)), "relu4_2", "relu5_4"),
}
VARIANTS = [f"{w}.{v}" for w in ("oxford", "random") for v in ("max.floor", "avg.floor", "max.ceil")]
NAMES = ("gatys_2016", "gatys_released", "neural_style_pt", "keras")


def random_weights():
    rng, out = np.random.default_rng(19), {}
    for name, shape in kernels(VGG19).items():
        kernel = rng.standard_normal(shape) * np.sqrt(2 / (9 * shape[2]))
        bias = rng.standard_normal(shape[3]) * 0.1
        out[name] = {"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)}
    return out


@pytest.fixture(scope="module")
def params(data):
    flat = load_file(data / "weights/vgg19_blocks1-3.safetensors")
    names = {key.split(".")[0] for key in flat}
    oxford = {n: {"kernel": flat[f"{n}.kernel"], "bias": flat[f"{n}.bias"]} for n in names}
    return {"oxford": {"input": CAFFE, **oxford}, "random": {"input": CAFFE, **random_weights()}}


@pytest.fixture(scope="module")
def golden(data):
    return json.loads((data / "golden/golden.json").read_text()), np.load(data / "golden/golden.npz")


@pytest.fixture(scope="module")
def pictures(data):
    def read(name):
        return jnp.asarray(np.asarray(Image.open(data / f"golden/{name}.png").convert("RGB"), np.float32) / 255)

    return read("content"), read("style"), read("image")


def network(key, taps):
    _, pool, rounding = key.split(".")
    return VGG(taps, blocks=VGG19, pool=pool, rounding=rounding, padding="zero")


@pytest.mark.parametrize("key", VARIANTS)
def test_features(key, params, golden, pictures):
    weights, _, last = (key.split(".")[0], *LAYERS[key.split(".")[0]][1:])
    taps = tuple(n for n in layers(VGG19)[: layers(VGG19).index(last) + 1] if not n.startswith("pool"))
    seen = jax.jit(features, static_argnums=0)(network(key, taps), params[weights], pictures[2])
    for name, wanted in golden[0][key]["activations"].items():
        a = np.asarray(seen[name], np.float64)
        assert list(a.shape) == wanted["shape_hwc"]
        np.testing.assert_allclose(a.mean(), wanted["mean"], rtol=1e-4, atol=1e-4 * wanted["std"])
        np.testing.assert_allclose(a.std(), wanted["std"], rtol=1e-4)
        np.testing.assert_allclose(a.max(), wanted["max"], rtol=1e-4)
    for name in (f"{key}.{n}" for n in seen if f"{key}.{n}" in golden[1]):
        wanted = golden[1][name]
        close = np.abs(np.asarray(seen[name.split(".")[-1]]) - wanted).max() / np.abs(wanted).max()
        assert close < 1e-4


@pytest.fixture(scope="module")
def aims():
    """The targets of each network: all conventions of the file aim at the same moments."""
    return {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", VARIANTS)
def test_terms_and_gradients(key, name, params, golden, pictures, aims):
    weights = key.split(".")[0]
    style_layers, content_layer, _ = LAYERS[weights]
    wanted, (content, style, image) = golden[0][key][name], pictures
    net, convention = network(key, (*style_layers, content_layer)), CONVENTIONS[name]
    layers_of = {"content_layers": (content_layer,), "style_layers": style_layers}
    if key not in aims:
        aims[key] = transfer.targets(net, params[weights], content, style, **layers_of)
    targets = aims[key]
    w = Terms(wanted["weights"]["content"], wanted["weights"]["style"], wanted["weights"]["tv"])
    w = Terms({content_layer: w.content}, w.style, w.smooth)

    @jax.jit
    def run(params, image):
        def total(image):
            values = losses.terms(convention, targets, features(net, params, image), image)
            return losses.total(w, values), values

        return jax.value_and_grad(total, has_aux=True)(image)

    (total, values), gradient = run(params[weights], image)
    flat = {**values.content, **{f"style {k}": v for k, v in values.style.items()}, "tv": values.smooth}
    known = {**wanted["content"], **{f"style {k}": v for k, v in wanted["style"].items()}, "tv": wanted["tv"]}
    assert flat.keys() == known.keys()
    for part, value in known.items():
        np.testing.assert_allclose(flat[part], value, rtol=1e-4, err_msg=part)
    np.testing.assert_allclose(total, wanted["total"], rtol=1e-4)
    gradient = np.asarray(gradient, np.float64) / 255  # golden: per unit of 0..255
    np.testing.assert_allclose(np.linalg.norm(gradient), wanted["gradient_norm"], rtol=1e-4)
    if f"{key}.{name}.gradient" in golden[1]:
        exact = golden[1][f"{key}.{name}.gradient"]
        errors = np.abs(gradient - exact) / np.abs(exact).max()
        assert np.quantile(errors, 0.99) < 1e-5
        assert errors.max() < 1e-4


def test_published_weights_are_the_conventions_own(golden):
    """The layer profiles of the conventions are the per-layer weights of the golden file."""
    widths = dict.fromkeys(("relu1_1",), 64) | {"relu2_1": 128, "relu3_1": 256}
    beta = {"gatys_2016": 1e3, "gatys_released": 1e3, "neural_style_pt": 100, "keras": 1e-6}
    for name in NAMES:
        for layer, weight in golden[0]["oxford.max.floor"][name]["weights"]["style"].items():
            share = CONVENTIONS[name].profile(widths[layer], 3)
            np.testing.assert_allclose(beta[name] * share, weight)


@pytest.mark.parametrize("key", ["oxford.max.floor", "random.avg.floor"])
def test_winograd_is_as_exact(key, params, golden, pictures):
    arrays = jax.tree.map(jnp.asarray, params)
    ready = {w: prepared(p, convolution="winograd", dtype="float32") for w, p in arrays.items()}
    test_terms_and_gradients(key, "gatys_2016", ready, golden, pictures, {})
