"""Memory and time of one value and gradient: the whole image, with checkpoints, and in tiles. Each in its own process.

python -m benchmarks.tiles --network distilled vgg19 --size 512 1024 --tiles 512
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.interleaved import machine, table

NAN = float("nan")
REPEATS, LONG = 6, 40  # calls at most; seconds of them after which no further one is made. The first warms up


def work(network: str, plan: str, size: int, *, run: bool) -> None:
    """Print [temporaries in MiB, seconds, peak of the process in MiB]; the last two are NaN where nothing is run.

    A plan that needs more memory than is free is not run.
    """
    import jax

    import nst_jax as nst
    from benchmarks import ours
    from nst_jax.extractors import architecture
    from nst_jax.methods import tiled, transfer
    from nst_jax.parallel.compiler import compiler_options
    from nst_jax.shell.running.device import free_memory

    arch, taps, tiles = architecture(network), (*ours.STYLE, *ours.CONTENT), None
    settings = {"rounding": ours.NET.rounding, "padding": ours.NET.padding}
    if plan.isdecimal():
        tiles = tiled.tiles_of(arch, taps, side=int(plan), **settings)
    net = arch.tap(taps, pool="avg", checkpoint=plan == "checkpoint", **settings)
    spec = ours.spec("adam")._replace(network=net, tiles=tiles)
    pictures = dict(zip(("content", "style"), ours.pictures(size), strict=True))
    params = arch.ready(arch.random(jax.random.key(0)), convolution="auto", dtype="float32")
    find = partial(transfer.aims, net, ours.TERMS, pixels=size**2, tiles=tiles)
    weights, image = {t.name: jax.numpy.float32(1) for t in ours.TERMS}, pictures["content"]
    problem = nst.Problem(params, jax.eval_shape(find, params, pictures), weights, {})
    both = jax.jit(lambda p, x: jax.value_and_grad(partial(transfer.objective, spec, p))(x))
    compiled = both.lower(problem, image).compile(compiler_options=compiler_options())
    memory = compiled.memory_analysis()
    found = [memory.temp_size_in_bytes / 2**20 if memory else NAN, NAN, NAN]
    if run and not (memory and memory.temp_size_in_bytes > free_memory()):
        problem = problem._replace(aims=jax.block_until_ready(find(params, pictures)))
        times = [seconds(lambda: jax.block_until_ready(compiled(problem, image)))]
        while len(times) < REPEATS and sum(times) < LONG:
            times.append(seconds(lambda: jax.block_until_ready(compiled(problem, image))))
        found[1:] = median(times[1:] or times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def seconds(call: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure(network: str, plan: str, size: int, *, run: bool) -> list[float]:
    """What `work` prints, of a process of its own; NaN where it does not end well, as for want of memory."""
    command = [sys.executable, "-m", "benchmarks.tiles", "--network", network, "--size", str(size), "--case", plan]
    done = subprocess.run([*command, *([] if run else ["--compile"])], capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else [NAN] * 3


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--network", nargs="+", default=["vgg19"])
    words.add_argument("--size", type=int, nargs="+", default=[512])
    words.add_argument("--tiles", type=int, nargs="*", default=[512], help="sides of a tile in pixels")
    words.add_argument("--compile", action="store_true", help="compile only: temporaries, and nothing is run")
    words.add_argument("--case", help="one plan, in this process: whole, checkpoint or the side of a tile")
    given = words.parse_args()
    if given.case:
        work(given.network[0], given.case, given.size[0], run=not given.compile)
        return
    plans = {"whole": "whole", "checkpoint": "checkpoint"} | {f"tiles={side}": str(side) for side in given.tiles}
    print(machine(), flush=True)
    rows = []
    for network in given.network:
        for size in given.size:
            for name, plan in plans.items():
                rows.append([network, f"{size} x {size}", name, *measure(network, plan, size, run=not given.compile)])
                print(*rows[-1], flush=True)
    print("\n" + table(["network", "size", "plan", "temporaries, MiB", "seconds", "peak, MiB"], rows))


if __name__ == "__main__":
    main()
