"""Whether the numbers of a look mean here what they meant where they were found."""

from collections.abc import Mapping
from typing import Any

from nst_jax.published import LOOKS, PROFILES
from nst_jax.published.looks import CONVENTION, LAYERS, NETWORKS, is_original
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings.schema import Config

OTHERS = ("torchvision", "random")  # sources of weights whose activations are of another size


def check(config: Config) -> None:
    """Raise UserError where the look's weights mean something else: by the convention, the network or its weights."""
    if config.look not in LOOKS:  # plain, or one of the user's own
        return
    c, n, w = config.convention.name, config.network.name, config.weights
    if n not in NETWORKS:
        raise UserError(refusal(config.look, f"network={', '.join(NETWORKS)}", f"network={n}"))
    if c != CONVENTION:
        raise UserError(refusal(config.look, f"convention={CONVENTION}", f"convention={c}"))
    if w.source in OTHERS or w.random_from is not None:
        given = f"weights={w.source}" if w.source in OTHERS else f"weights.random_from={w.random_from}"
        raise UserError(refusal(config.look, "the original values of VGG (weights=own, keras, matconvnet)", given))
    if w.preprocessing == "torchvision":
        raise refuse_input(config.look)


def check_input(config: Config, params: Mapping[str, Any]) -> None:
    """Raise UserError for a file whose network does not see what the original VGG sees. params: of the network."""
    if config.look in LOOKS and not is_original(params):
        raise refuse_input(config.look)


def remark(look: str, layers: Mapping[str, Any]) -> str | None:
    """A warning about a look with these layers, content and style; None where they are its own."""
    if look not in LOOKS or (layers["content"], layers["style"]) == (PROFILES[LAYERS].content, PROFILES[LAYERS].style):
        return None
    return f"look={look} is made for layers={LAYERS}: with others its weights mean something else"


def refuse_input(look: str) -> UserError:
    """The error for weights with torchvision's preprocessing, or another one."""
    return UserError(refusal(look, "the original values of VGG", "weights with another preprocessing"))


def refusal(look: str, wanted: str, given: str) -> str:
    """The message for a look without a meaning: its purpose, the given settings, and the remedy."""
    chosen = LOOKS[look]
    sets = [f"{key}={value:g}" for key, value in chosen.settings().items()]
    sets += [f"canvas={chosen.start}"] if chosen.start else []
    return (
        f"look={look} is made for {wanted}; this line has {given}. Leave out one of the two. The look sets "
        f"{' '.join(sets)}"
    )
