"""Inception, GoogLeNet, ResNets and SqueezeNet against the programs that publish them: tests/golden/networks.py."""

import json
from functools import cache, partial
from pathlib import Path
from typing import Any

import h5py
import jax
import jax.numpy as jnp
import network_values as values
import numpy as np
import pytest
from programs import slow_operations
from weight_files import pth

from nst_jax.extractors import MODULES, architecture, base
from nst_jax.extractors.base import features, pick_evenly
from nst_jax.extractors.blocks import sizes
from nst_jax.extractors.blocks.stack import NORM
from nst_jax.extractors.blocks.table import Chain
from nst_jax.images.tiles import lay
from nst_jax.losses import term
from nst_jax.methods import tiled, transfer
from nst_jax.nn.windows import interior, narrowest, reach, total_stride
from nst_jax.published import PROFILES
from nst_jax.published.ours import RELATIVE
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import weights

KNOWN = json.loads((Path(__file__).parents[1] / "golden/networks.json").read_text())
NAMES = [name for name, module in MODULES.items() if module in ("squeezenet", "inception", "googlenet", "resnet")]
KERAS = [name for name in NAMES if name.endswith("_keras")]
TORCH = [name for name in NAMES if name not in KERAS]
IN_TORCH = {"scale": "weight", "offset": "bias", "mean": "running_mean", "variance": "running_var"}


def network_of(name) -> Any:
    """The table of a network."""
    return architecture(name).tap(("input",), **own_settings(name)).blocks  # pyright: ignore[reportAttributeAccessIssue]


def own_settings(name, **others):
    known = architecture(name)
    rounding = "ceil" if name == "squeezenet" else known.rounding  # as torchvision has it
    return {"pool": known.pool, "rounding": rounding, "padding": "zero", **others}


def torch_tensors(name):
    """A network's tensors by torchvision's names, with their values."""
    known, found = architecture(name), {}
    theirs = {layer: path for path, layer in known.aliases.items() if path != layer and "/" not in path}
    norms = {layer: path for path, layer in known.norms.items()}
    for layer, (h, w, cin, cout) in known.kernels.items():
        path = theirs.get(layer, layer)
        found[f"{path}.weight"] = values.kernel(path, (cout, cin, h, w), cin * h * w)
        if layer in known.eps:
            own = {f"{norms[layer]}.{IN_TORCH[role]}": values.vector(norms[layer], role, cout) for role in NORM}
            found |= own | {f"{norms[layer]}.num_batches_tracked": np.zeros((), np.int64)}
        else:
            found[f"{path}.bias"] = values.vector(path, "offset", cout)
    return found


def keras_layers(name):
    """A network's layers in the order of Keras' model: a convolution's arrays, then its normalisation's, by name."""
    known = architecture(name)
    for i, layer in enumerate(known.keras_order):
        h, w, cin, cout = known.kernels[layer]
        biased = {"bias:0": values.vector(f"conv {i}", "bias", cout)} if name == "resnet50_keras" else {}
        kernel = {"kernel:0": values.kernel(f"conv {i}", (h, w, cin, cout), h * w * cin)}
        roles = NORM if name == "resnet50_keras" else NORM[1:]
        norm = dict(zip(("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")[-len(roles) :], roles, strict=True))
        yield kernel | biased, {key: values.vector(f"norm {i}", role, cout) for key, role in norm.items()}


def keras_file(path, name, *, first=1):
    """As Keras 2 writes it, with the numbers that its process has counted to."""
    with h5py.File(path, "w") as file:
        order = []
        for i, arrays in enumerate(keras_layers(name), first):
            for kind, own in zip(("conv2d", "batch_normalization"), arrays, strict=True):
                group = file.create_group(f"{kind}_{i}")
                order.append(group.name[1:])
                for key, array in own.items():
                    group[f"{kind}_{i}/{key}"] = array
        file.attrs["layer_names"] = [name.encode() for name in order]
    return path


def keras_3_file(path, name):
    """As Keras 3 writes *.weights.h5."""
    with h5py.File(path, "w") as file:
        for i, arrays in enumerate(keras_layers(name)):
            for kind, own in zip(("conv2d", "batch_normalization"), arrays, strict=True):
                for number, array in enumerate(own.values()):
                    file[f"layers/{kind}{f'_{i}' if i else ''}/vars/{number}"] = array
    return path


