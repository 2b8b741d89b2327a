"""A 3 x 3 convolution by Winograd's method F(4 x 4, 3 x 3): a quarter of the multiplications.

Lavin & Gray 2016, arXiv 1509.09308. The image is cut into tiles of 6 x 6 pixels, four pixels apart. A tile x is
transformed to 36 numbers V = B x. A kernel k is transformed to 36 numbers U = G k, once per run. The tile of 4 x 4
results is A (U V). In two dimensions B, A and G are the Kronecker squares of the one-dimensional matrices. All three
steps are matrix products of 36 rows, which XLA's CPU backend computes fast. A large image is computed in bands of rows
of tiles, which saves memory.

The same U serves the input gradient. Its kernel is rotated by 180 degrees. To rotate the kernel is to rotate the tile
before and after the product: to reverse the columns of B and the rows of A.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

Batch = Float[Array, "n h w _"]
Spectrum = Float[Array, "36 cin cout"]
Matrix = Float[Array, "_ 36"] | Float[np.ndarray, "_ 36"]

OUT, IN = 4, 6  # sides of a tile of results and of the pixels that it takes
# A band holds BAND numbers of V, or REUSE tiles for each channel where that is more: `python -m benchmarks.layers`.
BAND = 2**24  # with 2**19, products of 128 channels ran at half their speed
REUSE = 2  # with 1/4, products of 256 channels ran at a third of their speed

# The points 0, 1, -1, 2, -2 and infinity: Lavin & Gray 2016, section 4.3
B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])


def spectrum(kernel: Float[Array, "3 3 cin cout"]) -> Spectrum:
    """U: the kernel's 36 numbers for each pair of channels. It takes four times the kernel's memory."""
    g = G.astype(kernel.dtype)
    whole = jnp.einsum("ai,bj,ijcd->abcd", g, g, kernel, precision=lax.Precision.HIGHEST)
    return whole.reshape(IN * IN, *kernel.shape[2:])


def transforms(dtype: Any, *, back: bool) -> tuple[np.ndarray, np.ndarray]:
    """B and A in two dimensions.

    They are arguments of `winograd`, since custom_vmap must not close over arrays.

    Args:
      dtype: of the convolution.
      back: for the input gradient.
    """
    into, out = np.kron(B, B).astype(dtype), np.kron(A, A).astype(dtype)
    return (into[:, ::-1], out[::-1]) if back else (into, out)


def winograd(x: Batch, u: Spectrum, into: Matrix, out: Matrix, *, margin: int, back: bool) -> Float[Array, "n oh ow _"]:
    """The convolution of x with the kernel whose spectrum is u.

    Args:
      x: activations.
      u: the kernel's spectrum.
      into: B in two dimensions, of `transforms`.
      out: A in two dimensions, of `transforms`.
      margin: zeros on each side of x.
      back: use the kernel of the input gradient, rotated by 180 degrees and with its channels swapped.
    """
    n, h, w = x.shape[0], x.shape[1] + 2 * margin - 2, x.shape[2] + 2 * margin - 2  # of the result
    rows, wide = -(-h // OUT), -(-w // OUT)
    height = band_height(rows=rows, tiles=n * wide, channels=x.shape[3])
    bands = -(-rows // height)
    high = bands * height * OUT
    x = jnp.pad(x, ((0, 0), (margin, high - h + margin), (margin, wide * OUT - w + margin), (0, 0)))

    def band(i: Array | int, y: Array) -> Array:
        part = lax.dynamic_slice_in_dim(x, i * height * OUT, height * OUT + 2, axis=1)
        result = convolve_tiles(part, u, into, out, back=back)[:, :, :w]
        return lax.dynamic_update_slice_in_dim(y, result, i * height * OUT, axis=1)

    y = jnp.zeros((n, high, w, u.shape[1 if back else 2]), x.dtype)
    return (lax.fori_loop(0, bands, band, y) if bands > 1 else band(0, y))[:, :h]


def band_height(*, rows: int, tiles: int, channels: int) -> int:
    """The number of rows of tiles in a band, such that bands have nearly one height.

    Args:
      rows: rows of tiles in the image.
      tiles: in a row, of all images of the batch.
      channels: of the input.
    """
    tiles_of_band = max(BAND / (IN * IN * channels), REUSE * channels)
    bands = max(1, round(rows * tiles / tiles_of_band))
    return -(-rows // min(bands, rows))


def convolve_tiles(x: Batch, u: Spectrum, into: Matrix, out: Matrix, *, back: bool) -> Float[Array, "n oh ow _"]:
    """The convolution of whole tiles, without padding: x is two pixels higher and wider than the result."""
    n, rows, wide, exact = x.shape[0], x.shape[1] // OUT, x.shape[2] // OUT, precision()
    x = jnp.stack([x[:, i : i + OUT * rows : OUT] for i in range(IN)])  # 36 slices at once are no faster, and
    x = jnp.stack([x[:, :, :, j : j + OUT * wide : OUT] for j in range(IN)], 1)  # three times as long to compile
    v = jnp.matmul(into, x.reshape(IN * IN, -1), precision=exact).reshape(IN * IN, -1, x.shape[5])
    m = jnp.einsum("ftd,fcd->ftc" if back else "ftc,fcd->ftd", v, u, precision=exact)
    y = jnp.matmul(out, m.reshape(IN * IN, -1), precision=exact).reshape(OUT, OUT, n, rows, wide, -1)
    return y.transpose(2, 3, 0, 4, 1, 5).reshape(n, OUT * rows, OUT * wide, -1)


def precision() -> lax.Precision | None:
    """float32, unless jax's own setting asks for less: jax.default_matmul_precision("tensorfloat32")."""
    asked = jax.config.jax_default_matmul_precision  # pyright: ignore[reportAttributeAccessIssue]
    return None if asked else lax.Precision.HIGHEST
