"""The activations of a network that is a table.

A convolution may be followed by a batch normalisation, frozen: an affine map of each channel. Its parameters are
`kernel`, `scale`, `offset`, `mean` and `variance`. `prepare` folds them into a kernel and a bias. A convolution whose
raw output is tapped keeps its own: what is folded into a kernel cannot be taken out where `scale` is 0.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from nst_jax.extractors.base import preprocess
from nst_jax.extractors.blocks.table import (
    Block,
    Chain,
    Conv,
    Join,
    Part,
    Pool,
    convolutions,
    every_convolution,
    layers,
    names,
    raw_outputs,
    window_of,
)
from nst_jax.nn.general import Form, general_conv
from nst_jax.nn.pools import pool_windows
from nst_jax.nn.winograd import spectrum
from nst_jax.types import Activations, Image, Params

Batch = Float[Array, "n _ _ _"]

PAYS = 64 * 128  # channels in times channels out from which Winograd's method is the faster: benchmarks/layers.py
NORM = ("scale", "offset", "mean", "variance")  # of a batch normalisation


class Stack(NamedTuple):
    """An extractor made of blocks.

    Attributes:
      blocks: the network.
      taps: layer names. Nothing deeper is computed.
      rounding: floor or ceil: whether the last window of a pooling may reach beyond the border.
      padding: what convolutions and poolings see beyond the border: see `nn.general.general_conv`.
      checkpoint: for the gradient, compute each block again instead of keeping it.
    """

    blocks: tuple[Block, ...]
    taps: tuple[str, ...]
    rounding: str
    padding: str
    checkpoint: bool = False

    def clone(self, *, taps: tuple[str, ...]) -> "Stack":
        """The same network with other taps."""
        return self._replace(taps=taps)

    def apply(self, variables: Mapping[str, Any], image: Image) -> Activations:
        """The activations at `taps`. Raises ValueError for a layer that the network lacks."""
        raw = {name for block in self.blocks for name in raw_outputs(block.part)}
        if unknown := set(self.taps) - {*layers(self.blocks), *raw}:
            raise ValueError(f"no layer {', '.join(sorted(unknown))}; the layers are {' '.join(layers(self.blocks))}")
        params = variables["params"]
        x = preprocess(params["input"], image)[None]
        found = {"input": x}
        for block in self.blocks:
            if set(self.taps) <= found.keys():
                break
            own = {conv.name: params[conv.name] for conv in convolutions(block.part)}
            wanted = tuple(tap for tap in self.taps if tap in raw_outputs(block.part))
            run = partial(compute_block, block.part, raw=wanted, rounding=self.rounding, padding=self.padding)
            x, seen = (jax.checkpoint(run) if self.checkpoint else run)(own, x)  # pyright: ignore[reportPrivateImportUsage]
            found |= dict.fromkeys(names(block), x) | seen
        return {tap: found[tap][0] for tap in self.taps}


def compute_block(
    part: Part, params: Params, x: Batch, *, raw: tuple[str, ...], rounding: str, padding: str
) -> tuple[Batch, dict[str, Batch]]:
    """The activations that a part gives, and the raw outputs of convolutions that are wanted."""
    seen: dict[str, Batch] = {}
    y = compute(part, params, x, seen, rounding=rounding, padding=padding)
    if missing := [name for name in raw if name not in seen]:
        raise ValueError(f"the normalisation is folded into the kernel: {missing[0]} needs Architecture.ready(taps=)")
    return y, {name: seen[name] for name in raw}


def compute(part: Part, params: Params, x: Batch, seen: dict[str, Batch], *, rounding: str, padding: str) -> Batch:
    """The activations that a part gives. seen: where the raw outputs of its convolutions are added."""
    inner = partial(compute, params=params, seen=seen, rounding=rounding, padding=padding)
    match part:
        case Conv():
            return convolve(part, params[part.name], x, seen, padding=padding)
        case Pool():
            return pool_windows(x, window_of(part, rounding=rounding), kind=part.kind, padding=padding)
        case Chain():
            for each in part.parts:
                x = inner(each, x=x)
            return x
        case Join():
            return jnp.concatenate([inner(each, x=x) for each in part.parts], -1)
    first, *others = (inner(each, x=x) for each in part.parts)
    return jax.nn.relu(sum(others, start=first))


def convolve(conv: Conv, layer: Mapping[str, Array], x: Batch, seen: dict[str, Batch], *, padding: str) -> Batch:
    """A convolution with its normalisation, which may be folded into it, and its ReLU.

    seen: where its raw output is added, if it has one.
    """
    (down, across), folded = conv.padding, "scale" not in layer
    form = Form(conv.stride, ((down, down), (across, across)), 1)
    y = general_conv(x, layer["kernel"], layer["bias"] if folded else None, form=form, padding=padding)
    if conv.raw and (conv.eps is None or not folded):
        seen[conv.raw] = y
    if not folded:
        assert conv.eps is not None, f"{conv.name} has no normalisation"
        factor, offset = affine(layer, eps=conv.eps)
        y = y * factor.astype(y.dtype) + offset.astype(y.dtype)
    return jax.nn.relu(y) if conv.rectify else y


def affine(layer: Mapping[str, Array], *, eps: float) -> tuple[Float[Array, " c"], Float[Array, " c"]]:
    """The factor and the offset of a batch normalisation in inference: Ioffe & Szegedy 2015, algorithm 2, step 11."""
    scale, offset, mean, variance = (jax.lax.stop_gradient(jnp.asarray(layer[name])) for name in NORM)
    factor = scale / jnp.sqrt(variance + eps)
    return factor, offset - mean * factor


def prepare(
    blocks: tuple[Block, ...], params: Params, *, convolution: str, dtype: DTypeLike, pays: int | None = PAYS
) -> Params:
    """Make the parameters ready for many evaluations, once per run.

    Normalisations are folded into kernels and biases.

    Args:
      blocks: the network.
      params: of the convolutions; those that are not needed may be missing.
      convolution: direct; winograd, for convolutions of 3 x 3 and stride 1; auto, for those where it pays on a CPU.
      dtype: of the convolutions. The image, the preprocessing, the Gram products and the losses stay float32.
      pays: channels in times channels out from which Winograd's method pays; None: in no layer.
    """
    ready = {"input": params["input"]}
    for conv in every_convolution(blocks):
        if conv.name in params:
            layer = fold(conv, params[conv.name])
            kernel, bias = layer["kernel"], layer["bias"]
            able = conv.size == (3, 3) and conv.stride == 1
            large = pays is not None and kernel.shape[2] * kernel.shape[3] >= pays
            wanted = convolution == "winograd" or (convolution == "auto" and large)
            kernel = spectrum(kernel) if able and wanted else kernel
            ready[conv.name] = {"kernel": kernel.astype(dtype), "bias": bias.astype(dtype)}
    return ready


def fold(conv: Conv, layer: Mapping[str, Array]) -> Mapping[str, Array]:
    """The kernel and the bias of a convolution with its normalisation."""
    if "scale" not in layer:
        return layer
    assert conv.eps is not None, f"{conv.name} has no normalisation"
    factor, offset = affine(layer, eps=conv.eps)
    return {"kernel": layer["kernel"] * factor, "bias": offset}
