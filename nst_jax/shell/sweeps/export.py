"""nst-export FOLDER tensorboard|mlflow: the results of a sweep or a run, copied to a tracker from the plain files."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nst_jax.shell.config import plain_yaml
from nst_jax.shell.errors import UserError
from nst_jax.shell.sweeps.parts import imported

USAGE = """\
nst-export: copy the results of a sweep or of one run to a tracker

  nst-export FOLDER tensorboard [WHERE]   event files, in FOLDER/tensorboard; extra `tensorboard`
  nst-export FOLDER mlflow [WHERE]        a run for each job; WHERE: a tracking URI, else MLFLOW_TRACKING_URI,
                                          else sqlite in FOLDER/mlflow.db; extra `mlflow`
"""


def main() -> None:
    """The command. Exit code 2 for a mistake of the user's."""
    words = sys.argv[1:]
    if len(words) not in (2, 3) or words[0] in ("-h", "--help"):
        print(USAGE)
        sys.exit(0 if words else 2)
    try:
        print(run(Path(words[0]).expanduser(), *words[1:]))
    except UserError as error:
        print(f"nst-export: {error}", file=sys.stderr)
        sys.exit(2)


def run(folder: Path, tracker: str, where: str | None = None) -> str:
    """Copy every job of the folder; returns where to. A job that is there already is not copied again."""
    if tracker not in TRACKERS:
        raise UserError(f"there is no tracker {tracker}: {', '.join(TRACKERS)}")
    jobs = list(found(folder))
    if not jobs:
        raise UserError(f"{folder}: no run is here")
    return TRACKERS[tracker](folder, jobs, where)


def found(folder: Path) -> Iterator[Path]:
    """The run folders: this one, or those within."""
    if folder.is_dir():
        candidates = [folder] if (folder / "metrics.jsonl").exists() else sorted(folder.iterdir())
        yield from (p for p in candidates if (p / "metrics.jsonl").exists() and (p / "result.json").exists())


def records(job: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Each line of metrics.jsonl: its step, and its numbers by name."""
    for line in (job / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        yield record.pop("step"), dict(flat(record))


def flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """A tree of dicts as names with slashes."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", value


def picture(job: Path) -> Path:
    """The run's result."""
    return job / plain_yaml(job / "config.yaml")["output"]["file"]


def tensorboard(folder: Path, jobs: list[Path], where: str | None) -> str:
    """Event files: scalars for each snapshot, the picture, and the settings as hyper-parameters."""
    tensorboard = imported("tensorboardX", "tensorboard")
    import numpy as np
    from PIL import Image

    root = Path(where or folder / "tensorboard")
    for job in jobs:
        if (root / job.name).exists():
            continue
        with tensorboard.SummaryWriter(str(root / job.name)) as writer:
            step = 0
            for step, numbers in records(job):
                for name, value in numbers.items():
                    writer.add_scalar(name, value, step)
            with Image.open(picture(job)) as image:
                writer.add_image("result", np.asarray(image.convert("RGB")), step, dataformats="HWC")
            writer.add_text("settings", f"```\n{(job / 'config.yaml').read_text(encoding='utf-8')}\n```", 0)
    return str(root)


def mlflow(folder: Path, jobs: list[Path], where: str | None) -> str:
    """A run for each job, in an experiment named by the folder; one batch of metrics a job."""
    imported("sqlalchemy", "mlflow")
    client_of, e = imported("mlflow.tracking", "mlflow").MlflowClient, imported("mlflow.entities", "mlflow")
    uri = where or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    client, name = client_of(uri), folder.absolute().name
    known = client.get_experiment_by_name(name)
    place = None if "://" in uri and not uri.startswith("sqlite") else (folder.absolute() / "mlartifacts").as_uri()
    experiment = known.experiment_id if known else client.create_experiment(name, artifact_location=place)
    there = {run.info.run_name for run in client.search_runs([experiment], max_results=50_000)}
    for job in (job for job in jobs if job.name not in there):
        row = client.create_run(experiment, run_name=job.name).info.run_id
        at = int((job / "metrics.jsonl").stat().st_mtime * 1000)
        points = [e.Metric(k, float(v), at, step) for step, numbers in records(job) for k, v in numbers.items()]
        settings = [e.Param(k.replace("/", "."), str(v)[:6000]) for k, v in flat(plain_yaml(job / "config.yaml"))]
        tags = [e.RunTag("command", (job / "command.txt").read_text(encoding="utf-8").strip())]
        client.log_batch(row, metrics=points[:1000], params=settings[:100], tags=tags)
        for first in range(1000, len(points), 1000):  # the most that one call takes
            client.log_batch(row, metrics=points[first : first + 1000])
        client.log_artifact(row, str(picture(job)))
        client.set_terminated(row)
    return uri


TRACKERS: dict[str, Callable[[Path, list[Path], str | None], str]] = {"tensorboard": tensorboard, "mlflow": mlflow}

if __name__ == "__main__":
    main()
