"""Networks written down as tables: blocks in a row, each a tree of convolutions and poolings.

The paths of a tree are `Chain`s. Where they meet they are joined (`Join`: channels side by side) or added (`Sum`). The
functions here compute activations, and say of each layer its shape, its windows and its convolutions, so that the table
is all that the file of a network has to say.

A convolution may be followed by a batch normalisation, frozen: an affine map of each channel. Its parameters are
`kernel`, `scale`, `offset`, `mean` and `variance`. `prepare` folds them into a kernel and a bias.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from nst_jax.extractors.base import Architecture, Shape, preprocess
from nst_jax.nn import windows as geometry
from nst_jax.nn.general import Form, general_conv
from nst_jax.nn.pools import length, pool_windows
from nst_jax.nn.windows import Window
from nst_jax.nn.winograd import spectrum
from nst_jax.types import Activations, Image, Params

Batch = Float[Array, "n _ _ _"]
Part = Any  # Conv | Pool | Chain | Join | Sum

PAYS = 64 * 128  # channels in times channels out from which Winograd's method is the faster: benchmarks/layers.py
# Of a normal number that is drawn again beyond two deviations, as jax's he_normal has it.
DEVIATION = 0.8796256610342398
FLAT = ("zero", "reflect", "replicate")  # paddings of every network
CYCLIC = ("circular", "circular_x", "circular_y")  # of those whose layers keep the strides of the picture
NORM = ("scale", "offset", "mean", "variance")  # of a batch normalisation


class Conv(NamedTuple):
    """A convolution, its batch normalisation and its ReLU."""

    name: str
    width: int  # channels out
    size: tuple[int, int] = (1, 1)
    stride: int = 1
    same: bool = True  # zeros beyond the border, half of the kernel's size; else none
    eps: float | None = None  # of the batch normalisation that follows; None: none does, and it has a bias
    rectify: bool = True  # whether a ReLU follows

    @property
    def padding(self) -> tuple[int, int]:
        """Positions beyond the border, above and below, and on the left and right."""
        return (self.size[0] // 2, self.size[1] // 2) if self.same else (0, 0)


class Pool(NamedTuple):
    """A pooling: see `nn.pools.pool_windows`."""

    kind: str
    size: int
    stride: int
    padding: int = 0
    ceil: bool | None = None  # whether the last window may reach beyond the border; None: as `rounding` says


class Chain(NamedTuple):
    """One part after the other. An empty chain is the identity."""

    parts: tuple[Part, ...] = ()


class Join(NamedTuple):
    """Several parts of one input, their channels side by side."""

    parts: tuple[Part, ...]


class Sum(NamedTuple):
    """The sum of a shortcut and the way around it, and a ReLU."""

    parts: tuple[Part, ...]


class Block(NamedTuple):
    """A layer that can be tapped, and the way to it from the layer before."""

    name: str
    part: Part
    also: str = ""  # another name of the layer


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
        if unknown := set(self.taps) - set(layers(self.blocks)):
            raise ValueError(f"no layer {', '.join(sorted(unknown))}; the layers are {' '.join(layers(self.blocks))}")
        params = variables["params"]
        x = preprocess(params["input"], image)[None]
        found = {"input": x}
        for block in self.blocks:
            if set(self.taps) <= found.keys():
                break
            own = {conv.name: params[conv.name] for conv in convolutions(block.part)}
            run = partial(compute, block.part, rounding=self.rounding, padding=self.padding)
            x = (jax.checkpoint(run) if self.checkpoint else run)(own, x)  # pyright: ignore[reportPrivateImportUsage]
            found |= dict.fromkeys(names(block), x)
        return {tap: found[tap][0] for tap in self.taps}


def compute(part: Part, params: Params, x: Batch, *, rounding: str, padding: str) -> Batch:
    """The activations that a part gives."""
    inner = partial(compute, params=params, rounding=rounding, padding=padding)
    match part:
        case Conv():
            return convolve(part, params[part.name], x, padding=padding)
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


def convolve(conv: Conv, layer: Mapping[str, Array], x: Batch, *, padding: str) -> Batch:
    """A convolution with its normalisation, which may be folded into it, and its ReLU."""
    (down, across), folded = conv.padding, "scale" not in layer
    form = Form(conv.stride, ((down, down), (across, across)), 1)
    y = general_conv(x, layer["kernel"], layer["bias"] if folded else None, form=form, padding=padding)
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


def prepare(blocks: tuple[Block, ...], params: Params, *, convolution: str, dtype: DTypeLike) -> Params:
    """Make the parameters ready for many evaluations, once per run.

    Normalisations are folded into kernels and biases.

    Args:
      blocks: the network.
      params: of the convolutions; those that are not needed may be missing.
      convolution: direct; winograd, for convolutions of 3 x 3 and stride 1; auto, for those where it pays on a CPU.
      dtype: of the convolutions. The image, the preprocessing, the Gram products and the losses stay float32.
    """
    ready = {"input": params["input"]}
    for conv in every_convolution(blocks):
        if conv.name in params:
            layer = fold(conv, params[conv.name])
            kernel, bias = layer["kernel"], layer["bias"]
            able = conv.size == (3, 3) and conv.stride == 1
            large = kernel.shape[2] * kernel.shape[3] >= PAYS
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


def convolutions(part: Part) -> Iterator[Conv]:
    """The convolutions of a part, in the order of the table."""
    if isinstance(part, Conv):
        yield part
    elif not isinstance(part, Pool):
        for each in part.parts:
            yield from convolutions(each)


def every_convolution(blocks: tuple[Block, ...]) -> Iterator[Conv]:
    """The convolutions of the network, in the order of the table."""
    for block in blocks:
        yield from convolutions(block.part)


def names(block: Block) -> tuple[str, ...]:
    """The names of a layer."""
    return (block.name, block.also) if block.also else (block.name,)


def layers(blocks: tuple[Block, ...]) -> tuple[str, ...]:
    """Every layer's names, from the image to the deepest."""
    return ("input", *(name for block in blocks for name in names(block)))


