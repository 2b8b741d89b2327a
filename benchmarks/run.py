"""Whole runs: how long until the loss that torch's L-BFGS has reached after 100 and after 300 evaluations.

The same weights, losses and start. python -m benchmarks.run --size 512 --evaluations 100 300
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import ours
from benchmarks.interleaved import machine, table
from nst_jax import transfer

CHUNK = 10  # iterations between two looks at the clock


def torchs(size: int, most: int) -> list[tuple[float, float]]:
    """(seconds, loss) after each evaluation of torch.optim.LBFGS, history 100, no line search."""
    import torch

    from benchmarks import pytorch

    objective, start = pytorch.problem(size, torch.channels_last)
    x = start.clone().requires_grad_(True)
    solver = torch.optim.LBFGS([x], max_iter=most, max_eval=most, history_size=100, tolerance_change=0)
    seen, began = [], time.perf_counter()

    def closure() -> torch.Tensor:
        solver.zero_grad()
        value = objective(x)
        value.backward()
        seen.append((time.perf_counter() - began, float(value.detach())))
        return value

    solver.step(closure)  # type: ignore[arg-type]
    return seen


def mine(size: int, solver: str, goal: float, most: float) -> list[tuple[float, float]]:
    """(seconds, loss) at the end of each chunk, until the goal is reached or `most` seconds are over."""
    p, start = ours.problem(size, solver=solver, convolution="auto")
    spec = ours.spec(solver)
    state = transfer.begin(spec, p, start)
    program = transfer.advance.lower(spec, p, state, steps=jnp.int32(1), room=CHUNK).compile()
    seen, began = [(0.0, float("inf"))], time.perf_counter()
    while seen[-1][1] > goal and seen[-1][0] < most:
        state, _ = jax.block_until_ready(program(p, state, steps=jnp.int32(CHUNK)))
        seen.append((time.perf_counter() - began, float(state.lowest)))
    return seen


def reached(curve: list[tuple[float, float]], goal: float) -> float:
    """When the loss first was at the goal or below; NaN if never."""
    return next((seconds for seconds, loss in curve if loss <= goal), float("nan"))


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--size", type=int, default=512)
    words.add_argument("--evaluations", type=int, nargs="+", default=[100, 300])
    words.add_argument("--solvers", nargs="+", default=["lbfgs", "lbfgs_torch"])
    given = words.parse_args()
    theirs = torchs(given.size, max(given.evaluations))
    goals = {n: float(np.min([loss for _, loss in theirs[:n]])) for n in given.evaluations}
    rows = []
    curves = {s: mine(given.size, s, min(goals.values()), 3 * theirs[-1][0]) for s in given.solvers}
    for n, goal in goals.items():
        told = reached(theirs, goal)
        rows += [[n, s, goal, told, reached(c, goal), reached(c, goal) / told] for s, c in curves.items()]
    head = ["evaluations of torch", "ours", "loss", "torch, s", "ours, s", "ratio"]
    print(f"{machine()}\n\n{given.size} x {given.size}\n\n" + table(head, rows))


if __name__ == "__main__":
    main()