@cache
def loaded(name, folder):
    """The parameters of the references, read from a file as their publisher writes it."""
    path = Path(folder) / f"{name}.{'h5' if name in KERAS else 'pth'}"
    if name in KERAS:
        keras_file(path, name, first=95)
    else:
        pth(path, torch_tensors(name))
    found = weights.load("file", network=name, needed=(), path=str(path))
    path.unlink()
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("networks"))


CASES = [(name, padding) for name in NAMES for padding in KNOWN[name]]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "padding"), CASES)
def test_every_layer_is_that_of_its_publisher(name, padding, folder):
    """From a file with the publisher's names, folded, at odd sizes: 1e-4 of a layer's size."""
    known, wanted = architecture(name), KNOWN[name][padding]
    net = known.tap(tuple(wanted), **own_settings(name, padding=padding))
    params = known.ready(dict(loaded(name, folder).params), convolution="direct", dtype="float32", taps=net.taps)
    found = jax.jit(partial(features, net))(params, jnp.asarray(values.image()))
    assert len(found) == len(wanted)
    for layer, reference in wanted.items():
        seen = values.summary(layer, found[layer])
        assert seen["shape"] == reference["shape"], layer
        scale = reference["numbers"][0]
        np.testing.assert_allclose(seen["numbers"], reference["numbers"], rtol=0, atol=1e-4 * scale, err_msg=layer)


RAW = ("conv2d", "conv2d_4", "conv2d_7", "conv2d_29", "conv2d_31", "conv2d_32", "conv2d_87", "conv2d_91", "conv2d_93")


def raw_params(name, taps):
    """Untrained parameters, ready for these taps, with normalisations that do something."""
    params = dict(architecture(name).random(jax.random.key(0)))
    for layer in architecture(name).eps:
        own = {role: values.vector(layer, role, params[layer]["kernel"].shape[-1]) for role in NORM}
        params[layer] = {"kernel": params[layer]["kernel"], **own}
    return architecture(name).ready(params, convolution="direct", dtype="float32", taps=taps)


def test_raw_outputs_are_counted_as_keras_counts():
    """conv2d to conv2d_93, and nothing else; they are no layers, and cannot be picked by a number."""
    for name in ("inception_v3", "inception_v3_keras"):
        known = architecture(name)
        assert list(known.raw) == ["conv2d", *(f"conv2d_{i}" for i in range(1, 94))]
        assert list(known.raw.values()) == list(known.kernels)
        assert not {*known.raw} & {*known.layers, *known.choices}


@pytest.mark.parametrize("size", [(139, 123), (97, 150)])
def test_raw_outputs_have_their_shapes_and_windows(size):
    known, settings = architecture("inception_v3"), own_settings("inception_v3")
    net = known.tap(tuple(known.raw), **settings)
    params = jax.eval_shape(lambda: raw_params("inception_v3", net.taps))
    seen = base.shapes(net, params, height=size[0], width=size[1])
    assert known.shapes(net, height=size[0], width=size[1]) == seen
    for layer in RAW:
        windows = known.windows(layer, rounding="floor")
        assert narrowest(jnp.ones(size), windows).shape == seen[layer][:2]
        fewer = {k: v for k, v in params.items() if k in ("input", *known.needs((layer,)))}
        one = known.tap((layer,), **settings)
        assert base.shapes(one, fewer, height=size[0], width=size[1]) == {layer: seen[layer]}


@pytest.mark.slow
def test_a_layer_is_its_raw_output_with_its_normalisation_and_its_relu():
    known, settings = architecture("inception_v3"), own_settings("inception_v3")
    taps = ("conv2d", "Conv2d_1a_3x3", "conv2d_4", "Conv2d_4a_3x3")
    params = raw_params("inception_v3", taps)
    found = jax.jit(partial(features, known.tap(taps, **settings)))(params, jnp.asarray(values.image()))
    for raw, layer in zip(taps[::2], taps[1::2], strict=True):
        scale, offset, mean, variance = (params[layer][role] for role in NORM)
        wanted = np.maximum((found[raw] - mean) / np.sqrt(variance + 1e-3) * scale + offset, 0)
        np.testing.assert_allclose(found[layer], wanted, atol=1e-5 * float(wanted.max()), err_msg=raw)
        assert float(found[raw].min()) < 0


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_gradient_of_raw_outputs_has_no_slow_operation(checkpoint):
    taps = ("conv2d", "conv2d_7", "conv2d_91")
    net = architecture("inception_v3").tap(taps, **own_settings("inception_v3", checkpoint=checkpoint))
    loss = lambda params, x: sum((a**2).sum() for a in features(net, params, x).values())
    params = jax.eval_shape(lambda: raw_params("inception_v3", taps))
    assert not slow_operations(jax.grad(loss, 1), params, jax.ShapeDtypeStruct((107, 91, 3), jnp.float32))


