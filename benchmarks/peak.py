"""What XLA's CPU backend reaches at best: products of matrices, Winograd's 36 products, direct convolutions.

python -m benchmarks.peak
XLA_FLAGS=--xla_cpu_use_xnnpack=true python -m benchmarks.peak
"""

import os
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.interleaved import machine, medians, table

PRODUCTS: dict[str, Callable[..., object]] = {
    "one batched product": lambda v, u: jnp.einsum("ftc,fcd->ftd", v, u),
    "36 products": lambda v, u: tuple(v[i] @ u[i] for i in range(36)),
    "a loop": lambda v, u: lax.map(lambda pair: pair[0] @ pair[1], (v, u)),
}
SHAPES = ((1024, 128, 128), (1024, 256, 256), (256, 512, 512))  # tiles, channels in, channels out
SIDES = ((128, 64), (64, 256))  # of a convolution, and its channels


def convolution(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """As it is written without Winograd."""
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def ready(work: Callable[..., object], *shapes: tuple[int, ...]) -> Callable[[], object]:
    """The work on arrays of these shapes, compiled."""
    arrays = [jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate(shapes)]
    compiled = jax.jit(work).lower(*arrays).compile()
    return lambda: jax.block_until_ready(compiled(*arrays))


def main() -> None:
    """Print the table."""
    cases, flop = {"1024 x 1024 matrices": ready(jnp.matmul, (1024, 1024), (1024, 1024))}, {}
    flop["1024 x 1024 matrices"] = 2 * 1024**3
    for tiles, cin, cout in SHAPES:
        for name, work in PRODUCTS.items():
            label = f"{name}, {tiles} tiles, {cin} -> {cout}"
            cases[label], flop[label] = ready(work, (36, tiles, cin), (36, cin, cout)), 72 * tiles * cin * cout
    for side, many in SIDES:
        label = f"direct convolution, {side} x {side}, {many} channels"
        cases[label] = ready(convolution, (1, side, side, many), (3, 3, many, many))
        flop[label] = 18 * side**2 * many**2
    rows = [[name, flop[name] / seconds / 1e9] for name, seconds in medians(cases, repeats=9).items()]
    print(f"{machine()}; XLA_FLAGS={os.environ.get('XLA_FLAGS', '')}\n\n" + table(["work", "GFLOP/s"], rows))


if __name__ == "__main__":
    main()
