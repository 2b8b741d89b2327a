"""The frozen convolution against the plain one, and its gradient against autodiff."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nst_jax.extractors.vgg import VGG19, kernels
from nst_jax.nn import winograd
from nst_jax.nn.conv import conv, cyclic_axes, trainable
from nst_jax.nn.winograd import spectrum

pytestmark = pytest.mark.optimised

RNG = np.random.default_rng(1)


# the rows that stand before and after the border; then the columns
ZERO, WRAP = None, (-1, 0)
BEYOND = {
    "zero": (ZERO, ZERO),
    "reflect": ((1, -2), (1, -2)),
    "replicate": ((0, -1), (0, -1)),
    "circular": (WRAP, WRAP),
    "circular_x": (ZERO, WRAP),
    "circular_y": (WRAP, ZERO),
}


def pad(x, padding):
    """One more row and column on each side, written out."""
    for axis, beyond in enumerate(BEYOND[padding], 1):
        ends = [jnp.take(x, np.array([i]), axis) * (beyond is not ZERO) for i in beyond or (0, 0)]
        x = jnp.concatenate([ends[0], x, ends[1]], axis)
    return x


def plain(x, kernel, bias, padding):
    x = pad(x, padding)
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias


def arrays(h, w, cin, cout, n=1):
    shapes = ((n, h, w, cin), (3, 3, cin, cout), (cout,))
    return [jnp.asarray(RNG.standard_normal(s), jnp.float32) for s in shapes]


@pytest.mark.parametrize("padding", BEYOND)
@pytest.mark.parametrize("shape", [(8, 8, 3, 5), (7, 9, 4, 2), (2, 3, 1, 1)])
def test_values_and_gradients(padding, shape):
    x, kernel, bias = arrays(*shape)
    cotangent = jnp.asarray(RNG.standard_normal((1, *shape[:2], shape[3])), jnp.float32)
    ours, back = jax.vjp(lambda x: conv(x, kernel, bias, padding=padding), x)
    theirs, wanted = jax.vjp(lambda x: plain(x, kernel, bias, padding), x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(back(cotangent)[0], wanted(cotangent)[0], rtol=1e-4, atol=1e-5)


def test_kernels_are_frozen():
    x, kernel, bias = arrays(5, 5, 2, 3)
    grads = jax.grad(lambda k, b: conv(x, k, b, padding="zero").sum(), (0, 1))(kernel, bias)
    assert all((g == 0).all() for g in grads)


def test_the_gradient_has_a_gradient():
    """Differentiating a result with respect to a weight goes through the gradient once more."""
    x, kernel, bias = arrays(4, 4, 2, 2)

    def slope(convolve):
        loss = lambda x: (convolve(x) ** 3).sum()
        return jax.grad(lambda x: (jax.grad(loss)(x) ** 2).sum())(x)

    ours = slope(lambda x: conv(x, kernel, bias, padding="zero"))
    np.testing.assert_allclose(ours, slope(lambda x: plain(x, kernel, bias, "zero")), rtol=1e-3, atol=1e-2)


def test_lanes_equal_single_images():
    x, kernel, bias = arrays(6, 5, 3, 4, n=3)
    lanes = jax.vmap(lambda image: conv(image[None], kernel, bias, padding="zero")[0])(x)
    np.testing.assert_allclose(lanes, conv(x, kernel, bias, padding="zero"), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", [lambda kernel: kernel, spectrum])
def test_lanes_may_have_kernels_of_their_own(form):
    x, _, bias = arrays(6, 5, 3, 4, n=2)
    several = jnp.stack([form(arrays(1, 1, 3, 4)[1]) for _ in range(2)])
    slope = lambda i, k: jax.grad(lambda i: (conv(i[None], k, bias, padding="zero") ** 2).sum())(i)
    for lanes, lane in ((jax.vmap(slope)(x, several), (0, 1)), (jax.vmap(slope, (None, 0))(x[0], several), (0, 0))):
        for i in range(2):
            np.testing.assert_allclose(lanes[i], slope(x[lane[i]], several[i]), rtol=1e-3, atol=1e-3)


def test_no_transposed_kernel_layout_in_the_program():
    """The reason for the module: XLA's slow layout 01oi must not come back through autodiff."""
    x, kernel, bias = arrays(8, 8, 4, 4)
    loss = lambda x: (conv(x, kernel, bias, padding="zero") ** 2).sum()
    text = jax.jit(jax.grad(loss)).lower(x).as_text()
    assert text.count("stablehlo.convolution") == 2
    assert "[0, 1, o, i]" not in text