def test_a_raw_output_of_a_folded_convolution_is_refused():
    known = architecture("inception_v3")
    net = known.tap(("conv2d_7",), **own_settings("inception_v3"))
    with pytest.raises(ValueError, match=r"folded into the kernel: conv2d_7 needs Architecture\.ready\(taps"):
        base.shapes(net, outline("inception_v3"), height=91, width=91)


def test_every_layer_has_a_reference():
    for name in NAMES:
        table = network_of(name)
        assert "zero" in KNOWN[name]
        assert name in KERAS or "reflect" in KNOWN[name]
        names = {block.also or block.name for block in table} if name in KERAS else {block.name for block in table}
        missing = names - KNOWN[name]["zero"].keys()
        assert not missing or (name == "inception_v3_keras" and not any(n.startswith("mixed") for n in missing)), (
            missing
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "resnet18"])
def test_normalisations_that_are_folded_change_nothing(name, folder):
    known, params = architecture(name), dict(loaded(name, folder).params)
    net = known.tap(known.layers, **own_settings(name))
    run = jax.jit(partial(features, net))
    image = jnp.asarray(values.image()[:107, :91])
    plain, folded = run(params, image), run(known.ready(params, convolution="direct", dtype="float32"), image)
    for layer, a in plain.items():
        np.testing.assert_allclose(folded[layer], a, atol=1e-5 * float(jnp.abs(a).max()), err_msg=layer)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "googlenet", "squeezenet", "resnet18"])
def test_winograd_changes_nothing(name, folder):
    known, params = architecture(name), dict(loaded(name, folder).params)
    ready = known.ready(params, convolution="winograd", dtype="float32")
    assert any(layer["kernel"].ndim == 3 for layer in ready.values() if "bias" in layer)
    deepest = known.layers[min(len(known.layers), 12) - 1]
    net = known.tap((deepest,), **own_settings(name))
    run = jax.jit(partial(features, net))
    image = jnp.asarray(values.image()[:91, :83])
    a = run(known.ready(params, convolution="direct", dtype="float32"), image)[deepest]
    np.testing.assert_allclose(run(ready, image)[deepest], a, atol=1e-4 * float(jnp.abs(a).max()))


@pytest.mark.parametrize(("name", "taken"), [("resnet50", False), ("resnet50_keras", False), ("resnet18", True)])
def test_winograd_is_taken_where_it_pays(name, taken):
    """Not for bottlenecks, whose 1 x 1 it cannot help."""
    kernels = [layer["kernel"] for layer in outline(name, convolution="auto").values() if "kernel" in layer]
    assert any(kernel.ndim == 3 for kernel in kernels) == taken
    assert any(
        layer["kernel"].ndim == 3 for layer in outline(name, convolution="winograd").values() if "kernel" in layer
    )


def outline(name, *, convolution="direct"):
    """Parameters as shapes, folded."""
    known = architecture(name)
    made = partial(known.prepare, convolution=convolution, dtype="float32")
    return jax.eval_shape(lambda key: made(known.random(key)), jax.random.key(0))


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_no_program_of_a_gradient_has_a_slow_operation(name, checkpoint):
    """Neither images with holes, as in jax's own rule for strides, nor scatters of poolings."""
    known = architecture(name)
    net = known.tap(known.layers, **own_settings(name, checkpoint=checkpoint))
    loss = lambda params, x: sum((a**2).sum() for a in features(net, params, x).values())
    image = jax.ShapeDtypeStruct((107, 91, 3), jnp.float32)
    assert not slow_operations(jax.grad(loss, 1), outline(name), image)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "googlenet", "squeezenet", "resnet18", "resnet101"])
def test_activations_of_untrained_networks_neither_vanish_nor_explode(name):
    """Within a factor of eight of the input's, at every layer; the input is RGB in 0..255 minus 127.5."""
    known = architecture(name)
    net = known.tap(known.layers, **own_settings(name))
    params = known.random(jax.random.key(1))  # each shape is compiled once
    found = jax.jit(partial(features, net))(params, jnp.asarray(values.image()[:107, :91]))
    size = {layer: float(jnp.sqrt((a**2).mean())) for layer, a in found.items()}
    for layer, rms in size.items():
        assert size["input"] / 8 < rms < size["input"] * 8, (layer, size)


