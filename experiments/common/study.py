"""What the experiments share: a sweep, its rows, and the record of what it shows."""

import csv
import hashlib
import importlib
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from matplotlib.figure import Figure

import nst_jax as nst
from experiments.__main__ import cost
from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.running import device, prepare, provenance
from nst_jax.shell.running.job import Job
from nst_jax.shell.settings import config
from nst_jax.shell.settings.schema import Config

HOME = Path("outputs/experiments")
SMALL = ("network=distilled", "size=128", "steps=100")  # size=small
Row = dict[str, Any]


class Study(NamedTuple):
    """The runs of one line of an experiment.

    Attributes:
      name: of the experiment's module, after `experiments.`: "papers.start".
      words: the line, without the command.
      rows: of the table, each with the `folder` of its job.
      home: the folder of the record.
    """

    name: str
    words: tuple[str, ...]
    rows: list[Row]
    home: Path


def sweep(name: str, *words: str, home: Path | None = None) -> Study:
    """Run what is missing of `nst -m +experiment=NAME WORDS`.

    Args:
      name: of conf/experiment/NAME.yaml.
      words: settings, which override those of the file; size=small stands for SMALL.
      home: the folder of the record; outputs/experiments/NAME if not given.

    Returns:
      The jobs that are done. A job that failed is in the log, and not among the rows.

    Raises:
      SystemExit: the line has a mistake (code 2), or no job is done.
    """
    home = home or HOME / name
    words = tuple(word for given in words for word in (SMALL if given == "size=small" else (given,)))
    said = importlib.import_module(f"experiments.papers.{name}").__doc__ or ""
    print(f"{name}: {said.splitlines()[0]}\n{cost(said)}", flush=True)
    line = hashlib.sha256(" ".join((name, *words)).encode()).hexdigest()[:8]
    try:
        rows = nst.sweep(f"+experiment={name}", *words, f"sweep.folder={home / 'sweeps' / line}")
    except UserError as error:
        print(f"nst: {error}", file=sys.stderr)
        sys.exit(2)
    fixed = fixed_values(name, *words)
    done = [fixed | row for row in rows if row["status"] == "done"]
    if not done:
        small = " size=small needs no download." if any("Unreachable" in str(row.get("error")) for row in rows) else ""
        sys.exit(f"nst: no job of the experiment is done; see above.{small}")
    return Study(f"papers.{name}", words, done, home)


def settings(name: str, *words: str) -> Config:
    """The settings of `nst +experiment=NAME WORDS`, where no key has several values."""
    with initialize_config_dir(str(conf().resolve()), **config.VERSION_BASE):
        return config.read(compose("config", overrides=[f"+experiment={name}", *words]))


def job(name: str, *words: str) -> Job:
    """What a run of `nst +experiment=NAME WORDS` computes with, where no key has several values."""
    wanted = settings(name, *words)
    device.set_up(wanted.device)
    return prepare.prepare(wanted, lambda text: None)


def saved_sweep(name: str) -> Row:
    """The keys that conf/experiment/NAME.yaml sweeps, and their values as text."""
    whole = config.plain_yaml(conf() / "experiment" / f"{name}.yaml")
    return whole.get("hydra", {}).get("sweeper", {}).get("params", {})


def fixed_values(name: str, *words: str) -> Row:
    """The keys that the experiment sweeps and the line gives one value: the rows of the sweep lack them."""
    params = saved_sweep(name)
    given = OverridesParser.create().parse_overrides([*(f"{k}={v}" for k, v in params.items()), *words])
    last = {override.key_or_group: override for override in given}
    return {key: last[key].value() for key in params if not last[key].is_sweep_override()}


def swept_values(name: str, key: str, words: Iterable[str]) -> list[str]:
    """The values of a key in `nst -m +experiment=NAME WORDS`, each once."""
    given = [word.partition("=")[2] for word in words if word.partition("=")[0] == key]
    return list(dict.fromkeys(value.strip() for value in str([saved_sweep(name).get(key, ""), *given][-1]).split(",")))


def without(words: Iterable[str], *keys: str) -> tuple[str, ...]:
    """The words that do not set these keys."""
    return tuple(word for word in words if word.partition("=")[0] not in keys)


def record(study: Study, figure: Figure, table: Sequence[Row], answer: str, *, vector: bool = False) -> Path:
    """Write figure.png, table.csv and README.md into the study's folder, and return the folder.

    Args:
      study: the runs.
      figure: to draw.
      table: a row for each line of table.csv.
      answer: what the numbers show, in a paragraph.
      vector: write figure.svg, too.
    """
    study.home.mkdir(parents=True, exist_ok=True)
    figure.savefig(study.home / "figure.png", dpi=300)
    if vector:
        figure.savefig(study.home / "figure.svg")
    with (study.home / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(k for row in table for k in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()} for row in table)
    (study.home / "README.md").write_text(page(study, answer), encoding="utf-8")
    print(f"{answer}\nfigure: {study.home / 'figure.png'}")
    return study.home


def page(study: Study, answer: str) -> str:
    """The record as Markdown: answer, figure, command, cost, versions."""
    command = shlex.join(["python", "-m", f"experiments.{study.name}", *study.words])
    seconds = sum(row["seconds"] for row in study.rows if row["lane"] == 0)  # lanes share their program's time
    versions = ", ".join(f"{k} {v}" for k, v in provenance.versions().items())
    lines = (
        f"# {study.name.rpartition('.')[2]}",
        answer,
        "![](figure.png)",
        f"    {command}",
        f"{len(study.rows)} runs, {seconds:.0f} s of optimisation on {provenance.device()}, "
        f"commit {(provenance.commit() or 'unknown')[:12]}; {versions}.",
    )
    return "\n\n".join(lines) + "\n"
