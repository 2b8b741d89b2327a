"""Runs that have ended, measured against their photographs and paintings: a table, or the folders of ArtFID."""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax.numpy as jnp
import numpy as np

from nst_jax.images.size import SizeRule, cover, resize, target_shape
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import marks, pictures, saving
from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.names import look_up
from nst_jax.shell.reports import table
from nst_jax.shell.running.measures import MEASURES, Files
from nst_jax.shell.settings.config import plain_yaml
from nst_jax.types import Image

Log = Callable[[str], object]

CSV, ARTFID = "metrics.csv", "artfid"
USUAL = ("ssim", "lpips_alex", "sifid", "judge_distance")
WEIGHTS = {"lpips_alex": "alex", "lpips_vgg": "vgg", "lpips_squeeze": "squeeze", "sifid": "inception"}
HELD = 16  # pictures of files that are kept: the runs of a sweep share theirs
SINGULAR = 2048  # features of Inception's last pooling: fewer pictures give no full covariance
INFINITE = 5000  # art_fid/art_fid.py, compute_fid_infinity: the first of its numbers of pictures

README = """\
# {results} results for ArtFID

`stylised/`, `content/` and `style/` have one picture of the same name for each run, {side} x {side} pixels, cut from
the middle. Different photographs: {photographs}; paintings: {paintings}. ArtFID's program resizes nothing.
{absent}
In an environment of its own (the program wants numpy < 2, and brings torch):

    pip install art-fid
    python -m art_fid --stylized_images stylised --content_images content --style_images style \\
        --mode {mode} --device cpu

ArtFID = (1 + LPIPS) (1 + FID): LPIPS by AlexNet between each result and its photograph, FID by an Inception that was
trained on paintings, between all results and all paintings (Wright & Ommer 2022, arXiv 2207.12280).
`--mode art_fid_inf`, the program's default, needs more than {infinite} pictures.
"""

FEW = """
**These are too few pictures for FID.** It estimates the covariance of {features} features. That of {results} pictures
is singular, and the value says more about the number of pictures than about the method. Compare it only with values of
as many pictures, of the same photographs and the same paintings.
"""


class Run(NamedTuple):
    """A run that has ended."""

    name: str  # its folder, below the folder that is measured
    settings: dict[str, Any]  # config.yaml
    picture: Path
    content: str | None  # the photograph; None for a texture
    style: str | None  # the painting; None where there are several, or none
    swept: dict[str, Any]  # of a sweep's job: the swept settings and their values


def find_runs(folder: Path, log: Log) -> list[Run]:
    """The runs in a folder, in the order of their names. Raises UserError if no run has a result."""
    found = list(list_runs(folder, log))
    if not found:
        raise UserError(f"{folder}: no run with a result is here")
    return found


def list_runs(folder: Path, log: Log) -> Iterator[Run]:
    """The runs. The log names those whose result is not one picture."""
    for record in sorted(folder.rglob("config.yaml")):
        settings, name = plain_yaml(record), record.parent.relative_to(folder).as_posix()
        picture = record.parent / settings["output"]["file"]
        if not picture.is_file():
            log(f"{record.parent}: left out, there is no {picture.name}")
            continue
        style, mark = settings.get("texture") or settings.get("style"), marks.read(record.parent)
        styles = [style] if isinstance(style, str) else list(style or [])
        yield Run(
            name="" if name == "." else name,
            settings=settings,
            picture=picture,
            content=None if settings.get("texture") else settings.get("content"),
            style=styles[0] if len(styles) == 1 and not settings.get("regions") else None,
            swept={key: mark["row"].get(key) for key in mark["swept"]} if mark else {},
        )


@functools.lru_cache(maxsize=HELD)
def read(path: str, background: str, max_pixels: int) -> np.ndarray:
    """A picture, (height, width, 3) in [0, 1]."""
    return pictures.read(path, background=background, max_pixels=max_pixels, log=lambda text: None).image


def read_for(run: Run, path: str | Path) -> Image:
    """A picture as the run reads it."""
    return jnp.asarray(read(str(path), run.settings["background"], run.settings["max_pixels"]))


def content_of(run: Run, shape: Sequence[int]) -> Image | None:
    """The photograph as it is in its file, at the result's height and width."""
    return None if run.content is None else resize(read_for(run, run.content), height=shape[0], width=shape[1])


def style_of(run: Run) -> Image | None:
    """The painting as it is in its file, at the size at which the run took its style."""
    if run.style is None:
        return None
    image, given = read_for(run, run.style), run.settings["style_scale"]
    scale = float(given[0] if isinstance(given, list) else given)
    height, width = image.shape[:2]
    if run.settings.get("texture"):
        wanted = round(height * scale), round(width * scale)
    else:
        size, rule = max(1, round(run.settings["size"] * scale)), cast(SizeRule, run.settings["size_rule"])
        wanted = target_shape(height=height, width=width, size=size, rule=rule)
        if rule == "original":
            wanted = round(height * scale), round(width * scale)
    shrinks = run.settings.get("scale", {}).get("style") == "shrink"
    if wanted == (height, width) or (shrinks and wanted[0] > height):
        return image
    return resize(image, height=wanted[0], width=wanted[1])


