"""Convolutions with gradients for the image and for the kernel, where XLA's own rule for the kernel is slow on a CPU.

XLA's gradient of a kernel is a convolution of the image with the gradient as its kernel, in which the channels out are
those of the result. Few of them are slow: 9 x 9 from 32 channels to 3, 128 pixels, a batch of 2: 118 ms, and 64 with
the parts exchanged, as here; 3 x 3 from 64 to 3, 40 and 8 (two cores, the least of 12).
"""

from functools import partial
from typing import Any

import jax
from jaxtyping import Array, Float

from nst_jax.nn.general import Form, direct

Batch = Float[Array, "n _ _ _"]
Kernel = Float[Array, "_ _ _ _"]  # height, width, in, out


def learnable_conv(x: Batch, kernel: Kernel, *, form: Form) -> Batch:
    """A convolution of one group of channels. form: its stride and the zeros beyond the border."""
    narrower = kernel.shape[3] < kernel.shape[2] and form.stride == 1
    return (narrow_conv if narrower else plain)(x, kernel, form)  # pyright: ignore[reportReturnType]


def plain(x: Batch, kernel: Kernel, form: Form) -> Batch:
    """The convolution by lax, with its rules."""
    return direct(x, kernel, form=form, back=False)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def narrow_conv(x: Batch, kernel: Kernel, form: Form) -> Batch:
    """The convolution, of stride 1. For its kernel's gradient the image and the gradient change places."""
    return plain(x, kernel, form)


def _forward(x: Batch, kernel: Kernel, form: Form) -> tuple[Any, tuple[Array, Array]]:
    return narrow_conv(x, kernel, form), (x, kernel)


def _backward(form: Form, saved: tuple[Array, Array], grad: Batch) -> tuple[Any, Any]:
    """dk[i, j] is the sum of x[q] g[q - (i, j)]: the gradient of the convolution of g, with a border, that gives x."""
    x, kernel = saved
    by_image = jax.vjp(lambda image: plain(image, kernel, form), x)[1](grad)[0]
    (high, wide), (down, across) = kernel.shape[:2], form.pads
    around = Form(1, ((high - 1 - down[0], high - 1 - down[1]), (wide - 1 - across[0], wide - 1 - across[1])), 1)
    flip = lambda k: k[::-1, ::-1].swapaxes(2, 3)
    by_kernel = jax.vjp(lambda k: plain(grad, k, around), flip(kernel))[1](x)[0]
    return by_image, flip(by_kernel)


narrow_conv.defvjp(_forward, _backward)
