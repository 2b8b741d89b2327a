"""A job's settings from its line. Hydra composes 0.2 s each; here once for all jobs with the same group options."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from nst_jax.shell.errors import UserError
from nst_jax.shell.running.single import check
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.schema import Config


@dataclass
class Composer:
    """Hydra's loader and the settings that Hydra itself runs by, and what they have given so far."""

    loader: Any
    config: DictConfig  # with the part `hydra`
    groups: dict[str, bool] = field(default_factory=dict)  # key -> whether it chooses an option of a group
    bases: dict[tuple[str, ...], DictConfig] = field(default_factory=dict)  # options of the groups -> settings

    def read(self, words: Sequence[str]) -> Config | UserError:
        """One job's settings, or why there are none."""
        try:
            config = settings.read(self.compose(words))
            check(config)
            if config.model is not None:
                raise UserError("model: a trained network paints at once, and no sweep takes it: leave out -m")
            if config.device.distributed:
                raise UserError(
                    "device.distributed=true is for one picture: give each host a part of the sweep, as jobs of its own"
                )
            return config
        except UserError as error:
            return error

    def compose(self, words: Sequence[str]) -> DictConfig:
        """The settings that a line of overrides gives, without Hydra's own."""
        overrides = OverridesParser.create(config_loader=self.loader).parse_overrides(list(words))
        chosen = [o for o in overrides if self.is_group(o)]
        composed = copy.deepcopy(self.base(tuple(o.input_line or "" for o in chosen)))
        values = [o for o in overrides if o not in chosen]
        if not all(put(composed, override) for override in values):
            return self.load(words)  # slowly, and with Hydra's word for what is wrong
        return composed

    def is_group(self, override: Override) -> bool:
        """Whether it chooses an option of a group, or concerns Hydra, rather than a value."""
        key = override.key_or_group
        if key not in self.groups:
            options = self.loader.get_group_options(key)
            self.groups[key] = bool(options) or override.package is not None or override.is_hydra_override()
        return self.groups[key]

    def base(self, words: tuple[str, ...]) -> DictConfig:
        """The settings of the groups' options, composed once for each choice of them."""
        if words not in self.bases:
            self.bases[words] = self.load(words)
        return self.bases[words]

    def load(self, words: Sequence[str]) -> DictConfig:
        """The settings that a line gives, composed by Hydra."""
        config = self.loader.load_sweep_config(self.config, list(words))
        with open_dict(config):
            del config["hydra"]
        return config


def put(config: DictConfig, override: Override) -> bool:
    """Write a value as Hydra does after composing. Returns False where that is not so plain, or fails."""
    key, kind = override.key_or_group, override.type
    if kind not in (OverrideType.CHANGE, OverrideType.ADD, OverrideType.FORCE_ADD):
        return False
    try:
        if kind == OverrideType.ADD and OmegaConf.select(config, key) is not None:
            return False
        OmegaConf.update(config, key, override.value(), merge=True, force_add=kind != OverrideType.CHANGE)
    except (OmegaConfBaseException, ValueError, TypeError, AttributeError, LookupError):
        return False
    return True
