"""Terms that keep a result photographic: the photograph's Laplacian, and colours that are locally affine in its own."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from nst_jax.losses.differences import laplacian
from nst_jax.losses.term import IMAGE, Aim, Term, View, itself
from nst_jax.nn.lifted import dense
from nst_jax.types import Image, Scalar

# Luan et al. have 1e-7, with sums in float64: in float32 flat windows would be rounding alone
EPS = 1e-5


class LaplacianError(NamedTuple):
    """The mean squared difference of two Laplacians, of pictures in 0..255.

    Li, Xu, Nie & Kankanhalli 2017, ACM MM, arXiv 1707.01253, eq. 6; askerlee/lapstyle @60489ea, lap_style.lua. The
    colours are summed, so that edges between colours of one sum do not count.

    Attributes:
      pool: pixels of a side that are averaged before: 4 in the released program.
    """

    pool: int

    def __call__(self, image: Image, aim: Float[Array, "h w"]) -> Scalar:
        """The error of the image."""
        return 255**2 * jnp.mean((laplacian(image, pool=self.pool) - aim) ** 2)


class AimAtLaplacian(NamedTuple):
    """Aim at the photograph's Laplacian."""

    pool: int

    def __call__(self, view: View) -> Aim:
        """The aim."""
        return Aim(whole=laplacian(dense(view.activation), pool=self.pool))


class Guide(NamedTuple):
    """The photograph's windows of 3 x 3 pixels."""

    centred: Float[Array, "h w 9 3"]  # each pixel less the window's mean
    inverse: Float[Array, "h w 3 3"]  # of the window's scatter matrix, nine times its covariance, plus EPS


def windows(image: Image) -> Float[Array, "h w 9 3"]:
    """The nine pixels of each window that lies within the picture, less their mean."""
    h, w, _ = image.shape
    nine = jnp.stack([image[i : i + h - 2, j : j + w - 2] for i in range(3) for j in range(3)], 2)
    return nine - nine.mean(2, keepdims=True)


def guide(view: View) -> Aim:
    """The windows of the photograph, and what is solved for them once."""
    own = windows(dense(view.activation))
    return Aim(whole=Guide(own, jnp.linalg.inv(scatter(own, own) + EPS * jnp.eye(3, dtype=own.dtype))))


def scatter(a: Float[Array, "h w 9 3"], b: Float[Array, "h w 9 3"]) -> Float[Array, "h w 3 3"]:
    """The sum over each window's pixels of the channels of a times those of b."""
    return jnp.einsum("hwki,hwkj->hwij", a, b, precision=lax.Precision.HIGHEST)


def matting_energy(image: Image, aim: Guide) -> Scalar:
    """The sum over channels of V^T L V, L the photograph's matting Laplacian, without the matrix.

    In each window a ridge regression fits V by an affine function of the photograph's colours. The energy is the rest
    of the squares of V less its mean: Levin, Lischinski & Weiss 2006, eq. 12. As a term: Luan, Paris, Shechtman & Bala
    2017, CVPR (arXiv 1703.07511), eq. 2, weight 1e4.
    """
    own = windows(image)
    cross = scatter(aim.centred, own)
    fitted = jnp.einsum("hwic,hwij,hwjc->hw", cross, aim.inverse, cross, precision=lax.Precision.HIGHEST)
    return jnp.sum(jnp.sum(own**2, (2, 3)) - fitted)  # window by window: the sums are far larger than the rest


def laplacian_term(*, pool: int) -> Term:
    """The term `laplacian`. pool: pixels of a side that are averaged before."""
    return Term(
        "laplacian", IMAGE, itself, LaplacianError(pool), additive=False, of="content", aim=AimAtLaplacian(pool)
    )


def matting_term() -> Term:
    """The term `matting`."""
    return Term("matting", IMAGE, itself, matting_energy, additive=False, of="content", aim=guide)
