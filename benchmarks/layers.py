"""Each convolution of a network by itself, direct and Winograd, forward and backward: where Winograd pays.

In a loop, as in a run: a bare call gets its memory anew from the system each time, which falsifies high bands the most.
`vgg.PAYS`, `distilled.PAYS` and `winograd.BAND` come from this table; between neighbouring bands whole steps decided
(BENCHMARKS.md).

    python -m benchmarks.layers --size 512 --network distilled
"""

import argparse
from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from benchmarks.interleaved import machine, medians, table
from nst_jax.extractors.distilled import CONVOLUTIONS
from nst_jax.extractors.vgg import VGG19, kernels
from nst_jax.nn import winograd
from nst_jax.nn.conv import frozen
from nst_jax.nn.winograd import spectrum
from nst_jax.parallel.compiler import compiler_options

BANDS = (19, 21, 22, 23, 24, 40)  # values of BAND to try, as powers of two; the last is the whole picture at once
NETWORKS = {"vgg19": kernels(VGG19), "distilled": CONVOLUTIONS}
TURNS = 4  # of the loop


def case(x: jax.Array, kernel: jax.Array, back: bool, power: int) -> Callable[[], object]:
    """One convolution, TURNS times, compiled with that band height."""
    jax.clear_caches()  # a trace does not know of BAND
    kept, winograd.BAND = winograd.BAND, 2**power

    def turns(x: jax.Array, kernel: jax.Array) -> jax.Array:
        once = lambda scale: frozen(scale * x, kernel, 1, back)
        return jax.lax.fori_loop(1, TURNS, lambda _, y: once(1 + 1e-9 * y[0, 0, 0, 0]), once(1.0))

    compiled = jax.jit(turns).lower(x, kernel).compile(compiler_options=compiler_options())
    winograd.BAND = kept
    return lambda: jax.block_until_ready(compiled(x, kernel))


def compare(side: int, cin: int, cout: int, repeats: int) -> list[float]:
    """Milliseconds: direct, Winograd in bands of each height; forward and backward together."""
    rng = np.random.default_rng(0)
    kernel = jax.numpy.asarray(rng.standard_normal((3, 3, cin, cout)), "float32")
    cases: dict[str, list[Callable[[], object]]] = {}
    for back, channels in ((False, cin), (True, cout)):
        x = jax.numpy.asarray(rng.standard_normal((1, side, side, channels)), "float32")
        cases.setdefault("direct", []).append(case(x, kernel, back, 0))
        for power in BANDS:
            cases.setdefault(str(power), []).append(case(x, spectrum(kernel), back, power))
    both = {name: partial(lambda pair: [run() for run in pair], pair) for name, pair in cases.items()}
    return [1e3 * seconds / TURNS for seconds in medians(both, repeats=repeats).values()]


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--size", type=int, default=512)
    words.add_argument("--repeats", type=int, default=5)
    words.add_argument("--network", choices=NETWORKS, default="vgg19")
    given = words.parse_args()
    rows = []
    for name, (_, _, cin, cout) in NETWORKS[given.network].items():
        if name[6] in "12" and name[4] <= "5":  # conv1_1 has three channels: direct
            side = given.size >> (int(name[4]) - 1)
            times = compare(side, cin, cout, given.repeats) if cin > 3 else []
            rows += [[name, f"{side} x {side}", f"{cin} -> {cout}", *times, min(times[1:]) / times[0]]] if times else []
    head = [
        "layer",
        "size",
        "channels",
        "direct, ms",
        *(f"bands of 2^{power}" for power in BANDS[:-1]),
        "no bands",
        "best / direct",
    ]
    print(f"{machine()}\n\n" + table(head, rows))


if __name__ == "__main__":
    main()
