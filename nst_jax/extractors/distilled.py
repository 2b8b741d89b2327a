"""distilled: a narrow VGG-16 that gives VGG-16's own activations. See docs/explanations/distilled.md.

It has VGG's layers and depth and a sixteenth to three eighths of its channels. Each layer has a linear map, its lift,
from its channels to VGG's: the activations have VGG's shape and scale, and every constant means what it means with VGG.

The lifts are learnt with the network: Wang et al. 2020, CVPR, arXiv 2003.08436, eq. 5. The widths follow the spectrum
of each layer's activations, as in Chiu & Gurari 2022, WACV, arXiv 2201.09424.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from nst_jax.extractors import vgg
from nst_jax.extractors.base import Architecture, Shape, draw_params, preprocess
from nst_jax.nn.conv import conv, padding_at
from nst_jax.nn.lifted import Lifted
from nst_jax.nn.pooling import pool
from nst_jax.types import Image, Params

Batch = Float[Array, "n _ _ _"]

BLOCKS = vgg.VGG16  # of its teacher
WIDTHS = {
    "conv1_1": 16, "conv1_2": 24,
    "conv2_1": 40, "conv2_2": 32,
    "conv3_1": 64, "conv3_2": 80, "conv3_3": 64,
    "conv4_1": 128, "conv4_2": 128, "conv4_3": 112,
    "conv5_1": 96, "conv5_2": 64, "conv5_3": 32,
}  # fmt: skip
LINEAR = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv4_1", "conv4_2", "conv5_1")
"""The layers before their ReLU that published programs measure. Each has a lift of its own."""

PAYS = 32 * 64  # channels in times channels out from which Winograd's method is the faster here

LAYERS = tuple(name for name in vgg.layers(BLOCKS) if not name.startswith("conv") or name in LINEAR)
CONVOLUTIONS = {n: (3, 3, cin, WIDTHS[n]) for cin, n in zip((3, *WIDTHS.values()), WIDTHS, strict=False)}
CHANNELS = {name: shape[3] for name, shape in vgg.kernels(BLOCKS).items()}  # of the teacher


def lift_of(layer: str) -> str:
    """The name of the parameters that lift a layer. A pooled layer is lifted like the ReLU before it."""
    block = layer.removeprefix("pool")
    return f"lift_relu{block}_{BLOCKS[int(block) - 1][1]}" if layer.startswith("pool") else f"lift_{layer}"


LIFTS = {
    lift_of(layer): (WIDTHS[f"conv{layer[4:]}"], CHANNELS[f"conv{layer[4:]}"])
    for layer in LAYERS
    if layer.startswith(("relu", "conv"))
}
KERNELS = {**CONVOLUTIONS, **LIFTS}


class Distilled(NamedTuple):
    """Activations of one image at the layers named in `taps`, not yet lifted. Nothing deeper is computed.

    The other fields are as in `vgg.VGG`.
    """

    taps: tuple[str, ...]
    pool: str
    rounding: str
    padding: str
    checkpoint: bool = False

    def clone(self, *, taps: tuple[str, ...]) -> "Distilled":
        """The same network with other taps."""
        return self._replace(taps=taps)

    def apply(self, variables: Mapping[str, Params], image: Image) -> dict[str, Float[Array, "_ _ _"] | Lifted]:
        """The activations of one image, by layer name. Raises ValueError for a layer that this network lacks."""
        params = variables["params"]
        x = preprocess(params["input"], image)
        seen = narrow(params, x[None], network=self)
        return {tap: x if tap == "input" else lift(params, tap, seen[tap][0]) for tap in self.taps}


def narrow(
    params: Params, x: Batch, *, network: Distilled, convolve: Callable[..., Array] = conv
) -> dict[str, Float[Array, "n _ _ _"]]:
    """The activations of preprocessed images at the network's taps, in few channels.

    convolve: `conv`, or `trainable` to differentiate by the parameters. Raises ValueError for an unknown layer.
    """
    if unknown := set(network.taps) - set(LAYERS):
        raise ValueError(f"no layer {', '.join(sorted(unknown))}; the layers are {' '.join(LAYERS)}")
    deepest = max(map(LAYERS.index, network.taps))
    out: dict[str, Array] = {}
    for number in range(1, len(BLOCKS) + 1):
        block = partial(run_block, network=network, number=number, deepest=deepest, convolve=convolve)
        x, tapped = (jax.checkpoint(block) if network.checkpoint else block)(params, x)
        out |= tapped
        if LAYERS.index(f"pool{number}") >= deepest:
            break
    return out


def run_block(
    params: Params, x: Batch, *, network: Distilled, number: int, deepest: int, convolve: Callable[..., Array]
) -> tuple[Batch, dict[str, Float[Array, "n _ _ _"]]]:
    """One block and its pooling, no further than the deepest tap: the next block's input, and what is tapped."""
    out: dict[str, Array] = {}
    for i in range(1, BLOCKS[number - 1][1] + 1):
        name, relu = f"conv{number}_{i}", f"relu{number}_{i}"
        if min(LAYERS.index(found) for found in (name, relu) if found in LAYERS) <= deepest:
            layer = params[name]
            padding = padding_at(network.padding, first=number == i == 1)
            x = out[name] = convolve(x, layer["kernel"], layer["bias"], padding=padding)
            x = out[relu] = jax.nn.relu(x)
    if LAYERS.index(f"pool{number}") <= deepest:
        x = out[f"pool{number}"] = pool(x, kind=network.pool, rounding=network.rounding)
    return x, {tap: out[tap] for tap in network.taps if tap in out}


