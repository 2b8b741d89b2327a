"""Peak memory of the process: ours with and without Winograd, PyTorch's. Each in a process of its own.

python -m benchmarks.memory --size 512
"""

import argparse
import resource
import subprocess
import sys

from benchmarks.interleaved import machine, table

CASES = ("direct", "winograd", "torch contiguous", "torch channels_last")


def work(name: str, size: int) -> None:
    """Three values and gradients, then the peak of the process in MiB on standard output."""
    if name.startswith("torch"):
        import torch  # pyright: ignore[reportMissingImports]

        from benchmarks import pytorch

        form = torch.channels_last if name.endswith("last") else torch.contiguous_format
        once = pytorch.gradient(size, form)
        [once() for _ in range(3)]
    else:
        import jax

        from benchmarks import ours

        convolution = {"winograd": "auto"}.get(name, name)
        p, start = ours.problem(size, solver="adam", convolution=convolution)
        ours.PARAMS.clear()  # type: ignore[attr-defined]
        once = ours.gradient("adam")
        [jax.block_until_ready(once(p, start)) for _ in range(3)]
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(name: str, size: int) -> float:
    """MiB; NaN where it cannot run."""
    command = [sys.executable, "-m", "benchmarks.memory", "--size", str(size), "--case", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else float("nan")


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--size", type=int, default=512)
    words.add_argument("--case", choices=CASES)
    given = words.parse_args()
    if given.case:
        work(given.case, given.size)
        return
    peaks = {name: measure(name, given.size) for name in CASES}
    known = [v for k, v in peaks.items() if k.startswith("torch") and v == v]
    rows = [
        [name, float(round(v)) if v == v else v, v / min(known) if known else float("nan")] for name, v in peaks.items()
    ]
    print(f"{machine()}\n\n" + table([f"{given.size} x {given.size}", "peak, MiB", "/ torch's best"], rows))


if __name__ == "__main__":
    main()
