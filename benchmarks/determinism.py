"""How far results are apart that one would take for the same: repeated, with other threads, as a lane of another width.

Each is a run of the command, in a process of its own, and each row compares its picture with that of the first run.

    python -m benchmarks.determinism size=128 steps=100 network=texnet
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.interleaved import machine, table
from nst_jax import pictures

CODE = "from nst_jax.shell.cli.nst import main; main()"
CASES = {
    "the same command": ("1", ()),
    "NPROC=2": ("2", ()),
    "the first of 2 lanes": ("1", ("-m", "seed=0,1")),
    "the first of 4 lanes": ("1", ("-m", "seed=0,1,2,3")),
}


def picture(words: list[str], threads: str, place: Path) -> np.ndarray:
    """The picture of seed 0 in levels of 0..255, by a process with so many threads."""
    pair = [f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}"]
    line = [sys.executable, "-c", CODE, *words, *pair, "output.every=0", f"output.folder={place}"]
    subprocess.run(line, check=True, capture_output=True, env={**os.environ, "NPROC": threads})
    for path in sorted(place.rglob("result.png")):
        if "seed: 0" in (path.parent / "config.yaml").read_text(encoding="utf-8").splitlines():
            with Image.open(path) as image:
                return np.asarray(image, np.float64)
    raise SystemExit(f"{place}: no picture of seed 0")


def main() -> None:
    """Print the table."""
    rows = []
    for optimiser in ("adam", "lbfgs"):
        words = [*sys.argv[1:], f"optimiser={optimiser}", "canvas=noise"]
        with tempfile.TemporaryDirectory() as place:
            first = picture(words, "1", Path(place) / "first")
            for number, (name, (threads, more)) in enumerate(CASES.items()):
                other = picture([*more, *words], threads, Path(place) / str(number))
                off = np.abs(first - other)
                rows.append([optimiser, name, float((off > 0).mean()), float(off.mean()), int(off.max())])
                print(rows[-1], flush=True)
    head = ["optimiser", "against one run, NPROC=1", "values that differ", "mean levels", "largest"]
    print(f"\n{machine()}\n\nnst {' '.join(sys.argv[1:])}\n\n" + table(head, rows))


if __name__ == "__main__":
    main()
