"""The training of feed-forward networks: what a step computes, what it keeps, and when it keeps what was."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import serialization

from nst_jax.extractors import vgg
from nst_jax.losses.term import IMAGE, Term, itself
from nst_jax.methods import transfer
from nst_jax.methods.feedforward import models, training
from nst_jax.methods.feedforward.adain import FORMS, adain
from nst_jax.methods.feedforward.decoders import Decoder, encode
from nst_jax.methods.feedforward.johnson import Transform
from nst_jax.methods.feedforward.painters import Adain, Decoding, Transformer
from nst_jax.methods.feedforward.records import RECORDS, Layer, mirror, with_widths
from nst_jax.methods.feedforward.training import Batch, Code, Goal, Schedule, Settings
from nst_jax.optim.solvers import SOLVERS
from nst_jax.published import CONVENTIONS

SMALL = vgg.describe("small", ((8, 1), (12, 1), (16, 1), (16, 1), (16, 1)))
WIDTHS = ((8,), (12,), (16,), (16,), (16,))
CONSTANT = Schedule("constant", 2e-3, 0.0, 0, 1)
TINY = with_widths(RECORDS["johnson_instance"], factor=0.125)


def bytes_of(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(seed, count, side):
    """Pictures with edges and flat parts, as bytes."""
    cells = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return cells.repeat(side // 4, 1).repeat(side // 4, 2)


def make(
    painter, *, convention="lengstrom", content=("relu2_1",), style=("relu1_1", "relu2_1"), styles=1, side=32, **how
):
    """The settings and the goal of a training with a small untrained network that sees."""
    own = CONVENTIONS[convention]
    terms = own.terms(content, style)
    network = SMALL.tap({t.tap for t in terms} - {IMAGE}, pool="max", rounding="floor", padding="zero")
    params = SMALL.ready(SMALL.random(jax.random.key(0)), convolution="direct", dtype="float32")
    settings = Settings(
        painter, network, terms, how.get("schedule", CONSTANT), how.get("clip", 0.0), 0.999, how.get("learns", "all")
    )
    weights = {t.name: jnp.float32({"content": 1e-2, "style": 1.0, "tv": 1e-3}[t.name.split("/")[0]]) for t in terms}
    goal = Goal(params, {}, weights, transfer.aims_key(seed=0))
    paintings = [jnp.asarray(bytes_of(7 + i, 40, 36, 3) / 255, jnp.float32) for i in range(styles)]
    aims = [training.style_aims(settings, goal, painting, side=side) for painting in paintings]
    return settings, goal._replace(aims=jax.tree.map(lambda *each: jnp.stack(each), *aims) if aims else {})


def batch_of(number, *, side=32, labels=(0, 0), styles=False):
    count = len(labels)
    paintings = jnp.asarray(smooth((number, 1), count, side)) if styles else None
    return Batch(jnp.asarray(smooth((number, 0), count, side)), jnp.asarray(labels, jnp.int32), paintings)


def johnson(record=TINY, *, styles=0):
    return Transformer(Transform(record), styles)


def run(settings, goal, state, numbers, **how):
    """The last state, and what each step told."""
    told = []
    for number in numbers:
        state, metrics = training.step(settings, state, batch_of(number, **how), goal)
        told.append(jax.device_get(metrics))
    return state, told


def begin(settings, goal, **how):
    return training.begin(jax.random.key(3), settings, batch_of(0, **how), goal)


def equal(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


FAST = TINY._replace(
    layers=(
        Layer("conv", 8, 3, stride=2),
        Layer("conv", 8, 3, stride=2),
        Layer("residual", 8, 3, rectify=False),
        Layer("nearest", 8, 3),
        Layer("nearest", 8, 3),
        Layer("conv", 3, 3, norm=False, rectify=False),
    ),
    start=8,
)


@pytest.mark.slow
@pytest.mark.optimised
def test_the_loss_falls_and_a_resumed_training_equals_a_straight_one():
    settings, goal = make(johnson(FAST), side=128)
    state, half = run(settings, goal, begin(settings, goal, side=128), range(250), side=128)
    kept = serialization.to_bytes(jax.device_get(state))
    state, rest = run(settings, goal, state, range(250, 300), side=128)
    losses = [float(m.total) for m in (*half, *rest)]
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:20])
    assert all(m.finite for m in (*half, *rest))
    restored = serialization.from_bytes(begin(settings, goal, side=128), kept)
    again, _ = run(settings, goal, jax.tree.map(jnp.asarray, restored), range(250, 300), side=128)
    assert int(again.step) == 300
    equal(state, again)


def test_the_mean_of_the_parameters():
    settings, goal = make(johnson())
    state = begin(settings, goal)
    mean = jax.device_get(state.ema)
    for t in range(4):
        state, _ = run(settings, goal, state, [t])
        decay = min(0.999, (1 + t) / (10 + t))
        mean = jax.tree.map(lambda m, p, d=decay: d * m + (1 - d) * np.asarray(p), mean, state.variables)
    for found, expected in zip(jax.tree.leaves(state.ema), jax.tree.leaves(mean), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule("constant", 0.1, 0.0, 0, 0), [0.1] * 5),
        (Schedule("inverse", 0.1, 0.5, 0, 0), [0.1, 0.1 / 1.5, 0.1 / 2, 0.1 / 2.5, 0.1 / 3]),
        (Schedule("steps", 0.1, 0.8, 2, 0), [0.1, 0.1, 0.08, 0.08, 0.064]),
        (Schedule("constant", 0.1, 0.0, 0, 4), [0.025, 0.05, 0.075, 0.1, 0.1]),
    ],
)
def test_learning_rates(schedule, expected):
    np.testing.assert_allclose([schedule(t) for t in range(5)], expected, rtol=1e-6)


def test_a_step_that_is_not_finite_changes_nothing_and_names_the_term():
    settings, goal = make(johnson())
    state, _ = run(settings, goal, begin(settings, goal), range(2))
    before = jax.device_get(state)
    poison = jax.tree.map(lambda a: a * jnp.nan, goal.aims["style/relu1_1"])
    state, told = run(settings, goal._replace(aims={**goal.aims, "style/relu1_1": poison}), state, [2])
    assert training.wrong_terms(told[0]) == ("style/relu1_1",)
    assert not told[0].finite
    equal(before._replace(step=np.int32(3)), state)
    state, told = run(settings, goal, state, [3])
    assert training.wrong_terms(told[0]) == ()
    assert told[0].finite
    assert any((np.asarray(a) != b).any() for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(before), strict=True))


def root_of_nothing(image, aim):
    """0 everywhere, with a gradient that is not finite."""
    return jnp.sqrt(0.0 * jnp.sum(image))


def test_a_gradient_that_is_not_finite_is_named():
    settings, goal = make(johnson())
    settings = settings._replace(terms=(*settings.terms, Term("odd", IMAGE, itself, root_of_nothing)))
    goal = goal._replace(weights={**goal.weights, "odd": jnp.float32(1)})
    state = begin(settings, goal)
    before = jax.device_get(state)
    state, told = run(settings, goal, state, [0])
    assert training.wrong_terms(told[0]) == ("the gradient",)
    equal(before._replace(step=np.int32(1)), state)


def test_the_gradient_is_limited():
    norms = []
    for clip in (0.0, 0.01):
        settings, goal = make(johnson(), clip=clip)
        state, told = run(settings, goal, begin(settings, goal), [0])
        first = jax.tree.leaves(state.opt_state, is_leaf=lambda s: hasattr(s, "mu"))
        mu = next(s.mu for s in first if hasattr(s, "mu"))  # a tenth of the gradient
        norms.append(10 * float(jnp.sqrt(sum(jnp.sum(a**2) for a in jax.tree.leaves(mu)))))
        assert float(told[0].slope) > 1
    assert norms[0] == pytest.approx(float(told[0].slope), rel=1e-3)
    assert norms[1] == pytest.approx(0.01, rel=1e-3)


class Unchanged(NamedTuple):
    """A painter that gives the pictures back, times its one parameter."""

    code: Any = None

    def init(self, key, images, codes, labels):
        return {"params": {"scale": jnp.ones(())}}

    def paint(self, variables, images, codes, labels, *, training):
        return variables["params"]["scale"] * images, {}


@pytest.mark.parametrize("convention", ["lengstrom", "gatys_released", "adain", "sliced_wasserstein", "mrf"])
def test_values_are_those_of_an_optimisation(convention):
    """Of each picture, with the same network, aims and terms."""
    settings, goal = make(Unchanged(), convention=convention)
    batch = batch_of(5)
    images = training.as_floats(batch.images)
    aims = training.look(settings, batch, goal)[1]
    found = training.measure(settings, goal, images[::-1], aims)  # of each picture, against the other one
    spec = transfer.Spec(settings.network, settings.terms, SOLVERS["adam"], ())
    style = jnp.asarray(bytes_of(7, 40, 36, 3) / 255, jnp.float32)
    for i in range(2):
        pictures = {"content": images[i], "style": style}
        how: dict[str, Any] = {"pixels": 32 * 32, "shape": (32, 32)}
        own = transfer.aims(settings.network, settings.terms, goal.params, pictures, **how, key=goal.key)
        own |= {name: jax.tree.map(lambda a: a[0], aim) for name, aim in goal.aims.items()}
        problem = transfer.Problem(goal.params, own, goal.weights, {})
        expected = transfer.values(spec, problem, images[1 - i])
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert float(value) > 0, name
            np.testing.assert_allclose(found[name][i], value, rtol=2e-4, err_msg=name)


def test_each_picture_of_a_batch_has_its_own_style():
    record = with_widths(RECORDS["dumoulin"], factor=0.125)._replace(styles=3)
    settings, goal = make(johnson(record, styles=3), styles=3)
    labels = (0, 2)
    images = training.as_floats(batch_of(1).images)
    aims = training.look(settings, batch_of(1, labels=labels), goal)[1]
    values = training.measure(settings, goal, images, aims)
    for i, label in enumerate(labels):
        alone = training.look(settings, batch_of(1, labels=(label, label)), goal)[1]
        expected = training.measure(settings, goal, images, alone)
        for name, value in expected.items():
            np.testing.assert_allclose(values[name][i], value[i], rtol=1e-5)
    first = begin(settings, goal, labels=labels)
    before = jax.device_get(first.variables["params"])
    state, _ = run(settings, goal, first, range(2), labels=labels)
    for name, layer in state.variables["params"].items():
        for role in {"scale", "offset"} & layer.keys():
            changed = (np.asarray(layer[role]) != before[name][role]).any(1)
            np.testing.assert_array_equal(changed, [True, False, True], err_msg=f"{name} {role}")


def test_other_styles_of_a_trained_network():
    """Its normalisations learn, for another number of styles, and all else stays to the bit."""
    records = [with_widths(RECORDS["dumoulin"], factor=0.125)._replace(styles=n) for n in (3, 2)]
    settings, goal = make(johnson(records[0], styles=3), styles=3)
    known = jax.device_get(run(settings, goal, begin(settings, goal), range(2))[0].ema)
    settings, goal = make(johnson(records[1], styles=2), styles=2, learns="norms")
    first = training.restart(begin(settings, goal), known)
    state, told = run(settings, goal, first, range(4), labels=(0, 1))
    for kept in (state.variables, state.ema):
        for name, layer in kept["params"].items():
            np.testing.assert_array_equal(layer["kernel"], known["params"][name]["kernel"])
            assert (np.asarray(layer["scale"]) != 1).any(1).tolist() == [True, True]
    assert told[-1].finite
    with pytest.raises(ValueError, match="kernel is"):
        training.restart(begin(*make(johnson(with_widths(RECORDS["dumoulin"], factor=0.25), styles=1))), known)
    with pytest.raises(ValueError, match="only one of the two has"):
        training.restart(begin(*make(johnson())), known)


def test_a_batch_normalisation_keeps_its_running_average():
    settings, goal = make(johnson(with_widths(RECORDS["johnson"], factor=0.125)))
    first = begin(settings, goal)
    before = jax.device_get(first)
    assert before.variables.keys() == {"params", "batch_stats"}
    state, _ = run(settings, goal, first, range(2))
    for kept in (state.variables, state.ema):
        old, new = jax.tree.leaves(before.variables["batch_stats"]), jax.tree.leaves(kept["batch_stats"])
        assert all((np.asarray(a) != b).any() for a, b in zip(old, new, strict=True))
    painted, values = training.paint(settings, state.ema, batch_of(1), goal)
    assert painted.shape == (2, 32, 32, 3)
    assert float(painted.min()) >= 0
    assert float(painted.max()) <= 1
    assert values["content/relu2_1"].shape == (2,)


def test_adain_aims_at_its_own_output():
    code = Code("relu3_1", Adain(FORMS["adain_style"]))
    painter = Decoding(Decoder(mirror(WIDTHS, level="relu3_1")), code)
    settings, goal = make(painter, convention="adain", content=("relu3_1",), style=("relu1_1", "relu3_1"), styles=0)
    batch = batch_of(2, styles=True)
    codes, aims = training.look(settings, batch, goal)
    assert codes is not None
    assert batch.styles is not None
    seen = [
        encode(settings.network, goal.params, training.as_floats(x), taps=("relu1_1", "relu3_1"))
        for x in (batch.images, batch.styles)
    ]
    expected = adain(seen[0]["relu3_1"], seen[1]["relu3_1"], alpha=1.0, form=FORMS["adain_style"])
    np.testing.assert_allclose(codes, expected, atol=1e-4)
    np.testing.assert_array_equal(aims["content/relu3_1"].local, codes)
    mean = aims["style/relu1_1"].whole.first / aims["style/relu1_1"].whole.mass[:, None]
    np.testing.assert_allclose(mean, seen[1]["relu1_1"].mean((1, 2)), rtol=1e-4)
    state, told = run(settings, goal, begin(settings, goal, styles=True), [2] * 30, styles=True)
    assert told[-1].total < told[0].total
    assert state.variables.keys() == {"params"}


def test_a_reconstruction_learns_the_picture_and_its_activation():
    painter = Decoding(Decoder(mirror(WIDTHS, level="relu2_1")), Code("relu2_1"))
    settings, goal = make(painter, content=(IMAGE, "relu2_1"), style=(), styles=0)
    codes, aims = training.look(settings, batch_of(2), goal)
    np.testing.assert_array_equal(aims["content/image"].local, training.as_floats(batch_of(2).images))
    np.testing.assert_array_equal(aims["content/relu2_1"].local, codes)
    _, told = run(settings, goal, begin(settings, goal), [2] * 30)
    assert told[-1].values["content/image"] < told[0].values["content/image"]


def test_the_aims_have_no_gradient():
    settings, goal = make(Unchanged())

    def total(scale):
        scaled = goal._replace(params=jax.tree.map(lambda a: scale * a, goal.params))
        return jnp.sum(training.look(settings, batch_of(1), scaled)[1]["content/relu2_1"].local)

    assert float(total(2.0)) != float(total(1.0))
    assert float(jax.grad(total)(1.0)) == 0


@pytest.mark.parametrize("record", [TINY, mirror(WIDTHS, level="relu3_1")._replace(divisor=2.5)])
def test_a_network_as_plain_values(record):
    assert models.record_of(models.plain(record)) == record
    network = models.module(record)
    given = jnp.ones((1, 8, 8, 16)) if isinstance(network, Decoder) else jnp.ones((1, 32, 32, 3))
    init = network.init if isinstance(network, Decoder) else partial(network.init, training=False)
    variables = init(jax.random.key(0), given)
    flat = models.flatten(variables)
    assert all(name.startswith("params/") for name in flat)
    equal(models.nest(flat), dict(variables))
    with pytest.raises((TypeError, KeyError)):
        models.record_of({**models.plain(record), "more": 1})
