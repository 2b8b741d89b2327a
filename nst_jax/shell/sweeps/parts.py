"""The common part of the engines beyond one process: the state of parts, and the environment of workers."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.io.marks import DONE, FAILED, MISSING
from nst_jax.shell.running.device import share_variable
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.cells import Cell

LOG = logging.getLogger("nst_jax")
POLL = 0.2  # seconds


def wait_for_others(folder: Path, stop: Stop) -> None:
    """Wait until all workers of earlier runs have ended.

    A worker of an earlier run has lost its parent. It writes its checkpoints and ends.
    """
    said = False
    for path in sorted(folder.glob("*.lock")):
        lock = FileLock(path, blocking=False)
        while not stop.asked:
            try:
                lock.acquire()
                lock.release()
                break
            except Timeout:
                if not said:
                    LOG.info("waiting for a worker of an earlier run to end")
                    said = True
                time.sleep(POLL)


def environment(*, threads: int, gpu: int | None, gpu_memory: float, cache: Path) -> dict[str, str]:
    """The environment that a worker's process needs before it imports jax."""
    known = {"NPROC": str(threads), "JAX_COMPILATION_CACHE_DIR": str(cache.absolute())}
    # NPROC alone bounds XLA's threads on CPU: OMP_NUM_THREADS and the recipes of XLA_FLAGS do nothing
    known |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    if gpu is not None:
        known |= {"CUDA_VISIBLE_DEVICES": str(gpu), share_variable(): str(gpu_memory)}
    return known


def set_environment(known: Mapping[str, str]) -> None:
    """Set the environment of this process, in time before jax is imported."""
    os.environ.update(known)


def report(part: Sequence[Cell], number: int, parts: int) -> None:
    """Log a line for a part that has ended."""
    done = sum(cells.status(cell) == DONE for cell in part)
    LOG.info("part %d/%d: %d of %d jobs done", number + 1, parts, done, len(part))


def give_up(part: Sequence[Cell], error: str) -> None:
    """Mark the jobs of a part that have not ended as failed: it was tried as often as it may be."""
    for cell in part:
        if cells.status(cell) == MISSING:
            cells.mark_failed(cell, RuntimeError(error))


def is_unfinished(part: Sequence[Cell]) -> bool:
    """Whether a job of the part has not ended."""
    return any(cells.status(cell) == MISSING for cell in part)


def halt(stop: Stop, part: Sequence[Cell], stop_on_error: bool) -> bool:
    """Whether nothing new may start."""
    return bool(stop.asked) or (stop_on_error and any(cells.status(cell) == FAILED for cell in part))


def write(path: Path, text: str) -> Path:
    """Write a file, and create its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_text(path, text)


def rest() -> None:
    """Wait a little between two looks at what has ended."""
    time.sleep(POLL)
