"""Optional packages: each belongs to an extra of the installation."""

import re
import shlex
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

from nst_jax.shell.errors import UserError


def load(module: str, extra: str) -> Any:
    """Import a module of an extra. Raises UserError with the line that installs it."""
    try:
        return import_module(module)
    except ImportError:
        raise UserError(f"{module} is not installed: pip install {shlex.join(packages(extra))}") from None


def packages(extra: str) -> list[str]:
    """The packages that an extra installs, by their names for pip."""
    try:
        wanted = requires("nst-jax") or []
    except PackageNotFoundError:
        return [extra]
    found = (re.fullmatch(r"(.*?)\s*;\s*extra\s*==\s*['\"](.*)['\"]", line) for line in wanted)
    return [match.group(1) for match in found if match and match.group(2) == extra] or [extra]
