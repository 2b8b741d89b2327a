"""The objective of a large image with the memory of one tile: the same value, and the same gradient.

Additive terms measure sums over positions. A first pass adds them up tile by tile. Their comparisons give
one cotangent for each sum, the same for all tiles. A second pass computes each tile again, and adds its gradient to the
image's. Galerne, Raad, Lezama & Morel 2024, "Scaling Painting Style Transfer" (SPST, arXiv 2212.13459), published exact
gradients in tiles first, for Gram matrices, means and deviations, with derivatives written by hand.
"""

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from nst_jax.extractors.base import Architecture, Extractor, activations, is_local, shapes
from nst_jax.images import tiles as windows
from nst_jax.images.tiles import Cells, Cut, Grid, Tiles
from nst_jax.losses import term
from nst_jax.losses.term import IMAGE, Aim, Term, Terms
from nst_jax.nn import rows
from nst_jax.nn.conv import cyclic_axes
from nst_jax.nn.lifted import Lifted, dense
from nst_jax.nn.windows import total_stride
from nst_jax.types import Image, Mask, Scalar


class CannotTile(ValueError):
    """A term cannot be computed in tiles."""


class Sight(NamedTuple):
    """A term's view of a picture."""

    activation: Any  # its shape, where `summary` is all that is needed of it
    summary: Any  # of its aim; None where it was not taken in tiles


class Plan(NamedTuple):
    """The static part of a program in tiles."""

    network: Extractor
    terms: Terms  # of layers
    grid: Grid
    layers: tuple[tuple[str, Cells, Cells], ...]  # each with its positions down and across


