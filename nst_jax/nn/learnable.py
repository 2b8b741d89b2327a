"""Convolutions with gradients for the image and for the kernel, fast on a CPU where few channels come out.

XLA makes a matrix product of a convolution, as wide as the channels out: three of them leave most of a processor's
lanes idle. Here the columns of the kernel are channels, too: a convolution by the kernel's rows alone gives all of them
at once, and their results are shifted and added. 9 x 9, from 16 channels to 3, four images of 128 pixels, one core:
11 ms instead of 51, and 25 instead of 94 for the kernel's gradient.
"""

from functools import partial, reduce
from operator import add
from typing import Any

import jax
from jaxtyping import Array, Float

from nst_jax.nn.general import Form, direct

Batch = Float[Array, "n _ _ _"]
Kernel = Float[Array, "_ _ _ _"]  # height, width, in, out

FEW = 4  # channels out, at most, of which the columns are channels
WIDE = 3  # columns of such a kernel, at least


def learnable_conv(x: Batch, kernel: Kernel, *, form: Form) -> Batch:
    """A convolution of one group of channels. form: its stride and the zeros beyond the border."""
    few = kernel.shape[3] <= FEW and kernel.shape[1] >= WIDE and form.stride == 1 and not any(form.pads[1])
    return (by_columns if few else plain)(x, kernel, form)  # pyright: ignore[reportReturnType]


def plain(x: Batch, kernel: Kernel, form: Form) -> Batch:
    """The convolution by lax, with its rules."""
    return direct(x, kernel, form=form, back=False)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def by_columns(x: Batch, kernel: Kernel, form: Form) -> Batch:
    """The convolution, of stride 1 and without zeros beside the image, its columns as channels."""
    return add_columns(x, kernel, form)


def add_columns(x: Batch, kernel: Kernel, form: Form) -> Batch:
    """The same, with the gradients of its parts."""
    high, wide, into, out = kernel.shape
    y: Any = plain(x, kernel.swapaxes(1, 2).reshape(high, 1, into, wide * out), form)
    width = x.shape[2] - wide + 1
    parts = [y[:, :, j : j + width, j * out : (j + 1) * out] for j in range(wide)]
    return reduce(add, parts)


def _forward(x: Batch, kernel: Kernel, form: Form) -> tuple[Any, tuple[Array, Array]]:
    return by_columns(x, kernel, form), (x, kernel)


def _backward(form: Form, saved: tuple[Array, Array], grad: Batch) -> tuple[Any, Any]:
    """The kernel's gradient by its columns; the image's by lax, for the image has channels enough."""
    x, kernel = saved
    by_image = jax.vjp(lambda image: plain(image, kernel, form), x)[1](grad)[0]
    by_kernel = jax.vjp(lambda k: add_columns(x, k, form), kernel)[1](grad)[0]
    return by_image, by_kernel


by_columns.defvjp(_forward, _backward)
