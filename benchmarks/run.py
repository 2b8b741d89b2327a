"""Whole runs: how long until the loss that torch's L-BFGS has reached after 100 and after 300 evaluations.

The same weights, losses and start. They take turns: after every ten evaluations of torch, ten iterations of ours.

    python -m benchmarks.run --size 512 --evaluations 100 300
"""

import argparse
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import ours
from benchmarks.interleaved import machine, table
from nst_jax import transfer

CHUNK = 10  # evaluations or iterations of a turn
Curve = list[tuple[float, float]]  # (seconds of its own, loss)


def torchs(size: int, most: int, pause: Callable[[], object]) -> Curve:
    """torch.optim.LBFGS, history 100, no line search, after each evaluation. pause: what others do between turns."""
    import torch

    from benchmarks import pytorch

    objective, start = pytorch.problem(size, torch.channels_last)
    x = start.clone(memory_format=torch.contiguous_format).requires_grad_(True)  # what its L-BFGS can flatten
    solver = torch.optim.LBFGS([x], max_iter=most, max_eval=most, history_size=100, tolerance_change=0)
    seen, began, paused = [], time.perf_counter(), 0.0

    def closure() -> torch.Tensor:
        nonlocal paused
        solver.zero_grad()
        value = objective(x.contiguous(memory_format=torch.channels_last))
        value.backward()
        now = time.perf_counter()
        seen.append((now - began - paused, float(value.detach())))
        if len(seen) % CHUNK == 0:
            pause()
            paused += time.perf_counter() - now
        return value

    solver.step(closure)  # type: ignore[arg-type]
    return seen


def mine(size: int, solver: str) -> Callable[[], Curve]:
    """Another turn of ours, and its curve so far: at the end of each."""
    p, start = ours.problem(size, solver=solver, convolution="auto")
    spec = ours.spec(solver)
    state = transfer.begin(spec, p, start)
    program = transfer.advance.lower(spec, p, state, steps=jnp.int32(1), room=CHUNK).compile()
    seen: Curve = [(0.0, float("inf"))]

    def turn() -> Curve:
        nonlocal state
        began = time.perf_counter()
        state, _ = jax.block_until_ready(program(p, state, steps=jnp.int32(CHUNK)))
        seen.append((seen[-1][0] + time.perf_counter() - began, float(state.lowest)))
        return seen

    return turn


def reached(curve: Curve, goal: float) -> float:
    """When the loss first was at the goal or below; NaN if never."""
    return next((seconds for seconds, loss in curve if loss <= goal), float("nan"))


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--size", type=int, default=512)
    words.add_argument("--evaluations", type=int, nargs="+", default=[100, 300])
    words.add_argument("--solvers", nargs="+", default=["lbfgs", "lbfgs_torch"])
    given = words.parse_args()
    turns = {name: mine(given.size, name) for name in given.solvers}
    theirs = torchs(given.size, max(given.evaluations), lambda: [turn() for turn in turns.values()])
    goals = {n: float(np.min([loss for _, loss in theirs[:n]])) for n in given.evaluations}
    rows = []
    for name, turn in turns.items():
        curve = turn()
        while curve[-1][1] > min(goals.values()) and curve[-1][0] < 2 * theirs[-1][0]:
            curve = turn()
        for n, goal in goals.items():
            told = reached(theirs, goal)
            rows.append([n, name, goal, told, reached(curve, goal), reached(curve, goal) / told])
    head = ["evaluations of torch", "ours", "loss", "torch, s", "ours, s", "ratio"]
    print(f"{machine()}\n\n{given.size} x {given.size}\n\n" + table(head, rows))


if __name__ == "__main__":
    main()