def up_to(blocks: tuple[Block, ...], layer: str) -> tuple[Block, ...]:
    """The blocks from the image to a layer. Raises StopIteration for a layer that the network lacks."""
    if layer == "input":
        return ()
    return blocks[: next(i for i, block in enumerate(blocks) if layer in names(block)) + 1]


def kernels(blocks: tuple[Block, ...]) -> dict[str, tuple[int, ...]]:
    """The shape (height, width, in, out) of every convolution's kernel, in the order of the table."""
    found: dict[str, tuple[int, ...]] = {}
    width = 3
    for block in blocks:
        width = note_kernels(block.part, found, width=width)
    return found


def note_kernels(part: Part, found: dict[str, tuple[int, ...]], *, width: int) -> int:
    """Add the kernels of a part to those found. width: channels in. Returns the channels out."""
    match part:
        case Conv():
            found[part.name] = (*part.size, width, part.width)
            return part.width
        case Pool():
            return width
        case Chain():
            for each in part.parts:
                width = note_kernels(each, found, width=width)
            return width
    widths = [note_kernels(each, found, width=width) for each in part.parts]
    return sum(widths) if isinstance(part, Join) else widths[0]


def needs(blocks: tuple[Block, ...], taps: tuple[str, ...]) -> tuple[str, ...]:
    """The convolutions up to the deepest tap."""
    deepest = max((up_to(blocks, tap) for tap in taps), key=len)
    return tuple(conv.name for conv in every_convolution(deepest))


def shapes(network: Stack, *, height: int, width: int) -> dict[str, Shape]:
    """The shape of each tap for an image of height x width pixels. A side of 0 has vanished on the way."""
    found: dict[str, Shape] = {"input": (height, width, 3)}
    sides, channels, seen = (height, width), 3, {}
    for block in network.blocks:
        channels = note_kernels(block.part, seen, width=channels)
        high, wide = (
            side_of(block.part, side=side, axis=axis, rounding=network.rounding) for axis, side in enumerate(sides)
        )
        sides = high, wide
        found |= dict.fromkeys(names(block), (high, wide, channels))
    return {tap: found[tap] for tap in network.taps}


