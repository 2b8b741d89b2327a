"""A result where its user wants it: under the name and in the format of output.to."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import draft
from nst_jax.shell.io.pictures import expand
from nst_jax.shell.io.saving import image_format, write
from nst_jax.shell.settings.schema import Config

LONGEST = 200  # bytes of a name without its suffix: systems allow 255, and a draft's name is longer


def check(config: Config) -> None:
    """Raise UserError, before the run, for a place that no picture can be written to."""
    path = target(config)
    if path is None:
        return
    try:
        kind = image_format(path)
    except UserError as error:
        raise UserError(f"output.to={config.output.to}: {error}") from None
    if config.output.alpha and kind == "JPEG":
        raise UserError(f"output.alpha=true: JPEG has no transparency, and output.to is {config.output.to}")
    try:
        try_to_write(path.parent)
    except OSError as error:
        raise UserError(f"output.to={config.output.to}: no file can be made there: {error.strerror or error}") from None


@cache
def try_to_write(folder: Path) -> None:
    """Make the folder, and a file in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def target(config: Config) -> Path | None:
    """The file that output.to names; in a folder, the one named after the photograph. None where it is not set."""
    if not config.output.to:
        return None
    path = expand(config.output.to)
    return path / name(config, {}) if is_folder(config.output.to) else path


def is_folder(to: str) -> bool:
    """Whether output.to names a folder: one that is there, or a name that ends with a slash."""
    return to.endswith(("/", "\\")) or expand(to).is_dir()


def name(config: Config, swept: dict[str, Any]) -> str:
    """The name of a result: its photograph's, and the values that the sweep gave it."""
    told = {k: v for k, v in swept.items() if k != "content"}
    values = "".join(f"_{k.rpartition('.')[2]}={stem(v) if k == 'style' else v}" for k, v in told.items())
    photo = stem(config.texture or config.content or config.style)
    whole = os.fsencode(f"{photo}{values}".replace("/", "-"))[:LONGEST]
    return os.fsdecode(whole) + Path(config.output.file).suffix


def stem(pictures: Any) -> str:
    """The names of one picture or several, without their folders and suffixes."""
    return "+".join(Path(str(path)).stem for path in (pictures if isinstance(pictures, list) else [pictures]))


def targets(configs: Iterable[tuple[Config, dict[str, Any]]]) -> list[Path | None]:
    """The files of the results of a sweep: each in the folder that output.to names, no two of one name.

    configs: the settings of each job, and the values of its swept keys.

    Raises:
      UserError: output.to names one file, and there are several results.
    """
    jobs, taken, found = list(configs), set(), []
    for config, swept in jobs:
        to = config.output.to
        if to and len(jobs) > 1 and not is_folder(to):
            raise UserError(f"output.to={to}: {len(jobs)} pictures need a folder: output.to={Path(to).parent}/")
        path = target(config)
        if path is not None and len(jobs) > 1:
            stem = path.with_name(name(config, swept))
            path, number = stem, 1
            while path in taken:
                number += 1
                path = stem.with_stem(f"{stem.stem}_{number}")
            taken.add(path)
        found.append(path)
    return found


def deliver(picture: Path, to: Path, *, quality: int) -> Path:
    """Write the picture there, in one go, in the format of that name. Raises UserError where it cannot be written."""
    to.parent.mkdir(parents=True, exist_ok=True)
    if image_format(picture) == image_format(to):
        with draft(to) as part:
            shutil.copyfile(picture, part)
        return to
    with Image.open(picture) as image:
        told = {str(k): v for k, v in image.info.items() if isinstance(v, str)}
        pixels = np.asarray(image.convert("RGBA" if image.mode == "RGBA" else "RGB"), np.float32) / 255
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    return write(to, pixels[..., :3], alpha=alpha, quality=quality, metadata=told)
