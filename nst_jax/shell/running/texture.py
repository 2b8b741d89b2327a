"""A texture from an exemplar, as the settings ask for it: `texture=brick.jpg`."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.images.size import resize
from nst_jax.methods import texture
from nst_jax.methods.transfer import Masks
from nst_jax.published.base import Convention
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.texture import axes_of, pattern_of
from nst_jax.types import Image


def exemplar_at(exemplar: np.ndarray, *, scale: float) -> Image:
    """The exemplar at a scale of its own size: pixels of the texture are pixels of the exemplar."""
    height, width = (max(1, round(side * scale)) for side in exemplar.shape[:2])
    image = jnp.asarray(exemplar)
    return image if scale == 1 else resize(image, height=height, width=width)


def fit_sides(config: Config, arch: Architecture, height: int, width: int) -> tuple[int, int]:
    """The sides. Those that wrap are rounded up until all poolings and octaves divide them."""
    octave = 2 ** (config.pattern.octaves - 1)
    windows = [arch.windows(layer, rounding="floor") for layer in (*config.layers.style, *pattern_of(config).taps())]
    whole = {"height": -(-height // octave), "width": -(-width // octave)}
    h, w = texture.fit_sides(**whole, axes=axes_of(config), windows=windows)
    return h * octave if 0 in axes_of(config) else height, w * octave if 1 in axes_of(config) else width


def masks_of(config: Config, arch: Architecture, net: Extractor, exemplar: Image) -> dict[str, Masks]:
    """The part of the exemplar that no padding reaches."""
    windows = lambda layer: arch.windows(layer, rounding=config.network.rounding)
    return {"style": texture.inner_masks(net.taps, windows, exemplar)}


def with_texture_terms(config: Config, compared: Convention, shapes: dict[str, Any]) -> Convention:
    """The convention with the terms of `pattern` that have a weight. shapes: of the exemplar's layers."""
    if config.texture is None:
        return compared
    try:
        texture.check_offsets(pattern_of(config), shapes)
    except ValueError as error:
        raise UserError(f"pattern.offsets: {error} (style_scale=2 enlarges it)") from None
    return texture.extend(compared, pattern_of(config), axes=axes_of(config))
