"""The jobs of a sweep, and the sizes of a run, make their common values once."""

from collections.abc import Callable
from typing import Any

from nst_jax.shell.errors import NoWeights

Once = Callable[[tuple[Any, ...], Callable[[], Any]], Any]  # returns what was made for that key before, or makes it


def always(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Remember nothing: one run."""
    return make()


def memory() -> Once:
    """A function that remembers what it made, by key, and weights that are not to be had."""
    known: dict[tuple[Any, ...], Any] = {}

    def once(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in known:
            try:
                known[key] = make()
            except NoWeights as error:  # each try takes as long as the network takes to give up
                known[key] = error
        if isinstance(known[key], NoWeights):
            raise known[key]
        return known[key]

    return once
