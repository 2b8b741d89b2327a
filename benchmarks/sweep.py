"""A sweep of 24 jobs (4 weights of style x 3 seeds x 2 poolings) as lanes, and by Hydra's basic launcher.

Whole commands, each with an empty cache of compiled programs. Further words are settings for all of them:

    python -m benchmarks.sweep --turns 2 size=96 steps=20 weights=file weights.path=VGG19 layers=blocks1-3
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.interleaved import machine, table
from nst_jax import pictures

LINE = ("style_weight=1e2,1e3,1e4,1e5", "seed=0,1,2", "network.pool=max,avg", "canvas=noise", "output.every=0")
LAUNCHERS = {
    "lanes": (),
    "basic": ("hydra/launcher=basic", "hydra/sweeper=basic"),
    "basic, no cache": ("hydra/launcher=basic", "hydra/sweeper=basic", "device.cache=false"),
}


def seconds(words: tuple[str, ...], place: Path) -> float:
    """One sweep, from the command's start to its end."""
    pair = [f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}"]
    code = "from nst_jax.shell.cli.nst import main; main()"
    command = [sys.executable, "-c", code, "-m", *pair, *LINE, *words, f"output.folder={place}"]
    command += [f"hydra.sweep.dir={place}"]  # where Hydra's own sweeper leaves its multirun.yaml
    environment = {**os.environ, "NST_JAX_CACHE": str(place / "cache")}
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2)
    given, words = parser.parse_known_args()
    times: dict[str, list[float]] = {name: [] for name in LAUNCHERS}
    for _ in range(given.turns):
        for name, launcher in LAUNCHERS.items():
            with tempfile.TemporaryDirectory() as place:
                times[name].append(seconds((*words, *launcher), Path(place)))
    first = statistics.median(times["lanes"])
    rows = [[name, statistics.median(each), first / statistics.median(each)] for name, each in times.items()]
    print(f"{machine()}\n\n{' '.join((*LINE, *words))}\n\n" + table(["launcher", "seconds", "lanes / this"], rows))


if __name__ == "__main__":
    main()
