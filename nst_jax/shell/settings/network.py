"""The settings of a softmax of the activations: `network.smooth=channels`."""

from collections.abc import Iterable

from nst_jax.shell.settings.schema import Config


def wrong_network(c: Config) -> Iterable[str]:
    """The mistakes in `network.smooth` and `network.temperature`, in words."""
    n = c.network
    if n.smooth == "none":
        if n.temperature != 1:
            yield f"network.temperature={n.temperature:g} has no effect without network.smooth=channels or all"
        return
    from nst_jax.extractors.softmax import SMOOTH  # jax: a line without a softmax does not wait for it

    if n.smooth not in SMOOTH:
        yield f"network.smooth must be one of {', '.join(SMOOTH)}; got {n.smooth}"
    if not 1e-6 <= n.temperature <= 1e9:
        yield f"network.temperature must be a number from 1e-6 to 1e9; got {n.temperature:g}"
    if n.smooth == "all":
        parts = {"regions": c.regions, "texture": c.texture}
        for name in (name for name, given in parts.items() if given):
            yield (
                f"network.smooth=all counts all of a picture, and {name} a part of it: take network.smooth=channels, "
                "which looks at each position by itself"
            )
