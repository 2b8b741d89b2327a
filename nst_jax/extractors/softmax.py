"""Softmax smoothing of activations.

Networks with shortcuts have activations with few large peaks, and these alone make the Gram matrices and their
gradients. The softmax of the activations takes their place in all losses. Source: Wang, Li & Vasconcelos 2021, CVPR,
"Rethinking and Improving the Robustness of Image Style Transfer" (SWAG, arXiv 2104.05623, section 4).

The paper states neither an axis nor a temperature for its softmax; docs/explanations/networks.md has the released code.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax

from nst_jax.extractors.base import Architecture, Extractor, Shape, is_local
from nst_jax.extractors.octaves import place_of
from nst_jax.nn.lifted import dense
from nst_jax.nn.precision import widen
from nst_jax.types import Activation, Image

AXES = {"channels": (2,), "all": (0, 1, 2)}  # of (height, width, channels), over which the softmax sums to 1
SMOOTH = ("none", *AXES)
ALIKE = 0.05  # as the logarithm of a ratio: two pictures have as many pixels. size_rule=area rounds their sides


class Softmax(NamedTuple):
    """An extractor that gives the softmax of another one's activations. The layer `input` stays as it is.

    Attributes:
      network: the other one.
      over: channels, of each position by itself; or all, the entries of a layer. The latter needs all positions.
      temperature: what activations are divided by before. A constant of the program.
    """

    network: Extractor
    over: str
    temperature: float

    @property
    def taps(self) -> tuple[str, ...]:
        """The layers whose activations are returned."""
        return self.network.taps

    @property
    def local(self) -> bool:
        """Whether a position's value is known without the others: see `base.is_local`."""
        return self.over == "channels" and is_local(self.network)

    def clone(self, *, taps: tuple[str, ...]) -> "Softmax":
        """The same with other taps."""
        return self._replace(network=self.network.clone(taps=taps))

    def apply(self, variables: Any, image: Image) -> dict[str, Activation]:
        """The smoothed activations of one image, by layer name: float32, lifted where the network's are narrow."""
        seen = {tap: dense(found) for tap, found in self.network.apply(variables, image).items()}
        return {tap: found if place_of(tap)[1] == "input" else self.smooth(found) for tap, found in seen.items()}

    def smooth(self, activation: Activation) -> Activation:
        """The softmax of an activation."""
        return jax.nn.softmax(widen(activation) / self.temperature, axis=AXES[self.over])


def with_softmax(arch: Architecture, *, over: str, temperature: float) -> Architecture:
    """The network of a name with smoothed activations, and the same parameters.

    Args:
      arch: the network.
      over: none, the network itself; channels or all: see `Softmax`.
      temperature: what activations are divided by before.

    Raises:
      ValueError: another word, or a temperature that is not above 0.
    """
    if over not in SMOOTH:
        raise ValueError(f"smooth={over}: there are {', '.join(SMOOTH)}")
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature={temperature:g}: it is a finite number above 0")
    if over == "none":
        return arch
    own = partial(build, arch, over=over, temperature=temperature)
    return arch._replace(build=own, shapes=partial(shapes, arch))


def check_sizes(network: Extractor, *, image: tuple[int, int], picture: tuple[int, int]) -> None:
    """Raise ValueError where the activations of an image and of a picture cannot be compared.

    With `all` they sum to 1 over the picture: of twice the positions, they are half as large.

    Args:
      network: any.
      image, picture: their heights and widths.
    """
    if not isinstance(network, Softmax) or network.over != "all":
        return
    if abs(math.log(math.prod(picture) / math.prod(image))) > ALIKE:
        (high, wide), (h, w) = image, picture
        raise ValueError(
            f"smooth=all: activations sum to 1 over a picture, and those of {w} x {h} pixels cannot be compared with "
            f"those of {wide} x {high}: take pictures of as many pixels"
        )


def build(arch: Architecture, taps: tuple[str, ...], *, over: str, temperature: float, **settings: Any) -> Softmax:
    """The network with these taps."""
    return Softmax(arch.build(taps, **settings), over, temperature)


def shapes(arch: Architecture, network: Softmax, *, height: int, width: int) -> Mapping[str, Shape]:
    """The shape of each tap for an image of height x width pixels: those of the network itself."""
    return arch.shapes(network.network, height=height, width=width)
