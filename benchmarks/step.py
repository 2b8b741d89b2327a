"""One value-and-gradient of the loss: ours in each form; PyTorch's in each layout, eager and by `torch.compile`.

python -m benchmarks.step --sizes 128 256 512 1024 --repeats 7
"""

import argparse
from collections.abc import Callable
from typing import Any

import jax
from jax import lax

import nst_jax.nn.conv
from benchmarks import ours
from benchmarks.interleaved import machine, medians, table
from nst_jax.parallel.compiler import compiler_options

try:
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks import pytorch
except ImportError:
    torch = pytorch = None


def frozen(size: int, convolution: str, options: dict[str, str | bool]) -> Callable[[], object]:
    """Ours: `auto` with Winograd where it pays, or `direct`. options: of XLA."""
    p, start = ours.problem(size, solver="adam", convolution=convolution)
    compiled = ours.gradient("adam").lower(p, start).compile(compiler_options=options)  # type: ignore[attr-defined]
    return lambda: jax.block_until_ready(compiled(p, start))


def plain(size: int) -> Callable[[], object]:
    """What one would write: lax.conv and its own gradient."""
    kept = nst_jax.nn.conv.frozen
    nst_jax.nn.conv.frozen = lambda x, kernel, margin, back: lax.conv_general_dilated(  # type: ignore[assignment]
        x, kernel, (1, 1), [(margin, margin)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    jax.clear_caches()
    try:
        return frozen(size, "direct", {})
    finally:
        nst_jax.nn.conv.frozen = kept
        jax.clear_caches()


def cases(size: int) -> dict[str, Callable[[], Any]]:
    """Everything that is compared."""
    made: dict[str, Callable[[], Any]] = {"plain jnp": plain(size)}
    options = compiler_options()
    made |= {"direct": frozen(size, "direct", options), "winograd": frozen(size, "auto", options)}
    if torch and pytorch:
        forms = {"torch contiguous": torch.contiguous_format, "torch channels_last": torch.channels_last}
        made |= {name: pytorch.gradient(size, form) for name, form in forms.items()}
        made |= {f"{name}, compiled": pytorch.gradient(size, form, compiled=True) for name, form in forms.items()}
    return made


def check_agreement(size: int) -> None:
    """Raise ValueError if torch and ours do not compute the same number."""
    p, start = ours.problem(size, solver="adam", convolution="auto")
    mine = float(ours.gradient("adam")(p, start)[0])
    theirs = pytorch.gradient(size, torch.contiguous_format)()[0] if torch and pytorch else mine
    if abs(theirs - mine) > 1e-3 * abs(mine):
        raise ValueError(f"torch computes {theirs}, ours {mine}")


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512, 1024])
    words.add_argument("--repeats", type=int, default=7)
    given = words.parse_args()
    rows, times = [], {}
    for size in given.sizes:
        check_agreement(size)
        times = medians(cases(size), repeats=given.repeats)
        theirs = min((v for k, v in times.items() if k.startswith("torch")), default=float("nan"))
        rows.append([size, *times.values(), times["direct"] / theirs, times["winograd"] / theirs])
        print(rows[-1], flush=True)
    names = list(times)
    print(f"\n{machine()}\n\n" + table(["size", *names, "direct / torch's best", "winograd / torch's best"], rows))


if __name__ == "__main__":
    main()
