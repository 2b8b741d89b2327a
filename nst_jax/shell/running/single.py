"""One run of the command: from settings to a folder with a picture in it, and on from its checkpoint."""

import logging
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nst_jax.shell.announce import announce
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.io.lock import alone
from nst_jax.shell.io.saving import image_format
from nst_jax.shell.reports import deliver
from nst_jax.shell.reports.film import load_av
from nst_jax.shell.running import again, checkpoint, dry, hosts, looks, program, provenance, scales
from nst_jax.shell.running import folder as folders
from nst_jax.shell.running.bar import Bar, place
from nst_jax.shell.running.device import enough_memory
from nst_jax.shell.running.inputs import sizes_of_run
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.lane import TILES, Lane
from nst_jax.shell.running.once import Once
from nst_jax.shell.running.prepare import prepare
from nst_jax.shell.running.session import Rules, Session
from nst_jax.shell.running.stop import EXIT, Stop, catch_signals
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.scale import Stage, is_single
from nst_jax.shell.settings.schema import Config

LOG = logging.getLogger("nst_jax")
LONGEST = 200  # bytes of a name: systems allow 255, and a file that is being written has a longer one
LARGE = 800  # pixels of the longer side

Watch = Callable[[Session], object]  # is called after each chunk


def stylise(config: Config, words: Sequence[str], *, watch: Watch = lambda session: None) -> int:
    """Run once and return the exit code: 0, 1 after a value that was not finite, 130 after Ctrl-C.

    Args:
      config: the settings.
      words: the command line, for the folder's record.
      watch: takes the session after each chunk.
    """
    check(config)
    with catch_signals() as stop, enough_memory():
        if config.dry_run:
            return dry.rehearse(config, LOG.info)
        with hosts.own_output(config) as config:
            once = scales.remember(config)
            with hosts.together():
                job = scales.outline(config, LOG.info, once)
                folder = make_folder(config, words)
                stop.share(with_others=hosts.many() > 1)
            with alone(folder, "a run", keep=False), folders.log_into(folder):
                return run(config, job, once, folder, stop, watch)


def resume(folder: Path, steps: int | None, *, watch: Watch = lambda session: None) -> int:
    """Go on with an unfinished run from its checkpoint, and return the exit code.

    Args:
      folder: of the run.
      steps: iterations in all, if another number than before.
      watch: takes the session after each chunk.

    Raises:
      UserError: no run is here, or none that can go on.
    """
    if not (folder / "config.yaml").is_file():
        raise UserError(f"resume={folder}: no run is here (there is no config.yaml)")
    if folder.is_symlink():  # runs/latest: by the time that this run ends it may be another's
        folder = folder.parent / folder.readlink()
    config, absent = read_record(folder)
    if config.model is not None:
        line = folder / "command.txt"
        raise UserError(f"resume={folder}: a model painted here, in one pass; run its line again: {line}")
    finished = (folder / config.output.file).exists() and not checkpoint.exists(folder)
    if finished:
        raise UserError(f"resume={folder}: this run has ended; its result is {folder / config.output.file}")
    if steps is not None and not is_single(config):
        raise UserError(f"steps={steps}: scale={config.scale['name']} has its steps at each size: leave it out")
    config.steps = config.steps if steps is None else steps
    if (done := checkpoint.steps(folder)) > config.steps and is_single(config):
        raise UserError(f"steps={config.steps}: this run has taken {done} steps already; give {done} or more")
    check(config)
    with catch_signals() as stop, enough_memory(), hosts.own_output(config) as config:
        folder = hosts.own_folder(folder, config, checkpoint=checkpoint.NAME)
        with alone(folder, "a run", keep=False), folders.log_into(folder):
            if absent:
                LOG.info("not in the run's config.yaml, and taken as they are by default: %s", ", ".join(absent))
            once = scales.remember(config)
            with hosts.together():
                job = scales.outline(config, LOG.info, once)
                write_text(folder / "config.yaml", settings.yaml(config))
                stop.share(with_others=hosts.many() > 1)
            return run(config, job, once, folder, stop, watch)


def read_record(folder: Path) -> tuple[Config, list[str]]:
    """The settings of a run, and those that its file lacks. Raises UserError for a file that has too few."""
    try:
        return settings.from_record(settings.plain_yaml(folder / "config.yaml"))
    except UserError as error:
        raise UserError(f"resume={folder}: {error}; run its line again: {folder / 'command.txt'}") from None


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
    looks.check(config)
    deliver.check(config)


def check_names(file: str, film: str | None) -> None:
    """Raise UserError for names of outputs that are no plain names, or that would overwrite another file of the run."""
    taken = {name.lower() for name in folders.NAMES} | {Path(file).with_suffix(".json").name.lower()}
    for key, name in (("output.file", file), ("output.film", film)):
        if name is None:
            continue
        if Path(name).name != name or "\\" in name or len(name.encode(errors="surrogateescape")) > LONGEST:
            raise UserError(f"{key}={name}: a plain name of at most {LONGEST} bytes; the folder is output.folder")
        if name.lower() in taken or folders.STROKES.fullmatch(name.lower()):
            raise UserError(f"{key}={name}: the run writes another file of that name; choose another")
        taken.add(name.lower())


def make_folder(config: Config, words: Sequence[str]) -> Path:
    """A new folder for the run, with its settings in it."""
    pictures = [settings.folder_name(p) for p in (config.content, *settings.styles_of(config)) if p]
    folder = folders.make(Path(config.output.folder).expanduser() / "_".join(pictures))
    write_text(folder / "config.yaml", settings.yaml(config))
    write_text(folder / "command.txt", shlex.join(["nst", *words]) + "\n")
    folders.point_latest(Path(config.output.folder).expanduser(), folder)
    return folder


