"""The published conventions, as values. The same words, other constants: each one says where it comes from.

N and M are a layer's channels and positions, F and P activations, G and A second moments (sums over
positions). Where an implementation works on 0..255 and the term is not of a network's activations, the
image is brought there on the spot.
"""

import jax.numpy as jnp
from jax import Array, lax

from nst_jax.losses import Convention, channels, gram, mse, nothing, sse, steps_down, steps_right
from nst_jax.types import Image, Scalar


def absolute_steps(image: Image) -> Scalar:
    """Sum |dx| + |dy| on 0..255: neural-style-pt's total variation, neural_style.py:483-486."""
    # differences first: 255 a - 255 b becomes a fused multiply-add, which is not 0 where a = b
    return 255 * (absolute(steps_down(image)).sum() + absolute(steps_right(image)).sum())


def absolute(x: Array) -> Array:
    """|x| with the gradient sign(x), 0 at 0 as in torch; jnp.abs has 1 there, and equal neighbours are common."""
    return x * lax.stop_gradient(jnp.sign(x))


def squared_steps(image: Image) -> Scalar:
    """Half the sum of dx^2 + dy^2 over the (H-1)(W-1) corner, on 0..256: neural_style.lua:582-597, :422."""
    return 256**2 * (jnp.sum(steps_down(image)[:, :-1] ** 2) + jnp.sum(steps_right(image)[:-1] ** 2)) / 2


def unseen_squared_steps(image: Image) -> Scalar:
    """As published: its gradient counts, its value is missing from the loss (neural_style.lua:285-291)."""
    value = squared_steps(image)
    return value - lax.stop_gradient(value)


def keras_steps(image: Image) -> Scalar:
    """Sum (dx^2 + dy^2)^1.25 over the (H-1)(W-1) corner, on 0..255: Keras' example, total_variation_loss."""
    squares = 255**2 * (steps_down(image)[:, :-1] ** 2 + steps_right(image)[:-1] ** 2)
    return jnp.sum(squares**1.25)


GATYS_2016 = Convention(  # Gatys, Ecker & Bethge 2016, CVPR
    content=lambda f, p: sse(f, p) / 2,  # eq. 1
    style=lambda g, a, _: sse(gram(g), gram(a)) / (4 * channels(g) ** 2),  # eq. 4: 1 / 4 N^2 M^2, M of each picture
    smooth=nothing,
    profile=lambda n, layers: 1 / layers,  # section 3: w_l = 1/5
)

GATYS_RELEASED = Convention(  # leongatys/PytorchNeuralStyleTransfer @be6c8e2, cells 2 and 7
    content=mse,
    style=lambda g, a, _: mse(gram(g), gram(a)),  # G.div_(h*w), then nn.MSELoss
    smooth=nothing,
    profile=lambda n, layers: 1 / n**2,  # style_weights = [1e3/n**2 for n in ...]
)

NEURAL_STYLE = Convention(  # jcjohnson/neural-style @07c4b82, neural_style.lua
    content=mse,  # :458
    style=lambda g, a, _: mse(gram(g), gram(a)) / channels(g) ** 2,  # :500, :544: G / (N M), mean over N^2
    smooth=unseen_squared_steps,  # :582
    profile=lambda n, layers: 1.0,
)

NEURAL_STYLE_PT = Convention(  # ProGamerGov/neural-style-pt @7251405, neural_style.py
    content=mse,  # :423
    style=lambda g, a, _: mse(gram(g), gram(a)) / channels(g) ** 2,  # :461, :470
    smooth=absolute_steps,  # :483, in the loss
    profile=lambda n, layers: 1.0,
)

KERAS = Convention(  # keras-io, examples/generative/neural_style_transfer.py @0896b2e6
    content=sse,
    # 3 channels and the image's size at every layer, whatever the layer's own: as published. G is a sum.
    style=lambda g, a, pixels: sse(g.second / pixels, a.second / pixels) / (4 * 3**2),
    smooth=keras_steps,
    profile=lambda n, layers: 1 / layers,
)

CONVENTIONS = {
    "gatys_2016": GATYS_2016,
    "gatys_released": GATYS_RELEASED,
    "neural_style": NEURAL_STYLE,
    "neural_style_pt": NEURAL_STYLE_PT,
    "keras": KERAS,
}
