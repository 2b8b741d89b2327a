"""The feed-forward networks: against torch (tests/golden/feedforward.py), and what must hold of each of them."""

import json
from functools import cache, partial
from pathlib import Path
from typing import Any

import feedforward_values as values
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.extractors.vgg import VGG, VGG19
from nst_jax.extractors.vgg import kernels as vgg_kernels
from nst_jax.methods.feedforward import adain, wct
from nst_jax.methods.feedforward.decoders import Decoder, encode
from nst_jax.methods.feedforward.instant import Adain, Wct
from nst_jax.methods.feedforward.johnson import INITIALISERS, Transform, apply, convolve, crop, fit, names
from nst_jax.methods.feedforward.records import (
    DISTILLED,
    LEVELS,
    RECORDS,
    TEXNET,
    Layer,
    Mirror,
    deepen,
    mirror,
    with_widths,
)
from nst_jax.methods.feedforward.records import VGG19 as WIDTHS
from nst_jax.nn import normalisation
from nst_jax.nn.upsampling import nearest, transposed_conv

KNOWN = json.loads((Path(__file__).parent / "golden/feedforward.json").read_text())
NETWORKS = tuple(RECORDS)
SHORT = ((4,) * 2, (8,) * 2, (12,) * 4, (16,) * 4, (16,) * 4)  # feedforward_values.BLOCKS


def record_of(network, *, tiny=False):
    """A quarter of the published widths; tiny: two channels more or less, one residual layer."""
    record = RECORDS[network]._replace(styles=3 if network == "dumoulin" else 0)
    if not tiny:
        return with_widths(record, factor=0.25)
    one, two, three, *middle, up, _, last = record.layers
    layers = (one, two, three, middle[0], up, record.layers[-2], last)
    widths = (4, 4, 6, 6, 4, 4, 3)
    record = record._replace(layers=tuple(x._replace(width=w) for x, w in zip(layers, widths, strict=True)))
    return record._replace(start=8 if record.start else 0)


def styles_of(network, *, count=2):
    return jnp.array(values.STYLES[:count]) if network == "dumoulin" else None


@pytest.fixture(scope="module")
def pictures():
    return jnp.asarray(values.pictures())


@pytest.fixture(scope="module")
def features():
    """Features by name, as torch had them."""
    sizes = {"content": (12, 15), "low": (12, 15), "first": (10, 18), "second": (14, 11)}
    ranks = {"low": 9}
    return {n: jnp.asarray(values.features(n, *size, rank=ranks.get(n, 48))) for n, size in sizes.items()}


@cache
def drawn(network):
    """A tiny network and its variables at the start of a training."""
    module = Transform(record_of(network, tiny=True))
    init = jax.jit(partial(module.init, training=False))
    images = jnp.zeros((2, 16, 16, 3))
    return module, init(jax.random.key(0), images, styles_of(network))


def filled(network, shapes, *, norm="none", styles=0):
    """The variables with torch's values: shapes as jax.eval_shape gives them."""
    params, averages = {}, {}
    for name, own in shapes["params"].items():
        has = norm if "scale" in own else "none"
        found = values.layer(network, name, own["kernel"].shape, bias="bias" in own, norm=has, styles=styles)
        params[name] = {role: jnp.asarray(found[role]) for role in own}
        assert {role: a.shape for role, a in own.items()} == {role: a.shape for role, a in params[name].items()}
        if has == "batch":
            averages[name] = {role: jnp.asarray(found[role]) for role in ("mean", "variance")}
    return {"params": params} | ({"batch_stats": averages} if averages else {})


def agree(name, result, *, atol=1e-4):
    """Compare with torch's numbers, in parts of their size."""
    found = values.keep(name, result)
    assert found["shape"] == KNOWN[name]["shape"]
    numbers, wanted = np.array(found["numbers"]), np.array(KNOWN[name]["numbers"])
    np.testing.assert_allclose(numbers, wanted, rtol=0, atol=atol * np.sqrt((wanted**2).mean()))


# Against torch


