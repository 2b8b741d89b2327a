"""A Dask cluster: each task is a part of the lanes. Its folders must be seen by all machines under one path."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell import extras
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.settings.schema import Sweep
from nst_jax.shell.sweeps import parts, worker
from nst_jax.shell.sweeps.cells import Cell
from nst_jax.shell.sweeps.engines import split


def run(
    found: Sequence[Sequence[Cell]],
    how: Sweep,
    stop: Stop,
    *,
    folder: Path,
    address: str | None,
    workers: int | None,
    threads: int,
    gpu_memory: float,
    retries: int,
) -> None:
    """Run the groups. Dask starts a task again whose worker died; what came of each job is in its folder."""
    distributed = extras.load("distributed", "dask")
    dask = extras.load("dask", "dask")
    known = parts.environment(threads=threads, gpu=None, gpu_memory=gpu_memory, cache=folder / ".cache")
    dask.config.set({"distributed.scheduler.allowed-failures": retries})
    with cluster(distributed, address, workers) as client:
        many = workers or max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        cut = split(found, many)
        arguments = [worker.pack([part], how) for part in cut]
        tasks = client.map(task, arguments, [known] * len(cut), pure=False, key="nst")
        gather(distributed, tasks, cut, how, stop)


def cluster(distributed: Any, address: str | None, workers: int | None) -> Any:
    """A client of the scheduler there, or of a cluster of our own."""
    if address:
        return distributed.Client(address)
    return distributed.Client(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)


def task(part: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """The task of a Dask worker: the environment first, then jax."""
    parts.set_environment(known)
    return worker.run(part)


def gather(distributed: Any, tasks: Sequence[Any], cut: Sequence[Sequence[Cell]], how: Sweep, stop: Stop) -> None:
    """Take the parts as they end."""
    number, waiting = {t.key: i for i, t in enumerate(tasks)}, set(tasks)
    while waiting:
        for ended in [t for t in waiting if t.done()]:
            waiting.discard(ended)
            part = cut[number[ended.key]]
            if ended.status == "finished":
                parts.report(part, number[ended.key], len(cut))
            else:
                parts.give_up(part, f"Dask: {ended.exception()}")
        if any(parts.halt(stop, part, how.stop_on_error) for part in cut):
            for t in waiting:
                t.cancel()
            return
        parts.rest()
