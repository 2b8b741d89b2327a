"""Names that a user may mistype: the nearest known name, and errors that say it."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from nst_jax.shell.errors import UserError

T = TypeVar("T")

CUTOFF = 0.5  # difflib's ratio from which a name counts as near: 0.4 proposes names of another meaning


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most similar to `name`, or None if all differ too much."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=CUTOFF)), None)


def suggest(name: str, known: Iterable[str]) -> str:
    """The sentence " Did you mean NAME?", or "" if every known name differs too much."""
    near = nearest(name, known)
    return f" Did you mean {near}?" if near else ""


def look_up(table: Mapping[str, T], name: str, key: str) -> T:
    """The entry of that name.

    Args:
      table: the entries by name.
      name: as the user gave it.
      key: the setting or option that it was given for.

    Raises:
      UserError: there is no such name. It proposes the nearest and lists all.
    """
    if name in table:
        return table[name]
    raise UserError(f"{key}: there is no {name}.{suggest(name, table)} The names: {', '.join(table)}")


def find(resolve: Callable[[str], T], names: Iterable[str], name: str, key: str) -> T:
    """The object of this name in the package, or of package.module:NAME.

    Args:
      resolve: returns it, as `nst_jax.extractors.architecture` does.
      names: the names in the package.
      name: as the user gave it.
      key: the setting or option that it was given for.

    Raises:
      UserError: there is no such name, or no such module.
    """
    if ":" not in name:
        look_up(dict.fromkeys(names), name, key)
    try:
        return resolve(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{key}={name}: {error}; write package.module:NAME of a module that Python finds") from error