@pytest.mark.parametrize("network", NETWORKS)
def test_network_agrees_with_torch(network, pictures):
    record = record_of(network)
    module, styles = Transform(record), styles_of(network)
    shapes = jax.eval_shape(partial(module.init, training=False), jax.random.key(0), pictures, styles)
    variables = filled(network, shapes, norm=record.norm, styles=record.styles)
    agree(network, jax.jit(partial(module.apply, training=False))(variables, pictures, styles))


def regions_of(x):
    return jnp.asarray(values.regions(*x.shape[:2]))


def adain_of(content, styles, *, alpha=1.0, **how):
    form = adain.FORMS["adain_style"]
    looks = [adain.measure(style, unbiased=form.unbiased) for style in styles]
    return adain.stylise(content, looks, alpha=alpha, form=form, **{"shares": None, "masks": None, **how})


def wct_of(content, styles, *, alpha=1.0, rule="relative", **how):
    found = wct.RULES[rule]
    looks = [wct.colour_of(wct.measure(style), rule=found) for style in styles]
    return wct.stylise(content, looks, alpha=alpha, rule=found, **{"shares": None, "masks": None, **how})


def transforms(f):
    """AdaIN and WCT, by the name of torch's result."""
    content, first, both = f["content"], f["first"], (f["first"], f["second"])
    weights, masks = jnp.array([1.0, 3.0]), regions_of(content)
    ust = wct.RULES["ust"]
    return {
        **{f"adain {n}": adain.adain(content, first, alpha=1.0, form=form) for n, form in adain.FORMS.items()},
        "adain alpha": adain.adain(content, first, alpha=0.3),
        "adain mix": adain_of(content, both, shares=weights),
        "adain regions": adain_of(content, both, masks=masks),
        **{f"wct {n}": wct.wct(content, first, alpha=1.0, rule=wct.RULES[n]) for n in ("ust", "pytorch_wct")},
        **{f"wct low {n}": wct.wct(f["low"], first, alpha=1.0, rule=wct.RULES[n]) for n in ("ust", "pytorch_wct")},
        "wct alpha": wct.wct(content, first, alpha=0.6, rule=ust),
        "wct mix": wct_of(content, both, shares=weights, rule="ust"),
        "wct regions": wct_of(content, both, masks=masks, rule="ust"),
    }


@pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
def test_transforms_agree_with_torch(features, wide):
    """In float64, as torch computed, to the last digit that is kept."""
    with jax.enable_x64(wide):
        found = jax.jit(transforms)(jax.tree.map(lambda x: jnp.asarray(np.asarray(x), float), features))
        names_of = {name for name in KNOWN if name.startswith(("adain ", "wct ")) and "picture" not in name}
        assert found.keys() == names_of
        for name, result in found.items():
            agree(name, result, atol=3e-7 if wide else 1e-4)


def encoder(rounding):
    network = VGG(taps=LEVELS, blocks=values.BLOCKS, pool="max", rounding=rounding, padding="reflect")
    params = {
        name: values.layer("vgg", name, s, bias=True, norm="none") for name, s in vgg_kernels(values.BLOCKS).items()
    }
    return network, jax.tree.map(jnp.asarray, {"input": {"kernel": np.eye(3), "bias": np.zeros(3)}, **params})


def decoder(level):
    """A decoder of the narrow VGG-19, with torch's values."""
    module = Decoder(mirror(SHORT, level=level))
    width = SHORT[LEVELS.index(level)][0]
    shapes = jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 4, 4, width)))
    return module, filled(f"decoder{LEVELS.index(level) + 1}", shapes)


def test_adain_picture_agrees_with_torch(pictures):
    network, params = encoder("ceil")
    module, variables = decoder("relu4_1")
    method = Adain(network, "relu4_1", module.record, adain.FORMS["pytorch_adain"])
    agree("adain picture", paint_by(method, params, variables, pictures[:1], pictures[1], alpha=0.7))


def paint_by(method, params, variables, content, style, *, alpha, masks=None):
    """Content pictures in the style of one picture, as a trained network paints them."""

    def run(both, content, style, alpha, masks):
        return method(both, content, [method.study(both, style)], alpha=alpha, masks=masks)

    return jax.jit(run)({"encoder": params, "network": variables}, content, style, alpha, masks)


@pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
def test_wct_picture_agrees_with_torch(pictures, wide):
    """Five whitenings, one after the other, make the rounding of float32 larger."""
    modules = {level: decoder(level) for level in reversed(LEVELS)}
    network, params = encoder("floor")
    method = Wct(network, tuple((n, module.record) for n, (module, _) in modules.items()), wct.RULES["ust"])
    with jax.enable_x64(wide):
        given = params, {n: v for n, (_, v) in modules.items()}, pictures[:1], pictures[1]
        found = paint_by(method, *jax.tree.map(lambda x: jnp.asarray(np.asarray(x), float), given), alpha=0.6)
        agree("wct picture", found, atol=1e-6 if wide else 1e-3)


@pytest.mark.parametrize(("draw", "size"), [("torch", 1 / 3), ("he", 2.0)])
def test_decoders_begin_with_kernels_of_a_known_size(draw, size):
    """The mean square of a kernel, times what a number comes of: 1/3 for torch, 2 for He. The last one is torch's."""
    record = mirror(TEXNET, level="relu3_1")._replace(draw=draw)
    variables: Any = Decoder(record).init(jax.random.key(0), jnp.zeros((1, 4, 4, 96)))
    kernels = {name: layer["kernel"] for name, layer in variables["params"].items()}
    assert [kernel.shape[2:] for kernel in kernels.values()] == [(96, 64), (64, 64), (64, 32), (32, 32), (32, 3)]
    for name, kernel in kernels.items():
        found = float(jnp.mean(kernel**2)) * kernel[..., 0].size
        assert found == pytest.approx(1 / 3 if name == "conv5" else size, rel=0.1), name


# The networks


def count(tree):
    return sum(a.size for a in jax.tree.leaves(tree))


def test_numbers_of_weights_are_those_of_the_publications():
    def learnt(record):
        images = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
        styles = jax.ShapeDtypeStruct((1, record.styles), jnp.float32) if record.styles else None
        init = partial(Transform(record).init, training=False)
        return jax.eval_shape(init, jax.random.key(0), images, styles)["params"]

    convolutions = lambda params: [{r: a for r, a in x.items() if r in ("kernel", "bias")} for x in params.values()]
    tables = lambda params: [{r: a for r, a in x.items() if r in ("scale", "offset")} for x in params.values()]
    counts = (1_676_035, 1_676_035, 1_674_432, 1_676_035, 1_669_123, 1_674_432)
    assert [count(convolutions(learnt(record))) for record in RECORDS.values()] == list(counts)
    assert count(convolutions(learnt(with_widths(RECORDS["johnson"], factor=0.5)))) == 423_299
    assert count(tables(learnt(RECORDS["dumoulin"]._replace(styles=10)))) == 10 * 3_206
    module = Decoder(mirror(WIDTHS, level="relu4_1"))
    assert count(jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 4, 4, 512)))) == 3_505_219


@pytest.mark.parametrize("network", NETWORKS)
def test_picture_of_any_size_keeps_it(network):
    module, variables = drawn(network)
    images = jax.ShapeDtypeStruct((2, 61, 83, 3), jnp.float32)
    styles = styles_of(network)
    found = jax.eval_shape(lambda v, x: apply(module, v, x, styles), variables, images)
    assert found.shape == images.shape


