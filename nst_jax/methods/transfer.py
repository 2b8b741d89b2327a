"""The method itself: an image moves until its activations match aims taken from other pictures.

Two kinds of input, never mixed. A `Spec` shapes the program and is hashable. A `Problem` is numbers: it is traced,
vmapped, swept and differentiated without a new compilation.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from nst_jax.extractors.base import Extractor, activations, is_local
from nst_jax.images.tiles import Tiles
from nst_jax.losses import term
from nst_jax.losses.term import Aim, Blend, Terms, View
from nst_jax.methods import tiled
from nst_jax.nn import rows
from nst_jax.optim import minimise
from nst_jax.optim.minimise import State
from nst_jax.optim.solvers import Info, Solver
from nst_jax.types import Image, Mask, Scalar


class Spec(NamedTuple):
    """The static part of a transfer, which shapes the program."""

    network: Extractor  # tapped at the layers that the terms measure
    terms: Terms
    solver: Callable[..., Solver]
    options: tuple[tuple[str, Any], ...]  # what is static of the solver: (("memory", 50), ...)
    tiles: Tiles | None = None  # of `tiled.tiles_of`: the memory of one tile; None: the whole image at once


class Kept(NamedTuple):
    """The part of a photograph that a run does not change."""

    mask: Mask  # (height, width): 1 where it stays; between 0 and 1 it shows through
    photo: Image


class Masks(NamedTuple):
    """The masks of one aim, by layer. A layer without one has the whole picture."""

    image: Mapping[str, Mask]  # the region of the image to be made
    picture: Mapping[str, Mask]  # the region of the picture aimed at


EVERYWHERE = Masks({}, {})


class Problem(NamedTuple):
    """The numbers of a transfer."""

    params: Any  # the network's
    aims: Mapping[str, Aim]  # by the term's name
    weights: Mapping[str, Scalar]  # by the term's name
    hyper: Mapping[str, Any]  # the solver's numbers: learning_rate, ...
    kept: Kept | None = None  # what stays as a photograph has it
    decay: Scalar | None = None  # of the mean of the iterates, which is then the result; None: the last one is


def compose(problem: Problem, image: Image) -> Image:
    """The image with the kept parts of the photograph. The terms see it, and a run returns it."""
    if problem.kept is None:
        return image
    mask = problem.kept.mask[..., None]
    return mask * problem.kept.photo + (1 - mask) * image


class Result(NamedTuple):
    """Where a run ended."""

    image: Image
    terms: Mapping[str, Scalar]  # unweighted, of the image
    infos: Info  # an entry for each step


def aims_key(*, seed: int) -> Array:
    """The key for the random numbers of the aims, from a run's seed. It differs from the start's."""
    return jax.random.fold_in(jax.random.key(seed), 1)


@partial(jax.jit, static_argnums=(0, 1), static_argnames=("pixels", "shape", "tiles"))
def aims(
    network: Extractor,
    terms: Terms,
    params: Any,
    pictures: Mapping[str, Image | Blend],
    *,
    pixels: int,
    key: Array | None = None,
    shape: tuple[int, int] | None = None,
    masks: Mapping[str, Masks] | None = None,
    tiles: Tiles | None = None,
) -> dict[str, Aim]:
    """The aim of each term that aims at a picture, by the term's name. The pictures may differ in size.

    Args:
      network: whose taps do not matter.
      terms: what is to be compared.
      params: the network's parameters.
      pictures: by the names that the terms use: "content", "style". A `Blend` of several is one aim.
      pixels: height times width of the image to be made.
      key: for terms that draw a part of their aims, such as the directions of sliced Wasserstein.
      shape: height and width of the image to be made, for terms whose aims have its shape, such as a spectrum.
      masks: by the picture's name: the region of the image that aims at it, and the region of the picture.
      tiles: of the network; None: each picture at once. In tiles, an activation is kept whole only where a term aims at
        it as it is.

    Raises:
      KeyError: a term aims at a picture that is not given.
      CannotBlend: a term cannot aim at a blend.
      CannotTile: a term cannot be computed in tiles.
      ValueError: masks for a network whose activations depend on all positions.
    """
    if masks and not is_local(network):
        raise ValueError("each activation of this network depends on all positions (smooth=all): it takes no masks")
    if tiles is not None:
        tiled.check(terms, network)
    found = {}
    for name in dict.fromkeys(t.of for t in terms if t.of):
        own = [t for t in terms if t.of == name]
        picture = pictures[name]
        region = (masks or {}).get(name, EVERYWHERE)
        all_seen = [
            tiled.look(network, own, params, each, masks=region.picture, tiles=tiles)
            for each in (picture.pictures if isinstance(picture, Blend) else (picture,))
        ]
        keys = [None] * len(own) if key is None else jax.random.split(key, len(own))
        for t, k in zip(own, keys, strict=True):
            where = region.image.get(t.tap), region.picture.get(t.tap)
            views = [View(seen[t.name].activation, pixels, k, shape, *where, seen[t.name].summary) for seen in all_seen]
            found[t.name] = t.blend(views, picture.shares) if isinstance(picture, Blend) else t.aim(views[0])
    return found


def values(spec: Spec, problem: Problem, image: Image) -> dict[str, Scalar]:
    """The unweighted value of each term of one image, by name."""
    picture = rows.split(compose(problem, image), axis=0)
    if spec.tiles is not None:
        return tiled.values(spec.network, spec.terms, problem.params, problem.aims, picture, tiles=spec.tiles)
    return term.values(spec.terms, problem.aims, activations(spec.network, problem.params, picture), picture)


def objective(spec: Spec, problem: Problem, image: Image) -> Scalar:
    """The number that is minimised."""
    return term.total(problem.weights, values(spec, problem, image))


def objective_in_parts(spec: Spec, problem: Problem, image: Image) -> tuple[Scalar, dict[str, Scalar]]:
    """The number that is minimised, and what each part adds to it: content, style, tv."""
    found = values(spec, problem, image)
    weighted = {name: problem.weights[name] * value for name, value in found.items()}
    return term.total(problem.weights, found), term.sum_parts(weighted)


def no_parts(spec: Spec, dtype: Any) -> dict[str, Scalar]:
    """Zeros, by the names of the parts."""
    return dict.fromkeys((term.part(t.name) for t in spec.terms), jnp.zeros((), dtype))


def solver(spec: Spec, problem: Problem) -> Solver:
    """The solver with its numbers."""
    return spec.solver(**dict(spec.options), **problem.hyper)


@partial(jax.jit, static_argnums=0)  # op by op the memory of L-BFGS is written twice
def begin(spec: Spec, problem: Problem, start: Image) -> State:
    """The state before the first step."""
    return minimise.begin(solver(spec, problem), start, no_parts(spec, start.dtype), decay=problem.decay)


@partial(jax.jit, static_argnums=0, static_argnames="room", donate_argnames="state")
def advance(
    spec: Spec,
    problem: Problem,
    state: State,
    *,
    steps: Array | int,
    room: int,
    turns: Array | int | None = None,
) -> tuple[State, Info]:
    """Take up to `steps` iterations in one program; see `minimise.advance`. The memory of `state` is donated."""
    minimised, limits = partial(objective_in_parts, spec, problem), {"steps": steps, "room": room, "turns": turns}
    parts = no_parts(spec, state.x.dtype)
    return minimise.advance(minimised, solver(spec, problem), state, **limits, parts=parts, decay=problem.decay)


def unroll(spec: Spec, problem: Problem, start: Image, *, turns: int) -> Image:
    """The image after so many turns of the solver, to be differentiated in reverse by any number of the problem.

    A turn's activations are computed again on the way back (jax.checkpoint). The memory holds one turn, and an
    image and the solver's state for each turn.
    """
    minimised, descent = partial(objective, spec, problem), solver(spec, problem)

    @jax.checkpoint
    def turn(state: tuple[Image, Any], _: None) -> tuple[tuple[Image, Any], None]:
        return descent.turn(minimised, *state, True)[:2], None

    return compose(problem, jax.lax.scan(turn, (start, descent.init(start)), length=turns)[0][0])


measure = jax.jit(values, static_argnums=0)


@partial(jax.jit, static_argnums=0, static_argnames="steps")
def stylise(spec: Spec, problem: Problem, start: Image, *, steps: int) -> Result:
    """The whole run as one pure function. After a value that is not finite the best image is returned."""
    state, infos = advance(spec, problem, begin(spec, problem, start), steps=steps, room=max(1, steps))
    image = minimise.outcome(state)
    return Result(compose(problem, image), values(spec, problem, image), jax.tree.map(lambda a: a[:steps], infos))
