"""A job's settings from its line. Hydra composes 0.2 s each; here once for all jobs with the same group options."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, open_dict

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
        ConfigLoaderImpl._apply_overrides_to_config(values, composed)  # what Hydra does with them after composing
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
            cfg = self.loader.load_sweep_config(self.config, list(words))
            with open_dict(cfg):
                del cfg["hydra"]
            self.bases[words] = cfg
        return self.bases[words]