@pytest.mark.parametrize("form", [lambda kernel: kernel, spectrum])
@pytest.mark.parametrize("padding", ["circular", "circular_x", "circular_y"])
def test_around_the_border_lanes_equal_single_images_in_both_forms(form, padding):
    x, kernel, bias = arrays(6, 5, 3, 4, n=2)
    slope = lambda k, convolve: lambda i: jax.grad(lambda i: (convolve(i[None], k, bias, padding) ** 2).sum())(i)
    ours = slope(form(kernel), lambda x, k, b, padding: conv(x, k, b, padding=padding))
    for lane, image in zip(jax.vmap(ours)(x), x, strict=True):
        np.testing.assert_allclose(lane, slope(kernel, plain)(image), rtol=1e-3, atol=1e-3)


def test_axes_that_meet_are_those_that_a_roll_does_not_change():
    x, kernel, bias = arrays(6, 5, 3, 4)
    for padding in BEYOND:
        y = conv(x, kernel, bias, padding=padding)
        for axis in (0, 1):
            moved = conv(jnp.roll(x, 2, axis + 1), kernel, bias, padding=padding)
            same = np.allclose(moved, jnp.roll(y, 2, axis + 1), atol=1e-4)
            assert same == (axis in cyclic_axes(padding)), (padding, axis)


def test_a_trainable_convolution_pads_alike():
    x, kernel, bias = arrays(5, 4, 2, 3)
    for padding in BEYOND:
        np.testing.assert_allclose(
            trainable(x, kernel, bias, padding=padding), plain(x, kernel, bias, padding), rtol=1e-4, atol=1e-5
        )


LAYERS = sorted(set(kernels(VGG19).values()))


@pytest.mark.parametrize("padding", ["zero", "reflect"])
@pytest.mark.parametrize("shape", LAYERS, ids=lambda s: f"{s[2]}-{s[3]}")
def test_winograd_equals_the_plain_form_for_every_layer_of_vgg(shape, padding):
    """At odd sizes, the gradient's too: 1e-4 of the largest value, 1e-3 of the largest gradient."""
    x, _, bias = arrays(11, 7, *shape[2:])
    kernel = jnp.asarray(RNG.standard_normal(shape) * np.sqrt(2 / (9 * shape[2])), jnp.float32)
    cotangent = jnp.asarray(RNG.standard_normal((1, 11, 7, shape[3])), jnp.float32)
    ours, back = jax.vjp(lambda x: conv(x, spectrum(kernel), bias, padding=padding), x)
    theirs, wanted = jax.vjp(lambda x: plain(x, kernel, bias, padding), x)
    assert jnp.abs(ours - theirs).max() < 1e-4 * jnp.abs(theirs).max()
    assert jnp.abs(back(cotangent)[0] - wanted(cotangent)[0]).max() < 1e-3 * jnp.abs(wanted(cotangent)[0]).max()


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (4, 4), (5, 13), (16, 9)])
def test_winograd_in_bands_in_lanes_and_in_loops(size, monkeypatch):
    monkeypatch.setattr(winograd, "BAND", 1)
    monkeypatch.setattr(winograd, "REUSE", 0.1)
    x, kernel, bias = arrays(*size, cin=3, cout=4, n=2)
    ready = spectrum(kernel)

    def slope(image):
        return jax.grad(lambda i: (conv(i[None], ready, bias, padding="zero") ** 2).sum())(image)

    def plainly(image):
        return jax.grad(lambda i: (plain(i[None], kernel, bias, "zero") ** 2).sum())(image)

    lanes = jax.jit(jax.vmap(lambda i: jax.lax.fori_loop(0, 2, lambda _, y: 0.01 * slope(y), i)))(x)
    for lane, image in zip(lanes, x, strict=True):
        wanted = 0.01 * plainly(0.01 * plainly(image))
        np.testing.assert_allclose(lane, wanted, atol=1e-4 * float(jnp.abs(wanted).max()))


def test_winograd_has_a_gradient_of_its_gradient():
    x, kernel, bias = arrays(6, 7, 2, 3)

    def slope(convolve, kernel):
        loss = lambda x: (convolve(x, kernel, bias, padding="zero") ** 2).sum()
        return jax.grad(lambda x: (jax.grad(loss)(x) ** 2).sum())(x)

    ours, wanted = slope(conv, spectrum(kernel)), slope(conv, kernel)
    np.testing.assert_allclose(ours, wanted, atol=1e-4 * float(jnp.abs(wanted).max()))


def test_precision_is_exact_unless_jax_is_told_otherwise():
    x, kernel, bias = arrays(4, 4, 2, 2)
    for k in (kernel, spectrum(kernel)):
        lowered = lambda k=k: jax.jit(lambda x: conv(x, k, bias, padding="zero")).lower(x).as_text()
        assert "HIGHEST" in lowered()
        with jax.default_matmul_precision("tensorfloat32"):
            assert "HIGHEST" not in lowered()