@pytest.mark.parametrize("name", NAMES)
def test_both_axes_have_one_geometry(name):
    """Windows are asked for without an axis: 1 x 7 and 7 x 1 come in pairs."""
    table, settings = network_of(name), own_settings(name)
    whole = Chain(tuple(block.part for block in table))
    axes = [sizes.path(whole, axis=axis, rounding=settings["rounding"]) for axis in (0, 1)]
    assert axes[0] == axes[1]
    for block in table:
        windows = architecture(name).windows(block.name, rounding=settings["rounding"])
        net = architecture(name).tap((block.name,), **settings)
        height, width, _ = architecture(name).shapes(net, height=139, width=123)[block.name]
        assert narrowest(jnp.ones((139, 123)), windows).shape == (height, width)
        assert interior(windows, height=139, width=123).shape == (height, width)


def means(name):
    """Parameters with which each convolution takes a mean: every pixel that is seen counts."""
    found = {"input": {"kernel": jnp.eye(3), "bias": jnp.zeros(3)}}
    for layer, shape in architecture(name).kernels.items():
        kernel = jnp.full(shape, 1 / np.prod(shape[:3]), jnp.float32)
        found[layer] = {"kernel": kernel, "bias": jnp.zeros(shape[-1])}
    return found


SEEN = [
    ("inception_v3", "maxpool2"),
    ("inception_v3", "mixed0"),
    ("inception_v3", "mixed4"),
    ("googlenet", "inception3b"),
]
SEEN += [("resnet18", "layer2_1"), ("resnet50_keras", "conv3_block1_out"), ("squeezenet", "fire4")]


@pytest.mark.parametrize(("name", "layer"), SEEN)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_position_sees_what_its_windows_say(name, layer, axis):
    """By the gradient. The image grows to one side, so that a maximum passes on the outermost of its pixels there."""
    known = architecture(name)
    windows = known.windows(layer, rounding="floor")
    (before, after), stride = reach(windows), total_stride(windows)
    assert known.margin(layer) == max(before, after)
    long, short = 2 * (before + after) + 8 * stride, before + after + 2 * stride
    height, width = (long, short) if axis == 0 else (short, long)
    net, params = (
        known.tap((layer,), **own_settings(name, rounding="floor" if name != "googlenet" else "ceil")),
        means(name),
    )
    place = base.shapes(net, params, height=height, width=width)[layer][axis] // 2

    @jax.jit
    def support(image):
        value = lambda image: jnp.take(features(net, params, image)[layer], place, axis).sum()
        return (jax.grad(value)(image) != 0).any(2).any(1 - axis)

    ramp = jnp.linspace(0.1, 1, long)
    for along in (ramp, ramp[::-1]):
        image = jnp.broadcast_to(along[:, None, None] if axis == 0 else along[None, :, None], (height, width, 3))
        seen = np.flatnonzero(support(image))
        if along is ramp:
            assert seen.max() == (place + 1) * stride - 1 + after
        else:
            assert seen.min() == place * stride - before


@pytest.mark.parametrize("name", ["resnet18", "googlenet"])
def test_a_picture_whose_borders_meet_may_be_rolled(name):
    known = architecture(name)
    layer = known.layers[9]
    stride = total_stride(known.windows(layer, rounding=known.rounding))
    net = known.tap((layer,), **own_settings(name, padding="circular"))
    params = known.random(jax.random.key(0))
    run = jax.jit(partial(features, net))
    image = jnp.asarray(values.image()[: 4 * stride, : 3 * stride])
    plain = run(params, image)[layer]
    moved = run(params, jnp.roll(image, (stride, 2 * stride), (0, 1)))[layer]
    np.testing.assert_allclose(moved, jnp.roll(plain, (1, 2), (0, 1)), atol=1e-4 * float(jnp.abs(plain).max()))
    assert plain.shape[:2] == (4, 3)


@pytest.mark.parametrize("name", ["inception_v3", "squeezenet", "googlenet"])
def test_borders_do_not_meet_where_layers_lose_positions(name):
    with pytest.raises(ValueError, match=f"padding=circular: {name} has padding=zero or reflect or replicate only"):
        architecture(name).tap(("input",), pool="max", rounding="floor", padding="circular")


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_a_network_lacks_are_refused(name):
    for key, value in (("pool", "avg"), ("rounding", "up"), ("padding", "replicate_once")):
        with pytest.raises(ValueError, match=f"{key}={value}: {name} has {key}="):
            architecture(name).tap(("input",), **own_settings(name, **{key: value}))


