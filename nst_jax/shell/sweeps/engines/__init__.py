"""Where the groups of lanes run: in this process, or in others by one of the engines."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.marks import MISSING
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.settings.schema import Sweep
from nst_jax.shell.sweeps import cells, worker
from nst_jax.shell.sweeps.cells import Cell
from nst_jax.shell.sweeps.grouping import groups

T = TypeVar("T")

MODULES = {name: f"nst_jax.shell.sweeps.engines.{name}" for name in ("pool", "ray", "dask", "slurm")}


def run(engine: str, waiting: Sequence[Cell], how: Sweep, stop: Stop, *, folder: Path, **options: Any) -> None:
    """Run jobs. The files of an earlier attempt that ended are removed; an interrupted one goes on."""
    check(options)
    for cell in waiting:
        if how.redo == "all" or cells.status(cell) != MISSING:
            cells.clear(cell, entirely=how.redo == "all")
    found = groups(waiting, cells.mark_failed)
    if not found:
        return
    if engine == "here":
        worker.work(found, how, stop)
    else:
        import_module(MODULES[engine]).run(found, how, stop, folder=folder, **options)


def check(options: Mapping[str, Any]) -> None:
    """Raise UserError for numbers of an engine that are none."""
    for name, least in (("workers", 1), ("threads", 1), ("retries", 0)):
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise UserError(f"hydra.launcher.{name} must be a whole number of at least {least}; got {value!r}")


def split(found: Sequence[Sequence[T]], workers: int) -> list[list[T]]:
    """Cut groups into parts, none larger than a worker's share of the whole."""
    share = max(1, -(-sum(len(group) for group in found) // max(1, workers)))
    parts: list[list[T]] = []
    for group in found:
        pieces = -(-len(group) // share)
        size = -(-len(group) // pieces)
        parts += [list(group[i : i + size]) for i in range(0, len(group), size)]
    return parts
