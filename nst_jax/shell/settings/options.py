"""The options of the groups in conf/: their names, and what their files hold.

omegaconf is imported when a file is read, so that the commands answer --help at once.
"""

from pathlib import Path
from typing import Any, cast

from nst_jax.shell.names import look_up
from nst_jax.shell.places import conf

PUBLISHED = "published_"  # begins the options that presets have for themselves; no list names them


def files(group: str) -> dict[str, Path]:
    """The files of a group's options, by name, sorted."""
    found = sorted((conf() / group).glob("*.yaml"))
    return {path.stem: path for path in found if not path.stem.startswith(PUBLISHED)}


def settings(group: str, name: str) -> dict[str, Any]:
    """The content of an option's file. Raises UserError with the nearest name, and all of them."""
    path = look_up(files(group), name, group)
    from omegaconf import OmegaConf

    return cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(path)))


def network_settings(name: str) -> dict[str, Any]:
    """The settings of a network: name, pool, rounding, padding, convolution. Raises UserError.

    The file of a network may also choose other options, those of its layers and its convention. The network's own
    settings are then in a section `network`.
    """
    found = settings("network", name)
    return dict(found.get("network", found))
