"""One run of several processes: how they meet, and how they reach the same decision.

Each process runs the same line with the devices of its host. A program that exchanges rows with another process ends
only where every process calls it. So they decide together about clocks and signals. The first process
writes the run's folder and speaks; the others do as it does, in a folder that is thrown away.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.settings.schema import Config

LOG = logging.getLogger("nst_jax")
# jax reads JAX_COORDINATOR_ADDRESS by itself (jax/_src/distributed.py), and these two nowhere
NUMBERS = {"num_processes": "JAX_NUM_PROCESSES", "process_id": "JAX_PROCESS_ID"}
HOW = (
    "On SLURM, with Open MPI and on a TPU pod jax finds the others by itself; elsewhere set "
    "JAX_COORDINATOR_ADDRESS=HOST:PORT of the first process, JAX_NUM_PROCESSES and JAX_PROCESS_ID (0, 1, ...)"
)


def join() -> None:
    """Meet the other processes, before jax looks for devices. Raises UserError where they cannot be found."""
    import jax

    if jax.distributed.is_initialized():
        return
    given = {name: os.environ[variable] for name, variable in NUMBERS.items() if variable in os.environ}
    if wrong := [f"{NUMBERS[name]}={value}" for name, value in given.items() if not value.isdecimal()]:
        raise UserError(f"device.distributed=true: {wrong[0]} is no whole number. {HOW}")
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM away from us
    try:
        numbers: dict[str, Any] = {name: int(value) for name, value in given.items()}
        jax.distributed.initialize(**numbers)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"device.distributed=true: {' '.join(str(error).split())} {HOW}") from None
    if not is_first():
        LOG.setLevel(logging.CRITICAL)


def is_first() -> bool:
    """Whether this process writes and speaks."""
    import jax

    return jax.process_index() == 0


def many() -> int:
    """How many processes there are."""
    import jax

    return jax.process_count()


def gather(numbers: Sequence[int]) -> np.ndarray:
    """The numbers of all processes: a row for each. Each must ask."""
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(np.array(numbers, np.int32)))


@contextmanager
def together() -> Iterator[None]:
    """All processes get through the block, or none. Each of them reports its own errors."""
    if many() == 1:
        yield
        return
    try:
        yield
    except BaseException:
        gather([1])
        raise
    if failed := np.flatnonzero(gather([0])).tolist():
        raise UserError(f"process {failed[0]} of {many()}, counted from 0, cannot begin; it says why")


@contextmanager
def own_output(config: Config) -> Iterator[Config]:
    """The settings with the place where this process writes: that of the run, or one that is thrown away."""
    if is_first():
        yield config
        return
    with TemporaryDirectory(prefix="nst_") as folder:
        yield replace(config, output=replace(config.output, folder=folder, to=None, film=None))


def own_folder(folder: Path, config: Config, *, checkpoint: str) -> Path:
    """The run's folder for this process: itself, or one within `own_output`. It can go on from either.

    checkpoint: the name of that file.
    """
    if is_first():
        return folder
    own = Path(config.output.folder)
    if (folder / checkpoint).exists():
        (own / checkpoint).symlink_to((folder / checkpoint).absolute())
    return own
