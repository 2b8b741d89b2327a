"""From the shell's prompt to the first finished step: with an empty cache of programs, and with a full one.

python -m benchmarks.startup --size 256
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


def seconds(size: int, steps: int, place: Path) -> float:
    """One run of the command, from its start to its end, in a cache of its own."""
    pair = [f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}"]
    words = [*pair, "weights=random", f"size={size}", f"steps={steps}", "output.every=0", f"output.folder={place}"]
    command = [sys.executable, "-c", "from nst_jax.shell.main import main; main()", *words]
    began = time.perf_counter()
    environment = {**os.environ, "NST_JAX_CACHE": str(place / "cache")}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--size", type=int, default=256)
    words.add_argument("--repeats", type=int, default=3)
    given = words.parse_args()
    cold, warm = [], []
    for _ in range(given.repeats):
        with tempfile.TemporaryDirectory() as place:
            cold.append(seconds(given.size, 1, Path(place)))
            warm.append(seconds(given.size, 1, Path(place)))
    rows = [["empty cache", statistics.median(cold)], ["warm cache", statistics.median(warm)]]
    print(f"{machine()}\n\n" + table([f"nst size={given.size} steps=1, whole command", "seconds"], rows))


if __name__ == "__main__":
    main()
