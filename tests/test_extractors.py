"""What the table of networks says of each one, against the network itself."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.extractors import MODULES, architecture, base, texnet, vgg
from nst_jax.extractors.base import Extractor, features

BLOCKS = {"vgg19": vgg.VGG19, "vgg16": vgg.VGG16, "texnet": texnet.BLOCKS}
OWN = {"pool": "max", "rounding": "floor", "padding": "zero"}


def thin(name):
    """The network with two channels in place of each width: what is seen of the image is the same."""
    if name in BLOCKS:
        return vgg.describe(name, tuple((2, depth) for _, depth in BLOCKS[name]))
    return architecture(name)


def outlined(kernels):
    """Parameters as shapes."""
    shapes = {"input": {"kernel": (3, 3), "bias": (3,)}}
    shapes |= {name: {"kernel": shape, "bias": shape[-1:]} for name, shape in kernels.items()}
    return {name: {k: jax.ShapeDtypeStruct(s, jnp.float32) for k, s in layer.items()} for name, layer in shapes.items()}


def means(kernels):
    """Parameters with which each convolution takes a mean: every pixel that is seen counts, and no sum overflows."""
    params = {"input": {"kernel": jnp.eye(3), "bias": jnp.zeros(3)}}
    for name, shape in kernels.items():
        kernel = jnp.full(shape, 1 / np.prod(shape[:3]), jnp.float32)
        params[name] = {"kernel": kernel, "bias": jnp.zeros(shape[-1])}
    return params


SETTINGS = [(name, "floor") for name in MODULES] + [(name, "ceil") for name in (*BLOCKS, "squeezenet", "googlenet")]


@pytest.mark.parametrize("size", [(65, 47), (32, 100)])
@pytest.mark.parametrize(("name", "rounding"), SETTINGS)
def test_shapes_are_those_of_the_activations(name, rounding, size):
    known = architecture(name)
    network = known.tap(known.layers, **{**OWN, "rounding": rounding})
    seen = base.shapes(network, outlined(known.kernels), height=size[0], width=size[1])
    assert known.shapes(network, height=size[0], width=size[1]) == seen
    assert tuple(seen) == known.layers


@pytest.mark.parametrize("name", MODULES)
def test_a_network_needs_the_convolutions_named_and_no_fewer(name):
    known = architecture(name)
    for layer in known.layers[:: max(1, len(known.layers) // 6)]:
        network = known.tap((layer,), **OWN)
        used = {k: v for k, v in outlined(known.kernels).items() if k in ("input", *known.needs((layer,)))}
        assert base.shapes(network, used, height=40, width=40) == known.shapes(network, height=40, width=40)
        for missing in list(used)[-1:] if len(used) > 1 else ():
            fewer = {k: v for k, v in used.items() if k != missing}
            with pytest.raises(Exception, match=missing):
                base.shapes(network, fewer, height=40, width=40)


@pytest.mark.parametrize("name", MODULES)
def test_untrained_parameters_have_the_shapes_of_the_table(name):
    known = architecture(name)
    drawn = jax.eval_shape(known.random, jax.random.key(0))
    assert {k: a["kernel"].shape for k, a in drawn.items() if k != "input"} == dict(known.kernels)
    assert sorted(c for stage in known.stages for c in stage) == sorted(known.kernels)
    assert set(known.aliases.values()) == set(known.kernels)


SEEN = [("vgg19", "relu5_4"), ("vgg19", "pool3"), ("vgg16", "pool5"), ("texnet", "relu4_2"), ("texnet", "conv1_1")]
SEEN += [("squeezenet", layer) for layer in ("conv1", "fire3", "fire9")]


@pytest.mark.parametrize(("name", "layer"), SEEN)
def test_a_position_sees_its_cell_and_the_margin_and_no_more(name, layer):
    """By the gradient. The image grows to one side, so that a maximum passes on the outermost of its pixels there."""
    margin, known = architecture(name).margin(layer), thin(name)
    params, network = means(known.kernels), known.tap((layer,), **OWN)
    rows, wide = 4 * margin + 64, 64
    activation = base.shapes(network, params, height=rows, width=wide)[layer]
    place, cell = (
        activation[0] // 2,
        round(wide / activation[1])
        if name != "squeezenet"
        else 2 ** (1 + sum(f in known.layers[: known.layers.index(layer)] for f in ("conv1", "fire3", "fire5"))),
    )

    @jax.jit
    def support(image):
        value = lambda image: features(network, params, image)[layer][place].sum()
        return (jax.grad(value)(image) != 0).any((1, 2))

    ramp = jnp.broadcast_to(jnp.linspace(0.1, 1, rows)[:, None, None], (rows, wide, 3))
    down, up = (np.flatnonzero(support(image)) for image in (ramp, ramp[::-1]))
    assert down.max() == (place + 1) * cell - 1 + margin
    if name == "squeezenet":  # its windows of three begin at the cell: it sees less far upwards
        assert up.min() >= place * cell - margin
    else:
        assert up.min() == place * cell - margin


@pytest.mark.parametrize("name", MODULES)
def test_a_network_by_name_is_an_extractor_and_a_value(name):
    known = architecture(name)
    first, second = (known.tap({known.layers[3], known.layers[1]}, **OWN) for _ in range(2))
    assert isinstance(first, Extractor)
    assert first == second
    assert hash(first) == hash(second)
    assert first.taps == (known.layers[1], known.layers[3])
    assert first.clone(taps=("input",)).taps == ("input",)
    with pytest.raises(ValueError, match=f"{name} has no layer relu9_9"):
        known.tap(("relu9_9",), **OWN)


@pytest.mark.parametrize(
    ("key", "other", "own"),
    [("pool", "avg", "max"), ("pool", "l2", "max"), ("padding", "circular", "zero or reflect or replicate")],
)
def test_a_setting_that_squeezenet_lacks_is_refused(key, other, own):
    with pytest.raises(ValueError, match=f"{key}={other}: squeezenet has {key}={own} only"):
        architecture("squeezenet").tap(("conv1",), **{**OWN, key: other})


def scale(params, image, taps):
    """A network that is a plain function."""
    return {tap: image * params[tap] for tap in taps}


def test_a_function_is_an_extractor():
    network = base.Function(scale, ("a", "b"))
    assert isinstance(network, Extractor)
    assert network == base.Function(scale, ("a", "b"))
    seen = jax.jit(partial(features, network))({"a": 2.0, "b": 3.0}, jnp.ones((2, 2, 3)))
    assert list(seen) == ["a", "b"]
    assert (features(network.clone(taps=("b",)), {"b": 3.0}, jnp.ones((2, 2, 3)))["b"] == 3).all()
