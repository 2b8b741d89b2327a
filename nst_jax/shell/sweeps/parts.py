"""What the engines beyond one process have in common: parts on their way, and how their processes are set up."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell.saving import write_text
from nst_jax.shell.stop import Stop
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.cells import Cell

LOG = logging.getLogger("nst_jax")
POLL = 0.2  # seconds


def environment(*, threads: int, gpu: int | None, gpu_memory: float, cache: Path) -> dict[str, str]:
    """What a worker's process must know before it imports jax."""
    known = {"NPROC": str(threads), "JAX_COMPILATION_CACHE_DIR": str(cache.absolute())}
    # NPROC alone bounds XLA's threads on CPU: OMP_NUM_THREADS and the recipes of XLA_FLAGS do nothing
    known |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    if gpu is not None:
        known |= {"CUDA_VISIBLE_DEVICES": str(gpu), "XLA_PYTHON_CLIENT_MEM_FRACTION": str(gpu_memory)}
    return known


def settle(known: Mapping[str, str]) -> None:
    """Set the environment of this process, in time before jax is imported."""
    os.environ.update(known)


def tell(part: Sequence[Cell], number: int, parts: int) -> None:
    """A line for a part that has ended."""
    marks = [cells.marked(cell.folder) for cell in part]
    done = sum(bool(mark) and mark["row"]["status"] == cells.DONE for mark in marks if mark)
    LOG.info("part %d/%d: %d of %d jobs done", number + 1, parts, done, len(part))


def lost(part: Sequence[Cell], error: str) -> None:
    """A part has been tried as often as it may be: its jobs that have no mark have failed."""
    for cell in part:
        if not cells.marked(cell.folder):
            cells.failed(cell, RuntimeError(error))


def unfinished(part: Sequence[Cell]) -> bool:
    """Whether a job of the part has not ended."""
    return any(not cells.marked(cell.folder) for cell in part)


def halt(stop: Stop, part: Sequence[Cell], stop_on_error: bool) -> bool:
    """Whether nothing new may start."""
    found = (cells.marked(cell.folder) for cell in part) if stop_on_error else ()
    return bool(stop.asked) or any(mark and mark["row"]["status"] == cells.FAILED for mark in found)


def note(path: Path, text: str) -> Path:
    """A file in a folder that may not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_text(path, text)


def imported(name: str, extra: str) -> Any:
    """An optional package, or the line that installs it."""
    from importlib import import_module

    from nst_jax.shell.errors import UserError

    try:
        return import_module(name)
    except ImportError:
        raise UserError(f"{name} is not installed: pip install 'nst-jax[{extra}]'") from None


def rest() -> None:
    """Between two looks at what has ended."""
    time.sleep(POLL)
