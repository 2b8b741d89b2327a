"""SLURM through submitit: an array of tasks, each a part of the lanes. The folder must be on a shared disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell import extras
from nst_jax.shell.running.device import share_variable
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
    cluster: str,
    workers: int,
    threads: int,
    gpu_memory: float,
    retries: int,
    parameters: Mapping[str, Any],
) -> None:
    """Submit the groups and wait for them. A part whose task died is submitted again, and goes on."""
    cut = split(found, workers)
    waiting = list(cut)
    for _ in range(retries + 1):
        executor = executor_of(folder, cluster, threads, gpu_memory, parameters)
        with executor.batch():
            tasks = [executor.submit(worker.run, worker.pack([part], how)) for part in waiting]
        parts.LOG.info("submitted: %s", ", ".join(task.job_id for task in tasks))
        gather(tasks, waiting, cut, how, stop)
        waiting = [part for part in waiting if parts.is_unfinished(part)]
        if not waiting or any(parts.halt(stop, part, how.stop_on_error) for part in cut):
            return
    for part in waiting:
        parts.give_up(part, f"the task did not end; its output is in {folder / '.slurm'}")


def executor_of(folder: Path, cluster: str, threads: int, gpu_memory: float, parameters: Mapping[str, Any]) -> Any:
    """submitit's executor. The environment is exported before Python starts, so before jax does."""
    submitit = extras.load("submitit", "slurm")
    executor = submitit.AutoExecutor(folder=folder.absolute() / ".slurm" / "%j", cluster=cluster)
    known = parts.environment(threads=threads, gpu=None, gpu_memory=gpu_memory, cache=folder / ".cache")
    known[share_variable()] = str(gpu_memory)
    told = dict(parameters) | {"cpus_per_task": threads, "name": "nst"}
    if cluster == "slurm":
        told["slurm_setup"] = [f"export {k}={v}" for k, v in known.items()]
    else:
        parts.set_environment(known)
        told = {k: v for k, v in told.items() if k in ("timeout_min", "gpus_per_node")}
    executor.update_parameters(**told)
    return executor


def gather(
    tasks: Sequence[Any], submitted: Sequence[Sequence[Cell]], cut: Sequence[Sequence[Cell]], how: Sweep, stop: Stop
) -> None:
    """Wait until the tasks have ended, well or not."""
    waiting = set(range(len(tasks)))
    while waiting:
        for i in [i for i in waiting if tasks[i].done()]:
            waiting.discard(i)
            parts.report(submitted[i], list(cut).index(submitted[i]), len(cut))
        if any(parts.halt(stop, part, how.stop_on_error) for part in cut):
            for i in waiting:
                tasks[i].cancel()
            return
        parts.rest()
