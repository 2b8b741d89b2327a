"""The shapes and the windows of the layers of a table."""

from nst_jax.extractors.base import Shape
from nst_jax.extractors.blocks.stack import Stack
from nst_jax.extractors.blocks.table import Block, Chain, Conv, Part, Pool, note_kernels, up_to, window_of
from nst_jax.nn import windows as geometry
from nst_jax.nn.pools import length
from nst_jax.nn.windows import Window


def shapes(network: Stack, *, height: int, width: int) -> dict[str, Shape]:
    """The shape of each tap for an image of height x width pixels. A side of 0 has vanished on the way."""
    found: dict[str, Shape] = {}
    for tap in network.taps:
        way = Chain(tuple(block.part for block in up_to(network.blocks, tap)))
        high, wide = (
            side_of(way, side=side, axis=axis, rounding=network.rounding) for axis, side in enumerate((height, width))
        )
        found[tap] = high, wide, note_kernels(way, {}, width=3)
    return found


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


def windows(blocks: tuple[Block, ...], layer: str, *, rounding: str) -> tuple[Window, ...]:
    """The windows from the image to the layer, of the path that sees most.

    Either axis has the same windows: 1 x 7 and 7 x 1 come in pairs. A raw output in the middle of such a pair has the
    windows of the axis along which it sees more.
    """
    whole = Chain(tuple(block.part for block in up_to(blocks, layer)))
    axes = [path(whole, axis=axis, rounding=rounding) for axis in (0, 1)]
    return max(axes, key=lambda ws: sum(geometry.reach(ws)))


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


def fits_around(blocks: tuple[Block, ...], *, rounding: str) -> bool:
    """Whether opposite borders may meet: each layer of a picture of whole strides has a position for each stride."""
    stride = geometry.total_stride(windows(blocks, blocks[-1].name, rounding=rounding))
    whole = Chain(tuple(block.part for block in blocks))
    return all(side_of(whole, side=n * stride, axis=0, rounding=rounding) == n for n in (1, 2, 3))
