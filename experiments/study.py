"""What the experiments share: a sweep by lanes, its rows and pictures, and the record of what was seen.

An experiment is a saved sweep, conf/experiment/NAME.yaml, and a page of Python that draws its figure. The sweep does
the rest: jobs of one program side by side, a folder for each, and only what is missing when it is run again.
"""

import csv
import hashlib
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from matplotlib.figure import Figure
from PIL import Image

from nst_jax import transfer
from nst_jax.shell import config, device, prepare, provenance
from nst_jax.shell.main import guarded
from nst_jax.shell.places import conf
from nst_jax.shell.sweeps import lane, sheet, table

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
    before, sys.argv = sys.argv, ["nst", "-m", f"+experiment={name}", *words, f"sweep.folder={folder}"]
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


def judge(name: str, words: Iterable[str]) -> prepare.Job:
    """Another network on the same pictures, that nothing was optimised for: texnet; for texnet an untrained VGG-19."""
    words = tuple(words)
    kept = [word for word in words if word.partition("=")[0] in prepare.SIGHT]
    own = any(word == "network=texnet" for word in words)
    other = ("network=vgg19", "weights=random", "layers=blocks1-3") if own else ("network=texnet",)
    return job(name, *kept, *other, "convention=gatys_released", "content_weight=1", "style_weight=1")[1]


def balance(job: prepare.Job) -> float:
    """The style weight at which the photograph's style term is as large as the content term of a grey picture.

    It has one meaning in all networks and conventions. job: one with a style weight of 1.
    """
    weights, gray = job.problem.weights, np.full_like(job.content, 0.5)
    content = transfer.measured(job.spec, job.problem, gray).content
    style = transfer.measured(job.spec, job.problem, job.content).style
    return float(sum(weights.content[k] * v for k, v in content.items())) / float(
        sum(weights.style[k] * v for k, v in style.items())
    )


def matched(table: Iterable[Row], key: str, by: str) -> tuple[list[Row], str]:
    """Of each value of `key` the row nearest to one value of `by`, in the middle of what all reach; both in words."""
    lines: dict[Any, list[Row]] = {}
    for row in table:
        lines.setdefault(row[key], []).append(row)
    ends = [[row[by] for row in line] for line in lines.values()]
    aim = (max(map(min, ends)) + min(map(max, ends))) / 2
    best = [min(line, key=lambda row: abs(row[by] - aim)) for line in lines.values()]
    off = max(abs(row[by] / aim - 1) for row in best)
    told = ", ".join(f"{row[key]} {row['ssim_content']:.3f} (at {row[by]:.3f})" for row in best)
    return best, (
        f"SSIM with the content picture of the runs nearest to a {by} of {aim:.3f}: {told}. The distances are matched "
        f"to {100 * off:.0f} %; a difference of SSIM that this or the spread of seeds can explain says nothing"
    )


def measured(job: prepare.Job, shown: np.ndarray) -> dict[str, float]:
    """The metrics of a picture, (h, w, 3) bytes, as another job sees it: with its network, layers and pictures."""
    return lane.measured(job, shown.astype(np.float32) / 255)


def jobs(rows: Iterable[Row]) -> list[prepare.Job]:
    """What each row's job computed with. What they have in common is read once."""
    known: dict[tuple[Any, ...], Any] = {}

    def once(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in known:
            known[key] = make()
        return known[key]

    settings = [config.from_plain(config.plain_yaml(row["folder"] / "config.yaml")) for row in rows]
    return [prepare.prepare(each, lambda text: None, once) for each in settings]


def picture(row: Row) -> np.ndarray:
    """The result of a job, (h, w, 3) bytes."""
    with Image.open(row["folder"] / "result.png") as image:
        return np.asarray(image.convert("RGB"))


def curve(row: Row) -> dict[str, np.ndarray]:
    """What every iteration of a job saw: total, grad_norm, evaluations."""
    with (row["folder"] / "curve.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    return {key: np.array([float(line[key]) for line in lines]) for key in lines[0]}


def descent(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Evaluations spent, from 0 on, and the loss of the image that they led to, over the first loss."""
    seen = curve(row)
    losses = np.append(seen["total"], row["total"])
    return np.cumsum(np.append(0, seen["evaluations"])), losses / losses[0]


def values(rows: Iterable[Row], key: str) -> list[Any]:
    """The values of a key, each once, in order."""
    return sheet.values(list(rows), key)


def where(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """The rows with these values. Dots of a key are written as two underscores: optimiser__learning_rate=0.1."""
    return [r for r in rows if all(r.get(k.replace("__", ".")) == v for k, v in wanted.items())]


def spread(found: Iterable[float]) -> str:
    """Median and quartiles, in words of three digits."""
    low, middle, high = np.percentile(list(found), (25, 50, 75))
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def apart(a: Any, b: Any) -> float:
    """The root mean square of a difference: of pixels in [0, 1], or of anything else."""
    return float(np.sqrt(np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)))


def relative(a: Any, b: Any) -> float:
    """|a - b| / |b|."""
    return apart(a, b) / apart(b, 0)


def grid(
    cells: Sequence[Sequence[np.ndarray | None]], *, across: Sequence[Any], down: Sequence[Any], title: str = ""
) -> Figure:
    """Pictures in lines and columns, labelled. None leaves a gap."""
    first = next(c for line in cells for c in line if c is not None)
    width, height = (1.6 * side / max(first.shape[:2]) for side in (first.shape[1], first.shape[0]))
    figure = Figure(figsize=(len(across) * width + 0.6, len(down) * height + 0.5), layout="constrained")
    for axes, line in zip(figure.subplots(len(down), len(across), squeeze=False), cells, strict=True):
        for axis, cell in zip(axes, line, strict=True):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if cell is not None:
                axis.imshow(cell)
    for axis, label in zip(figure.axes[: len(across)], across, strict=True):
        axis.set_title(sheet.label(label), fontsize=8)
    for axis, label in zip(figure.axes[:: len(across)], down, strict=True):
        axis.set_ylabel(sheet.label(label), fontsize=8)
    figure.suptitle(title, fontsize=9)
    return figure


def plot(draw: Callable[..., None], *, columns: int = 1, width: float = 4.0) -> Figure:
    """A figure of plots side by side, drawn by draw(*axes)."""
    figure = Figure(figsize=(columns * width, 3.2), layout="constrained")
    draw(*figure.subplots(1, columns, squeeze=False)[0])
    return figure


def page(pictures: Mapping[str, np.ndarray], *, plots: int) -> tuple[Figure, list[Any]]:
    """Labelled pictures in a line, and under them the axes of plots that are still empty."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 2))
    cells = top.subplots(1, len(pictures), squeeze=False)[0]
    for axis, (label, shown) in zip(cells, pictures.items(), strict=True):
        axis.imshow(shown)
        axis.set_axis_off()
        axis.set_title(label, fontsize=8)
    axes = list(bottom.subplots(1, plots, squeeze=False)[0])
    for axis in axes:
        axis.tick_params(which="both", labelsize=7)
    return figure, axes


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
