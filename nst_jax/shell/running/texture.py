"""A texture from an exemplar: `texture=brick.jpg`. Its terms, its size, and the network whose borders meet."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.images.size import resize
from nst_jax.losses.differences import relative_error
from nst_jax.losses.grams import relative_gram
from nst_jax.losses.offsets import autocorrelation_term, shift_term
from nst_jax.losses.smoothness import corner_mean
from nst_jax.losses.spectrum import spectrum_term
from nst_jax.losses.term import Term
from nst_jax.methods.transfer import Masks
from nst_jax.nn.windows import interior
from nst_jax.published.base import Convention, smooth, wrap_smooth
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.texture import PADDING, axes_of, layers_of
from nst_jax.types import Image


def canvas(exemplar: np.ndarray, *, height: int, width: int) -> Image:
    """The exemplar laid side by side to this size, its corner in the corner."""
    h, w, _ = exemplar.shape
    tiled = np.tile(exemplar, (-(-height // h), -(-width // w), 1))
    return jnp.asarray(tiled[:height, :width])


def exemplar_at(exemplar: np.ndarray, *, scale: float) -> Image:
    """The exemplar at a scale of its own size: pixels of the texture are pixels of the exemplar."""
    height, width = (max(1, round(side * scale)) for side in exemplar.shape[:2])
    image = jnp.asarray(exemplar)
    return image if scale == 1 else resize(image, height=height, width=width)


def fit_sides(config: Config, arch: Architecture, height: int, width: int) -> tuple[int, int]:
    """The sides, those that wrap rounded up to what all poolings divide."""
    layers = (*config.layers.style, *layers_of(config))
    stride = max(math.prod(w.stride for w in arch.windows(layer, rounding="floor")) for layer in layers)
    stride *= 2 ** (config.pattern.octaves - 1)
    height, width = (
        -(-n // stride) * stride if axis in axes_of(config) else n for axis, n in enumerate((height, width))
    )
    return height, width


def wrap(config: Config, arch: Architecture, net: Extractor) -> Extractor:
    """The network as the image sees it: its borders meet. Raises UserError for a network that cannot do so."""
    padding = PADDING[axes_of(config)]
    if padding is None:
        return net
    n = config.network
    settings = {"pool": n.pool, "rounding": n.rounding, "checkpoint": config.device.checkpoint}
    try:
        return arch.tap(net.taps, padding=padding, **settings)
    except ValueError as error:
        raise UserError(f"network: {error}; or set pattern.seamless=none") from None


def masks_of(config: Config, arch: Architecture, net: Extractor, style: Image) -> dict[str, Masks]:
    """The part of the exemplar that no padding reaches, at each layer where there is one."""
    height, width, _ = style.shape
    inner = {
        k: interior(arch.windows(k, rounding=config.network.rounding), height=height, width=width) for k in net.taps
    }
    return {"style": Masks({}, {k: mask for k, mask in inner.items() if float(mask.max()) > 0})}


def with_texture_terms(config: Config, compared: Convention, shapes: dict[str, Any]) -> Convention:
    """The convention with the terms of `pattern` that have a weight. shapes: of the exemplar's layers."""
    if config.texture is None:
        return compared
    p, axes = config.pattern, axes_of(config)
    shifts = tuple(shift for d in p.offsets for shift in ((0, d), (d, 0)))
    terms: list[tuple[Term, float]] = [(wrap_smooth(smooth(corner_mean), axes=axes)._replace(name="smooth"), p.smooth)]
    terms.append((spectrum_term(periodic=True), p.spectrum))
    for layer in layers_of(config):
        check_offsets(p.offsets, layer, shapes[layer], active=p.shifts > 0)
        terms.append((shift_term(layer, shifts=shifts, wrap=axes, compare=relative_gram), p.shifts))
        terms.append((autocorrelation_term(layer, wrap=axes, compare=relative_error), p.autocorrelation))
    own = compared.smooth_term and wrap_smooth(compared.smooth_term, axes=axes)
    return compared._replace(smooth_term=own, others=(*compared.others, *((t, w) for t, w in terms if w)))


def check_offsets(offsets: Sequence[int], layer: str, shape: tuple[int, ...], *, active: bool) -> None:
    """An offset must lie within the exemplar."""
    if active and max(offsets) >= min(shape[:2]):
        raise UserError(
            f"pattern.offsets={max(offsets)} reaches over the exemplar's {shape[1]} x {shape[0]} positions at {layer}: "
            "take smaller ones, a larger exemplar, or style_scale=2"
        )


def tiles(config: Config) -> tuple[int, int] | None:
    """How often the texture is laid down and to the right, to look at its seams; None where there are none to see."""
    axes = axes_of(config)
    return (1 + (0 in axes), 1 + (1 in axes)) if axes else None
