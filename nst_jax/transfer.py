"""The method itself: an image is moved until its activations match two targets.

Two kinds of input, never mixed: a `Spec` shapes the program and is hashable, a `Problem` is numbers that
can be traced, vmapped, swept and differentiated without a new compilation.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from nst_jax import losses, optimise
from nst_jax.losses import Convention, Targets, Terms, as_it_is, channels, moments
from nst_jax.optimise import State
from nst_jax.solvers import Info, Solver
from nst_jax.types import Image, Params, Scalar
from nst_jax.vgg import features


class Spec(NamedTuple):
    """What shapes the program."""

    network: nn.Module  # a VGG, or whatever has `taps` and gives activations by name; its taps: both pictures' layers
    convention: Convention
    solver: Callable[..., Solver]
    options: tuple[tuple[str, Any], ...]  # what is static of the solver: (("memory", 50), ...)


class Problem(NamedTuple):
    """What is a number."""

    params: Params
    targets: Targets
    weights: Terms
    hyper: Mapping[str, Any]  # the solver's numbers: learning_rate, ...


class Result(NamedTuple):
    """Where it ended. `infos` has an entry for each step."""

    image: Image
    terms: Terms
    infos: Info


@partial(jax.jit, static_argnums=0, static_argnames=("content_layers", "style_layers", "convention"))
def targets(
    network: nn.Module,
    params: Params,
    content: Image,
    style: Image,
    *,
    content_layers: tuple[str, ...],
    style_layers: tuple[str, ...],
    convention: Convention | None = None,
    key: Array | None = None,
) -> Targets:
    """The content picture's activations, and what is aimed at in the style picture. The pictures may differ in size.

    convention: whose aims; without it they are moments, which is what most conventions aim at.
    key: for a convention that draws a part of its aims, such as the directions of sliced Wasserstein.
    """
    seen = features(network.clone(taps=content_layers), params, content) if content_layers else {}
    liked = features(network.clone(taps=style_layers), params, style) if style_layers else {}
    summary, aim = (convention.summary, convention.aim) if convention else (moments, as_it_is)
    keys = dict(zip(liked, jax.random.split(key, len(liked)), strict=True)) if key is not None and liked else {}
    return Targets(seen, {layer: aim(keys.get(layer), summary(f)) for layer, f in liked.items()})


def weights(
    convention: Convention,
    targets: Targets,
    *,
    content_weight: Scalar | float,
    style_weight: Scalar | float,
    tv_weight: Scalar | float,
    content_layers: Mapping[str, Scalar | float],
    style_layers: Mapping[str, Scalar | float],
) -> Terms:
    """Each layer's weight: the term's weight, times the convention's share, times the layer's own factor."""
    many = len(targets.style)
    style = {
        layer: jnp.float32(style_weight * convention.profile(channels(m), many) * style_layers[layer])
        for layer, m in targets.style.items()
    }
    content = {layer: jnp.float32(content_weight * content_layers[layer]) for layer in targets.content}
    return Terms(content, style, jnp.float32(tv_weight))


def terms(spec: Spec, problem: Problem, image: Image) -> Terms:
    """The unweighted terms of one image."""
    seen = features(spec.network, problem.params, image)
    return losses.terms(spec.convention, problem.targets, seen, image)


def objective(spec: Spec, problem: Problem, image: Image) -> Scalar:
    """The number that is minimised."""
    return losses.total(problem.weights, terms(spec, problem, image))


def solver(spec: Spec, problem: Problem) -> Solver:
    """The solver with its numbers."""
    return spec.solver(**dict(spec.options), **problem.hyper)


@partial(jax.jit, static_argnums=0)  # op by op the memory of L-BFGS is written twice
def begin(spec: Spec, problem: Problem, start: Image) -> State:
    """The state before the first step."""
    return optimise.begin(solver(spec, problem), start)


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
    """Up to `steps` iterations in one program; see `optimise.advance`. `state` is used up: its memory is taken over."""
    minimised = partial(objective, spec, problem)
    return optimise.advance(minimised, solver(spec, problem), state, steps=steps, room=room, turns=turns)


measured = jax.jit(terms, static_argnums=0)


@partial(jax.jit, static_argnums=0, static_argnames="steps")
def stylise(spec: Spec, problem: Problem, start: Image, *, steps: int) -> Result:
    """The whole run as one pure function. After a value that is not finite the best image is returned."""
    state, infos = advance(spec, problem, begin(spec, problem, start), steps=steps, room=steps)
    image = jnp.where(state.finite, state.x, state.best)
    return Result(image, terms(spec, problem, image), infos)
