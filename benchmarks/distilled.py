"""One value-and-gradient by the network that the package brings, against VGG-19: ours, and PyTorch's best.

python -m benchmarks.distilled --sizes 256 512 --repeats 7
"""

import argparse
from collections.abc import Callable
from typing import Any

import jax

import nst_jax as nst
from benchmarks import ours
from benchmarks.interleaved import machine, medians, table

try:
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks import pytorch
except ImportError:
    torch = pytorch = None

NUMBERS = {"content_weight": 1.0, "style_weight": 1e3, "tv_weight": 0.0}


def distilled(size: int) -> Callable[[], object]:
    """The layers and the loss of `ours.problem`, by distilled."""
    content, style = ours.pictures(size)
    net = nst.load("distilled")._replace(**ours.FACTORS, convention="gatys_released")
    task = nst.problem(net, content, style, **NUMBERS)
    solver = ours.METHODS["adam"]
    spec = nst.Spec(task.extractor, task.terms, solver.solver, solver.options)
    problem = nst.Problem(task.params, task.aims, task.weights, dict(solver.numbers))
    once = jax.jit(jax.value_and_grad(lambda p, x: nst.objective(spec, p, x), 1)).lower(problem, content).compile()
    return lambda: jax.block_until_ready(once(problem, content))


def vgg19(size: int) -> Callable[[], object]:
    """Ours, with Winograd's method where it pays."""
    problem, start = ours.problem(size, solver="adam", convolution="auto")
    once = ours.gradient("adam").lower(problem, start).compile()  # type: ignore[attr-defined]
    return lambda: jax.block_until_ready(once(problem, start))


def cases(size: int) -> dict[str, Callable[[], Any]]:
    """What is compared. PyTorch's form is the fastest of benchmarks.step."""
    made: dict[str, Callable[[], Any]] = {"distilled": distilled(size), "VGG-19": vgg19(size)}
    if torch and pytorch:
        form = torch.channels_last
        made |= {"torch": pytorch.gradient(size, form), "torch, compiled": pytorch.gradient(size, form, compiled=True)}
    return made


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    words.add_argument("--repeats", type=int, default=7)
    given = words.parse_args()
    rows, times = [], {}
    for size in given.sizes:
        times = medians(cases(size), repeats=given.repeats)
        theirs = min((v for k, v in times.items() if k.startswith("torch")), default=float("nan"))
        rows.append([size, *times.values(), times["distilled"] / times["VGG-19"], times["distilled"] / theirs])
    names = list(times)
    print(f"\n{machine()}\n\n" + table(["size", *names, "distilled / VGG-19", "distilled / torch's best"], rows))


if __name__ == "__main__":
    main()