def tiles_of(arch: Architecture, taps: Sequence[str], *, side: int, rounding: str, padding: str) -> Tiles:
    """The tiles that fit a network.

    Args:
      arch: the network.
      taps: the layers that are measured.
      side: pixels of a tile; rounded up to a multiple of the network's stride.
      rounding, padding: of the network.
    """
    stride = max((total_stride(arch.windows(tap, rounding=rounding)) for tap in taps), default=1)
    margin = max(map(arch.margin, taps), default=0)
    side, margin = (-(-n // stride) * stride for n in (side, margin))
    return Tiles(side, margin, stride, cyclic_axes(padding))


def check(terms: Terms, network: Extractor) -> None:
    """Raise CannotTile for a term or a network that needs all positions at once, or a term that can leave none out."""
    at_layers = [t for t in terms if t.tap != IMAGE]
    if at_layers and not is_local(network):
        raise CannotTile("each activation of this network depends on all positions (smooth=all): no tiles")
    if held := [t.name for t in at_layers if not t.additive]:
        need, they = ("needs", "it") if len(held) == 1 else ("need", "they")
        raise CannotTile(f"{', '.join(held)} {need} all positions at once: {they} cannot be computed in tiles")
    for t in at_layers:
        if "where" not in inspect.signature(t.measure).parameters:
            raise CannotTile(f"{t.name}: its measure takes no `where`, the positions that count: see `Term.measure`")


def values(
    network: Extractor, terms: Terms, params: Any, aims: Mapping[str, Aim], image: Image, *, tiles: Tiles
) -> dict[str, Scalar]:
    """The unweighted value of each term, by name, as `term.values` has them.

    They have gradients with respect to the image and what the sums are compared with. To `params` and the local part of
    the aims, which are constants of the problem, they have none. An image of one window is computed as a whole.

    Raises:
      CannotTile: a term cannot be computed in tiles.
      ValueError: two terms of one name, or tiles that do not fit the network or the image.
    """
    check(terms, network)
    term.check_names(terms)
    grid = windows.lay(tiles, height=image.shape[0], width=image.shape[1])
    at_layers = tuple(t for t in terms if t.tap != IMAGE)
    if grid.many == 1 or not at_layers:
        return term.values(terms, aims, activations(network, params, image), image)
    aim_of = {t.name: aims.get(t.name, Aim()) for t in terms}
    own = {t.name: aim_of[t.name].local for t in at_layers}
    sums: Any = add_tiles(make_plan(network, at_layers, params, grid), params, own, windows.wrap(image, grid))
    compare = lambda t: t.compare(sums[t.name], aim_of[t.name].whole)
    return {t.name: compare(t) if t.name in sums else t.value(image, aim_of[t.name]) for t in terms}


def make_plan(network: Extractor, terms: Terms, params: Any, grid: Grid) -> Plan:
    """The program for the terms of layers. Raises ValueError for a layer whose positions the tiles do not divide."""
    rows, columns, found = grid.rows, grid.columns, []
    whole = shapes(network, params, height=rows.length, width=columns.length)
    part = shapes(network, params, height=rows.window, width=columns.window)
    for tap in term.taps(terms):
        try:
            down, across = (
                windows.cells(along, whole=whole[tap][axis], part=part[tap][axis])
                for axis, along in enumerate((rows, columns))
            )
        except ValueError as error:
            raise ValueError(f"{tap}: {error}") from error
        found.append((tap, down, across))
    return Plan(network, terms, grid, tuple(found))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def add_tiles(plan: Plan, params: Any, own: Mapping[str, Any], picture: Image) -> dict[str, Any]:
    """The measure of each term over the whole picture, by name.

    jax's own gradient of this loop would keep every tile's activations. With jax.checkpoint around a tile, it would
    still add up an array of the image's size for each tile.

    Args:
      plan: by `make_plan`.
      params: the network's parameters.
      own: the local part of each term's aim.
      picture: by `wrap`.
    """
    measure = lambda number: measure_tile(plan, params, own, windows.window(picture, plan.grid, number), number)
    add = lambda sums, number: (jax.tree.map(jnp.add, sums, measure(number)), None)
    return lax.scan(add, zeros(jax.eval_shape(measure, 0)), jnp.arange(plan.grid.many))[0]


def _forward(plan: Plan, params: Any, own: Any, picture: Image) -> tuple[dict[str, Any], tuple[Any, Any, Image]]:
    return add_tiles(plan, params, own, picture), (params, own, picture)


def _backward(plan: Plan, saved: tuple[Any, Any, Image], cotangent: dict[str, Any]) -> tuple[None, None, Image]:
    params, own, picture = saved

    def add(gradient: Image, number: Array) -> tuple[Image, None]:
        part = windows.window(picture, plan.grid, number)
        pull = jax.vjp(lambda x: measure_tile(plan, params, own, x, number), part)[1]
        return windows.add_window(gradient, pull(cotangent)[0], plan.grid, number), None

    return None, None, lax.scan(add, jnp.zeros_like(picture), jnp.arange(plan.grid.many))[0]


add_tiles.defvjp(_forward, _backward)


def measure_tile(plan: Plan, params: Any, own: Mapping[str, Any], part: Image, number: Any) -> dict[str, Any]:
    """The measure of each term over the positions of one tile, by name. part: its window."""
    seen, cuts = activations(plan.network, params, part), cuts_of(plan, number)
    found = {}
    for t in plan.terms:
        cut = cuts[t.tap]
        local = jax.tree.map(partial(take, cut.place, cut.size), own[t.name], is_leaf=is_lifted)
        found[t.name] = t.measure(t.see(take(cut.offset, cut.size, seen[t.tap])), local, where=cut.where)
    return found


def cuts_of(plan: Plan, number: Any) -> dict[str, Cut]:
    """A tile's part of each layer."""
    return {tap: windows.cut(plan.grid, down, across, number) for tap, down, across in plan.layers}


def look(
    network: Extractor,
    terms: Sequence[Term],
    params: Any,
    picture: Image,
    *,
    masks: Mapping[str, Mask],
    tiles: Tiles | None,
) -> dict[str, Sight]:
    """The views of a picture for the terms that aim at it, by the term's name.

    Args:
      network: whose taps do not matter.
      terms: of different names.
      params: the network's parameters.
      picture: the picture.
      masks: of the region that is aimed at, by layer.
      tiles: None: the picture is computed at once, and no summary is taken.

    Raises:
      CannotTile: a term cannot be computed in tiles.
      ValueError: the tiles do not fit the network or the picture.
    """
    taps = term.taps(terms)
    network = network.clone(taps=taps) if taps else network
    if tiles is not None:
        check(tuple(terms), network)
        grid = windows.lay(tiles, height=picture.shape[0], width=picture.shape[1])
        if taps and grid.many > 1:
            return look_in_tiles(network, terms, params, picture, grid, masks)
    picture = rows.split(picture, axis=0)
    seen = {**(activations(network, params, picture) if taps else {}), IMAGE: picture}
    return {t.name: Sight(t.see(seen[t.tap]), None) for t in terms}


def look_in_tiles(
    network: Extractor, terms: Sequence[Term], params: Any, picture: Image, grid: Grid, masks: Mapping[str, Mask]
) -> dict[str, Sight]:
    """The terms' views of a picture: sums for aims that need no more, a whole activation for the others."""
    plan = make_plan(network, tuple(t for t in terms if t.tap != IMAGE), params, grid)
    wide = windows.wrap(picture, grid)
    brief = [t for t in plan.terms if hasattr(t.aim, "summary")]
    whole = {t.tap for t in plan.terms if t not in brief}

    def see(number: Any) -> tuple[dict[str, Any], dict[str, Array], dict[str, Cut]]:
        seen, cuts = activations(network, params, windows.window(wide, grid, number)), cuts_of(plan, number)
        parts = {tap: take(cut.offset, cut.size, seen[tap]) for tap, cut in cuts.items()}
        found = {}
        for t in brief:
            cut, mask = cuts[t.tap], masks.get(t.tap)
            mask = mask if mask is None else take(cut.place, cut.size, mask)
            found[t.name] = t.aim.summary(t.see(parts[t.tap]), mask, cut.where)  # pyright: ignore[reportFunctionMemberAccess]
        return found, {tap: dense(parts[tap]) for tap in whole}, cuts

    def add(known: tuple[Any, dict[str, Array]], number: Array) -> tuple[Any, None]:
        sums, layers = known
        found, parts, cuts = see(number)
        kept = {tap: join(layers[tap], parts[tap], cuts[tap]) for tap in whole}
        return (jax.tree.map(jnp.add, sums, found), kept), None

    sums, parts, _ = jax.eval_shape(see, 0)
    sizes = shapes(network, params, height=picture.shape[0], width=picture.shape[1])
    layers = {tap: jnp.zeros(sizes[tap], parts[tap].dtype) for tap in whole}
    sums, layers = lax.scan(add, (zeros(sums), layers), jnp.arange(grid.many))[0]
    outlines = {tap: jax.ShapeDtypeStruct(shape, jnp.float32) for tap, shape in sizes.items()}
    seen = {**outlines, **layers, IMAGE: picture}
    return {t.name: Sight(seen[t.tap], sums.get(t.name)) for t in terms}


def join(layer: Array, part: Array, cut: Cut) -> Array:
    """The layer with a tile's own positions in their place."""
    if cut.where is not None:
        part = jnp.where(cut.where[..., None], part, windows.take(layer, cut.place, cut.size))
    return windows.put(layer, part, cut.place)


def take(start: Sequence[Any], size: tuple[int, int], array: Array | Lifted) -> Any:
    """A part of an array, or of a lifted activation."""
    if isinstance(array, Lifted):
        return array._replace(narrow=windows.take(array.narrow, start, size))
    return windows.take(array, start, size)


def is_lifted(x: Any) -> bool:
    """Whether it is one activation, and no tree of arrays."""
    return isinstance(x, Lifted)


def zeros(tree: Any) -> Any:
    """Zeros of these shapes."""
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree)
