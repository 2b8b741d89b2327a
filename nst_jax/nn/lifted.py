"""Activations in few channels, and the linear map that lifts them to many.

Moments are sums, so they are linear: they are taken of the few channels, and lifted afterwards.
"""

from typing import NamedTuple

from jaxtyping import Array, Float

from nst_jax.nn.precision import product, widen


class Lifted(NamedTuple):
    """The activation narrow @ lift + offset, (height, width, c), not yet computed."""

    narrow: Float[Array, "h w k"]
    lift: Float[Array, "k c"]
    offset: Float[Array, " c"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels, as lifted."""
        height, width, _ = self.narrow.shape
        return height, width, self.lift.shape[1]


def dense(activation: Float[Array, "h w c"] | Lifted) -> Float[Array, "h w c"]:
    """The activation itself, whether it was lifted or not."""
    if not isinstance(activation, Lifted):
        return activation
    return product(widen(activation.narrow), activation.lift) + activation.offset
