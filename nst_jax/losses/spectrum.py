"""The spectrum of a texture: the power of each frequency, and how the colours go together there.

Liu, Gousseau & Xia 2016, arXiv 1605.01141. Gram matrices see a few dozen pixels at once; the spectrum sees the whole
picture, so that rows and grids keep their period.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Complex, Float

from nst_jax.losses.term import IMAGE, Aim, Term, View, itself
from nst_jax.nn.lifted import dense
from nst_jax.types import Image, Scalar

TAPER = 0.1  # of the exemplar's side, at each end: where the window of a larger canvas rises from 0 to 1; our choice

Spectrum = Complex[Array, "h k 3"]  # jnp.fft.rfft2 of each channel


def spectrum(image: Image) -> Spectrum:
    """The Fourier transform of each channel; of a real picture one half says all."""
    return jnp.fft.rfft2(image, axes=(0, 1))


def project(image: Image, target: Spectrum) -> Image:
    """The nearest picture with the target's spectrum up to one phase per frequency, the same for all colours.

    F^-1 (q / |q| R), q = sum over colours of X conj(R), X of the image and R the target.
    """
    q = jnp.sum(spectrum(image) * jnp.conj(target), -1, keepdims=True)
    size = jnp.abs(q)
    known = size > jnp.finfo(size.dtype).tiny
    phase = jnp.where(known, q / jnp.where(known, size, 1), 1)
    return jnp.fft.irfft2(phase * target, s=image.shape[:2], axes=(0, 1))


def spectrum_error(image: Image, target: Spectrum) -> Scalar:
    """Half the mean squared distance to the nearest picture with the target's spectrum, of pictures in 0..255.

    The paper's term without its weight beta, 1e5 as published. The gradient is (x - P(x)) / (3 M): to hold P(x)
    constant is exact, since P(x) is the nearest point.
    """
    return 255**2 * jnp.mean((image - project(lax.stop_gradient(image), target)) ** 2) / 2


class AimAtSpectrum(NamedTuple):
    """Aim at the exemplar's spectrum.

    Attributes:
      periodic: take the exemplar's periodic part, without the cross that its borders put into the spectrum; the image
        may then have another size. False: the exemplar as it is, for an image of its size only.
    """

    periodic: bool

    def __call__(self, view: View) -> Aim:
        """The aim. Raises ValueError where the image has another size, or the view does not say which."""
        exemplar = dense(view.activation)
        if view.shape is None:
            raise ValueError("a spectrum has the size of the image to be made: give `shape`")
        if self.periodic:
            return Aim(whole=spectrum(fit(exemplar, height=view.shape[0], width=view.shape[1])))
        if exemplar.shape[:2] != view.shape:
            raise ValueError(
                f"the exemplar is {exemplar.shape[:2]} and the image {view.shape}: the exemplar's own spectrum needs "
                "one size; periodic=True takes any"
            )
        return Aim(whole=spectrum(exemplar))


def periodic_part(image: Image) -> Image:
    """The picture less a smooth one that holds its jumps across opposite borders: Moisan 2011, JMIV 39(2).

    At each pixel its Laplacian across the borders is the picture's own, of the neighbours that the pixel has.
    """
    h, w, _ = image.shape
    down, right = image[-1] - image[0], image[:, -1] - image[:, 0]
    jumps = jnp.zeros_like(image).at[0].add(down).at[-1].add(-down).at[:, 0].add(right).at[:, -1].add(-right)
    rows, columns = (jnp.sin(math.pi * f.astype(image.dtype)) ** 2 for f in (jnp.fft.fftfreq(h), jnp.fft.rfftfreq(w)))
    laplacian = (-4 * (rows[:, None] + columns)).at[0, 0].set(1)  # the jumps sum to 0
    smooth = spectrum(jumps) / laplacian[..., None]
    return image - jnp.fft.irfft2(smooth, s=(h, w), axes=(0, 1))


def fit(exemplar: Image, *, height: int, width: int) -> Image:
    """A picture of height x width pixels with the spectrum of the exemplar's periodic part, its mean and its variance.

    Galerne, Gousseau & Morel 2011, IEEE Trans. Image Process. 20(1): in a larger canvas the periodic part
    stands in a flat surrounding of its mean colour, under a window that is smooth at its border, its contrast raised
    until the canvas has its variance. Along a side that the canvas has smaller, the middle of the exemplar is taken.
    """
    part = periodic_part(crop(exemplar, height=height, width=width))
    h, w, _ = part.shape
    if (h, w) == (height, width):
        return part
    window = (taper(side=h, grows=height > h)[:, None] * taper(side=w, grows=width > w))[..., None]
    spot = window * (part - jnp.sum(window * part, (0, 1)) / jnp.sum(window))
    variance = jnp.mean(jnp.sum((part - part.mean((0, 1))) ** 2, -1))
    gain = jnp.sqrt(height * width * variance / jnp.maximum(jnp.sum(spot**2), jnp.finfo(spot.dtype).tiny))
    return jnp.broadcast_to(part.mean((0, 1)), (height, width, 3)).at[:h, :w].add(gain * spot)


def crop(image: Image, *, height: int, width: int) -> Image:
    """The middle of the picture, height x width pixels at most."""
    h, w = min(image.shape[0], height), min(image.shape[1], width)
    top, left = (image.shape[0] - h) // 2, (image.shape[1] - w) // 2
    return image[top : top + h, left : left + w]


def taper(*, side: int, grows: bool) -> Float[Array, " n"]:
    """A window along one side, 1 but near its ends, where it falls to 0 as a cosine. grows: False: 1 everywhere."""
    place = (jnp.arange(side) + 0.5) / side
    near = jnp.clip(jnp.minimum(place, 1 - place) / TAPER, 0, 1)
    return 0.5 - 0.5 * jnp.cos(math.pi * near) if grows else jnp.ones(side)


def spectrum_term(*, periodic: bool) -> Term:
    """The term `spectrum`, of the image itself. periodic: see `AimAtSpectrum`."""
    return Term("spectrum", IMAGE, itself, spectrum_error, additive=False, of="style", aim=AimAtSpectrum(periodic))
