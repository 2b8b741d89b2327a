"""A whole sweep: what is there already, what has to run, by which engine, and what came of it."""

import fcntl
import logging
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, configure_log
from omegaconf import open_dict

from nst_jax.shell import config as settings
from nst_jax.shell import single
from nst_jax.shell.errors import UserError
from nst_jax.shell.saving import write_text
from nst_jax.shell.schema import Config, Sweep
from nst_jax.shell.stop import EXIT, listening
from nst_jax.shell.sweeps import cells, composing, engines, export, gallery, table
from nst_jax.shell.sweeps.cells import Cell

LOG = logging.getLogger("nst_jax")


def launched(launcher: Any, job_overrides: Sequence[Sequence[str]]) -> list[JobReturn]:
    """Run the jobs, and return for each the row of the table."""
    configure_log(launcher.config.hydra.job_logging, launcher.config.hydra.verbose)
    with open_dict(launcher.config):
        how = settings.sweep_of(launcher.config)
    keys = launcher.swept if launcher.swept is not None else varying(job_overrides)
    jobs = [composed(launcher, words) for words in job_overrides]
    first = next((job for job in jobs if isinstance(job, Config)), None)
    if first is None:
        raise UserError(str(jobs[0]))
    folder = cells.folder_of(first, job_overrides[0], keys)
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder), listening() as stop:
        planned = plan(jobs, job_overrides, keys, folder)
        begin(folder, planned, how)
        engines.run(launcher.engine, waiting(planned, how), how, stop, folder=folder, **launcher.options)
        rows = [row_of(cell) for cell in planned]
        finished(folder, how)
    launcher.stopped = EXIT[stop.asked] if stop.asked else 0
    launcher.failed = summed(folder, planned, rows)
    return [returned(cell, row) for cell, row in zip(planned, rows, strict=True)]


def varying(jobs: Sequence[Sequence[str]]) -> list[str]:
    """The keys that do not have one value throughout."""
    keys = dict.fromkeys(cells.key_of(word) for words in jobs for word in words)
    return [key for key in keys if len({w for words in jobs for w in words if cells.key_of(w) == key}) > 1]


def composed(launcher: Any, words: Sequence[str]) -> Config | UserError:
    """One job's settings, or why there are none."""
    try:
        config = settings.read(composing.job(launcher, words))
        single.check(config)
        return config
    except UserError as error:
        return error


def plan(
    jobs: Sequence[Config | UserError], lines: Sequence[Sequence[str]], keys: Sequence[str], folder: Path
) -> list[Cell]:
    """The jobs as cells. One that cannot be is refused before anything runs: a mistake in the line."""
    planned: dict[Path, Cell] = {}
    for job, words in zip(jobs, lines, strict=True):
        if isinstance(job, UserError):
            raise UserError(f"{shlex.join(words)}: {job}")
        own = folder / cells.named(job)
        kept = tuple(w for w in words if not cells.key_of(w).startswith(("sweep.", "hydra")))
        values = {cells.key_of(w): cells.value_of(w) for w in words if cells.key_of(w) in keys}
        planned.setdefault(own, Cell(job, kept, values, own))  # two lines for one job are one job
    return list(planned.values())


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Within, no other process runs a sweep in this folder."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"a sweep is running in {folder} already") from None
        yield


def begin(folder: Path, planned: Sequence[Cell], how: Sweep) -> None:
    """Tell what will be done; find what another sweep has computed already."""
    if how.redo != "all":
        for cell in planned:
            adopted(cell)
    todo = len(waiting(planned, how))
    write_text(folder / "command.txt", shlex.join(["nst", *sys.argv[1:]]) + "\n")
    LOG.info("sweep: %d jobs, %d of them there already, in %s", len(planned), len(planned) - todo, folder)


def adopted(cell: Cell) -> None:
    """Copy the job from another sweep beside this one, if one has finished it."""
    if cells.marked(cell.folder):
        return
    for other in cell.folder.parent.parent.glob(f"*/{cell.folder.name}"):
        found = cells.marked(other)
        if found and found["row"]["status"] == cells.DONE:
            shutil.copytree(other, cell.folder, dirs_exist_ok=True)
            row = {k: v for k, v in found["row"].items() if k not in (*found["swept"], "status", "path")}
            cells.mark(cell, cells.DONE, **row)
            return


def waiting(planned: Sequence[Cell], how: Sweep) -> list[Cell]:
    """The jobs to run: by sweep.redo."""
    found = {cell.folder: cells.marked(cell.folder) for cell in planned}
    again = {"all": (cells.DONE, cells.FAILED), "failed": (cells.FAILED,), "missing": ()}[how.redo]
    return [c for c in planned if (known := found[c.folder]) is None or known["row"]["status"] in again]


def finished(folder: Path, how: Sweep) -> None:
    """The table, the page and the sheet, and the trackers that were asked for."""
    if table.rows(folder):
        gallery.build(folder)
        for tracker in how.export:
            export.run(folder, tracker)


def row_of(cell: Cell) -> dict[str, Any]:
    """What came of the job."""
    found = cells.marked(cell.folder)
    return found["row"] if found else {**cell.swept, "status": "missing", "path": cell.folder.name}


def summed(folder: Path, planned: Sequence[Cell], rows: Sequence[dict[str, Any]]) -> int:
    """The summary: how many of each kind, and every failure once more. Returns the number that is not done."""
    counts = {status: sum(row["status"] == status for row in rows) for status in (cells.DONE, cells.FAILED, "missing")}
    bad = [(cell, row) for cell, row in zip(planned, rows, strict=True) if row["status"] != cells.DONE]
    for cell, row in bad:
        line = " ".join(f"{k}={v}" for k, v in cell.swept.items())
        LOG.info("%-8s %s  %s  %s", row["status"], cell.folder.name, line, row.get("error", ""))
    LOG.info("sweep: %s", ", ".join(f"{n} {status}" for status, n in counts.items() if n))
    LOG.info("table:   %s", folder / "results.csv")
    LOG.info("gallery: %s", folder / "index.html")
    return len(bad)


def returned(cell: Cell, row: dict[str, Any]) -> JobReturn:
    """The row, as Hydra hands results over."""
    status = JobStatus.COMPLETED
    told = JobReturn(overrides=cell.words, working_dir=str(cell.folder), task_name="nst", status=status)
    told.return_value = row
    return told
