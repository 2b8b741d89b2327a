"""A job's settings from its line. Hydra composes 0.2 s each; here once for all jobs with the same group options."""

import copy
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, open_dict


def job(launcher: Any, words: Sequence[str]) -> DictConfig:
    """The settings that a line of overrides gives, without Hydra's own."""
    loader = launcher.context.config_loader
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(list(words))
    chosen = [o for o in overrides if is_group(launcher, o)]
    base = composed(launcher, tuple(o.input_line or "" for o in chosen))
    settings = copy.deepcopy(base)
    values = [o for o in overrides if o not in chosen]
    ConfigLoaderImpl._apply_overrides_to_config(values, settings)  # what Hydra does with them after composing
    return settings


def is_group(launcher: Any, override: Override) -> bool:
    """Whether it chooses an option of a group, or concerns Hydra, rather than a value."""
    known: dict[str, bool] = launcher.__dict__.setdefault("groups", {})
    key = override.key_or_group
    if key not in known:
        options = launcher.context.config_loader.get_group_options(key)
        known[key] = bool(options) or override.package is not None or override.is_hydra_override()
    return known[key]


def composed(launcher: Any, words: tuple[str, ...]) -> DictConfig:
    """What the options of the groups give, once for each choice of them."""
    known: dict[tuple[str, ...], DictConfig] = launcher.__dict__.setdefault("bases", {})
    if words not in known:
        cfg = launcher.context.config_loader.load_sweep_config(launcher.config, list(words))
        with open_dict(cfg):
            del cfg["hydra"]
        known[words] = cfg
    return known[words]
