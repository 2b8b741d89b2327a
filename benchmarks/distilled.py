"""One value-and-gradient by the network that the package brings, against VGG-19: ours, and PyTorch's best.

Ours also in a loop, as a run computes it: a call by itself gets the memory of its arrays anew from the system.

python -m benchmarks.distilled --sizes 256 512 --repeats 7
"""

import argparse
from collections.abc import Callable
from typing import Any

import jax
from jax import lax

import nst_jax as nst
from benchmarks import ours, step
from benchmarks.interleaved import machine, medians, table
from nst_jax.parallel.compiler import compiler_options

TURNS = 10  # of the loop
NUMBERS = {"content_weight": 1.0, "style_weight": 1e3, "tv_weight": 0.0}


def distilled(size: int) -> tuple[nst.Spec, nst.Problem]:
    """The layers and the loss of `ours.problem`, by distilled."""
    net = nst.load("distilled")._replace(**ours.FACTORS, convention="gatys_released")
    return nst.split(nst.problem(net, *ours.pictures(size), **NUMBERS), ours.METHODS["adam"])


def cases(size: int) -> dict[str, Callable[[], Any]]:
    """What is compared. PyTorch's form is the fastest of benchmarks.step."""
    vgg, start = ours.problem(size, solver="adam", convolution="auto")
    made: dict[str, Callable[[], Any]] = {}
    for name, (spec, problem) in {"distilled": distilled(size), "VGG-19": (ours.spec("adam"), vgg)}.items():
        made |= {name: once(spec, problem, start), f"{name} in a loop": loop(spec, problem, start)}
    if step.torch and step.pytorch:
        form = step.torch.channels_last
        made |= {"torch": step.pytorch.gradient(size, form)}
        made |= {"torch, compiled": step.pytorch.gradient(size, form, compiled=True)}
    return made


def once(spec: nst.Spec, problem: nst.Problem, image: jax.Array) -> Callable[[], object]:
    """One value and gradient."""
    both = jax.value_and_grad(lambda p, x: nst.objective(spec, p, x), 1)
    compiled = jax.jit(both).lower(problem, image).compile(compiler_options=compiler_options())
    return lambda: jax.block_until_ready(compiled(problem, image))


def loop(spec: nst.Spec, problem: nst.Problem, image: jax.Array) -> Callable[[], object]:
    """TURNS gradients in one program, each at an image that follows from the one before."""

    def turns(p: nst.Problem, x: jax.Array) -> jax.Array:
        slope = jax.grad(lambda x: nst.objective(spec, p, x))
        return lax.fori_loop(0, TURNS, lambda _, x: x - 1e-9 * slope(x), x)

    compiled = jax.jit(turns).lower(problem, image).compile(compiler_options=compiler_options())
    return lambda: jax.block_until_ready(compiled(problem, image))


def main() -> None:
    """Print the table: seconds of one gradient, and ratios."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    words.add_argument("--repeats", type=int, default=7)
    given = words.parse_args()
    rows, times = [], {}
    for size in given.sizes:
        times = medians(cases(size), repeats=given.repeats)
        times = {name: seconds / (TURNS if name.endswith("loop") else 1) for name, seconds in times.items()}
        own, looped = (times[f"distilled{kind}"] / times[f"VGG-19{kind}"] for kind in ("", " in a loop"))
        theirs = min((v for k, v in times.items() if k.startswith("torch")), default=float("nan"))
        rows.append([size, *times.values(), own, looped, times["distilled"] / theirs])
    ratios = ("distilled / VGG-19", "in a loop", "distilled / torch's best")
    print(f"\n{machine()}\n\n" + table(["size", *times, *ratios], rows))


if __name__ == "__main__":
    main()
