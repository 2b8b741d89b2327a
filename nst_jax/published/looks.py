"""Looks: how much of the painting a picture has, in words. Ours; found by experiments/networks/looks.py.

The style weight alone does not say it. From the photograph on, weights from 1 to 1e5 end at one structural similarity
with it, since the content term is of a deep layer (docs/how_to/looks.md). The Laplacian keeps the photograph.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

CONVENTION = "gatys_released"  # for which the numbers are found
LAYERS = "gatys"
NETWORKS = ("vgg19", "vgg16", "distilled")  # whose activations have the size of the original values
# The mean colour that the original VGG subtracts, BGR in 0..255: gist.github.com/ksimonyan/3785162f95cd2d5fee77
MEAN = (103.939, 116.779, 123.68)
POOL = 4  # as released with the Laplacian: losses/photo.py


class Look(NamedTuple):
    """Settings by a name that can be remembered. It becomes conf/look/NAME.yaml. None leaves a setting unset.

    Attributes:
      name: as in `look=NAME`.
      about: what the picture looks like, in a sentence.
      style_weight: of CONVENTION.
      style_scale: the style picture's size in parts of the size.
      laplacian: the weight of the photograph's Laplacian, of means over POOL x POOL pixels.
      start: the first image: an option of conf/canvas.
    """

    name: str
    about: str
    style_weight: float | None = None
    style_scale: float | None = None
    laplacian: float | None = None
    start: str | None = None

    def settings(self) -> dict[str, float | int]:
        """The numbers that the look sets, by key, as on the command line."""
        named = {"style_weight": self.style_weight, "style_scale": self.style_scale}
        if self.laplacian is not None:
            named |= {"photo.laplacian": self.laplacian, "photo.pool": POOL}
        return {key: value for key, value in named.items() if value is not None}


PLAIN = Look("plain", "What the other settings say.")
LOOKS: dict[str, Look] = {
    look.name: look
    for look in (
        Look("gentle", "The photograph, in the painting's colours and with its texture.", 1e3, laplacian=300.0),
        Look("balanced", "Brush strokes, and every shape in its place.", 1e3, laplacian=30.0),
        Look("strong", "The painting's strokes and colours; shapes give way.", 1e4),
        Look("painterly", "Painted anew, in strokes of twice the size.", 1e3, style_scale=2.0, start="blend"),
    )
}


def is_original(params: Mapping[str, Any]) -> bool:
    """Whether a network's first layer is that of the original VGG, so that its activations have their size.

    params: of the network. Untrained networks and torchvision's weights have another first layer.
    """
    bias = np.asarray(params.get("input", {}).get("bias", ()))
    return bias.shape == (3,) and bool(np.allclose(bias, [-mean for mean in MEAN], atol=1))
