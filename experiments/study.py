"""What the experiments share: a sweep by lanes, its rows and pictures, and the record of what was seen.

An experiment is a saved sweep, conf/experiment/NAME.yaml, and a page of Python that draws its figure. The sweep does
the rest: jobs of one program side by side, a folder for each, and only what is missing when it is run again.
"""

import csv
import hashlib
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from matplotlib.figure import Figure

from nst_jax.shell import config, device, prepare, provenance
from nst_jax.shell.main import guarded, quoted
from nst_jax.shell.places import conf
from nst_jax.shell.sweeps import table

HOME = Path("outputs/experiments")
Row = dict[str, Any]


class Study(NamedTuple):
    """What a line asked for: its rows, each with the `folder` of its job, and where the record goes."""

    name: str
    words: tuple[str, ...]
    rows: list[Row]
    home: Path


def sweep(name: str, *words: str, home: Path | None = None) -> Study:
    """Runs `nst -m +experiment=NAME WORDS`, as far as it has not been run, and reads what came of it.

    home: the folder of the record, outputs/experiments/NAME without it. Exits with 2 where the line is wrong; a job
    that failed has been reported, and is left out of the rows.
    """
    home = home or HOME / name
    line = hashlib.sha256(" ".join((name, *words)).encode()).hexdigest()[:8]
    folder = home / "sweeps" / line
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # as nst does: errors are handed over, and told in a line
    before, sys.argv = sys.argv, ["nst", "-m", *map(quoted, (f"+experiment={name}", *words, f"sweep.folder={folder}"))]
    try:
        if (code := guarded(sys.argv[1:])) > 1:
            sys.exit(code)
    finally:
        sys.argv = before
    alone = unswept(name, *words)
    done = [alone | row for row in table.rows(folder) if row["status"] == "done"]
    if not done:
        sys.exit("nst: no job of the experiment has ended well; see above")
    return Study(name, words, [row | {"folder": folder / row["path"]} for row in done], home)


def settings(name: str, *words: str) -> config.Config:
    """The settings of `nst +experiment=NAME WORDS`, one value of each."""
    with initialize_config_dir(str(conf().resolve()), version_base=config.HYDRA):
        return config.read(compose("config", overrides=[f"+experiment={name}", *words]))


def unswept(name: str, *words: str) -> Row:
    """The keys that the experiment sweeps and the line gives one value: a sweep's own rows do not have them."""
    params = config.plain_yaml(conf() / "experiment" / f"{name}.yaml")["hydra"]["sweeper"]["params"]
    given = OverridesParser.create().parse_overrides([*(f"{k}={v}" for k, v in params.items()), *words])
    last = {each.key_or_group: each for each in given}
    return {key: last[key].value() for key in params if not last[key].is_sweep_override()}


def job(name: str, *words: str) -> tuple[config.Config, prepare.Job]:
    """The settings of `nst +experiment=NAME WORDS`, one value of each, and all that a run of it computes with."""
    wanted = settings(name, *words)
    device.ready(wanted.device)
    return wanted, prepare.prepare(wanted, lambda text: None)


def without(words: Iterable[str], *keys: str) -> tuple[str, ...]:
    """The words that say nothing of these keys."""
    return tuple(word for word in words if word.partition("=")[0] not in keys)


def swept(name: str, key: str, words: Iterable[str]) -> list[str]:
    """The values of a key that `nst -m +experiment=NAME WORDS` would run through, each once."""
    said = [word.partition("=")[2] for word in words if word.partition("=")[0] == key]
    return list(dict.fromkeys(value.strip() for value in str([saved(name).get(key, ""), *said][-1]).split(",")))


def saved(name: str) -> Row:
    """The keys that conf/experiment/NAME.yaml sweeps, and their values as it says them."""
    whole = config.plain_yaml(conf() / "experiment" / f"{name}.yaml")
    return whole.get("hydra", {}).get("sweeper", {}).get("params", {})


def record(study: Study, figure: Figure, rows: Sequence[Row], seen: str, *, plots: bool = False) -> Path:
    """Writes figure.png (and .svg of plots), table.csv and README.md, says where; the folder.

    rows: of the table. seen: what the numbers show, in a paragraph.
    """
    study.home.mkdir(parents=True, exist_ok=True)
    figure.savefig(study.home / "figure.png", dpi=300)
    if plots:
        figure.savefig(study.home / "figure.svg")
    with (study.home / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    (study.home / "README.md").write_text(story(study, seen), encoding="utf-8")
    print(f"{seen}\nfigure: {study.home / 'figure.png'}")
    return study.home


def story(study: Study, seen: str) -> str:
    """The lab book's entry."""
    command = shlex.join(["python", f"experiments/{study.name}.py", *study.words])
    seconds = sum(row["seconds"] for row in study.rows if row["lane"] == 0)  # lanes share their program's time
    versions = ", ".join(f"{k} {v}" for k, v in provenance.versions().items())
    lines = (
        f"# {study.name}",
        seen,
        "![](figure.png)",
        f"    {command}",
        f"{len(study.rows)} runs, {seconds:.0f} s of optimisation on {provenance.device()}, "
        f"commit {(provenance.commit() or 'unknown')[:12]}; {versions}.",
    )
    return "\n\n".join(lines) + "\n"
