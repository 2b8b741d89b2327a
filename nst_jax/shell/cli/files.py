"""Names of files as people type them: a folder is the pictures in it, a pattern those that match."""

from collections.abc import Iterable
from glob import glob
from pathlib import Path

from nst_jax.shell.errors import UserError
from nst_jax.shell.places import PICTURES

PATTERN = set("*?[")  # letters that make a name a pattern


def expand(names: Iterable[str]) -> list[str]:
    """File names: a folder is the pictures in it, and a pattern those that match. Raises UserError for none."""
    found = []
    for name in names:
        path = Path(name).expanduser() if exists(name) or name.startswith("~/") else Path(name)
        if path.is_dir():
            inside = sorted(str(p) for p in path.iterdir() if p.suffix.lower() in PICTURES and p.is_file())
            if not inside:
                raise UserError(f"{name}: no picture is in this folder ({', '.join(PICTURES)})")
            found += inside
        elif PATTERN & set(name) and not path.exists():
            if not (matching := match(name)):
                raise UserError(f"{name}: there is no such file, and as a pattern it matches none")
            found += matching
        else:
            found.append(name)
    return found


def match(pattern: str) -> list[str]:
    """The files that a pattern matches, sorted: the pictures among them where there are any.

    Folders that are there stand for themselves, whatever letters their names have.
    """
    if not PATTERN & set(pattern):
        return []
    path = Path(pattern).expanduser() if pattern.startswith("~/") else Path(pattern)
    folder = next((p for p in path.parents if exists(str(p))), Path())
    inside = glob(str(path.relative_to(folder)), root_dir=folder, recursive=True)  # noqa: PTH207  no hidden files
    files = sorted(str(folder / name) for name in inside if (folder / name).is_file())
    return [name for name in files if Path(name).suffix.lower() in PICTURES] or files


def stands_for_many(name: str) -> bool:
    """Whether the name is that of a folder, or a pattern: no file has it."""
    if exists(name):
        return Path(name).expanduser().is_dir()
    return bool(PATTERN & set(name))


def exists(name: str) -> bool:
    """Whether there is such a file."""
    try:
        return Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False
