"""A whole sweep: the finished jobs, the jobs to run, their engine and their results."""

import logging
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nst_jax.shell.announce import announce
from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.io import marks
from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.io.lock import alone
from nst_jax.shell.io.marks import DAMAGED, DONE, FAILED, MISSING
from nst_jax.shell.names import look_up
from nst_jax.shell.reports import deliver, export, gallery, table
from nst_jax.shell.reports.gallery import finite
from nst_jax.shell.running import again, checkpoint, origin
from nst_jax.shell.running import folder as folders
from nst_jax.shell.running.stop import EXIT, catch_signals
from nst_jax.shell.settings.schema import Config, Sweep
from nst_jax.shell.sweeps import cells, engines
from nst_jax.shell.sweeps.cells import Cell, Row
from nst_jax.shell.sweeps.composing import Composer
from nst_jax.shell.sweeps.line import Done

LOG = logging.getLogger("nst_jax")
WORDS = {MISSING: "left"}  # where a person reads it


class Launcher(NamedTuple):
    """How jobs are run."""

    composer: Composer
    how: Sweep
    engine: str  # here | pool | ray | dask | slurm
    options: Mapping[str, Any]  # the engine's
    words: Sequence[str]  # the command line, for the folder's record


def launch(launcher: Launcher, jobs: Sequence[Sequence[str]], keys: Sequence[str] | None) -> list[Done]:
    """Run the jobs, and return what came of each line: of two lines for one job, the same.

    Args:
      launcher: how.
      jobs: the overrides of each job.
      keys: the keys that are swept; None: those that do not have one value throughout.

    Raises:
      UserError: a job's settings are wrong; nothing has run.
      Ended: a signal has stopped the sweep.
    """
    how, keys = launcher.how, varying_keys(jobs) if keys is None else keys
    configs = [launcher.composer.read(words) for words in jobs]
    first = next((config for config in configs if isinstance(config, Config)), None)
    if first is None:
        raise UserError(str(configs[0]))
    if first.origin is not None:
        readable = [config for config in configs if isinstance(config, Config)]
        again.report(origin.find(first.origin["path"]), readable, swept=keys)
    folder = cells.sweep_folder(first, jobs[0], keys)
    for tracker in how.export:
        look_up(export.TRACKERS, tracker, "sweep.export")
    make_folder(folder)
    cells.SAID.clear()
    with alone(folder, "a sweep", keep=True), catch_signals() as stop:
        lines = plan(configs, jobs, keys, folder)
        planned = different(lines)
        deliver.targets((cell.config, cell.swept) for cell in planned)
        begin(folder, planned, how, launcher.words)
        engines.run(launcher.engine, jobs_to_run(planned, how), how, stop, folder=folder, **launcher.options)
        rows = [row_of(cell) for cell in planned]
        draw_reports(folder, how)
        places = deliver_results(planned, rows)
    summarise(folder, planned, rows, places)
    if stop.asked:
        raise Ended(EXIT[stop.asked])
    came = {cell.folder: row for cell, row in zip(planned, rows, strict=True)}
    return [Done(cell.words, came[cell.folder] | cell.swept, cell.folder) for cell in lines]