def tabulate(folder: Path, log: Log, *, measures: Sequence[str] = USUAL, to: Path | None, files: Files) -> Path:
    """Write a table of measures: a row for each run.

    Args:
      folder: of a sweep, of one run, or of many.
      log: receives what happens on the way, a line each.
      measures: names in MEASURES.
      to: the file; None: metrics.csv in the folder.
      files: weight files in place of downloads, by the names in WEIGHTS.

    Returns:
      The path of the table. A field is empty where a run has no photograph, or not just one painting.

    Raises:
      UserError: no run, an unknown measure, weights that are not to be had, or a picture that cannot be measured.
    """
    for name in measures:
        look_up(MEASURES, name, "measure")
    rows = [measure(run, measures, files, log) for run in find_runs(folder, log)]
    return write_text(to or folder / CSV, table.as_csv(rows))


def measure(run: Run, measures: Sequence[str], files: Files, log: Log) -> dict[str, Any]:
    """The row of a run. Raises UserError for a picture that cannot be measured."""
    result = read_for(run, run.picture)
    aims = {"content": content_of(run, result.shape), "style": style_of(run)}
    row: dict[str, Any] = {"run": run.name or run.picture.parent.name, **run.swept}
    row |= {"width": result.shape[1], "height": result.shape[0]}
    for name in measures:
        one = MEASURES[name]
        aim = aims[one.of]
        try:
            row[name] = None if aim is None else float(one.compare(result, aim, files, log))
        except ValueError as error:
            raise UserError(f"{run.picture}: {name}: {error}; leave it out: measures=...") from None
    return row


def lay_out(folder: Path, log: Log, *, size: int | None, to: Path | None) -> Path:
    """Copy the pictures of all runs into the folders that ArtFID's program reads.

    Each of content/, style/ and stylised/ has a picture for each run, of one name: a square of `size` pixels from the
    middle. The photograph is brought to the result's size first, so that both show the same part.

    Args:
      folder: of a sweep, or of many runs.
      log: receives what happens on the way, a line each.
      size: pixels of a side; None: the shortest side of all results and paintings.
      to: the new folder; None: artfid in the folder.

    Returns:
      The new folder. Its README.md has the command.

    Raises:
      UserError: no run with a photograph and one painting; the folder is there; a picture is smaller than `size`.
    """
    target = to or folder / ARTFID
    if target.exists():
        raise UserError(f"{target} is there: remove it, or give another folder: to=FOLDER")
    found = find_runs(folder, log)
    runs = [run for run in found if run.content is not None and run.style is not None]
    if not runs:
        raise UserError(f"{folder}: no run has a photograph and one painting")
    side = check_side(runs, size)
    for run in runs:
        result = read_for(run, run.picture)
        name = (run.name or run.picture.parent.name).replace("/", "_") + ".png"
        content = content_of(run, result.shape)
        shown = {"stylised": result, "content": content, "style": read_for(run, str(run.style))}
        for kind, image in shown.items():
            (target / kind).mkdir(parents=True, exist_ok=True)
            square = cover(cast(Image, image), height=side, width=side)
            saving.write(target / kind / name, np.asarray(square), metadata={})
    write_text(target / "README.md", describe(runs, side, len(found) - len(runs)))
    log(f"{target / 'README.md'} has the command")
    return target


def check_side(runs: Sequence[Run], size: int | None) -> int:
    """The side of the squares, in pixels. Raises UserError where a picture is smaller."""
    shortest = {path: min(read_for(run, path).shape[:2]) for run in runs for path in (str(run.picture), str(run.style))}
    smallest = min(shortest, key=lambda path: shortest[path])
    if size is not None and size > shortest[smallest]:
        raise UserError(f"size={size}: {smallest} has {shortest[smallest]} pixels; an enlarged picture is no fair one")
    return size or shortest[smallest]


def describe(runs: Sequence[Run], side: int, absent: int) -> str:
    """README.md of ArtFID's folders."""
    mode = "art_fid" if len(runs) <= INFINITE else "art_fid_inf"
    text = README.format(
        results=len(runs),
        side=side,
        photographs=len({run.content for run in runs}),
        paintings=len({run.style for run in runs}),
        absent=f"Runs without a photograph, or with several paintings, are left out: {absent}.\n" if absent else "",
        mode=mode,
        infinite=INFINITE,
    )
    return text + (FEW.format(features=SINGULAR, results=len(runs)) if len(runs) < SINGULAR else "")
