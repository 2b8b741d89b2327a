"""One run of the command, from settings to a folder with a picture in it."""

import logging
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst_jax.shell import config as settings
from nst_jax.shell import dry, loop, provenance, runs
from nst_jax.shell.device import enough_memory
from nst_jax.shell.errors import UserError
from nst_jax.shell.film import film
from nst_jax.shell.prepare import Job, prepare
from nst_jax.shell.saving import image_format, sidecar, write, write_text
from nst_jax.shell.schema import Config
from nst_jax.shell.stop import EXIT, Stop, listening

LOG = logging.getLogger("nst_jax")


def stylise(config: Config) -> int:
    """Run once and return the exit code: 0, 1 after a value that was not finite, 130 after Ctrl-C."""
    check(config)
    with listening() as stop, enough_memory():
        job = prepare(config, LOG.info)
        if config.dry_run:
            return dry.rehearse(config, job, LOG.info)
        folder = opened(config)
        with runs.logged(folder):
            return work(config, job, folder, stop)


def work(config: Config, job: Job, folder: Path, stop: Stop) -> int:
    """The long part: optimise, save, tell."""
    LOG.info("weights: %s", job.weights.source)
    LOG.info("device: %s, %d x %d pixels", provenance.device(), job.start.shape[1], job.start.shape[0])
    LOG.info("folder: %s", folder)

    def keep(state: Any, record: loop.Record) -> None:
        runs.note(folder, record)
        if config.output.every:
            told = {"step": str(record["step"]), "Software": "nst_jax"}
            write(runs.snapshot(folder, record["step"]), pixels(state), metadata=told)

    outcome = loop.run(job, steps=config.steps, every=config.output.every, keep=keep, stop=stop)
    save(config, job, folder, outcome)
    return tell(config, folder, outcome, EXIT[stop.asked] if stop.asked else 0)


def check(config: Config) -> None:
    """What can be refused before any work."""
    image_format(Path(config.output.file))
    if Path(config.output.file).name != config.output.file:
        raise UserError(f"output.file={config.output.file}: a plain name; the folder is output.folder")
    if config.output.film and Path(config.output.film).suffix not in (".webp", ".mp4"):
        raise UserError(f"output.film={config.output.film}: .webp or .mp4")
    if config.output.film and not config.output.every:
        raise UserError("output.film needs snapshots: set output.every=10")
    if config.output.alpha and image_format(Path(config.output.file)) == "JPEG":
        raise UserError("output.alpha=true: JPEG knows no transparency. Set output.file=result.png")


def opened(config: Config) -> Path:
    """A new folder for the run, with its settings in it."""
    pictures = [settings.folder_name(p) for p in (config.content, config.style) if p]
    folder = runs.fresh(Path(config.output.folder).expanduser() / "_".join(pictures))
    write_text(folder / "config.yaml", settings.yaml(config))
    write_text(folder / "command.txt", shlex.join(["nst", *sys.argv[1:]]) + "\n")
    return folder


def pixels(state: Any) -> np.ndarray:
    """The image in [0, 1]; an unclamped optimiser leaves that range a little."""
    return np.clip(np.asarray(loop.image_of(state)), 0, 1)


def save(config: Config, job: Job, folder: Path, outcome: loop.Outcome, **also: Any) -> None:
    """The picture with its provenance, the curves, and the film if one was asked for. also: more to tell."""
    runs.curve(folder, outcome.curve)
    runs.plot(folder, outcome.curve["total"], outcome.records)
    told = story(config, job, outcome) | also
    path = folder / config.output.file
    meta = provenance.text_chunks(told)
    write(path, pixels(outcome.state), alpha=job.alpha, quality=config.output.quality, metadata=meta)
    sidecar(path, told)
    if config.output.film:
        frames = [np.asarray(Image.open(p)) for p in sorted((folder / "snapshots").glob("*.png"))]
        film(folder / config.output.film, frames, milliseconds=config.output.film_ms, quality=80)


def story(config: Config, job: Job, outcome: loop.Outcome) -> dict[str, Any]:
    """Everything that the picture came from."""
    last, x = outcome.records[-1], np.asarray(outcome.state.x)
    return {
        "config": settings.plain(config),
        "seed": config.seed,
        "weights": {"source": job.weights.source, "sha256": job.weights.sha256},
        "versions": provenance.versions(),
        "git_commit": provenance.commit(),
        "device": provenance.device(),
        "precision": config.device.precision,
        "size": list(job.start.shape[:2][::-1]),
        "pictures": list(job.notes),
        "steps": last["step"],
        "evaluations": last["evaluations"],
        "seconds": outcome.seconds,
        "finished": last["step"] == config.steps and bool(outcome.state.finite),
        "finite": bool(outcome.state.finite),
        "outside_range": float(np.mean((x < 0) | (x > 1))),
        "terms": {k: last[k] for k in ("total", "weighted", "content", "style", "tv")},
    }


def tell(config: Config, folder: Path, outcome: loop.Outcome, code: int) -> int:
    """The last lines on the screen: how it ended, and where the result is."""
    last, state = outcome.records[-1], outcome.state
    if not bool(state.finite):
        LOG.error(
            "step %d: the loss is not finite. Kept: the best image before it. Try a smaller optimiser.learning_rate, "
            "or optimiser=lbfgs",
            last["step"],
        )
    if code:
        LOG.info("stopped after step %d of %d", last["step"], config.steps)
    s = outcome.seconds
    LOG.info(
        "%d steps, %d evaluations in %.1f s (and %.1f s to compile); total %.6g",
        *(last["step"], last["evaluations"], s["optimise"], s["compile"], last["total"]),
    )
    LOG.info("curves:  %s", folder / "loss.png")
    LOG.info("result:  %s", folder / config.output.file)
    return code or (0 if bool(state.finite) else 1)