TILED = [
    ("inception_v3", ("Conv2d_2b_3x3", "maxpool1", "mixed0"), (150, 171), 32),
    ("inception_v3", ("conv2d", "conv2d_7", "conv2d_9"), (150, 171), 32),
    ("resnet18", ("conv1", "layer1_0", "layer2_0"), (141, 160), 32),
    ("googlenet", ("conv1", "inception3a"), (149, 133), 32),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "layers", "size", "side"), TILED)
def test_in_tiles_the_value_and_the_gradient_are_those_of_the_whole(name, layers, size, side):
    known = architecture(name)
    settings = own_settings(name)
    net, params = known.tap(layers, **settings), known.random(jax.random.key(0))
    terms = RELATIVE.terms((), layers)
    rounding = settings["rounding"]
    tiles = tiled.tiles_of(known, layers, side=side, rounding=rounding, padding="zero")
    assert lay(tiles, height=size[0], width=size[1]).many > 1
    image = jax.random.uniform(jax.random.key(2), (*size, 3))
    compare_tiles(net, params, terms, tiles, image)


def compare_tiles(net, params, terms, tiles, image):
    """The sum of the terms and its gradient, in tiles and at once."""
    aims = transfer.aims(net, terms, params, {"style": image[::-1] ** 2}, pixels=1)
    whole = lambda x: sum(term.values(terms, aims, base.activations(net, params, x), x).values())
    parts = lambda x: sum(tiled.values(net, terms, params, aims, x, tiles=tiles).values())
    (value, slope), (wanted, other) = (jax.jit(jax.value_and_grad(f))(image) for f in (parts, whole))
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    np.testing.assert_allclose(slope, other, atol=1e-5 * float(jnp.abs(other).max()))


@pytest.mark.parametrize("name", KERAS)
def test_a_keras_file_is_read_in_its_order(name, folder, tmp_path):
    """Whatever numbers its process had counted to; Keras 3's own files, too."""
    wanted = loaded(name, folder).params
    for path in (keras_file(tmp_path / "a", name, first=1), keras_3_file(tmp_path / "b", name)):
        found = weights.load("file", network=name, needed=(), path=str(path)).params
        assert list(found) == list(wanted)
        for layer, arrays in wanted.items():
            for role, array in arrays.items():
                np.testing.assert_array_equal(found[layer][role], array, err_msg=f"{layer} {role}")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inception_v3", "RGB, -1..1"),
        ("inception_v3_keras", "RGB, -1..1"),
        ("googlenet", "RGB, -1..1"),
        ("resnet18", "RGB, 0..1"),
        ("resnet50_keras", "BGR, 0..255"),
        ("squeezenet", "RGB, 0..1"),
    ],
)
def test_the_input_is_what_the_file_was_trained_on(name, words, folder):
    found = loaded(name, folder)
    assert words in found.source
    x = np.array([0.1, 0.5, 0.8], np.float32)
    seen = x @ found.params["input"]["kernel"] + found.params["input"]["bias"]
    expected = {
        "RGB, -1..1": 2 * x - 1,
        "RGB, 0..1": (x - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        "BGR, 0..255": 255 * x[::-1] - [103.939, 116.779, 123.68],
    }[words]
    np.testing.assert_allclose(seen, expected, rtol=1e-5, atol=1e-4)


def test_saved_weights_are_read_again(folder, tmp_path):
    found = loaded("resnet18", folder)
    weights.save(found, tmp_path / "a.safetensors")
    again = weights.load("file", network="resnet18", needed=(), path=str(tmp_path / "a.safetensors"))
    assert (again.source, again.sha256) == (found.source, found.sha256)
    for layer, arrays in found.params.items():
        assert list(again.params[layer]) == list(arrays)
        for role, array in arrays.items():
            np.testing.assert_array_equal(again.params[layer][role], array)


def broken(change):
    tensors = torch_tensors("resnet18")
    change(tensors)
    return tensors


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda t: t.pop("layer1.0.bn1.running_var"),
            r"layer1_0\.conv1 should have a kernel and a batch norm.*variance",
        ),
        (lambda t: t.update({"layer1.0.bn1.weight": np.ones(3, np.float32)}), r"conv1's scale is \(3,\), not \(64,\)"),
        (lambda t: t["bn1.running_var"].__setitem__(0, -1), "variances below 0"),
        (lambda t: t["bn1.bias"].__setitem__(0, np.nan), "not finite"),
        (
            lambda t: t.update({"layer1.0.conv3.weight": np.ones((4, 4, 1, 1), np.float32)}),
            r"it has no layer1\.0\.conv3",
        ),
    ],
)
def test_a_wrong_file_is_refused(change, words, tmp_path):
    with pytest.raises(UserError, match=words):
        weights.load("file", network="resnet18", needed=(), path=str(pth(tmp_path / "a", broken(change))))


