"""One run of the command: from settings to a folder with a picture in it, and on from its checkpoint."""

import logging
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.io.lock import alone
from nst_jax.shell.io.saving import image_format
from nst_jax.shell.reports.film import load_av
from nst_jax.shell.running import checkpoint, dry, program, provenance
from nst_jax.shell.running import folder as folders
from nst_jax.shell.running.device import enough_memory
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.lane import Lane, Record
from nst_jax.shell.running.prepare import prepare
from nst_jax.shell.running.session import Rules, Session
from nst_jax.shell.running.stop import EXIT, Stop, catch_signals
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.schema import Config

LOG = logging.getLogger("nst_jax")
LONGEST = 200  # bytes of a name: systems allow 255, and a file that is being written has a longer one
SHARE = 20  # the bar's terms are measured at most every 20 times as long as it takes


def stylise(config: Config, words: Sequence[str]) -> int:
    """Run once and return the exit code: 0, 1 after a value that was not finite, 130 after Ctrl-C.

    words: the command line, for the folder's record.
    """
    check(config)
    with catch_signals() as stop, enough_memory():
        job = prepare(config, LOG.info)
        if config.dry_run:
            return dry.rehearse(job, LOG.info)
        folder = make_folder(config, words)
        with alone(folder, "a run", keep=False), folders.log_into(folder):
            return run(job, folder, stop, seconds=config.output.checkpoint)


def resume(folder: Path, steps: int | None) -> int:
    """Go on with an unfinished run from its checkpoint, and return the exit code.

    Args:
      folder: of the run.
      steps: iterations in all, if another number than before.

    Raises:
      UserError: no run is here, or none that can go on.
    """
    if not (folder / "config.yaml").is_file():
        raise UserError(f"resume={folder}: no run is here (there is no config.yaml)")
    config = settings.from_plain(settings.plain_yaml(folder / "config.yaml"))
    finished = (folder / config.output.file).exists() and not checkpoint.exists(folder)
    if finished:
        raise UserError(f"resume={folder}: this run has ended; its result is {folder / config.output.file}")
    config.steps = config.steps if steps is None else steps
    if (done := checkpoint.steps(folder)) > config.steps:
        raise UserError(f"steps={config.steps}: this run has taken {done} steps already; give {done} or more")
    check(config)
    with catch_signals() as stop, enough_memory(), alone(folder, "a run", keep=False), folders.log_into(folder):
        job = prepare(config, LOG.info)
        write_text(folder / "config.yaml", settings.yaml(config))
        return run(job, folder, stop, seconds=config.output.checkpoint)


def check(config: Config) -> None:
    """Refuse what can be refused before any work."""
    output = config.output
    image_format(Path(output.file))
    if output.film and Path(output.film).suffix not in (".webp", ".mp4"):
        raise UserError(f"output.film={output.film}: .webp or .mp4")
    if output.film and not output.every:
        raise UserError("output.film needs snapshots: set output.every=10")
    if output.film and output.film.endswith(".mp4"):
        load_av(output.film)
    if output.alpha and image_format(Path(output.file)) == "JPEG":
        raise UserError("output.alpha=true: JPEG has no transparency. Set output.file=result.png")
    check_names(output.file, output.film)


def check_names(file: str, film: str | None) -> None:
    """Raise UserError for names of outputs that are no plain names, or that would overwrite another file of the run."""
    taken = {name.lower() for name in folders.NAMES} | {Path(file).with_suffix(".json").name.lower()}
    for key, name in (("output.file", file), ("output.film", film)):
        if name is None:
            continue
        if Path(name).name != name or "\\" in name or len(name.encode(errors="surrogateescape")) > LONGEST:
            raise UserError(f"{key}={name}: a plain name of at most {LONGEST} bytes; the folder is output.folder")
        if name.lower() in taken:
            raise UserError(f"{key}={name}: the run writes another file of that name; choose another")
        taken.add(name.lower())


def make_folder(config: Config, words: Sequence[str]) -> Path:
    """A new folder for the run, with its settings in it."""
    pictures = [settings.folder_name(p) for p in (config.content, config.style) if p]
    folder = folders.make(Path(config.output.folder).expanduser() / "_".join(pictures))
    write_text(folder / "config.yaml", settings.yaml(config))
    write_text(folder / "command.txt", shlex.join(["nst", *words]) + "\n")
    return folder


def run(job: Job, folder: Path, stop: Stop, *, seconds: float) -> int:
    """Optimise, save and report; returns the exit code. seconds: between checkpoints."""
    LOG.info("weights: %s", job.facts["weights"]["source"])
    LOG.info("device: %s, %d x %d pixels", provenance.device(), job.start.shape[1], job.start.shape[0])
    LOG.info("folder: %s", folder)
    made = program.compile_program([job], most=1, share=1.0)
    lane = Lane(job, folder, metrics=False)
    rules = Rules(checkpoint=seconds, result_when_stopped=True, stop_on_error=True, facts={})
    with tqdm(total=job.plan.steps, unit="step", dynamic_ncols=True, disable=job.plan.steps == 0) as bar:
        session = Session(made, [lane], rules, stop, on_end=lambda lane: None)
        session.run(Bar(bar))
    if lane.error is not None:
        raise lane.error
    return report(lane, made.seconds, stop)


class Bar:
    """The progress bar of one lane: steps, and the parts of the loss now and then."""

    def __init__(self, bar: Any) -> None:
        self.bar, self.record, self.due = bar, Record(), 0.0

    def __call__(self, session: Session) -> None:
        """Show where the lane is. The numbers are of one evaluation."""
        lane = session.lanes[0]
        began = time.perf_counter()
        if lane.records and lane.records[-1]["step"] == lane.done:
            self.record = lane.records[-1]
        elif began > self.due:
            self.record = session.values(0)
            self.due = time.perf_counter() + SHARE * (time.perf_counter() - began)
        parts = ", ".join(f"{part} {value:.3g}" for part, value in self.record["weighted"].items())
        self.bar.set_postfix_str(f"total {self.record['total']:.4g}, {parts}", refresh=False)
        self.bar.update(lane.done - self.bar.n)


def report(lane: Lane, compiling: float, stop: Stop) -> int:
    """Say how the run ended and where the result is; returns the exit code."""
    last, job = lane.records[-1], lane.job
    if not lane.finite:
        LOG.error("step %d: the loss is not finite. Kept: the best image before it. Try %s", last["step"], advice(job))
    elif lane.climbed:
        text = "the objective ends above its start. Kept: the best image, of total %.6g. Try %s"
        LOG.warning(text, last["total"], advice(job))
    if stop.asked:
        LOG.info("stopped after step %d of %d", last["step"], job.plan.steps)
        LOG.info("to go on: nst %s", shlex.quote(f"resume={lane.folder}"))
    LOG.info(
        "%d steps, %d evaluations in %.1f s (and %.1f s to compile); total %.6g",
        *(last["step"], last["evaluations"], lane.seconds, compiling, last["total"]),
    )
    LOG.info("curves:  %s", lane.folder / "loss.png")
    LOG.info("result:  %s", lane.folder / job.output.file)
    return EXIT[stop.asked] if stop.asked else (0 if lane.finite else 1)


def advice(job: Job) -> str:
    """What may help after a value that is not finite, or one above the start."""
    rate = "a smaller optimiser.learning_rate" if "learning_rate" in job.problem.hyper else "smaller weights"
    other = "" if job.spec.solver.__name__ == "lbfgs" else ", or optimiser=lbfgs"
    return rate + other