def side_of(part: Part, *, side: int, axis: int, rounding: str) -> int:
    """The positions along an axis behind a part. side: before it."""
    match part:
        case Conv():
            return length(side=side, window=Window(part.size[axis], part.stride, part.padding[axis], False))
        case Pool():
            return length(side=side, window=window_of(part, rounding=rounding))
        case Chain():
            for each in part.parts:
                side = side_of(each, side=side, axis=axis, rounding=rounding)
            return side
    return side_of(part.parts[0], side=side, axis=axis, rounding=rounding)


def window_of(pool: Pool, *, rounding: str) -> Window:
    """The window of a pooling."""
    return Window(pool.size, pool.stride, pool.padding, rounding == "ceil" if pool.ceil is None else pool.ceil)


def windows(blocks: tuple[Block, ...], layer: str, *, rounding: str) -> tuple[Window, ...]:
    """The windows from the image to the layer, of the path that sees most. They are those of either axis."""
    return path(Chain(tuple(block.part for block in up_to(blocks, layer))), axis=0, rounding=rounding)


def path(part: Part, *, axis: int, rounding: str) -> tuple[Window, ...]:
    """The windows of a part along an axis. Where paths meet, one sees all that the others do; it is taken."""
    match part:
        case Conv():
            window = Window(part.size[axis], part.stride, part.padding[axis], False)
            return (window,) if window.size > 1 or window.stride > 1 else ()
        case Pool():
            return (window_of(part, rounding=rounding),)
        case Chain():
            return tuple(w for each in part.parts for w in path(each, axis=axis, rounding=rounding))
    return max(
        (path(each, axis=axis, rounding=rounding) for each in part.parts), key=lambda ws: sum(geometry.reach(ws))
    )


def keras_order(blocks: tuple[Block, ...]) -> tuple[str, ...]:
    """The convolutions in the order of Keras' files: by their distance to the output, then from left to right.

    Keras sorts a model's layers by depth (keras/src/ops/function.py, map_graph). Its names count what the process has
    built before, and say nothing.
    """
    found: list[str] = []
    for block in blocks:
        own = list(depths(block.part, behind=0))
        found += [name for depth, name in sorted(own, key=lambda pair: -pair[0]) if name]
    return tuple(found)


def depths(part: Part, *, behind: int) -> Iterator[tuple[int, str]]:
    """The convolutions with their distance in layers to the end of the block; then that of the part's input, nameless.

    behind: the distance of what follows.
    """
    match part:
        case Conv():
            here = behind + 1 + (part.eps is not None) + part.rectify
            yield here, part.name
            yield here, ""
            return
        case Pool():
            yield behind + 1, ""
            return
        case Chain():
            inner: list[tuple[int, str]] = []
            for each in reversed(part.parts):
                *own, (behind, _) = depths(each, behind=behind)
                inner = own + inner
            yield from inner
            yield behind, ""
            return
    ends = []
    for each in part.parts:
        *own, (end, _) = depths(each, behind=behind + 1 + isinstance(part, Sum))
        yield from own
        ends.append(end)
    yield max(ends), ""


def draw(key: Array, blocks: tuple[Block, ...]) -> Params:
    """Untrained parameters, of the sizes of `base.draw_params`. Normalisations are the identity.

    But the last one on each way around a shortcut has the factor 1 / sqrt(number of shortcuts). With 1 the activations
    would grow by sqrt(2) at each of them (Zhang, Dauphin & Ma 2019, arXiv 1901.09321).
    """
    params = draw_kernels(key, kernels(blocks))
    around = [last_of(part.parts[-1]).name for part in sums(Chain(tuple(block.part for block in blocks)))]
    for conv in every_convolution(blocks):
        if conv.eps is not None:
            ones, zeros = jnp.ones(conv.width), jnp.zeros(conv.width)
            scale = ones / jnp.sqrt(len(around)) if conv.name in around else ones
            own = {"scale": scale, "offset": zeros, "mean": zeros, "variance": ones - conv.eps}
            params[conv.name] = {"kernel": params[conv.name]["kernel"], **own}
    return params


