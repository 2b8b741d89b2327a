"""Copy the results of a sweep or a run from its plain files to a tracker.

To add a tracker: write a function like `tensorboard` and name it in TRACKERS. Optional packages are loaded by
`extras.load`, which names the extra to install.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from nst_jax.shell import extras
from nst_jax.shell.errors import UserError
from nst_jax.shell.names import look_up
from nst_jax.shell.settings.config import flatten, plain_yaml

# the most that one call of MLflow's client takes (mlflow.utils.validation)
MAX_METRICS, MAX_PARAMS, MAX_PARAM_LENGTH = 1000, 100, 6000
MAX_RUNS = 50_000  # of an experiment, in one search


def run(folder: Path, tracker: str, where: str | None = None) -> str:
    """Copy every job of the folder to a tracker. A job that is there already is not copied again.

    Args:
      folder: of a sweep or of one run.
      tracker: a name in TRACKERS.
      where: the tracker's own place: a folder or a URI; None for its default.

    Returns:
      Where the jobs were copied to.

    Raises:
      UserError: an unknown tracker, no run in the folder, or a missing package.
    """
    export = look_up(TRACKERS, tracker, "tracker")
    jobs = list(find_jobs(folder))
    if not jobs:
        raise UserError(f"{folder}: no run is here")
    return export(folder, jobs, where)


def find_jobs(folder: Path) -> Iterator[Path]:
    """The run folders: this one, or those within."""
    if folder.is_dir():
        candidates = [folder] if (folder / "metrics.jsonl").exists() else sorted(folder.iterdir())
        yield from (p for p in candidates if (p / "metrics.jsonl").exists() and (p / "result.json").exists())


def read_scalars(job: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Each line of metrics.jsonl: its step, and its numbers by name.

    The names come from the line, with slashes: total, weighted/style, terms/style/relu1_1, evaluations, seconds.
    """
    for line in (job / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        yield record.pop("step"), flatten(record, "/")


def picture(job: Path) -> Path:
    """The path of the run's result."""
    return job / plain_yaml(job / "config.yaml")["output"]["file"]


def tensorboard(folder: Path, jobs: list[Path], where: str | None) -> str:
    """Write event files: scalars of each snapshot, the picture, and the settings. `where`: FOLDER/tensorboard."""
    writers = extras.load("tensorboardX", "tensorboard")
    import numpy as np
    from PIL import Image

    root = Path(where or folder / "tensorboard")
    for job in jobs:
        if (root / job.name).exists():
            continue
        with writers.SummaryWriter(str(root / job.name)) as writer:
            step = 0
            for step, scalars in read_scalars(job):
                for name, value in scalars.items():
                    writer.add_scalar(name, value, step)
            with Image.open(picture(job)) as image:
                writer.add_image("result", np.asarray(image.convert("RGB")), step, dataformats="HWC")
            writer.add_text("settings", f"```\n{(job / 'config.yaml').read_text(encoding='utf-8')}\n```", 0)
    return str(root)


def mlflow(folder: Path, jobs: list[Path], where: str | None) -> str:
    """Make a run for each job, in an experiment named by the folder. `where`: MLFLOW_TRACKING_URI, or a new sqlite."""
    extras.load("sqlalchemy", "mlflow")
    make_client, e = extras.load("mlflow.tracking", "mlflow").MlflowClient, extras.load("mlflow.entities", "mlflow")
    uri = where or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    client, name = make_client(uri), folder.absolute().name
    known = client.get_experiment_by_name(name)
    place = None if "://" in uri and not uri.startswith("sqlite") else (folder.absolute() / "mlartifacts").as_uri()
    experiment = known.experiment_id if known else client.create_experiment(name, artifact_location=place)
    there = {run.info.run_name for run in client.search_runs([experiment], max_results=MAX_RUNS)}
    for job in (job for job in jobs if job.name not in there):
        row = client.create_run(experiment, run_name=job.name).info.run_id
        at = int((job / "metrics.jsonl").stat().st_mtime * 1000)
        points = [e.Metric(k, float(v), at, step) for step, found in read_scalars(job) for k, v in found.items()]
        settings = flatten(plain_yaml(job / "config.yaml"))
        params = [e.Param(k, str(v)[:MAX_PARAM_LENGTH]) for k, v in settings.items()]
        tags = [e.RunTag("command", (job / "command.txt").read_text(encoding="utf-8").strip())]
        client.log_batch(row, metrics=points[:MAX_METRICS], params=params[:MAX_PARAMS], tags=tags)
        for first in range(MAX_METRICS, len(points), MAX_METRICS):
            client.log_batch(row, metrics=points[first : first + MAX_METRICS])
        client.log_artifact(row, str(picture(job)))
        client.set_terminated(row)
    return uri


Export = Callable[[Path, list[Path], str | None], str]  # (folder, its jobs, where to) -> where they are
TRACKERS: dict[str, Export] = {"tensorboard": tensorboard, "mlflow": mlflow}