def test_the_file_of_another_network_is_refused(tmp_path):
    path = str(pth(tmp_path / "a", torch_tensors("resnet34")))
    with pytest.raises(UserError, match="not weights of resnet18"):
        weights.load("file", network="resnet18", needed=(), path=path)


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_where_their_publishers_have_them(name):
    for publisher, files in architecture(name).sources.items():
        for file in files:
            algorithm, _, digits = file.digest.partition(":")
            assert len(digits.rstrip("*")) == ({"md5": 32, "sha256": 64}[algorithm] if "*" not in digits else 8)
            assert all(url.endswith(f"/{file.file}") for url in file.urls)
            if publisher == "torchvision":
                stem = file.file.removesuffix(".pth")
                assert stem.rpartition("-")[2] == digits.rstrip("*")[:8]


def test_layers_that_are_picked_lie_in_the_middle_of_equal_parts():
    letters = tuple("abcdefghij")
    assert pick_evenly(letters, count=10) == letters
    assert pick_evenly(letters, count=5) == tuple("bdfhj")
    assert pick_evenly(letters, count=1) == ("f",)
    assert pick_evenly(letters, count=3) == ("b", "f", "i")
    for count in (0, 11):
        with pytest.raises(ValueError, match=f"10 layers to pick from, .*got {count}"):
            pick_evenly(letters, count=count)


@pytest.mark.parametrize("name", MODULES)
def test_what_is_picked_and_what_suits_it_are_layers_of_the_network(name):
    known = architecture(name)
    assert set(known.choices) <= set(known.layers)
    assert "input" not in known.choices
    assert len(set(pick_evenly(known.choices, count=5))) == 5
    profile = PROFILES[known.profile]
    if known.profile != "gatys":
        assert {*profile.content, *profile.style} <= set(known.layers)


def robust_tensors(name, *, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)):
    """What the file of an adversarially trained network holds, as robustness writes it."""
    own = torch_tensors(name)
    column = lambda three: np.asarray(three, np.float32).reshape(3, 1, 1)
    fc = {"fc.weight": np.ones((4, 512), np.float32), "fc.bias": np.ones(4, np.float32)}
    normal = lambda at: {f"module.{at}.new_mean": column(mean), f"module.{at}.new_std": column(std)}
    found = normal("normalizer") | {f"module.model.{key}": array for key, array in (own | fc).items()}
    found |= normal("attacker.normalize") | {f"module.attacker.model.{key}": array for key, array in own.items()}
    return {f"model.{key}": array for key, array in found.items()}


def test_an_adversarially_trained_network_is_read_with_its_own_input(folder, tmp_path):
    """Its copy within the attack, the classifier and the optimiser's memory are left out."""
    tensors = robust_tensors("resnet18")
    memory = {f"optimizer.state.14{i}.momentum_buffer": a for i, a in enumerate(torch_tensors("resnet18").values())}
    found = weights.load("file", network="resnet18", needed=(), path=str(pth(tmp_path / "robust.pt", tensors | memory)))
    wanted = loaded("resnet18", folder)
    assert list(found.params) == list(wanted.params)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), dict(found.params), dict(wanted.params))
    with pytest.raises(UserError, match="torchvision"):
        weights.load("file", network="resnet18", needed=(), path=str(tmp_path / "robust.pt"), preprocessing="caffe")


def test_its_input_is_the_files_whatever_that_is(tmp_path):
    tensors = robust_tensors("resnet18", mean=(0.1, 0.2, 0.4), std=(0.5, 0.25, 0.2))
    found = weights.load("file", network="resnet18", needed=(), path=str(pth(tmp_path / "a.pt", tensors))).params
    np.testing.assert_allclose(found["input"]["kernel"], np.diag([2, 4, 5]), rtol=1e-6)
    np.testing.assert_allclose(found["input"]["bias"], [-0.2, -0.8, -2], rtol=1e-6)
    broken = robust_tensors("resnet18", std=(0.5, 0, 0.2))
    with pytest.raises(UserError, match="new_std"):
        weights.load("file", network="resnet18", needed=(), path=str(pth(tmp_path / "b.pt", broken)))
