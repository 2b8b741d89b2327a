"""Where the groups of lanes run: in this process, or in others by one of the engines."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from nst_jax.shell.schema import Sweep
from nst_jax.shell.stop import Stop
from nst_jax.shell.sweeps import cells, worker
from nst_jax.shell.sweeps.cells import Cell
from nst_jax.shell.sweeps.grouping import groups

T = TypeVar("T")

MODULES = {name: f"nst_jax.shell.sweeps.engine_{name}" for name in ("pool", "ray", "dask", "slurm")}


def run(engine: str, waiting: Sequence[Cell], how: Sweep, stop: Stop, *, folder: Path, **options: Any) -> None:
    """Run the jobs that wait. An earlier attempt that ended is forgotten, one that was cut short goes on."""
    for cell in waiting:
        if how.redo == "all" or cells.marked(cell.folder):
            cells.cleared(cell)
    found = groups(waiting, cells.failed)
    if not found:
        return
    if engine == "here":
        worker.work(found, how, stop)
    else:
        import_module(MODULES[engine]).run(found, how, stop, folder=folder, **options)


def split(found: Sequence[Sequence[T]], workers: int) -> list[list[T]]:
    """Groups cut so that every worker has something to do: no part larger than its share of the whole."""
    share = max(1, -(-sum(len(group) for group in found) // max(1, workers)))
    parts: list[list[T]] = []
    for group in found:
        pieces = -(-len(group) // share)
        size = -(-len(group) // pieces)
        parts += [list(group[i : i + size]) for i in range(0, len(group), size)]
    return parts
