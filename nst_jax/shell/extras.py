"""Optional packages: each belongs to an extra of the installation."""

from importlib import import_module
from typing import Any

from nst_jax.shell.errors import UserError


def load(module: str, extra: str) -> Any:
    """Import a module of an extra. Raises UserError with the line that installs it."""
    try:
        return import_module(module)
    except ImportError:
        raise UserError(f"{module} is not installed: pip install 'nst-jax[{extra}]'") from None