def test_odd_picture_is_the_mirrored_one_cropped(pictures):
    module, variables = drawn("pytorch_examples")
    images = pictures[:, :37, :42]
    whole = np.pad(images, ((0, 0), (0, 3), (0, 2), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(fit(images, multiple=4), whole)
    run = jax.jit(partial(apply, module))
    found, wanted = run(variables, images), run(variables, jnp.asarray(whole))
    np.testing.assert_array_equal(found, wanted[:, :37, :42])


@pytest.mark.parametrize("network", NETWORKS)
def test_pictures_of_a_batch_do_not_meet(network, pictures):
    module, variables = drawn(network)
    run, styles = jax.jit(partial(apply, module)), styles_of(network)
    both = run(variables, pictures, styles)
    for i in range(2):
        one = run(variables, pictures[i : i + 1], None if styles is None else styles[i : i + 1])
        np.testing.assert_allclose(both[i : i + 1], one, atol=2e-6)


def test_batch_normalisation_keeps_its_averages(pictures):
    module, variables = drawn("johnson")
    _, after = jax.jit(lambda v, x: module.apply(v, x, training=True, mutable=["batch_stats"]))(variables, pictures)
    first = variables["params"]["conv1"]
    x = (255 * pictures - jnp.array([123.68, 116.779, 103.939]))[..., ::-1]
    x = jnp.pad(x, ((0, 0), (8, 8), (8, 8), (0, 0)), mode="reflect")
    x = np.asarray(convolve(x, first["kernel"], stride=1, padding="zero") + first["bias"], np.float64)
    average = after["batch_stats"]["conv1"]
    np.testing.assert_allclose(average["mean"], 0.1 * x.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(average["variance"], 0.9 + 0.1 * x.var((0, 1, 2), ddof=1), rtol=1e-4)


def test_running_average_has_the_unbiased_variance():
    x = jax.random.normal(jax.random.key(4), (1, 2, 3, 4))
    zeros, batch = normalisation.Statistics(jnp.zeros(4), jnp.zeros(4)), normalisation.measure_batch(x)
    found = normalisation.update_statistics(zeros, batch, positions=6, share=0.25)
    np.testing.assert_allclose(found.variance, 0.25 * np.asarray(x).reshape(-1, 4).var(0, ddof=1), rtol=1e-5)


def test_one_style_is_its_row_of_the_tables(pictures):
    module, variables = drawn("dumoulin")
    keys = iter(jax.random.split(jax.random.key(3), 100))
    vary = lambda path, a: (
        a + 0.3 * jax.random.normal(next(keys), a.shape) if path[-1].key in ("scale", "offset") else a
    )
    variables = jax.tree_util.tree_map_with_path(vary, variables)
    single = Transform(module.record._replace(norm="instance", styles=0))
    row = lambda path, a: a[2] if path[-1].key in ("scale", "offset") else a
    chosen = jax.tree_util.tree_map_with_path(row, variables)
    found = jax.jit(partial(apply, module))(variables, pictures, jnp.array([[0.0, 0.0, 1.0]] * 2))
    wanted = jax.jit(partial(apply, single))(chosen, pictures)
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_a_step_for_one_style_leaves_the_other_rows(pictures):
    module, variables = drawn("dumoulin")
    styles = jnp.array([[0.0, 1.0, 0.0]] * 2)

    def loss(params):
        painted: Any = module.apply({"params": params}, pictures, styles, training=True)
        return (painted**2).sum()

    grads = jax.jit(jax.grad(loss))(variables["params"])
    for layer in grads.values():
        for role in ("scale", "offset"):
            assert not layer[role][jnp.array([0, 2])].any()
            assert layer[role][1].any()


@pytest.mark.parametrize("network", NETWORKS)
def test_gradients_are_finite_on_a_picture_of_one_colour(network):
    module, variables = drawn(network)
    images, styles = jnp.full((2, 16, 16, 3), 0.5), styles_of(network)

    def loss(params):
        out, _ = module.apply({**variables, "params": params}, images, styles, training=True, mutable=["batch_stats"])
        return (out**2).sum()

    assert all(jnp.isfinite(g).all() for g in jax.tree.leaves(jax.jit(jax.grad(loss))(variables["params"])))


@pytest.mark.parametrize(
    ("draw", "deviation", "most"),
    [("torch", 1 / np.sqrt(3 * 9 * 40), 1 / np.sqrt(9 * 40)), ("truncated", 0.088, 0.2), ("normal", 0.01, 0.06)],
)
def test_kernels_at_the_start(draw, deviation, most):
    found = INITIALISERS[draw](jax.random.key(0), (3, 3, 40, 60))
    assert found.std() == pytest.approx(deviation, rel=0.02)
    assert jnp.abs(found).max() <= most


def test_scales_and_biases_at_the_start():
    """torch7 draws scales from [0, 1) and biases as the kernels; the others have ones, and MAG no biases."""
    for network in NETWORKS:
        own = drawn(network)[1]["params"]["residual1_1"]
        uniform = network in ("johnson", "johnson_instance", "ulyanov")
        assert (own["scale"].std() > 0.1) == uniform
        assert ((own["scale"] >= 0) & (own["scale"] <= 1)).all()
        assert ("bias" in own) == (network not in ("lengstrom", "dumoulin"))
        assert not own["offset"].any()
        if "bias" in own:
            assert 0.3 < jnp.abs(own["bias"]).max() * np.sqrt(9 * 6) <= 1


@pytest.mark.parametrize(
    ("network", "side", "styles", "says"),
    [
        ("johnson", 18, None, "multiples of 4"),
        ("dumoulin", 16, None, "3 weights for each image; got none"),
        ("dumoulin", 16, jnp.ones((1, 2)), "3 weights for each image; got 2"),
        ("ulyanov", 16, jnp.ones((1, 2)), "one style"),
    ],
)
def test_what_a_network_cannot_take_is_said(network, side, styles, says):
    module, variables = drawn(network)
    with pytest.raises(ValueError, match=says):
        module.apply(variables, jnp.zeros((1, side, side, 3)), styles, training=False)


def test_names_of_layers():
    assert names(RECORDS["johnson"])[2:5] == ("conv3", "residual1", "residual2")
    assert names(RECORDS["dumoulin"])[-3:] == ("nearest1", "nearest2", "conv4")


# Their parts


@pytest.mark.parametrize("pads", ["torch", "same"])
def test_transposed_convolution_against_a_loop(pads):
    keys = jax.random.split(jax.random.key(5), 2)
    x, kernel = (
        np.asarray(jax.random.normal(keys[0], (2, 5, 4, 3))),
        np.asarray(jax.random.normal(keys[1], (3, 3, 3, 2))),
    )
    own = kernel[::-1, ::-1]  # a position of x adds this to what lies around it
    whole = np.zeros((2, 2 * 5 + 1, 2 * 4 + 1, 2))
    for i in range(5):
        for j in range(4):
            for k in range(3):
                for m in range(3):
                    whole[:, 2 * i + k, 2 * j + m] += x[:, i, j] @ own[k, m]
    cut = {"torch": slice(1, None), "same": slice(None, -1)}[pads]
    found = transposed_conv(jnp.asarray(x), jnp.asarray(kernel), pads=pads)
    np.testing.assert_allclose(found, whole[:, cut, cut], atol=1e-5)


def test_nearest_repeats_each_position():
    x = jnp.arange(12.0).reshape(1, 2, 3, 2)
    np.testing.assert_array_equal(nearest(x, factor=2), np.asarray(x).repeat(2, 1).repeat(2, 2))


def test_instance_norm_forgets_contrast_and_brightness():
    x = jax.random.normal(jax.random.key(6), (2, 6, 7, 4))
    scale, offset = jnp.array([1.0, 2.0, 0.5, -1.0]), jnp.arange(4.0)
    run = partial(normalisation.instance_norm, scale=scale, offset=offset, eps=1e-5)
    factor, shift = jnp.array([3.0, 200.0])[:, None, None, None], jnp.array([1.0, -90.0])[:, None, None, None]
    np.testing.assert_allclose(run(factor * x + shift), run(x), atol=1e-4)
    wide = np.asarray(x, np.float64)
    wanted = (wide - wide.mean((1, 2), keepdims=True)) / np.sqrt(wide.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(run(x), wanted * np.asarray(scale) + np.asarray(offset), atol=1e-5)


def test_variance_survives_a_large_mean():
    """A difference of mean squares would leave no digit of it."""
    x = 20_000 + jax.random.normal(jax.random.key(7), (1, 8, 8, 1))
    one = normalisation.standardise(x, eps=1e-5)
    assert one.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("padding", ["zero", "same", "reflect", "replicate", "none"])
@pytest.mark.parametrize(
    ("size", "stride", "channels"), [(3, 1, (3, 4)), (3, 1, (4, 3)), (3, 2, (5, 2)), (9, 1, (5, 2))]
)
def test_convolution_and_its_gradients(padding, size, stride, channels):
    """With fewer channels out than in the kernel's gradient has a way of its own."""
    keys = jax.random.split(jax.random.key(8), 3)
    x, kernel = (
        jax.random.normal(keys[0], (2, 12, 10, channels[0])),
        jax.random.normal(keys[1], (size, size, *channels)),
    )
    mode = {"reflect": "reflect", "replicate": "edge"}.get(padding, "constant")
    before = after = 0 if padding == "none" else size // 2
    if padding == "same" and stride == 2:
        before = 0

    def by_lax(x, kernel):
        x = jnp.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), mode=mode)
        numbers = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, kernel, (stride,) * 2, "VALID", dimension_numbers=numbers)

    wanted, pull_wanted = jax.vjp(by_lax, x, kernel)
    found, pull = jax.vjp(partial(convolve, stride=stride, padding=padding), x, kernel)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    aim = jax.random.normal(keys[2], wanted.shape)
    for own, theirs in zip(pull(aim), pull_wanted(aim), strict=True):
        np.testing.assert_allclose(own, theirs, atol=1e-3)


# AdaIN


def test_adain_has_the_means_and_deviations_of_the_style(features):
    """The published epsilon takes 5e-6 of the deviation where the variance of the content is 1; here it is 9."""
    found = adain.adain(3 * features["content"], features["first"], alpha=1.0)
    own, aim = (adain.measure(x, unbiased=False) for x in (found, features["first"]))
    np.testing.assert_allclose(own.mean, aim.mean, atol=1e-5)
    np.testing.assert_allclose(np.sqrt(own.variance), np.sqrt(aim.variance), atol=1e-5)


def test_adain_of_a_picture_with_itself(features):
    content = features["content"]
    np.testing.assert_allclose(adain.adain(content, content, alpha=1.0), content, atol=5e-5)


DEGENERATE = {
    "constant": lambda f: jnp.full((9, 7, 24), 0.37),
    "zero": lambda f: jnp.zeros((9, 7, 24)),
    "one position": lambda f: f["content"][:1, :1],
    "a line": lambda f: f["content"][:, :1],
    "three positions": lambda f: f["content"][:1, :3],
    "low rank": lambda f: f["low"],
    "a dead channel": lambda f: f["content"].at[..., 3].set(0),
    "large": lambda f: 1e4 * f["content"],
}


@pytest.mark.parametrize("which", DEGENERATE)
@pytest.mark.parametrize("rule", ["adain", *wct.RULES])
def test_degenerate_features(features, which, rule):
    """Finite as content and as style, and the content itself at alpha = 0, to the bit."""
    run = adain.adain if rule == "adain" else partial(wct.wct, rule=wct.RULES[rule])
    odd, plain = DEGENERATE[which](features), features["first"]
    for content, style in ((odd, plain), (plain, odd), (odd, odd)):
        assert jnp.isfinite(run(content, style, alpha=1.0)).all()
        np.testing.assert_array_equal(run(content, style, alpha=0.0), content)


def test_a_picture_of_one_colour_becomes_the_style_s_mean(features):
    """What rounding leaves of its variance is not made large."""
    content = jnp.full((9, 7, 24), 0.37) * jnp.linspace(0.1, 3, 24)
    found = wct.wct(content, features["first"], alpha=1.0)
    np.testing.assert_allclose(found, jnp.broadcast_to(features["first"].mean((0, 1)), found.shape), atol=1e-4)


# WCT


@pytest.mark.parametrize("rule", ["relative", "ust", "wct_tf", "collaborative"])
def test_wct_has_the_covariance_of_the_style(features, rule):
    found = wct.wct(features["content"], features["first"], alpha=1.0, rule=wct.RULES[rule])
    own, aim = (np.cov(np.asarray(x, np.float64).reshape(-1, 24).T) for x in (found, features["first"]))
    np.testing.assert_allclose(own, aim, atol=1e-3 * np.abs(aim).max())
    np.testing.assert_allclose(found.mean((0, 1)), features["first"].mean((0, 1)), atol=1e-4)


def test_newton_takes_the_same_roots(features):
    """On a covariance without small eigenvalues, where the ridge is nothing."""
    noise = jax.random.normal(jax.random.key(9), (12, 15, 24))
    both = [wct.wct(noise, features["first"], alpha=1.0, rule=wct.RULES[r]) for r in ("newton", "relative")]
    np.testing.assert_allclose(both[0], both[1], atol=2e-3)


def test_newton_has_a_gradient_at_equal_eigenvalues(features):
    """The derivative of eigenvectors has none there."""
    loss = lambda x: (wct.wct(x, features["first"], alpha=1.0, rule=wct.RULES["newton"]) ** 3).sum()
    assert jnp.isfinite(jax.jit(jax.grad(loss))(jnp.full((5, 4, 24), 0.5))).all()


def test_wct_of_low_rank_has_the_style_s_covariance_where_it_is_not_masked(features):
    """cov = C P C: C the root of the style's covariance, P the projection on the content's directions."""
    content, style = (np.asarray(features[n], np.float64).reshape(-1, 24) for n in ("low", "first"))
    values_, vectors = np.linalg.eigh(np.cov(content.T))
    kept = vectors[:, values_ > 1e-5 * values_[-1]]
    assert kept.shape[1] == 9
    own, axes = np.linalg.eigh(np.cov(style.T))
    root = axes * np.sqrt(own) @ axes.T
    wanted = root @ kept @ kept.T @ root
    found = wct.wct(features["low"], features["first"], alpha=1.0)
    covariance = np.cov(np.asarray(found, np.float64).reshape(-1, 24).T)
    np.testing.assert_allclose(covariance, wanted, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("which", ["content", "low"])
def test_wct_of_a_picture_with_itself(features, which):
    found = wct.wct(features[which], features[which], alpha=1.0)
    np.testing.assert_allclose(found, features[which], atol=2e-3)


@pytest.mark.parametrize("method", [adain_of, wct_of])
def test_mask_of_ones_is_no_mask(features, method):
    content, style = features["content"], features["first"]
    whole = method(content, [style], alpha=0.8)
    masked = method(content, [style], masks=jnp.ones((1, 12, 15)), alpha=0.8)
    np.testing.assert_allclose(masked, whole, atol=1e-4)


@pytest.mark.parametrize("method", [adain_of, wct_of])
def test_where_no_region_is_there_is_content(features, method):
    masks = jnp.stack([jnp.zeros((12, 15)).at[:4].set(1), jnp.zeros((12, 15))])
    found = method(features["content"], [features["first"], features["second"]], masks=masks)
    np.testing.assert_array_equal(found[4:], features["content"][4:])
    assert jnp.abs(found[:4] - features["content"][:4]).max() > 0.1


@pytest.mark.parametrize("method", [adain.adain, wct.wct])
def test_a_batch_is_as_many_pictures(features, method):
    content = jnp.stack([features["content"], features["low"]])
    style = jnp.stack([features["first"], 2 * features["first"] + 1])
    both = jax.jit(partial(method, alpha=0.9))(content, style)
    for i in range(2):
        np.testing.assert_allclose(both[i], method(content[i], style[i], alpha=0.9), atol=1e-4)


def test_a_rule_that_clips_confines_the_picture_between_levels(pictures):
    """WCT-TF clips after each level but the last."""
    network, params = encoder("floor")
    modules = {level: decoder(level) for level in ("relu3_1", "relu2_1")}
    levels = tuple((n, module.record) for n, (module, _) in modules.items())
    given = params, {n: v for n, (_, v) in modules.items()}, pictures[:1], pictures[1]
    rule = wct.RULES["wct_tf"]
    found = paint_by(Wct(network, levels, rule), *given, alpha=1.0)
    alone = [Wct(network, levels[i : i + 1], rule) for i in range(2)]
    first = paint_by(alone[0], *given, alpha=1.0)
    assert float(jnp.abs(first - jnp.clip(first, 0, 1)).max()) > 1e-2  # there is something to clip
    second = paint_by(alone[1], *given[:2], jnp.clip(first, 0, 1), pictures[1], alpha=1.0)
    np.testing.assert_allclose(found, second, atol=2e-3 * float(jnp.abs(second).max()))
    assert float(jnp.abs(found - paint_by(alone[1], *given[:2], first, pictures[1], alpha=1.0)).max()) > 1e-2


# Decoders


def test_decoders_are_mirrors():
    assert mirror(WIDTHS, level="relu4_1").layers == (*(256, "up", 256, 256, 256, 128, "up", 128, 64, "up", 64, 3),)
    assert mirror(WIDTHS, level="relu1_1").layers == (3,)
    record = mirror(WIDTHS, level="relu2_1")
    assert deepen(record, WIDTHS, level="relu2_1", number=2).layers == (128, 128, 64, "up", 64, 3)
    assert mirror(DISTILLED, level="relu4_1").layers == (64, "up", 80, 64, 32, "up", 40, 24, "up", 16, 3)
    assert [mirror(WIDTHS, level=level).multiple for level in LEVELS] == [1, 2, 4, 8, 16]


def test_widths_are_those_of_the_encoders():
    from nst_jax.extractors import distilled

    of = lambda kernels: [shape[3] for name, shape in kernels.items() if name.startswith("conv")]
    assert [w for block in WIDTHS for w in block] == of(vgg_kernels(VGG19))
    assert [w for block in DISTILLED for w in block] == of(distilled.CONVOLUTIONS)


@pytest.mark.parametrize("rounding", ["floor", "ceil"])
def test_pictures_keep_their_size_and_alpha_0_is_the_reconstruction(pictures, rounding):
    network, params = encoder(rounding)
    module, variables = decoder("relu3_1")
    content = pictures[:, :37, :42]
    method = Adain(network, "relu3_1", module.record, adain.FORMS["adain_style"])
    found = paint_by(method, params, variables, content, pictures[0, :31], alpha=0.0)
    whole = jnp.pad(content, ((0, 0), (0, 3), (0, 2), (0, 0)), mode="reflect")
    again: Any = module.apply(variables, encode(network, params, whole, taps=("relu3_1",))["relu3_1"])
    assert found.shape == content.shape
    np.testing.assert_allclose(found, crop(again, height=37, width=42, top=0, left=0), atol=1e-5)


def test_regions_of_a_picture(pictures):
    """A side of the picture with alpha = 1 and the other one without a style."""
    network, params = encoder("floor")
    module, variables = decoder("relu2_1")
    mask = jnp.zeros((48, 64)).at[:, :32].set(1)

    method = Wct(network, (("relu2_1", module.record),), wct.RULES["relative"])
    given = params, {"relu2_1": variables}, pictures[:1], pictures[1]
    masked, plain = (paint_by(method, *given, alpha=alpha, masks=mask[None]) for alpha in (1.0, 0.0))
    np.testing.assert_allclose(masked[:, :, 40:], plain[:, :, 40:], atol=1e-5)
    assert jnp.abs(masked[:, :, :24] - plain[:, :, :24]).max() > 0.05


def test_decoder_divides_its_features():
    record = Mirror((3,), rectify=True)
    x = jax.random.normal(jax.random.key(1), (1, 6, 5, 4))
    variables = Decoder(record).init(jax.random.key(0), x)
    half: Any = Decoder(record._replace(divisor=2.0)).apply(variables, 2 * x)
    plain: Any = Decoder(record).apply(variables, x)
    np.testing.assert_allclose(half, plain, atol=1e-6)
    assert jnp.min(half) == 0


def test_a_record_is_static():
    """It is a key of the compiled program."""
    assert hash(Transform(RECORDS["johnson"])) == hash(Transform(RECORDS["johnson"]))
    assert RECORDS["johnson"].multiple == 4
    assert RECORDS["johnson"].layers[0] == Layer("conv", 32, 9)