def make_folder(folder: Path) -> None:
    """Make the sweep's folder. Raises UserError where it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / ".writable", "")
        (folder / ".writable").unlink()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot make the folder {folder}: {reason}. Choose another: output.folder=...") from None


def varying_keys(jobs: Sequence[Sequence[str]]) -> list[str]:
    """The keys that do not have one value throughout."""
    keys = dict.fromkeys(cells.key_of(word) for words in jobs for word in words)
    return [key for key in keys if len({w for words in jobs for w in words if cells.key_of(w) == key}) > 1]


def plan(
    configs: Sequence[Config | UserError], lines: Sequence[Sequence[str]], keys: Sequence[str], folder: Path
) -> list[Cell]:
    """The job of each line. One with a mistake is refused before anything runs."""
    planned = []
    for config, words in zip(configs, lines, strict=True):
        if isinstance(config, UserError):
            raise UserError(f"{shlex.join(words)}: {config}")
        values = {cells.key_of(w): cells.value_of(w) for w in words if cells.key_of(w) in keys}
        planned.append(Cell(config, cells.own_words(words), values, folder / cells.name(config)))
    return planned


def different(planned: Sequence[Cell]) -> list[Cell]:
    """Each job once: two lines may ask for one."""
    found: dict[Path, Cell] = {}
    for cell in planned:
        found.setdefault(cell.folder, cell)
    if equal := len(planned) - len(found):
        idle = [k for k in planned[0].swept if any(c.swept[k] != found[c.folder].swept[k] for c in planned)]
        why = f" whatever their {' and '.join(idle)}" if idle else ""
        LOG.info("%d of %d jobs equal another one%s: they are computed once", equal, len(planned), why)
    return list(found.values())


def begin(folder: Path, planned: Sequence[Cell], how: Sweep, words: Sequence[str]) -> None:
    """Say what will be done; find what another sweep has computed already."""
    if how.redo != "all":
        for cell in planned:
            adopt(cell)
    todo = len(jobs_to_run(planned, how))
    write_text(folder / "command.txt", shlex.join(["nst", *words]) + "\n")
    folders.point_latest(Path(planned[0].config.output.folder).expanduser(), folder)
    jobs = f"{len(planned)} job{'s' if len(planned) > 1 else ''}"
    there = f", {len(planned) - todo} of them there already," if todo < len(planned) else ""
    LOG.info("sweep: %s%s in %s", jobs, there, folder)


def adopt(cell: Cell) -> None:
    """Copy the job from another sweep beside this one, if one has finished it."""
    if marks.exists(cell.folder):
        return
    for other in cell.folder.parent.parent.glob(f"*/{cell.folder.name}"):
        found = marks.read(other)
        if found and marks.status(other) == DONE:
            # the mark comes last: a copy that is cut short is no job that is done
            shutil.copytree(other, cell.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(marks.MARK, ".lock"))
            row = {k: v for k, v in found["row"].items() if k not in (*found["swept"], "status", "path")}
            cells.mark_done(cell, row)
            return


def jobs_to_run(planned: Sequence[Cell], how: Sweep) -> list[Cell]:
    """The jobs to run: by sweep.redo."""
    every = (DONE, FAILED, DAMAGED, MISSING)
    again = {"all": every, "failed": every[1:], "missing": (MISSING,)}[how.redo]
    return [cell for cell in planned if cells.status(cell) in again]


def draw_reports(folder: Path, how: Sweep) -> None:
    """Write the table, the page and the sheet, and copy to the trackers that were asked for."""
    if table.rows(folder):
        gallery.build(folder)
        for tracker in how.export:
            export.run(folder, tracker)


def deliver_results(planned: Sequence[Cell], rows: Sequence[Row]) -> list[Path]:
    """Write the results that are done where output.to wants them, and return where they are."""
    made = []
    wanted = deliver.targets((cell.config, cell.swept) for cell in planned)
    for cell, row, to in zip(planned, rows, wanted, strict=True):
        output = cell.config.output
        if to is not None and row["status"] == DONE:
            made.append(deliver.deliver(cell.folder / output.file, to, quality=output.quality))
    return made


def row_of(cell: Cell) -> Row:
    """The row of the job in the table."""
    found = marks.row(cell.folder)
    return {**cell.swept, **(found or {"status": MISSING, "path": cell.folder.name})}


def summarise(folder: Path, planned: Sequence[Cell], rows: Sequence[Row], places: Sequence[Path]) -> None:
    """Say how many jobs of each kind there are, how far those are that are left, and where the files are.

    places: of the pictures that output.to asked for.
    """
    counts = {status: sum(row["status"] == status for row in rows) for status in (DONE, FAILED, DAMAGED, MISSING)}
    LOG.info("sweep: %s", ", ".join(f"{n} {WORDS.get(status, status)}" for status, n in counts.items() if n))
    reasons = {row.get("error") for row in rows if row["status"] == FAILED}
    if len(reasons) < counts[FAILED]:
        why = "one reason" if len(reasons) == 1 else f"{len(reasons)} reasons"
        LOG.error("%d jobs failed for %s; each has it in its nst.log", counts[FAILED], why)
    if counts[MISSING]:
        begun = [steps for cell in planned if (steps := checkpoint.steps(cell.folder))]
        LOG.info("the same line goes on%s", f" at step {min(begun)}" if begun else "")
    for path in places:
        announce("picture", path)
    if (folder / "results.csv").exists():
        announce("table", folder / "results.csv")
    for path in sorted(folder.glob("grid*.png")):
        announce("sheet", path)
    record = {"folder": str(folder.absolute()), "rows": [finite(row) for row in rows]}
    page = folder / "index.html"
    announce(*(("gallery", page) if page.exists() else ("folder", folder)), record)
