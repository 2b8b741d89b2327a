"""Whole runs: how long until the loss that torch's L-BFGS has reached after 100 and after 300 evaluations.

The same weights, losses and start. They take turns: after every ten evaluations of torch, ten iterations of ours.
Without PyTorch: the seconds and the loss of our runs after so many iterations.

    python -m benchmarks.run --size 512 --evaluations 100 300
"""

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import ours
from benchmarks.interleaved import machine, table
from nst_jax.methods import transfer
from nst_jax.parallel.compiler import compiler_options

CHUNK = 10  # evaluations or iterations of a turn
Curve = list[tuple[float, float]]  # (seconds of its own, loss)


def run_torch(size: int, most: int, pause: Callable[[], object]) -> Curve:
    """torch.optim.LBFGS, history 100, no line search, after each evaluation. pause: what others do between turns."""
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks import pytorch

    objective, start = pytorch.problem(size, torch.channels_last)
    x = start.clone(memory_format=torch.contiguous_format).requires_grad_(True)  # what its L-BFGS can flatten
    solver = torch.optim.LBFGS([x], max_iter=most, max_eval=most, history_size=100, tolerance_change=0)
    curve, began, paused = [], time.perf_counter(), 0.0

    def closure() -> torch.Tensor:
        nonlocal paused
        solver.zero_grad()
        value = objective(x.contiguous(memory_format=torch.channels_last))
        value.backward()
        now = time.perf_counter()
        curve.append((now - began - paused, float(value.detach())))
        if len(curve) % CHUNK == 0:
            pause()
            paused += time.perf_counter() - now
        return value

    solver.step(closure)  # type: ignore[arg-type]
    return curve


def begin_ours(size: int, solver: str) -> Callable[[], Curve]:
    """Another turn of ours, and its curve so far: at the end of each."""
    p, start = ours.problem(size, solver=solver, convolution="auto")
    spec = ours.spec(solver)
    state = transfer.begin(spec, p, start)
    lowered = transfer.advance.lower(spec, p, state, steps=jnp.int32(1), room=CHUNK)
    program = lowered.compile(compiler_options=compiler_options())
    curve: Curve = [(0.0, float("inf"))]

    def turn() -> Curve:
        nonlocal state
        began = time.perf_counter()
        state, _ = jax.block_until_ready(program(p, state, steps=jnp.int32(CHUNK)))
        curve.append((curve[-1][0] + time.perf_counter() - began, float(state.lowest)))
        return curve

    return turn


def time_to(curve: Curve, goal: float) -> float:
    """When the loss first was at the goal or below; NaN if never."""
    return next((seconds for seconds, loss in curve if loss <= goal), float("nan"))


def alone(turns: dict[str, Callable[[], Curve]], iterations: list[int]) -> str:
    """The table of our runs, for a machine without torch."""
    rows = []
    for name, turn in turns.items():
        curve = [turn() for _ in range(-(-max(iterations) // CHUNK))][-1]
        rows += [[n, name, curve[-(-n // CHUNK)][1], curve[-(-n // CHUNK)][0]] for n in iterations]
    return table(["iterations", "ours", "loss", "ours, s"], rows)


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--size", type=int, default=512)
    words.add_argument("--evaluations", type=int, nargs="+", default=[100, 300])
    words.add_argument("--solvers", nargs="+", default=["lbfgs", "lbfgs_torch"])
    given = words.parse_args()
    turns = {name: begin_ours(given.size, name) for name in given.solvers}
    if find_spec("torch") is None:
        print(f"{machine()}\n\n{given.size} x {given.size}\n\n" + alone(turns, given.evaluations))
        return
    theirs = run_torch(given.size, max(given.evaluations), lambda: [turn() for turn in turns.values()])
    goals = {n: float(np.min([loss for _, loss in theirs[:n]])) for n in given.evaluations}
    rows = []
    for name, turn in turns.items():
        curve = turn()
        while curve[-1][1] > min(goals.values()) and curve[-1][0] < 2 * theirs[-1][0]:
            curve = turn()
        for n, goal in goals.items():
            seconds = time_to(theirs, goal)
            rows.append([n, name, goal, seconds, time_to(curve, goal), time_to(curve, goal) / seconds])
    head = ["evaluations of torch", "ours", "loss", "torch, s", "ours, s", "ratio"]
    print(f"{machine()}\n\n{given.size} x {given.size}\n\n" + table(head, rows))


if __name__ == "__main__":
    main()