def draw_kernels(key: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """He-normal kernels and zero biases. All are cut from one array: a draw for each is compiled for half a minute."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    whole = jax.random.truncated_normal(key, -2.0, 2.0, (sum(sizes),)) / DEVIATION
    params: dict[str, Any] = {"input": {"kernel": 255.0 * jnp.eye(3), "bias": jnp.full(3, -127.5)}}
    ends = itertools.accumulate(sizes)
    for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True):
        scale = math.sqrt(2 / math.prod(shape[:3]))
        kernel = scale * whole[end - size : end].reshape(shape)
        params[name] = {"kernel": kernel, "bias": jnp.zeros(shape[-1])}
    return params


def sums(part: Part) -> Iterator[Sum]:
    """The sums of a part."""
    if isinstance(part, Sum):
        yield part
    if not isinstance(part, Conv | Pool):
        for each in part.parts:
            yield from sums(each)


def last_of(part: Part) -> Conv:
    """The last convolution of a part."""
    *_, last = convolutions(part)
    return last


def build(
    name: str,
    blocks: tuple[Block, ...],
    roundings: tuple[str, ...],
    taps: tuple[str, ...],
    *,
    pool: str,
    rounding: str,
    padding: str,
    checkpoint: bool = False,
) -> Stack:
    """The network with these taps. Raises ValueError for a setting that it lacks."""
    paddings = FLAT + (CYCLIC if fits_around(blocks, rounding=rounding) else ())
    own = {"pool": (("max",), pool), "rounding": (roundings, rounding), "padding": (paddings, padding)}
    for key, (known, wanted) in own.items():
        if wanted not in known:
            raise ValueError(f"{key}={wanted}: {name} has {key}={' or '.join(known)} only")
    return Stack(blocks, taps, rounding, padding, checkpoint)


def fits_around(blocks: tuple[Block, ...], *, rounding: str) -> bool:
    """Whether opposite borders may meet: each layer of a picture of whole strides has a position for each stride."""
    stride = geometry.total_stride(windows(blocks, blocks[-1].name, rounding=rounding))
    whole = Chain(tuple(block.part for block in blocks))
    return all(side_of(whole, side=n * stride, axis=0, rounding=rounding) == n for n in (1, 2, 3))


def describe(name: str, blocks: tuple[Block, ...], **known: Any) -> Architecture:
    """What is known of a network of these blocks.

    Args:
      name: of the network.
      blocks: its table.
      known: what the table does not say: `roundings`, those that the network has, its own first, and fields of
        `Architecture`.
    """
    roundings = known.pop("roundings")
    stages = [tuple(conv.name for conv in convolutions(block.part)) for block in blocks]
    fields: dict[str, Any] = {
        "stages": tuple(stage for stage in stages if stage),
        "packaged": None,
        "fingerprint": None,
        "profile": name,
        "convention": "relative",
        "rounding": roundings[0],
        "choices": tuple(block.name for block in blocks if not isinstance(block.part, Pool)),
        "aliases": {conv.name: conv.name for conv in every_convolution(blocks)},
        "eps": {conv.name: conv.eps for conv in every_convolution(blocks) if conv.eps is not None},
        "keras_order": keras_order(blocks),
    }
    return Architecture(
        name=name,
        layers=layers(blocks),
        build=partial(build, name, blocks, roundings),
        shapes=shapes,
        windows=partial(windows, blocks),
        kernels=kernels(blocks),
        needs=partial(needs, blocks),
        random=partial(draw, blocks=blocks),
        prepare=partial(prepare, blocks),
        **{**fields, **known},
    )
