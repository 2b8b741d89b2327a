"""The frozen convolution: 3 x 3, stride 1, constant kernel, gradient for the image only.

Why not jax.grad of lax.conv: inside scan and while_loop XLA's CPU backend lays the kernel of the input
gradient out as `01oi` and leaves its fast path, 3 to 6 times slower on jax 0.10 and 25 times on 0.12
(jax-ml/jax#12868). The gradient with respect to the image of a convolution is itself a convolution, with
the kernel turned by 180 degrees and its channels swapped; said so, it runs at full speed everywhere.

A kernel comes as it is, (3, 3, in, out), and is used as it is; or as its Winograd spectrum, (36, in, out),
made once by `vgg.prepared`, and is used so: see `winograd`. Its dtype is the precision of the convolution.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.custom_batching
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from nst_jax.winograd import precision, transforms, winograd

Batch = Float[Array, "n h w _"]
Kernel = Float[Array, "3 3 cin cout"] | Float[Array, "36 cin cout"]

MODES = {"reflect": "reflect", "replicate": "edge"}  # names of the field -> names of jnp.pad


def conv(x: Batch, kernel: Kernel, bias: Float[Array, " cout"], *, padding: str) -> Float[Array, "n h w cout"]:
    """A 3 x 3 convolution of the same height and width.

    padding: zero | reflect | replicate, what stands beyond the border. `kernel` and `bias` are constants
    of the problem: jax.grad with respect to them is zero here, by design.
    """
    x = x.astype(kernel.dtype)
    margin = 1 if padding == "zero" else 0
    if padding != "zero":
        x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=MODES[padding])
    y: Array = frozen(x, kernel, margin, False)  # pyright: ignore[reportAssignmentType]
    return y + lax.stop_gradient(bias.astype(y.dtype))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def frozen(x: Batch, kernel: Kernel, margin: int, back: bool) -> Float[Array, "n oh ow _"]:
    """The convolution of x, padded by `margin` zeros on each side, with a kernel that has no gradient.

    back: with the kernel of the input gradient, turned by 180 degrees and its channels swapped.
    """
    if kernel.ndim == 3:
        return laned(partial(winograd, margin=margin, back=back))(x, kernel, *transforms(x.dtype, back=back))
    return laned(partial(direct, margin=margin, back=back))(x, kernel)


def laned(convolve: Callable[..., Array]) -> Callable[..., Array]:
    """The convolution, whose lanes under vmap become one batch; lanes with kernels of their own come one by one.

    By jax's own rule each of Winograd's products would be transposed to bring the lanes to the front.
    """
    run = jax.custom_batching.custom_vmap(convolve)

    @run.def_vmap
    def _lanes(size: Any, batched: Any, x: Any, kernel: Any, *constant: Any) -> Any:
        same = [c[0] if b else c for c, b in zip(constant, batched[2:], strict=True)]  # lax.cond hands out copies
        if batched[:2] == [True, False]:
            y = laned(convolve)(x.reshape(-1, *x.shape[2:]), kernel, *same)
            return y.reshape(size, -1, *y.shape[1:]), True
        whole = [a if b else jnp.broadcast_to(a, (size, *a.shape)) for a, b in zip((x, kernel), batched, strict=False)]
        return lax.map(lambda lane: convolve(*lane, *same), tuple(whole)), True

    return run


def direct(x: Batch, kernel: Float[Array, "3 3 _ _"], *, margin: int, back: bool) -> Float[Array, "n oh ow _"]:
    """The plain form."""
    numbers, pads = ("NHWC", "HWIO", "NHWC"), [(margin, margin)] * 2
    kernel = turned(kernel) if back else kernel
    return lax.conv_general_dilated(x, kernel, (1, 1), pads, dimension_numbers=numbers, precision=precision())


def _forward(x: Batch, kernel: Kernel, margin: int, back: bool) -> tuple[Array, Kernel]:
    return frozen(x, kernel, margin, back), kernel


def _backward(margin: int, back: bool, kernel: Kernel, grad: Batch) -> tuple[Array, Kernel]:
    return frozen(grad, kernel, 2 - margin, not back), jnp.zeros_like(kernel)


frozen.defvjp(_forward, _backward)


def turned(kernel: Float[Array, "3 3 cin cout"]) -> Float[Array, "3 3 cout cin"]:
    """The kernel of the input gradient: turned by 180 degrees, channels swapped."""
    return kernel[::-1, ::-1].swapaxes(2, 3)