def lift(params: Params, layer: str, activation: Float[Array, "_ _ _"]) -> Lifted:
    """The activation of a layer with its lift."""
    own = params[lift_of(layer)]
    return Lifted(activation, own["kernel"], own["bias"])


def needs(taps: tuple[str, ...]) -> tuple[str, ...]:
    """The convolutions up to the deepest tap, and the taps' lifts."""
    wanted = {lift_of(tap) for tap in taps if tap != "input"}
    return (*vgg.needs(BLOCKS, taps), *(name for name in LIFTS if name in wanted))


def prepare(params: Params, *, convolution: str, dtype: DTypeLike) -> Params:
    """Make the parameters ready for many evaluations: see `vgg.prepare`. The lifts stay float32."""
    lifts = {name: layer for name, layer in params.items() if name in LIFTS}
    trunk = {name: layer for name, layer in params.items() if name not in LIFTS}
    return {**vgg.prepare(trunk, convolution=convolution, dtype=dtype, pays=PAYS), **lifts}


def shapes(network: Distilled, *, height: int, width: int) -> dict[str, Shape]:
    """The shape of each tap, lifted, for an image of height x width pixels: VGG's own."""
    alike = vgg.VGG(network.taps, BLOCKS, network.pool, network.rounding, network.padding)
    return vgg.shapes(alike, height=height, width=width)


def random_params(key: Array) -> Params:
    """Untrained parameters: see `base.draw_params`."""
    return draw_params(key, KERNELS)


def stages() -> tuple[tuple[str, ...], ...]:
    """The parameters of each block."""
    return tuple(tuple(n for n in KERNELS if n[-3:].startswith(f"{b}_")) for b in range(1, len(BLOCKS) + 1))


ARCHITECTURES = {
    "distilled": Architecture(
        name="distilled",
        layers=LAYERS,
        build=Distilled,
        shapes=shapes,
        windows=partial(vgg.windows, BLOCKS),
        kernels=KERNELS,
        needs=needs,
        random=random_params,
        prepare=prepare,
        stages=stages(),
        aliases={name: name for name in KERNELS},
        sources={},
        packaged="trained/distilled.safetensors",
        fingerprint=None,
        profile="gatys",
        convention="gatys_released",
        choices=tuple(layer for layer in LAYERS if layer.startswith("relu")),
    )
}
