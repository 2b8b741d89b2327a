"""The 3 x 3 convolution of stride 1: frozen, with a gradient for the image only, or trainable.

Why not jax.grad of lax.conv: inside scan and while_loop, XLA's CPU backend chooses the layout `01oi` for the kernel of
the input gradient and leaves its fast path. It is 3 to 6 times slower on jax 0.10 and 25 times on 0.12
(jax-ml/jax#12868). The gradient of a convolution with respect to its input is itself a convolution, with the kernel
rotated by 180 degrees and its channels swapped. In this form it runs at full speed everywhere.

A kernel has one of two forms. (3, 3, in, out) is convolved directly. (36, in, out) is a Winograd spectrum, made once
per run by an extractor's `prepare`: see `winograd`. The dtype of the kernel is the precision of the convolution.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.custom_batching
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.nn import rows
from nst_jax.nn.winograd import precision, transforms, winograd

Batch = Float[Array, "n h w _"]
Kernel = Float[Array, "3 3 cin cout"] | Float[Array, "36 cin cout"]

BORDERS = {"zero": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # here -> jnp.pad's
PADDINGS = {name: (mode, mode) for name, mode in BORDERS.items()}  # beyond the rows, beyond the columns
PADDINGS["replicate_once"] = PADDINGS["zero"]  # but at the first convolution: see `padding_at`
PADDINGS |= {"circular_x": ("constant", "wrap"), "circular_y": ("wrap", "constant")}


def conv(x: Batch, kernel: Kernel, bias: Float[Array, " cout"], *, padding: str) -> Float[Array, "n h w cout"]:
    """A 3 x 3 convolution that keeps height and width.

    The gradient with respect to `kernel` and `bias` is zero by design: they are constants of the problem.

    Args:
      x: activations.
      kernel: plain, or a spectrum.
      bias: one number for each output channel.
      padding: zero, reflect, replicate or circular: the values beyond the border. circular_x: the left border meets
        the right one, and beyond the other two are zeros; circular_y: the upper border meets the lower one.
    """
    x, margin = pad(x.astype(kernel.dtype), padding)
    y: Array = frozen(x, kernel, margin, False)  # pyright: ignore[reportAssignmentType]
    return y + lax.stop_gradient(bias.astype(y.dtype))


def pad(x: Batch, padding: str) -> tuple[Float[Array, "n _ _ _"], int]:
    """The activations with a row or column more on each side, and how many zeros the convolution still adds."""
    if padding == "zero":
        return x, 1
    for axis, mode in enumerate(PADDINGS[padding], 1):
        x = jnp.pad(x, [(1, 1) if i == axis else (0, 0) for i in range(4)], mode=mode)
    return x, 0


def padding_at(padding: str, *, first: bool) -> str:
    """The padding of one convolution. replicate_once: replicate at the first one of the network, zero at the others."""
    if padding != "replicate_once":
        return padding
    return "replicate" if first else "zero"


def cyclic_axes(padding: str) -> tuple[int, ...]:
    """The axes along which opposite borders meet: 0 the height, 1 the width."""
    return tuple(axis for axis, mode in enumerate(PADDINGS[padding]) if mode == "wrap")


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def frozen(x: Batch, kernel: Kernel, margin: int, back: bool) -> Float[Array, "n oh ow _"]:
    """The convolution of x, padded by `margin` zeros on each side, with a kernel that has no gradient.

    back: use the kernel of the input gradient, rotated by 180 degrees and with its channels swapped.
    """
    if kernel.ndim == 3:
        return batch_lanes(partial(winograd, margin=margin, back=back))(x, kernel, *transforms(x.dtype, back=back))
    return batch_lanes(partial(direct, margin=margin, back=back))(x, kernel)


def batch_lanes(convolve: Callable[..., Array]) -> Callable[..., Array]:
    """The convolution, with a rule for vmap: the lanes become one batch.

    Lanes that have kernels of their own are computed one after the other. By jax's default rule each of Winograd's
    products would be transposed to bring the lanes to the front.
    """
    run = jax.custom_batching.custom_vmap(convolve)

    @run.def_vmap
    def _lanes(size: Any, batched: Any, x: Any, kernel: Any, *constant: Any) -> Any:
        same = [c[0] if b else c for c, b in zip(constant, batched[2:], strict=True)]  # lax.cond hands out copies
        if batched[:2] == [True, False]:
            y = batch_lanes(convolve)(x.reshape(-1, *x.shape[2:]), kernel, *same)
            return y.reshape(size, -1, *y.shape[1:]), True
        whole = [a if b else jnp.broadcast_to(a, (size, *a.shape)) for a, b in zip((x, kernel), batched, strict=False)]
        return lax.map(lambda lane: convolve(*lane, *same), tuple(whole)), True

    return run


def direct(x: Batch, kernel: Float[Array, "3 3 _ _"], *, margin: int, back: bool) -> Float[Array, "n oh ow _"]:
    """The convolution by lax."""
    numbers, pads = ("NHWC", "HWIO", "NHWC"), [(margin, margin)] * 2
    kernel = rows.hold(rotate(kernel) if back else kernel)
    return lax.conv_general_dilated(x, kernel, (1, 1), pads, dimension_numbers=numbers, precision=precision())


def _forward(x: Batch, kernel: Kernel, margin: int, back: bool) -> tuple[Array, Kernel]:
    return frozen(x, kernel, margin, back), kernel


def _backward(margin: int, back: bool, kernel: Kernel, grad: Batch) -> tuple[Array, Kernel]:
    return frozen(grad, kernel, 2 - margin, not back), jnp.zeros_like(kernel)


frozen.defvjp(_forward, _backward)


def rotate(kernel: Float[Array, "3 3 cin cout"]) -> Float[Array, "3 3 cout cin"]:
    """The kernel of the input gradient: rotated by 180 degrees, channels swapped."""
    return kernel[::-1, ::-1].swapaxes(2, 3)


def trainable(
    x: Batch, kernel: Float[Array, "3 3 cin cout"], bias: Float[Array, " cout"], *, padding: str
) -> Float[Array, "n h w cout"]:
    """The convolution of `conv`, with gradients for the kernel and the bias too. The kernel is plain."""
    x, margin = pad(x, padding)
    y: Array = _learn(x, kernel, margin)  # pyright: ignore[reportAssignmentType]
    return y + bias


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _learn(x: Batch, kernel: Float[Array, "3 3 cin cout"], margin: int) -> Float[Array, "n oh ow _"]:
    """The convolution of x, padded by `margin` zeros on each side.

    The kernel's gradient is nine matrix products, one for each of its positions. On a CPU XLA's own, a convolution
    with a kernel as large as the image, takes up to 3.6 times as long (96 channels).
    """
    return direct(x, kernel, margin=margin, back=False)


def _forward_both(x: Batch, kernel: Array, margin: int) -> tuple[Array, tuple[Array, Array]]:
    return _learn(x, kernel, margin), (x, kernel)


def _backward_both(margin: int, saved: tuple[Array, Array], grad: Batch) -> tuple[Array, Array]:
    x, kernel = saved
    _, h, w, cout = grad.shape
    padded = jnp.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    seen = [padded[:, i : i + h, j : j + w].reshape(-1, x.shape[-1]) for i in range(3) for j in range(3)]
    flat = grad.reshape(-1, cout)
    parts = [jnp.matmul(part.T, flat, precision=precision()) for part in seen]
    return direct(grad, kernel, margin=2 - margin, back=True), jnp.stack(parts).reshape(kernel.shape)


_learn.defvjp(_forward_both, _backward_both)
