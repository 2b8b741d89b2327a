"""Total variation, as many ways as there are programs. The same name and often the same 1e-3, other numbers.

Of an image, RGB in [0, 1]: where an implementation works on another range the steps are brought there on
the spot. Each function says its norm, its range and whether it is a sum or a mean.

`wrap` names the axes of the image along which opposite borders meet, 0 its height and 1 its width: there the last pixel
has the first one as a neighbour. A texture without a seam needs it; published programs have it nowhere but one.
"""

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.types import Axes, Image, Scalar

EPS = 2.0**-23  # np.finfo(np.float32).eps, style_transfer_caffe: num_utils.py


def steps_down(image: Image, wrap: Axes = ()) -> Float[Array, "below width 3"]:
    """Each pixel minus the one above it."""
    return steps(image, wrap, axis=0)


def steps_right(image: Image, wrap: Axes = ()) -> Float[Array, "height beside 3"]:
    """Each pixel minus the one to its left."""
    return steps(image, wrap, axis=1)


def steps(image: Image, wrap: Axes, *, axis: int) -> Float[Array, "_ _ 3"]:
    """Each pixel minus the one before it."""
    first = lax.slice_in_dim(image, 0, 1, axis=axis)
    return jnp.diff(image, axis=axis, append=first if axis in wrap else None)


def absolute(x: Array) -> Array:
    """|x| with the gradient sign(x), 0 at 0 as in torch; jnp.abs has 1 there, and equal neighbours are common."""
    return x * lax.stop_gradient(jnp.sign(x))


def unit_absolute_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """Sum |dx| + |dy| on 0..1: tf.image.total_variation, as the TensorFlow tutorial uses it."""
    return absolute(steps_down(image, wrap)).sum() + absolute(steps_right(image, wrap)).sum()


def absolute_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """Sum |dx| + |dy| on 0..255: neural-style-pt's total variation, neural_style.py:483-486."""
    # differences first: 255 a - 255 b becomes a fused multiply-add, which is not 0 where a = b
    return 255 * unit_absolute_steps(image, wrap)


def squared_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """Half the sum of dx^2 + dy^2 over the (H-1)(W-1) corner, on 0..256: neural_style.lua:582-597, :422."""
    return 256**2 * corner(image, wrap).sum() / 2


def unseen_squared_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """As published: its gradient counts, its value is missing from the loss (neural_style.lua:285-291)."""
    value = squared_steps(image, wrap)
    return value - lax.stop_gradient(value)


def keras_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """Sum (dx^2 + dy^2)^1.25 over the (H-1)(W-1) corner, on 0..255: Keras' example, total_variation_loss."""
    return jnp.sum((255**2 * corner(image, wrap)) ** 1.25)


def corner_mean(image: Image, wrap: Axes = ()) -> Scalar:
    """Mean dx^2 + dy^2 over the (H-1)(W-1) corner, on 0..1: pystiche loss/functional.py:69-93 with exponent 2."""
    return corner(image, wrap).mean()


def corner(image: Image, wrap: Axes = ()) -> Array:
    """dx^2 + dy^2 where a pixel has both a neighbour below and one to the right."""
    down, right = steps_down(image, wrap), steps_right(image, wrap)
    return down[:, : right.shape[1]] ** 2 + right[: down.shape[0]] ** 2


def mean_squared_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """mean(dx^2) + mean(dy^2), each its own mean, on 0..255: anishathalye stylize.py:156-165."""
    return 255**2 * ((steps_down(image, wrap) ** 2).mean() + (steps_right(image, wrap) ** 2).mean())


def replicated_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """Mean dx^2 + dy^2 over all pixels, the border repeated, on 0..1: style-transfer-pytorch @1107fe6, TVLoss."""
    return ((steps_down(image, wrap) ** 2).sum() + (steps_right(image, wrap) ** 2).sum()) / image.size


def nine_point(image: Image, wrap: Axes = ()) -> Scalar:
    """Mean squared steps to the right, down and along both diagonals, the border repeated, on 0..1.

    style-transfer-pytorch @e7e2c71, style_transfer.py:184-195: 2/3 and 1/6 make the nine-point Laplacian.
    """
    p, (h, w, _) = image, image.shape
    for axis in (0, 1):
        beyond = [(1, 1) if i == axis else (0, 0) for i in range(3)]
        p = jnp.pad(p, beyond, mode="wrap" if axis in wrap else "edge")
    right, down = p[1:-1, 2:] - p[1:-1, 1:-1], p[2:, 1:-1] - p[1:-1, 1:-1]
    falling, rising = p[1:, 1:] - p[:-1, :-1], p[1:, :-1] - p[:-1, 1:]
    once = slice(0, h if 0 in wrap else None), slice(0, w if 1 in wrap else None)  # the wrapped border has one copy
    falling, rising = falling[once], rising[once]
    straight = (right**2).mean() + (down**2).mean()
    return straight * 2 / 3 + ((falling**2).mean() + (rising**2).mean()) / 6


def wrapped_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """Sum dx^2 + dy^2 + eps around the border, on x / 127.5, and 2/5 of the sixth power of values scaled to -1..1.

    The sixth power penalises values outside -1..1.

    crowsonkb/style_transfer num_utils.py:150-162 and config_system.py:77-91: weights 5 and 2. Its gradient is
    used as one of pixels, without the 1 / 127.5 of the chain rule, which is why the whole is times 127.5.
    """
    right, down = image - jnp.roll(image, -1, axis=1), image - jnp.roll(image, -1, axis=0)
    steps = jnp.sum(2**2 * (right**2 + down**2) + EPS)
    return 127.5 * (steps + 2 / 5 * jnp.sum((2 * image - 1) ** 6))


def d2l_steps(image: Image, wrap: Axes = ()) -> Scalar:
    """Half of mean |dx| + mean |dy|, of the picture as torchvision normalises it: d2l 14.12, tv_loss."""
    deviation = jnp.array((0.229, 0.224, 0.225))
    down, right = absolute(steps_down(image, wrap)) / deviation, absolute(steps_right(image, wrap)) / deviation
    return (down.mean() + right.mean()) / 2


def across_and_between_colours(image: Image, wrap: Axes = ()) -> Scalar:
    """mean |dx| + mean |difference of neighbouring colours|, on 0..1: ZeshengLiu22 V4, lines 64-65.

    As published: axes 2 and 3 of (n, h, w, c) were taken for height and width, so that no step goes down.
    """
    return absolute(steps_right(image, wrap)).mean() + absolute(image[..., 1:] - image[..., :-1]).mean()
