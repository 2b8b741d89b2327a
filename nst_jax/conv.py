"""The frozen convolution: 3 x 3, stride 1, constant kernel, gradient for the image only.

Why not jax.grad of lax.conv: inside scan and while_loop XLA's CPU backend lays the kernel of the input
gradient out as `01oi` and leaves its fast path, 3 to 6 times slower on jax 0.10 and 25 times on 0.12
(jax-ml/jax#12868). The gradient with respect to the image of a convolution is itself a convolution, with
the kernel turned by 180 degrees and its channels swapped; said so, it runs at full speed everywhere.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Batch = Float[Array, "n h w _"]
Kernel = Float[Array, "3 3 cin cout"]

MODES = {"reflect": "reflect", "replicate": "edge"}  # names of the field -> names of jnp.pad


def conv(x: Batch, kernel: Kernel, bias: Float[Array, " cout"], *, padding: str) -> Float[Array, "n h w cout"]:
    """A 3 x 3 convolution of the same height and width.

    padding: zero | reflect | replicate, what stands beyond the border. `kernel` and `bias` are constants
    of the problem: jax.grad with respect to them is zero here, by design.
    """
    margin = 1 if padding == "zero" else 0
    if padding != "zero":
        x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=MODES[padding])
    y: Array = frozen(x, kernel, margin)  # pyright: ignore[reportAssignmentType]
    return y + lax.stop_gradient(bias)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def frozen(x: Batch, kernel: Kernel, margin: int) -> Float[Array, "n oh ow cout"]:
    """The convolution of x, padded by `margin` zeros on each side, with a kernel that has no gradient."""
    pads = [(margin, margin)] * 2
    return lax.conv_general_dilated(x, kernel, (1, 1), pads, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _forward(x: Batch, kernel: Kernel, margin: int) -> tuple[Array, Kernel]:
    return frozen(x, kernel, margin), kernel


def _backward(margin: int, kernel: Kernel, grad: Batch) -> tuple[Array, Kernel]:
    return frozen(grad, turned(kernel), 2 - margin), jnp.zeros_like(kernel)


frozen.defvjp(_forward, _backward)


def turned(kernel: Kernel) -> Float[Array, "3 3 cout cin"]:
    """The kernel of the input gradient: turned by 180 degrees, channels swapped."""
    return kernel[::-1, ::-1].swapaxes(2, 3)
