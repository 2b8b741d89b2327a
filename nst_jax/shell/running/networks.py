"""The network that the settings name, tapped at the layers that count, and its parameters."""

from typing import Any, NamedTuple

from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import Architecture, Extractor, see_gray
from nst_jax.extractors.octaves import in_octaves, name_of
from nst_jax.extractors.softmax import check_sizes, with_softmax
from nst_jax.methods import strokes
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import weights
from nst_jax.shell.names import find, look_up
from nst_jax.shell.running import device, looks
from nst_jax.shell.running.inputs import Log
from nst_jax.shell.running.once import Once
from nst_jax.shell.settings.options import files
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.texture import pattern_of
from nst_jax.types import Params


class Ready(NamedTuple):
    """The network's parameters."""

    loaded: weights.NetworkParams  # as their source has them
    params: Params  # as the program takes them
    key: tuple[Any, ...]  # equal where they are


def network(config: Config) -> tuple[Architecture, Extractor]:
    """The network, tapped at the layers that count."""
    arch = find(architecture, MODULES, config.network.name, "network.name")
    for layer in (*config.layers.content, *config.layers.style, *pattern_of(config).taps()):
        _check_layer(layer, arch)
    layers_of_strokes(config, arch)
    if config.texture and config.pattern.octaves > 1:
        arch = in_octaves(arch, octaves=config.pattern.octaves)
    arch = with_softmax(arch, over=config.network.smooth, temperature=config.network.temperature)
    content, style = layers(config)
    if not content and not style:
        raise UserError("content_weight and style_weight are both 0: there is nothing to aim at")
    return arch, tap(config, arch, {*content, *style, *pattern_of(config).taps()}, padding=config.network.padding)


def tap(config: Config, arch: Architecture, taps: Any, *, padding: str, checkpoint: bool = False) -> Extractor:
    """The network with a padding. checkpoint: it computes a block again for its gradient, and keeps less."""
    n = config.network
    try:
        return arch.tap(taps, pool=n.pool, rounding=n.rounding, padding=padding, checkpoint=checkpoint)
    except ValueError as error:
        hint = "" if padding == n.padding else "; or set pattern.seamless=none"
        raise UserError(f"network: {error}{hint}") from None


def layers(config: Config) -> tuple[dict[str, float], dict[str, float]]:
    """The layers that count, content and style: none where the part's weight is 0."""
    content = dict(config.layers.content) if config.content_weight else {}
    style = dict(config.layers.style) if config.style_weight else {}
    if config.texture:
        octaves = range(1, config.pattern.octaves + 1)
        style = {name_of(layer, octave=i): factor for i in octaves for layer, factor in style.items()}
    return content, style


def layers_of_strokes(config: Config, arch: Architecture) -> dict[str, float]:
    """The style layers of the strokes. Raises UserError where `strokes.to` does not fit them."""
    if config.strokes.style is None or not config.style_weight:
        return {}
    try:
        return strokes.layers_up_to(config.layers.style, to=config.strokes.to, order=arch.layers)
    except ValueError as error:
        raise UserError(f"strokes.to={config.strokes.to}: {error}") from None


def _check_layer(layer: str, arch: Architecture) -> None:
    """Raise UserError where the network lacks it. It says the names, and the option that is meant for the network."""
    try:
        look_up(dict.fromkeys((*arch.layers, *arch.raw)), layer, f"layers, of network.name={arch.name}")
    except UserError as error:
        meant = f"\nThe layers that are meant for this network: layers={arch.name}"
        raise UserError(f"{error}{meant if arch.name in files('layers') else ''}") from None


def read_params(config: Config, arch: Architecture, net: Extractor, log: Log, once: Once, *, gray_only: bool) -> Ready:
    """The parameters as far as the taps need them. gray_only: of the network that sees shades of gray."""
    loaded = once(("weights", str(config.weights), arch.name, net.taps), lambda: load(config, arch, net, log))
    looks.check_input(config, loaded.params)
    own = lambda: see_gray(loaded.params) if gray_only else loaded.params
    convolution = device.convolution(config.network.convolution, config.device.mesh)
    dtype = device.DTYPE[config.device.precision]
    key = ("params", loaded.sha256, arch.name, net.taps, convolution, dtype, gray_only)
    return Ready(loaded, once(key, lambda: arch.ready(own(), convolution=convolution, dtype=dtype, taps=net.taps)), key)


def load(config: Config, arch: Architecture, net: Extractor, log: Log) -> Any:
    """The weights as far as the taps need them."""
    needed, w = arch.needs(net.taps), config.weights
    given = {"path": w.path, "mirror": w.mirror, "seed": w.seed, "preprocessing": w.preprocessing}
    loaded = weights.load(w.source, network=arch.name, needed=needed, log=log, random_from=w.random_from, **given)
    return loaded._replace(params={name: loaded.params[name] for name in ("input", *needed)})


def check_depth(arch: Architecture, net: Extractor, *shapes: tuple[int, ...]) -> None:
    """A picture must not vanish on the way to its deepest layer."""
    for height, width, *_ in shapes:
        for layer, shape in arch.shapes(net, height=height, width=width).items():
            if min(shape[:2]) < 1:
                raise UserError(
                    f"a side of {min(height, width)} pixels vanishes on the way to {layer}: raise size, "
                    "or use shallower layers"
                )


def check_pixels(net: Extractor, image: tuple[int, ...], *pictures: tuple[int, ...]) -> None:
    """Raise UserError where a softmax over all entries makes activations of pictures another size than the image's."""
    for height, width, *_ in pictures:
        try:
            check_sizes(net, image=(image[0], image[1]), picture=(height, width))
        except ValueError as error:
            hint = "size_rule=area with style_scale=1 gives all as many; or network.smooth=channels"
            raise UserError(f"network.{error}: {hint}") from None
