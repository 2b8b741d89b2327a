"""Memory and time of one value and gradient: the whole image, with checkpoints, and in tiles. Each in its own process.

python -m benchmarks.tiles --size 512 1024 --tiles 256 512
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from functools import partial

from benchmarks.interleaved import machine, table

NAN = float("nan")


def work(plan: str, size: int, *, run: bool) -> None:
    """Print [temporaries in MiB, seconds, peak of the process in MiB]; the last two are NaN where nothing is run."""
    import jax

    import nst_jax as nst
    from benchmarks import ours
    from nst_jax.extractors import architecture
    from nst_jax.methods import tiled, transfer

    taps, tiles = (*ours.STYLE, *ours.CONTENT), None
    if plan.isdecimal():
        settings = {"rounding": ours.NET.rounding, "padding": ours.NET.padding}
        tiles = tiled.tiles_of(architecture("vgg19"), taps, side=int(plan), **settings)
    net = ours.NET.clone(checkpoint=plan == "checkpoint")
    spec = ours.spec("adam")._replace(network=net, tiles=tiles)
    pictures = dict(zip(("content", "style"), ours.pictures(size), strict=True))
    params = ours.prepare(ours.PARAMS, convolution="auto", dtype="float32")
    ours.PARAMS.clear()  # type: ignore[attr-defined]
    find = partial(transfer.aims, net, ours.TERMS, pixels=size**2, tiles=tiles)
    aims = find(params, pictures) if run else jax.eval_shape(find, params, pictures)
    weights = {t.name: jax.numpy.float32(1) for t in ours.TERMS}
    problem, image = nst.Problem(params, aims, weights, {}), pictures["content"]
    both = jax.jit(lambda p, x: jax.value_and_grad(partial(transfer.objective, spec, p))(x))
    compiled = both.lower(problem, image).compile()
    memory = compiled.memory_analysis()
    found = [memory.temp_size_in_bytes / 2**20 if memory else NAN, NAN, NAN]
    if run:
        jax.block_until_ready(compiled(problem, image))
        began = time.perf_counter()
        jax.block_until_ready(compiled(problem, image))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found[1:] = time.perf_counter() - began, peak
    print(json.dumps(found))


def measure(plan: str, size: int, *, run: bool) -> list[float]:
    """What `work` prints, of a process of its own; NaN where it does not end well, as for want of memory."""
    command = [sys.executable, "-m", "benchmarks.tiles", "--size", str(size), "--case", plan]
    done = subprocess.run([*command, *([] if run else ["--compile"])], capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else [NAN] * 3


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--size", type=int, nargs="+", default=[512])
    words.add_argument("--tiles", type=int, nargs="*", default=[512], help="sides of a tile in pixels")
    words.add_argument("--compile", action="store_true", help="compile only: temporaries, and nothing is run")
    words.add_argument("--case", help="one plan, in this process: whole, checkpoint or the side of a tile")
    given = words.parse_args()
    if given.case:
        work(given.case, given.size[0], run=not given.compile)
        return
    plans = {"whole": "whole", "checkpoint": "checkpoint"} | {f"tiles={side}": str(side) for side in given.tiles}
    rows = [
        [f"{size} x {size}", name, *measure(plan, size, run=not given.compile)]
        for size in given.size
        for name, plan in plans.items()
    ]
    print(f"{machine()}\n\n" + table(["size", "plan", "temporaries, MiB", "seconds", "peak, MiB"], rows))


if __name__ == "__main__":
    main()