def run(config: Config, job: Job, once: Once, folder: Path, stop: Stop, watch: Watch) -> int:
    """Optimise, save and report; returns the exit code.

    Args:
      config: the settings.
      job: of `scales.outline`.
      once: remembers the pictures and weights that it was made of.
      folder: of the run.
      stop: whether a signal asks for the end.
      watch: takes the session after each chunk.
    """
    stages, to = sizes_of_run(config), deliver.target(config)
    LOG.info("weights: %s", job.facts["weights"]["source"])
    LOG.info("device: %s, %d x %d pixels", provenance.device(), job.start.shape[1], job.start.shape[0])
    LOG.info("folder: %s", folder)
    if len(stages) > 1:
        LOG.info("scales: %s", describe_scales(stages, *job.start.shape[:2]))
    if mesh := program.mesh_of(config.device.mesh, lanes=1):
        LOG.info("mesh: %s%s", program.describe_mesh(mesh), f", of {n} processes" if (n := hosts.many()) > 1 else "")
    for line in (*again.others(job.facts), *hints(job)):
        LOG.info(line)
    lane = Lane(job, folder, metrics=False, silent=not hosts.is_first())
    rules = Rules(checkpoint=config.output.checkpoint, result_when_stopped=True, stop_on_error=True, facts={})
    make = lambda lane, stage: prepare(config, lambda line: None, once, stage=stage)
    how_to = {"most": 1, "share": 1.0, "log": LOG.info, "mesh": config.device.mesh}
    compile_at = lambda stage, jobs: program.compile_program(jobs, **how_to)
    how = scales.passage(config.scale)
    quiet = (job.plan.steps == 0 or not hosts.is_first()) or None
    with tqdm(total=job.plan.steps, unit="step", dynamic_ncols=True, disable=quiet) as bar:
        show = Bar(bar, stages)

        def news(session: Session) -> None:
            show(session)
            watch(session)

        scales.run([lane], [stages], make, compile_at, how, rules, stop, news, on_end=lambda lane: None)
    if lane.error is not None:
        raise lane.error
    if to is not None:
        deliver.deliver(folder / job.output.file, to, quality=job.output.quality)
    return report(lane, stop, to)


def describe_scales(stages: Sequence[Stage], height: int, width: int) -> str:
    """The sizes and the steps at each. height, width: of the last one, in pixels."""
    sizes = (f"{round(width * s.scale)} x {round(height * s.scale)}, {s.until - s.first} steps" for s in stages)
    return "; ".join(sizes)


def hints(job: Job) -> Iterable[str]:
    """Hints before the run."""
    config = job.facts["config"]
    if config["seed"] and not job.facts["seed_used"]:
        yield f"seed={config['seed']} has no effect: nothing is random here (canvas={config['canvas']['start']})"
    if said := looks.remark(config["look"], config["layers"]):
        yield said
    fine = np.max(config["style_scale"]) <= 1 and not config["texture"] and job.plan.stage.many == 1
    if max(job.start.shape[:2]) > LARGE and fine:
        yield (
            f"at more than {LARGE} pixels strokes come out fine, since a layer sees a part of the picture only. Larger "
            "strokes: scale=multi, which begins small; or style_scale=2"
        )


def report(lane: Lane, stop: Stop, to: Path | None = None) -> int:
    """Say how the run ended and where its files are; returns the exit code. to: where the picture is as well."""
    last, job = lane.records[-1], lane.job
    if not lane.finite:
        LOG.error("step %d: the loss is not finite. Kept: the best image before it. Try %s", last["step"], advice(job))
    elif lane.climbed:
        text = "the objective ends above its start. Kept: the best image, of total %.6g. Try %s"
        LOG.warning(text, last["total"], advice(job))
    if job.plan.stage.number + 1 < job.plan.stage.many:
        height, width = job.start.shape[:2]
        LOG.info("the picture has the size of scale %d of %d: %d x %d", *place(job), width, height)
    if stop.asked:
        LOG.info("stopped after step %d of %d", last["step"], job.plan.steps)
        LOG.info("to go on: nst %s", shlex.quote(f"resume={lane.folder}"))
    LOG.info(
        "%d steps, %d evaluations in %.1f s (and %.1f s to compile); total %.6g",
        *(last["step"], last["evaluations"], lane.seconds, lane.compiling, last["total"]),
    )
    announce("curves", lane.folder / "loss.png")
    if job.output.film and (lane.folder / job.output.film).exists():
        announce("film", lane.folder / job.output.film)
    if (lane.folder / TILES).exists():
        announce("tiles", lane.folder / TILES)
    picture = lane.folder / job.output.file
    record = {"picture": str((to or picture).absolute()), "folder": str(lane.folder.absolute()), **lane.story}
    announce("result", picture, None if to else record)
    if to:
        announce("picture", to, record)
    if not stop.asked and lane.finite:
        LOG.info("%-9s%s", "again:", shlex.join(["nst", f"from={picture}", f"steps={2 * max(job.plan.steps, 1)}"]))
    return EXIT[stop.asked] if stop.asked else (0 if lane.finite else 1)


def advice(job: Job) -> str:
    """Advice after a value that is not finite, or one above the start."""
    rate = "a smaller optimiser.learning_rate" if "learning_rate" in job.problem.hyper else "smaller weights"
    other = "" if job.spec.solver.__name__ == "lbfgs" else ", or optimiser=lbfgs"
    return rate + other
