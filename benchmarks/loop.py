"""A step inside `advance` against the bare value-and-gradient: what the loop and the optimiser cost.

The line search is left out (`lbfgs_torch`, one evaluation a step, history 100, all of it read at every step).

    python -m benchmarks.loop --sizes 256 512
"""

import argparse
from collections.abc import Callable

import jax
import jax.numpy as jnp

from benchmarks import ours
from benchmarks.interleaved import machine, medians, table
from nst_jax.methods import transfer
from nst_jax.parallel.compiler import compiler_options

STEPS = 4  # of a turn, inside one program


def advance(size: int, solver: str, *, warm: int) -> Callable[[], object]:
    """A turn of STEPS steps, after `warm` steps that fill the memory."""
    p, start = ours.problem(size, solver=solver, convolution="auto")
    spec = ours.spec(solver)
    state = transfer.begin(spec, p, start)
    lowered = transfer.advance.lower(spec, p, state, steps=jnp.int32(1), room=max(STEPS, warm))
    program = lowered.compile(compiler_options=compiler_options())
    state, _ = program(p, state, steps=jnp.int32(warm))

    def turn() -> object:
        nonlocal state
        state, infos = jax.block_until_ready(program(p, state, steps=jnp.int32(STEPS)))
        return infos

    return turn


def bare(size: int) -> Callable[[], object]:
    """As many values and gradients, one after the other."""
    p, start = ours.problem(size, solver="adam", convolution="auto")
    lowered = ours.gradient("adam").lower(p, start)  # type: ignore[attr-defined]
    compiled = lowered.compile(compiler_options=compiler_options())
    return lambda: [jax.block_until_ready(compiled(p, start)) for _ in range(STEPS)]


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    words.add_argument("--repeats", type=int, default=7)
    words.add_argument("--warm", type=int, default=10)
    given = words.parse_args()
    rows = []
    for size in given.sizes:
        solvers = {name: advance(size, name, warm=given.warm) for name in ("adam", "lbfgs_torch")}
        times = medians({"bare": bare(size)} | solvers, repeats=given.repeats)
        rows.append([size, *(s / STEPS for s in times.values()), *(times[name] / times["bare"] for name in solvers)])
        print(rows[-1], flush=True)
    head = ["size", "bare, s", "adam, s", "lbfgs_torch, s", "adam / bare", "lbfgs_torch / bare"]
    print(f"\n{machine()}\n\n" + table(head, rows))


if __name__ == "__main__":
    main()
