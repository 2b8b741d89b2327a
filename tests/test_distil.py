"""Distillation: what is fitted, what is measured, and the units of what is kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nst_jax.extractors import architecture, distilled
from nst_jax.extractors.base import features
from nst_jax.methods.distillation import pruning, result, student, training
from nst_jax.nn.conv import trainable


@pytest.fixture(scope="module")
def params():
    """Drawn values for all that is learnt."""
    keys = iter(jax.random.split(jax.random.key(0), 100))
    return jax.tree.map(lambda a: jax.random.normal(next(keys), a.shape) / max(1, a.size) ** 0.4, student.blank())


@pytest.fixture(scope="module")
def images():
    return jax.random.uniform(jax.random.key(1), (2, 32, 24, 3))


@pytest.fixture(scope="module")
def entry():
    return {"kernel": 255.0 * jnp.eye(3)[::-1], "bias": -jnp.array([103.939, 116.779, 123.68])}


@pytest.mark.parametrize("padding", ["zero", "reflect"])
def test_trainable_convolution_has_the_gradients_of_lax(padding):
    keys = jax.random.split(jax.random.key(2), 4)
    x, kernel = jax.random.normal(keys[0], (2, 7, 6, 4)), jax.random.normal(keys[1], (3, 3, 4, 5))
    bias, aim = jax.random.normal(keys[2], (5,)), jax.random.normal(keys[3], (2, 7, 6, 5))

    def by_lax(x, kernel, bias):
        mode = {"zero": "constant", "reflect": "reflect"}[padding]
        padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=mode)
        numbers = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(padded, kernel, (1, 1), "VALID", dimension_numbers=numbers) + bias

    def loss(convolve):
        return lambda *given: jnp.sum((convolve(*given) - aim) ** 2)

    found = jax.grad(loss(lambda *given: trainable(*given, padding=padding)), argnums=(0, 1, 2))(x, kernel, bias)
    expected = jax.grad(loss(by_lax), argnums=(0, 1, 2))(x, kernel, bias)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-3)


def test_fit_finds_a_linear_map():
    keys = jax.random.split(jax.random.key(3), 3)
    x, kernel = jax.random.normal(keys[0], (2, 9, 8, 5)) + 1, jax.random.normal(keys[1], (5, 7))
    bias = jax.random.normal(keys[2], (7,))
    halves = [pruning.correlate(half, half @ kernel + bias) for half in (x[:1], x[1:])]
    found = pruning.solve(pruning.add_up(halves))
    np.testing.assert_allclose(found["kernel"], kernel, atol=1e-3)
    np.testing.assert_allclose(found["bias"], bias, atol=1e-3)


def test_chosen_channels_give_the_others():
    """Of ten channels, four of which are free and six are mixtures of them, any four chosen give all."""
    keys = jax.random.split(jax.random.key(4), 3)
    free = jax.random.normal(keys[0], (1, 20, 20, 4))
    mixed = jnp.concatenate([free @ jax.random.normal(keys[1], (4, 6)), free], -1)
    x = mixed[..., jax.random.permutation(keys[2], 10)]
    chosen = pruning.choose(pruning.correlate(x, x[..., :1]), count=4)
    assert sorted(set(np.asarray(chosen).tolist())) == np.asarray(chosen).tolist()
    found = pruning.solve(pruning.correlate(x[..., chosen], x))
    np.testing.assert_allclose(x[..., chosen] @ found["kernel"] + found["bias"], x, atol=2e-2)


def test_patches_are_what_a_convolution_sees():
    x = jax.random.normal(jax.random.key(5), (2, 6, 5, 3))
    kernel = jax.random.normal(jax.random.key(6), (3, 3, 3, 4))
    expected = trainable(x, kernel, jnp.zeros(4), padding="zero")
    np.testing.assert_allclose(pruning.patches(x) @ kernel.reshape(-1, 4), expected, atol=1e-4)


def test_gram_of_the_lifted_activation(params):
    activation = jax.random.normal(jax.random.key(7), (2, 5, 4, distilled.WIDTHS["conv2_1"]))
    expected = student.grams(student.raise_up(params, "relu2_1", activation))
    found = student.lifted_grams(params, "relu2_1", activation)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_errors_of_a_perfect_student_are_none(params, images, entry):
    seen = student.see(params, images, entry, taps=student.RELUS, learn=False)
    wanted = {name: student.raise_up(params, name, seen[name]) for name in student.RELUS}
    found = training.errors(params, images, wanted, entry)
    assert max(float(e.max()) for e in found.embedding.values()) <= 1e-9
    assert max(float(e.max()) for e in found.gram.values()) <= 2e-4  # the root of 1e-8
    twice = training.errors(params, images, {k: 2 * v for k, v in wanted.items()}, entry)
    largest = {k: v for k, v in twice.embedding.items() if float(jnp.mean(wanted[k] ** 2)) > 1}
    for error in largest.values():
        np.testing.assert_allclose(error, 0.25, rtol=0.03)


def test_finished_network_is_in_the_teachers_units(params, images, entry):
    arch = architecture("vgg16")
    taps = student.RELUS
    drawn = {**jax.jit(arch.random)(jax.random.key(8)), "input": entry}
    network = arch.tap(taps, pool="max", rounding="floor", padding="zero")
    sizes = {name: jnp.float32(2.0 + i) for i, name in enumerate(taps)}
    done = result.finish(params, student.Teacher(network, drawn, sizes), [images])
    assert {*done} == {*distilled.KERNELS, "input"}
    own = distilled.Distilled((*taps, "conv1_1"), "max", "floor", "zero")
    found = jax.jit(lambda p, x: features(own, p, x))(done, images[0])
    seen = student.see(params, images, entry, taps=taps, learn=False)
    for name in taps:
        expected = student.raise_up(params, name, seen[name])[0] * sizes[name]
        assert np.abs(found[name] - expected).max() <= 1e-4 * np.abs(expected).max(), name
    # the lift before the ReLU is fitted to the teacher: a linear map of the same three colours explains most of it
    wanted = features(network.clone(taps=("conv1_1",)), drawn, images[0])["conv1_1"]
    told = result.compare(found["conv1_1"], wanted)
    assert told.error < 0.7 * told.variance
    perfect = result.compare(wanted, wanted)
    assert (float(perfect.error), round(float(perfect.cosine), 5), float(perfect.distance)) == (0.0, 1.0, 0.0)


def test_transfers_go_on_and_begin_anew(params, images, entry):
    fresh = training.Fresh(images, images, images, images[::-1], jnp.ones(2))
    settings = training.Settings(0.3, 1e-3, 1, 10, 0.9, 2)
    first = training.begin(params, settings, fresh).transfers
    assert (first.age == 0).all()
    step = jax.jit(training.go_on, static_argnames="turns")
    second = step(params, first._replace(image=images + 1, age=first.age + training.LIFE), fresh, entry, turns=2)
    assert (second.age == 2).all()
    assert np.abs(second.image - images).max() <= 2 * training.RATE * 1.01  # not where the last one was
    third = step(params, second, fresh._replace(start=images + 1), entry, turns=2)
    assert (third.age == 4).all()
    aims = student.see(params, images, entry, taps=(*training.STYLE, training.CONTENT), learn=False)
    content = student.raise_up(params, training.CONTENT, aims[training.CONTENT])
    grams = {name: student.lifted_grams(params, name, aims[name][::-1]) for name in training.STYLE}
    losses = [training.transfer_loss(params, s.image, (content, grams), entry, first.balance) for s in (second, third)]
    assert losses[1] < losses[0]
