"""Which windows of a picture are computed one after the other, and which positions of a layer each of them owns.

Every position belongs to one tile. A tile's window is its own pixels and a margin, as far as its positions see. Windows
start at multiples of the network's stride, so that poolings meet the same pixels as in the whole. They lie inside the
picture: the network's padding lies beyond the picture's border, and only there. Along an axis that wraps they wrap.

All windows have one size: that of a tile, two margins, and the pixels beyond the last whole stride, which a pooling of
the whole drops or rounds up. The window of a tile at the border moves inwards and has more of a margin on one side.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool

from nst_jax.types import Axes, Image, Places


class Tiles(NamedTuple):
    """How pictures are divided.

    Attributes:
      side: pixels of a tile's own, along each axis; a multiple of `stride`. The last one has the rest.
      margin: pixels beyond them that its positions see, on either side; a multiple of `stride`.
      stride: pixels from one position of the deepest layer to the next; a multiple of that of every layer.
      wrap: the axes along which the network's padding makes opposite borders meet: 0 the height, 1 the width.
    """

    side: int
    margin: int
    stride: int
    wrap: Axes = ()


class Line(NamedTuple):
    """The windows along one axis of a picture."""

    length: int  # pixels of the picture
    window: int  # pixels of each window
    many: int  # how many windows
    own: int  # pixels of a tile's own
    margin: int  # pixels beyond them
    first: int  # where the first window starts: negative where the axis wraps
    last: int  # where the last one does

    def start(self, number: Any) -> Array:
        """The first pixel of a window."""
        return jnp.clip(number * self.own - self.margin, self.first, self.last)


class Grid(NamedTuple):
    """The windows of a picture, row by row."""

    rows: Line
    columns: Line

    @property
    def many(self) -> int:
        """How many windows."""
        return self.rows.many * self.columns.many

    def place(self, number: Any) -> tuple[Any, Any]:
        """The row and the column of a window."""
        return number // self.columns.many, number % self.columns.many


class Cells(NamedTuple):
    """The positions of a layer along one axis."""

    number: int  # in the whole picture
    stride: int  # pixels from one to the next
    size: int  # that are cut for each tile: its own; at the border also others, which do not count


class Cut(NamedTuple):
    """A tile's part of a layer."""

    place: tuple[Any, Any]  # of the first position, in the layer
    offset: tuple[Any, Any]  # of the same position, in what the tile's window gives
    size: tuple[int, int]
    where: Places | None  # which positions are the tile's own; None: all


def lay(tiles: Tiles, *, height: int, width: int) -> Grid:
    """The windows of a picture.

    Raises:
      ValueError: a side or margin that is no multiple of the stride, or a side of the picture that wraps and is none.
    """
    if tiles.side < 1 or tiles.side % tiles.stride or tiles.margin % tiles.stride:
        raise ValueError(f"a tile's side and margin are multiples of the network's stride; got {tiles}")
    rows, columns = (line(tiles, axis=axis, length=length) for axis, length in enumerate((height, width)))
    return Grid(rows, columns)


def line(tiles: Tiles, *, axis: int, length: int) -> Line:
    """The windows along one axis. Where the picture is no longer than one window, it is the window."""
    rest, wraps = length % tiles.stride, axis in tiles.wrap
    window = tiles.side + 2 * tiles.margin + (0 if wraps else rest)
    if length <= window:
        return Line(length, length, 1, length, 0, 0, 0)
    if wraps and rest:
        raise ValueError(
            f"a picture whose borders meet is computed in tiles where its sides are multiples of {tiles.stride}: "
            f"its {('height', 'width')[axis]} is {length}"
        )
    beyond = tiles.margin if wraps else 0
    many = -(-(length - rest) // tiles.side)
    return Line(length, window, many, tiles.side, tiles.margin, -beyond, length - window + beyond)


def wrap(image: Image, grid: Grid) -> Image:
    """The picture continued beyond the borders that meet, as far as windows reach."""
    pads = [(-along.first, -along.first) for along in (grid.rows, grid.columns)]
    return jnp.pad(image, [*pads, (0, 0)], mode="wrap") if any(n for n, _ in pads) else image


def starts(grid: Grid, number: Any) -> tuple[Array, Array]:
    """The first row and column of a window, in the picture of `wrap`."""
    row, column = grid.place(number)
    return grid.rows.start(row) - grid.rows.first, grid.columns.start(column) - grid.columns.first


def window(image: Image, grid: Grid, number: Any) -> Image:
    """A window of the picture of `wrap`."""
    return take(image, starts(grid, number), (grid.rows.window, grid.columns.window))


def add_window(image: Image, part: Image, grid: Grid, number: Any) -> Image:
    """The picture of `wrap` with a window's numbers added in their place."""
    return put(image, window(image, grid, number) + part, starts(grid, number))


def cells(along: Line, *, whole: int, part: int) -> Cells:
    """The positions of a layer along one axis.

    The stride is computed from the whole and a window: the difference in pixels, divided by that in positions.

    Args:
      along: the windows.
      whole: positions in the whole picture.
      part: positions in a window.

    Raises:
      ValueError: positions of other distances than the windows.
    """
    if along.many == 1:
        return Cells(whole, 1, whole)
    pixels, more = along.length - along.window, whole - part
    if more < 1 or pixels % more or along.own % (pixels // more):
        raise ValueError(f"{more} positions in {pixels} pixels: no stride of theirs divides {along.own}")
    stride = pixels // more
    own = along.own // stride
    return Cells(whole, stride, max(own, whole - (along.many - 1) * own))


def cut(grid: Grid, rows: Cells, columns: Cells, number: Any) -> Cut:
    """A tile's part of a layer. rows, columns: the layer's positions."""
    row, column = grid.place(number)
    down, across = cut_line(grid.rows, rows, row), cut_line(grid.columns, columns, column)
    masks = [jnp.ones(size, bool) if m is None else m for (_, _, size, m) in (down, across)]
    where = None if down[3] is None and across[3] is None else masks[0][:, None] & masks[1]
    return Cut((down[0], across[0]), (down[1], across[1]), (down[2], across[2]), where)


def cut_line(along: Line, positions: Cells, number: Any) -> tuple[Any, Any, int, Bool[Array, " n"] | None]:
    """A tile's part of the positions along one axis, as in `Cut`."""
    own = along.own // positions.stride if along.many > 1 else positions.number
    place = jnp.minimum(number * own, positions.number - positions.size)
    offset = place - along.start(number) // positions.stride
    if positions.number == along.many * own:
        return place, offset, positions.size, None
    at = place + jnp.arange(positions.size)
    end = jnp.where(number == along.many - 1, positions.number, (number + 1) * own)
    return place, offset, positions.size, (at >= number * own) & (at < end)


def take(array: Array, start: Sequence[Any], size: tuple[int, int]) -> Array:
    """A part of an array whose first two axes are height and width."""
    return lax.dynamic_slice(array, (*start, *(0 for _ in array.shape[2:])), (*size, *array.shape[2:]))


def put(array: Array, part: Array, start: Sequence[Any]) -> Array:
    """The array with a part replaced."""
    return lax.dynamic_update_slice(array, part, (*start, *(0 for _ in array.shape[2:])))
