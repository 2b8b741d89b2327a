"""Networks written down as tables: blocks in a row, each a tree of convolutions and poolings.

The paths of a tree are `Chain`s. Where they meet they are joined (`Join`: channels side by side) or added (`Sum`).
`entry.describe` derives from its table everything that the package must know of a network. The file of a network states
nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nst_jax.nn.windows import Window

Part = Any  # Conv | Pool | Chain | Join | Sum


class Conv(NamedTuple):
    """A convolution, its batch normalisation and its ReLU."""

    name: str
    width: int  # channels out
    size: tuple[int, int] = (1, 1)
    stride: int = 1
    same: bool = True  # zeros beyond the border, half of the kernel's size; else none
    eps: float | None = None  # of the batch normalisation that follows; None: none does, and it has a bias
    rectify: bool = True  # whether a ReLU follows
    raw: str = ""  # as what its output before both can be tapped; "": it cannot
    around: int | None = None  # positions beyond each border, where they are not half of the kernel's size

    @property
    def padding(self) -> tuple[int, int]:
        """Positions beyond the border, above and below, and on the left and right."""
        if self.around is not None:
            return (self.around, self.around)
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


def with_raw(part: Part, raw: Mapping[str, str]) -> Part:
    """The part with names for the raw outputs of its convolutions. raw: a convolution's name -> its output's."""
    if isinstance(part, Conv):
        return part._replace(raw=raw[part.name])
    if isinstance(part, Pool):
        return part
    return part._replace(parts=tuple(with_raw(each, raw) for each in part.parts))


def raw_outputs(part: Part) -> dict[str, str]:
    """The raw outputs that can be tapped -> their convolutions, in the order of the table."""
    return {conv.raw: conv.name for conv in convolutions(part) if conv.raw}


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


def names(block: Block) -> tuple[str, ...]:
    """The names of a layer."""
    return (block.name, block.also) if block.also else (block.name,)


def layers(blocks: tuple[Block, ...]) -> tuple[str, ...]:
    """Every layer's names, from the image to the deepest."""
    return ("input", *(name for block in blocks for name in names(block)))


def up_to(blocks: tuple[Block, ...], layer: str) -> tuple[Block, ...]:
    """The blocks from the image to a layer. Raises StopIteration for a layer that the network lacks.

    The last one ends at the convolution where the layer is its raw output.
    """
    if layer == "input":
        return ()
    i = next(i for i, block in enumerate(blocks) if layer in (*names(block), *raw_outputs(block.part)))
    way = way_to(blocks[i].part, layer)
    return (*blocks[:i], blocks[i] if way is None else blocks[i]._replace(part=way))


def way_to(part: Part, layer: str) -> Part | None:
    """The part as far as the convolution whose raw output the layer is; None: it is not in the part."""
    if isinstance(part, Conv):
        return part if part.raw == layer else None
    if isinstance(part, Pool):
        return None
    for i, each in enumerate(part.parts):
        if (way := way_to(each, layer)) is not None:
            return Chain((*part.parts[:i], way)) if isinstance(part, Chain) else way
    return None


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


def window_of(pool: Pool, *, rounding: str) -> Window:
    """The window of a pooling."""
    return Window(pool.size, pool.stride, pool.padding, rounding == "ceil" if pool.ceil is None else pool.ceil)
