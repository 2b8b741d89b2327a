"""From the shell's prompt to the first finished step: with an empty cache of programs, and with a full one.

Words that are no options of the benchmark are settings of the command:

    python -m benchmarks.startup --repeats 3 size=256
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


def seconds(words: list[str], place: Path) -> tuple[float, float]:
    """One run of the command, in a cache of its own: until its first step is recorded, and until its end."""
    pair = [f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}"]
    folder = Path(tempfile.mkdtemp(dir=place))
    line = [*pair, "weights=random", "steps=1", "output.every=1", f"output.folder={folder}", *words]
    command = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *line]
    began = time.perf_counter()
    environment = {**os.environ, "NST_JAX_CACHE": str(place / "cache")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not any(path.read_text().count("\n") > 1 for path in folder.glob("*/*/metrics.jsonl")):
        if process.poll() is not None:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}, and no step")
        time.sleep(0.01)
    first = time.perf_counter() - began
    process.wait()
    return first, time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    given, words = parser.parse_known_args()
    times = {"empty cache": [], "warm cache": []}
    for _ in range(given.repeats):
        with tempfile.TemporaryDirectory() as place:
            for each in times.values():
                each.append(seconds(words, Path(place)))
    rows = [[name, *map(statistics.median, zip(*each, strict=True))] for name, each in times.items()]
    print(f"{machine()}\n\n" + table([f"nst {' '.join(words)}", "to the first step, s", "whole command, s"], rows))


if __name__ == "__main__":
    main()
