"""A Ray cluster: each task is a part of the lanes. Its folders must be seen by all machines under one path."""

import os
from collections.abc import Sequence
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
    address: str | None,
    workers: int | None,
    threads: int,
    gpus: float,
    gpu_memory: float,
    retries: int,
) -> None:
    """Run the groups. Ray starts a task again whose worker died; what came of each job is in its folder."""
    # else `uv run` and the like would make Ray build another environment; harmless elsewhere
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    ray = extras.load("ray", "ray")
    known = parts.environment(threads=threads, gpu=None, gpu_memory=gpu_memory, cache=folder / ".cache")
    known |= {share_variable(): str(gpu_memory)} if gpus else {}
    own = not ray.is_initialized()
    if own:
        ray.init(address=address, runtime_env={"env_vars": known}, log_to_driver=False, include_dashboard=False)
    try:
        many = workers or room(ray, threads, gpus)
        task = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=retries)(worker.run)
        cut = split(found, many)
        gather(ray, [task.remote(worker.pack([part], how)) for part in cut], cut, how, stop)
    finally:
        if own:
            ray.shutdown()


def room(ray: Any, threads: int, gpus: float) -> int:
    """How many tasks the cluster holds at a time."""
    held = ray.cluster_resources()
    return max(1, int(held.get("GPU", 0) / gpus if gpus else held.get("CPU", 1) / threads))


def gather(ray: Any, tasks: list[Any], cut: Sequence[Sequence[Cell]], how: Sweep, stop: Stop) -> None:
    """Take the parts as they end."""
    number, waiting = {task: i for i, task in enumerate(tasks)}, list(tasks)
    while waiting:
        ended, waiting = ray.wait(waiting, timeout=parts.POLL)
        for task in ended:
            part = cut[number[task]]
            try:
                ray.get(task)
                parts.report(part, number[task], len(cut))
            except ray.exceptions.RayError as error:
                parts.give_up(part, f"Ray: {str(error).strip().splitlines()[0]}")
        if any(parts.halt(stop, part, how.stop_on_error) for part in cut):
            for task in waiting:
                ray.cancel(task, force=False)
            return
