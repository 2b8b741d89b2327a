"""One network at several octaves: the image, the image at half its size, at a quarter, ...

Snelgrove 2017, SIGGRAPH Asia Technical Briefs, "High-resolution multi-scale neural texture synthesis": the statistics
of all sizes are matched at once, and a shallow network sees structure that is larger than its receptive field.

The layers of the first octave have the network's names; those of the others are octave2_relu3_1, octave3_relu3_1, ...
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from nst_jax.extractors.base import Architecture, Extractor, Shape
from nst_jax.nn.conv import cyclic_axes
from nst_jax.nn.windows import Window
from nst_jax.types import Axes, Image

TAPS = (0.05, 0.25, 0.4, 0.25, 0.05)  # Burt & Adelson 1983, IEEE Trans. Commun. 31(4), with a = 0.4, as there
HALVE = Window(len(TAPS), 2, 0, False)


class Octaves(NamedTuple):
    """An extractor that applies another one to each octave of an image.

    Attributes:
      network: the other one; its own taps do not matter.
      taps: layers, by the names of `name_of`.
      wrap: the axes along which the borders of the image meet: 0 the height, 1 the width.
    """

    network: Extractor
    taps: tuple[str, ...]
    wrap: Axes

    def clone(self, *, taps: tuple[str, ...]) -> "Octaves":
        """The same octaves with other taps."""
        return self._replace(taps=taps)

    def apply(self, variables: Any, image: Image) -> dict[str, Any]:
        """The activations of one image, by layer name."""
        found: dict[str, Any] = {}
        for octave, layers in layers_of(self.taps):
            seen = self.network.clone(taps=layers).apply(variables, image) if layers else {}
            found |= {name_of(layer, octave=octave): seen[layer] for layer in layers}
            image = halve(image, wrap=self.wrap)
        return {tap: found[tap] for tap in self.taps}


def name_of(layer: str, *, octave: int) -> str:
    """The name of a layer at an octave, counted from 1."""
    return layer if octave == 1 else f"octave{octave}_{layer}"


def place_of(name: str) -> tuple[int, str]:
    """The octave and the layer that a name says."""
    if not name.startswith("octave"):
        return 1, name
    octave, _, layer = name.removeprefix("octave").partition("_")
    return int(octave), layer


def layers_of(names: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each octave down to the last one that is named, and its layers."""
    places = [place_of(name) for name in names]
    for octave in range(1, max(octave for octave, _ in places) + 1):
        yield octave, tuple(layer for own, layer in places if own == octave)


def halve(image: Image, *, wrap: Axes) -> Image:
    """The next octave: every second pixel of the image, blurred; whole windows only where the borders do not meet."""
    for axis in (0, 1):
        if axis in wrap:
            image = jnp.pad(image, [(2, 2) if i == axis else (0, 0) for i in range(3)], mode="wrap")
        last = image.shape[axis] - len(TAPS) + 1
        parts = [lax.slice_in_dim(image, i, i + last, 2, axis) * tap for i, tap in enumerate(TAPS)]
        image = sum(parts[1:], start=parts[0])
    return image


def half_of(*, side: int, wraps: bool) -> int:
    """The length of a side at the next octave; 0 where the image is too small."""
    return max(0, (side + 1 if wraps else side - len(TAPS) + 2) // 2)


def in_octaves(arch: Architecture, *, octaves: int) -> Architecture:
    """The network of a name at so many octaves: the same parameters, more layers. One octave is the network itself."""
    return arch._replace(
        layers=tuple(name_of(layer, octave=octave) for octave in range(1, octaves + 1) for layer in arch.layers),
        build=partial(build, arch),
        shapes=partial(shapes, arch),
        windows=partial(windows, arch),
        needs=partial(needs, arch),
        raw={name_of(layer, octave=i): conv for i in range(1, octaves + 1) for layer, conv in arch.raw.items()},
    )


def build(arch: Architecture, taps: tuple[str, ...], *, padding: str, **settings: Any) -> Octaves:
    """The network with these taps."""
    inner = tuple(dict.fromkeys(layer for _, layers in layers_of(taps) for layer in layers))
    return Octaves(arch.build(inner, padding=padding, **settings), taps, cyclic_axes(padding))


def shapes(arch: Architecture, network: Octaves, *, height: int, width: int) -> dict[str, Shape]:
    """The shape of each tap for an image of height x width pixels."""
    found: dict[str, Shape] = {}
    for octave, layers in layers_of(network.taps):
        if layers:
            own: Mapping[str, Shape] = arch.shapes(network.network.clone(taps=layers), height=height, width=width)
            found |= {name_of(layer, octave=octave): shape for layer, shape in own.items()}
        height, width = (half_of(side=n, wraps=axis in network.wrap) for axis, n in enumerate((height, width)))
    return {tap: found[tap] for tap in network.taps}


def windows(arch: Architecture, name: str, *, rounding: str) -> tuple[Window, ...]:
    """The windows from the image to the layer, of an image whose borders do not meet."""
    octave, layer = place_of(name)
    return (HALVE,) * (octave - 1) + arch.windows(layer, rounding=rounding)


def needs(arch: Architecture, taps: tuple[str, ...]) -> tuple[str, ...]:
    """The convolutions up to the deepest tap of any octave."""
    return arch.needs(tuple(dict.fromkeys(place_of(tap)[1] for tap in taps)))
