"""The frozen convolution against the plain one, and its gradient against autodiff."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nst_jax.conv import MODES, conv

RNG = np.random.default_rng(1)


def plain(x, kernel, bias, padding):
    mode = {"zero": {"mode": "constant"}}.get(padding) or {"mode": MODES[padding]}
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), **mode)
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias


def arrays(h, w, cin, cout, n=1):
    shapes = ((n, h, w, cin), (3, 3, cin, cout), (cout,))
    return [jnp.asarray(RNG.standard_normal(s), jnp.float32) for s in shapes]


@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
@pytest.mark.parametrize("shape", [(8, 8, 3, 5), (7, 9, 4, 2), (2, 3, 1, 1)])
def test_values_and_gradients(padding, shape):
    x, kernel, bias = arrays(*shape)
    pull = jnp.asarray(RNG.standard_normal((1, *shape[:2], shape[3])), jnp.float32)
    ours, back = jax.vjp(lambda x: conv(x, kernel, bias, padding=padding), x)
    theirs, wanted = jax.vjp(lambda x: plain(x, kernel, bias, padding), x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(back(pull)[0], wanted(pull)[0], rtol=1e-4, atol=1e-5)


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


def test_no_transposed_kernel_layout_in_the_program():
    """The reason for the module: XLA's slow layout 01oi must not come back through autodiff."""
    x, kernel, bias = arrays(8, 8, 4, 4)
    loss = lambda x: (conv(x, kernel, bias, padding="zero") ** 2).sum()
    text = jax.jit(jax.grad(loss)).lower(x).as_text()
    assert text.count("stablehlo.convolution") == 2
    assert "[0, 1, o, i]" not in text
