"""Frozen convolutions of any kernel, stride, padding and number of groups, with a gradient for the image only.

jax's rule for the gradient of a convolution with strides is a convolution of an image with holes (`lhs_dilation`): with
a stride of 2, three of four products are by zero. Here each pixel's gradient is a convolution, of stride 1, of the
incoming gradient with the part of the kernel that met the pixel. The pixels of one phase (row modulo stride, column
modulo stride) met the same part. See `nn.conv` for stride 1.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.nn import rows
from nst_jax.nn.conv import PADDINGS, batch_lanes, frozen
from nst_jax.nn.winograd import precision

Batch = Float[Array, "n _ _ _"]
Kernel = Float[Array, "_ _ _ _"]  # height, width, in / groups, out
Pads = tuple[tuple[int, int], tuple[int, int]]  # beyond the rows, before and after; beyond the columns
Phases = Float[Array, "n down across s s channels"]

WIDE = 32  # channels in from which a convolution for each phase is faster, on a CPU, than one for all


class Form(NamedTuple):
    """How a kernel covers the image: the static part of a convolution."""

    stride: int
    pads: Pads
    groups: int  # of channels: each group of outputs sees its group of inputs


def general_conv(
    x: Batch,
    kernel: Kernel | Float[Array, "36 cin cout"],
    bias: Float[Array, " cout"] | None,
    *,
    form: Form,
    padding: str,
) -> Batch:
    """A convolution.

    The gradient with respect to `kernel` and `bias` is zero by design: they are constants of the problem.

    Args:
      x: activations.
      kernel: (height, width, in / groups, out); or the spectrum of one of 3 x 3, for stride 1 and one group.
      bias: one number for each output channel; None: without.
      form: stride, padding and groups.
      padding: zero, reflect, replicate, circular, circular_x or circular_y: what stands beyond the border, as far as
        `form.pads` reach.
    """
    x, pads = pad(x.astype(kernel.dtype), form.pads, padding)
    y: Any = convolve(x, kernel, form._replace(pads=pads))
    return y if bias is None else y + lax.stop_gradient(bias.astype(y.dtype))


def pad(x: Batch, pads: Pads, padding: str) -> tuple[Batch, Pads]:
    """The activations with the values beyond the border, and the zeros that are still to add."""
    if padding in ("zero", "replicate_once"):
        return x, pads
    for axis, (mode, beyond) in enumerate(zip(PADDINGS[padding], pads, strict=True), 1):
        if any(beyond):
            x = jnp.pad(x, [beyond if i == axis else (0, 0) for i in range(4)], mode=mode)
    return x, ((0, 0), (0, 0))


def convolve(x: Batch, kernel: Any, form: Form) -> Any:
    """The convolution by the way that suits it."""
    (top, bottom), (left, right) = form.pads
    if kernel.ndim == 3:
        if form.stride != 1 or form.groups != 1 or len({top, bottom, left, right}) != 1:
            raise ValueError(f"a spectrum is convolved with stride 1, one group and one padding; got {form}")
        return frozen(x, kernel, top, False)
    if form.stride == 1:
        return dense(x, kernel, form, False)
    if kernel.shape[:2] == (1, 1) and not any((top, bottom, left, right)):
        return dense(x[:, :: form.stride, :: form.stride], kernel, form._replace(stride=1), False)
    return step_conv(x, kernel, form, x.shape[1:3])


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def dense(x: Batch, kernel: Kernel, form: Form, back: bool) -> Batch:
    """The convolution of stride 1 of x, padded by zeros.

    back: use the kernel of the input gradient, rotated by 180 degrees and with its channels swapped.
    """
    return batch_lanes(partial(direct, form=form, back=back))(x, kernel)


def _forward(x: Batch, kernel: Kernel, form: Form, back: bool) -> tuple[Any, Kernel]:
    return dense(x, kernel, form, back), kernel


def _backward(form: Form, back: bool, kernel: Kernel, grad: Batch) -> tuple[Any, Array]:
    down, across = ((k - 1 - a, k - 1 - b) for k, (a, b) in zip(kernel.shape, form.pads, strict=False))
    return dense(grad, kernel, form._replace(pads=(down, across)), not back), jnp.zeros_like(kernel)


dense.defvjp(_forward, _backward)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def step_conv(x: Batch, kernel: Kernel, form: Form, size: tuple[int, int]) -> Batch:
    """The convolution of a stride above 1 of x, padded by zeros. size: height and width of x."""
    return batch_lanes(partial(direct, form=form, back=False))(x, kernel)


def _forward_steps(x: Batch, kernel: Kernel, form: Form, size: tuple[int, int]) -> tuple[Any, Kernel]:
    return step_conv(x, kernel, form, size), kernel


def _backward_steps(form: Form, size: tuple[int, int], kernel: Kernel, grad: Batch) -> tuple[Any, Array]:
    return image_gradient(grad, kernel, form, height=size[0], width=size[1]), jnp.zeros_like(kernel)


step_conv.defvjp(_forward_steps, _backward_steps)


def direct(x: Batch, kernel: Kernel, *, form: Form, back: bool) -> Batch:
    """The convolution by lax."""
    kernel = rows.hold(rotate(kernel, groups=form.groups) if back else kernel)
    layout = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": form.groups}
    return lax.conv_general_dilated(x, kernel, (form.stride,) * 2, form.pads, precision=precision(), **layout)


def rotate(kernel: Kernel, *, groups: int) -> Kernel:
    """The kernel of the input gradient: rotated by 180 degrees, the channels of each group swapped."""
    h, w, cin, cout = kernel.shape
    turned = kernel[::-1, ::-1].reshape(h, w, cin, groups, cout // groups)
    return turned.transpose(0, 1, 4, 3, 2).reshape(h, w, cout // groups, groups * cin)


def image_gradient(grad: Batch, kernel: Kernel, form: Form, *, height: int, width: int) -> Batch:
    """The gradient for the image, of height x width, of a convolution with strides."""
    s, channels = form.stride, kernel.shape[2] * form.groups
    cells = [-(-(n + a + b) // s) for n, (a, b) in zip((height, width), form.pads, strict=True)]
    find = phase_by_phase if channels >= WIDE else phases_at_once
    y = find(grad, kernel, form, cells).transpose(0, 1, 3, 2, 4, 5)
    y = y.reshape(-1, cells[0] * s, cells[1] * s, channels)
    (top, _), (left, _) = form.pads
    return y[:, top : top + height, left : left + width]


def phase_by_phase(grad: Batch, kernel: Kernel, form: Form, cells: list[int]) -> Phases:
    """A convolution for each phase, with the part of the kernel that it met."""
    s, lines = form.stride, []
    for i in range(s):
        line = []
        for j in range(s):
            part = kernel[i::s, j::s]
            if 0 in part.shape:  # the windows leave these pixels out
                line.append(jnp.zeros((grad.shape[0], *cells, kernel.shape[2] * form.groups), grad.dtype))
                continue
            pads = reach(part.shape[:2], cells, grad.shape[1:3])
            line.append(dense(grad, part, Form(1, pads, form.groups), True))
        lines.append(jnp.stack(line, 3))
    return jnp.stack(lines, 3)


def phases_at_once(grad: Batch, kernel: Kernel, form: Form, cells: list[int]) -> Phases:
    """All phases as the channels of one convolution. Its kernel has zeros where a phase met fewer positions."""
    s, groups, cin = form.stride, form.groups, kernel.shape[2]
    sizes = tuple(-(-k // s) for k in kernel.shape[:2])
    around = Form(1, reach(sizes, cells, grad.shape[1:3]), groups)
    y: Any = dense(grad, phases(kernel, stride=s, groups=groups), around, False)
    y = y.reshape(-1, *cells, groups, s, s, cin).transpose(0, 1, 2, 4, 5, 3, 6)
    return y.reshape(-1, *cells, s, s, groups * cin)


def reach(sizes: tuple[int, ...], cells: list[int], positions: tuple[int, ...]) -> Pads:
    """The zeros around a gradient of so many positions. Kernels of these sizes then make so many cells."""
    down, across = ((k - 1, q - n) for k, q, n in zip(sizes, cells, positions, strict=True))
    return down, across


def phases(kernel: Kernel, *, stride: int, groups: int) -> Kernel:
    """The kernel (J, J, out / groups, groups x stride x stride x in) that gives the gradient of each phase."""
    h, w, cin, cout = kernel.shape
    high, wide = -(-h // stride), -(-w // stride)
    kernel = jnp.pad(kernel, ((0, high * stride - h), (0, wide * stride - w), (0, 0), (0, 0)))
    parts = kernel.reshape(high, stride, wide, stride, cin, groups, cout // groups)[::-1, :, ::-1]
    return parts.transpose(0, 2, 6, 5, 1, 3, 4).reshape(high, wide, cout // groups, groups * stride**2 * cin)
