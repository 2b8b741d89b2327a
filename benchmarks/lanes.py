"""Several style weights in one program (vmap) against as many single runs.

python -m benchmarks.lanes --size 128 --lanes 4 --steps 5
"""

import argparse
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from benchmarks import ours
from benchmarks.interleaved import machine, medians, table
from nst_jax import Problem
from nst_jax.methods import transfer


def one_by_one(run: Callable[..., jax.Array], p: Problem, start: jax.Array, factors: jax.Array) -> None:
    """A run for each factor."""
    for factor in factors:
        jax.block_until_ready(run(p, start, factor))


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    for name, default in (("size", 128), ("lanes", 4), ("steps", 5), ("repeats", 5)):
        words.add_argument(f"--{name}", type=int, default=default)
    given = words.parse_args()
    rows = []
    for solver in ("adam", "lbfgs_torch"):
        p, start = ours.problem(given.size, solver=solver, convolution="auto")
        factors = jnp.geomspace(0.1, 10.0, given.lanes)

        def run(p: Problem, start: jax.Array, factor: jax.Array, *, solver: str = solver) -> jax.Array:
            weights = {k: factor * w if k.startswith("style/") else w for k, w in p.weights.items()}
            p = p._replace(weights=weights)
            return transfer.stylise(ours.spec(solver), p, start, steps=given.steps).image

        single = jax.jit(run)
        lanes = jax.jit(jax.vmap(run, in_axes=(None, None, 0)))
        cases = {
            "one program": partial(lambda f, *a: jax.block_until_ready(f(*a)), lanes, p, start, factors),
            "single runs": partial(one_by_one, single, p, start, factors),
        }
        times = medians(cases, repeats=given.repeats)
        rows.append([solver, *times.values(), times["one program"] / times["single runs"]])
    title = f"{given.lanes} lanes, {given.size} x {given.size}, {given.steps} steps"
    print(f"{machine()}\n\n{title}\n\n" + table(["solver", *times, "ratio"], rows))


if __name__ == "__main__":
    main()
