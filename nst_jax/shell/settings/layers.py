"""Layers by their number: layers.style_count=5 picks five of any network."""

from dataclasses import replace

from nst_jax.shell.errors import UserError
from nst_jax.shell.names import find
from nst_jax.shell.settings.schema import Config, Layers

SIDES = ("content", "style")


def pick_layers(c: Config) -> Layers:
    """The layers by name, where the settings say their number: one from the middle of each of so many equal parts.

    Content counts as the mean over its layers, 1/n each; style layers count 1, times the convention's share.
    Raises UserError where the network has fewer.
    """
    counts = {side: getattr(c.layers, f"{side}_count") for side in SIDES}
    if all(count is None for count in counts.values()):
        return c.layers
    from nst_jax.extractors import MODULES, architecture  # jax: tab completion does not wait for it
    from nst_jax.extractors.base import pick_factors

    arch = find(architecture, MODULES, c.network.name, "network.name")
    picked = {}
    for side, count in counts.items():
        if count is not None:
            try:
                picked[side] = pick_factors(arch, side=side, count=count)
            except ValueError as error:
                raise UserError(f"layers.{side}_count={count}, of network.name={arch.name}: {error}") from None
    return replace(c.layers, **picked, content_count=None, style_count=None)
