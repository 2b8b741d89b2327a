"""The run that `from=` names: its record, its settings and its files."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache, records
from nst_jax.shell.io.pictures import expand
from nst_jax.shell.settings import again, config
from nst_jax.shell.settings.again import Former
from nst_jax.shell.settings.regions import FILES

CONFIG = "config.yaml"
SECTIONS = {"canvas": ("path", "model"), "weights": ("path",), "strokes": ("style",)}  # and their names of files
FEW = 5  # results that a message names
Key = tuple[str, str]  # a setting that names a file, and the name


class Origin(NamedTuple):
    """A former run.

    Attributes:
      path: the file that has its record, relative to the working directory where it lies in there.
      sha256: of that file.
      record: what the result came from. Of a run without a result, its settings alone.
      former: its settings. The names of its files are those of now, seen from the working directory.
      hashes: of its pictures, by the setting and the name of each.
    """

    path: str
    sha256: str
    record: dict[str, Any]
    former: Former
    hashes: dict[Key, str]

    def is_model(self) -> bool:
        """Whether a trained network painted."""
        return self.former.settings.get("model") is not None

    def is_texture(self) -> bool:
        """Whether it was a texture."""
        return self.former.settings.get("texture") is not None

    def base(self) -> str:
        """The name of its settings as a base, in Hydra's store."""
        return again.store(
            again.free_layers(self.former), {"path": str(Path(self.path).absolute()), "sha256": self.sha256}
        )


def find(given: str) -> Origin:
    """The run that `from=` names.

    Args:
      given: a result, the JSON file beside it, or the folder of the run.

    Raises:
      UserError: there is no such file, it has no record, or several runs are there.
    """
    path = expand(given)
    if not exists(path):
        raise UserError(
            f"from={given}: there is no such file or folder: give a result, the .json beside it, or the run's folder"
        )
    real = Path(os.path.realpath(path))  # runs/latest is another run tomorrow
    if real.name == CONFIG:
        real = real.parent
    place, record = in_folder(real, given) if real.is_dir() else in_file(real, given)
    former = again.understand(record["config"])
    settings = locate(former.settings, str(record.get("directory") or ""))
    hashes = known_hashes(record, files_of(former.settings), files_of(settings))
    return Origin(shorten(place), cache.sha256(place), record, former._replace(settings=settings), hashes)


def exists(path: Path) -> bool:
    """Whether there is such a file or folder."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def in_file(path: Path, given: str) -> tuple[Path, dict[str, Any]]:
    """The file that has the record of a picture, or is it, and the record."""
    if path.suffix == ".json":
        if record := records.load(path):
            return path, record
        raise UserError(f"from={given}: this is not the record of a result: it has no settings (config)")
    if record := records.extract(path):
        return path, record
    beside = path.with_suffix(".json")
    if beside.is_file() and (record := records.load(beside)):
        return beside, record
    for folder in path.parents[:2]:  # latest.png and the snapshots of a run
        if (folder / CONFIG).is_file():
            return in_folder(folder, given)
    raise UserError(
        f"from={given}: no record of a run is in this file, nor beside it ({beside.name}): give the run's folder"
    )


def in_folder(folder: Path, given: str) -> tuple[Path, dict[str, Any]]:
    """The file that has the record of a run, and the record: of its result, or else its settings."""
    if not (folder / CONFIG).is_file():
        raise UserError(f"from={given}: {many_in(folder)}")
    try:
        settings = config.plain_yaml(folder / CONFIG)
        picture = folder / str(settings["output"]["file"])
    except (OSError, ValueError, TypeError, KeyError, YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"from={given}: {CONFIG} cannot be read ({' '.join(str(error).split())[:200]})") from None
    beside = picture.with_suffix(".json")
    if beside.is_file() and (record := records.load(beside)):
        return beside, record
    if picture.is_file() and (record := records.extract(picture)):
        return picture, record
    others = [file for file in sorted(folder.glob("*.json")) if records.load(file)] if settings.get("model") else []
    if len(others) > 1:
        names = ", ".join(file.name for file in others[:FEW])
        raise UserError(f"from={given}: this run painted {len(others)} pictures; name one of them: {names}")
    if others and (record := records.load(others[0])):
        return others[0], record
    return folder / CONFIG, {"config": settings}


def many_in(folder: Path) -> str:
    """The message for a folder that is not a run's. It names the runs within, if any."""
    runs = sorted(file.parent for file in folder.glob(f"*/{CONFIG}"))
    if not runs:
        return f"no run is in this folder: it has no {CONFIG}"
    names = ", ".join(shorten(run) for run in runs[:FEW])
    return f"this folder is no run; within it are {len(runs)}, of which to name one: {names}"


def shorten(path: Path) -> str:
    """The path, relative to the working directory where it lies in there."""
    here = Path(os.path.realpath(Path.cwd()))
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def locate(settings: Mapping[str, Any], directory: str) -> dict[str, Any]:
    """The settings, with the names of files rewritten for the working directory.

    directory: the start directory of the former run, the base of its relative names; "": unknown.
    """

    def move(name: Any) -> Any:
        if isinstance(name, list):
            return [move(each) for each in name]
        if not directory or not isinstance(name, str) or name.startswith("~") or Path(name).is_absolute():
            return name
        there = Path(directory, name)
        same = os.path.realpath(directory) == os.path.realpath(Path.cwd())
        return str(there) if not same and there.exists() else name

    moved = dict(settings)
    for section, keys in (("", ("content", "style", "texture", "model")), *SECTIONS.items()):
        values = dict(settings.get(section) or {}) if section else moved
        values |= {key: move(values[key]) for key in keys if key in values}
        if section and section in settings:
            moved[section] = values
    if isinstance(regions := settings.get("regions"), dict):
        moved["regions"] = {
            name: {k: move(v) if k in FILES else v for k, v in region.items()} if isinstance(region, dict) else region
            for name, region in regions.items()
        }
    return moved


def files_of(settings: Mapping[str, Any]) -> list[Key]:
    """The files that the settings name, each with the key that names it. Those of models are not among them."""
    found: list[tuple[str, Any]] = [("content", settings.get("content")), ("texture", settings.get("texture"))]
    style = settings.get("style")
    found += [("style", each) for each in (style if isinstance(style, list) else [style])]
    found += [
        (f"{section}.{key}", (settings.get(section) or {}).get(key))
        for section, keys in SECTIONS.items()
        for key in keys
        if key != "model"
    ]
    for name, region in (settings.get("regions") or {}).items():
        found += [(f"regions.{name}.{key}", region.get(key)) for key in FILES if isinstance(region, dict)]
    return [(key, str(path)) for key, path in found if path is not None]


def known_hashes(record: Mapping[str, Any], before: Sequence[Key], now: Sequence[Key]) -> dict[Key, str]:
    """The hashes of the pictures that a record has.

    Args:
      record: of a result.
      before: the files of its settings, as they were named.
      now: the same files, as they are named now, which is how the hashes are named.
    """
    noted = record.get("files")
    known = [note for note in noted.values() if isinstance(note, dict)] if isinstance(noted, dict) else []
    hashes = {str(note.get("path")): str(note.get("sha256")) for note in known}
    return {place: hashes[was[1]] for was, place in zip(before, now, strict=True) if was[1] in hashes}
