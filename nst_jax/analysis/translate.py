"""One convention in the terms of another.

Every loss that compares Gram matrices by squares has one form,

    sum_l c_l mean((F_l - P_l)^2) + sum_l s_l mean((G_l / M_l - A_l / M_l)^2),

with M_l positions in layer l. Factors are measured: two conventions are asked for their values on the same
probes, at the layer's own size, and asked again whether one really is a multiple of the other. So there is
no second table of constants, and what has no equivalent is found out.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nst_jax.extractors.base import Shape
from nst_jax.losses.differences import mean_of_squares
from nst_jax.losses.grams import gram_mean
from nst_jax.losses.moments import Moments, moments
from nst_jax.losses.term import Aim, Term, View
from nst_jax.published.base import AimAtMoments, Convention, content, style

Shapes = Mapping[str, Shape]  # by layer

NEAR = 2e-3  # of two float32 numbers that should be equal, after sums over a whole layer

CANONICAL = Convention(content_term=content(mean_of_squares), style_term=style(gram_mean))


class Weights(NamedTuple):
    """Weights of the terms, by layer, before the share that a convention itself gives a style layer. NaN: no weight."""

    content: Mapping[str, float]
    style: Mapping[str, float]
    smooth: float


class Translation(NamedTuple):
    """The weights that give the same objective, and in words what has no equivalent or holds under a condition."""

    weights: Weights
    remarks: tuple[str, ...]


def canonical(convention: Convention, weights: Weights, shapes: Shapes, *, height: int, width: int) -> Weights:
    """The coefficients c_l and s_l of the one form; NaN where it does not exist. The smoothness term is left out."""
    found = translate(convention, CANONICAL, weights._replace(smooth=0.0), shapes, height=height, width=width)
    return found.weights


def ratios(form: Weights) -> dict[str, float]:
    """s / c of each style layer of a canonical form: what two conventions must share to give the same picture.

    Infinite for a texture, which has no content.
    """
    c = sum(form.content.values())
    return {layer: s / c if c else float("inf") for layer, s in form.style.items()}


def translate(
    one: Convention, other: Convention, weights: Weights, shapes: Shapes, *, height: int, width: int
) -> Translation:
    """The weights of `other` for the objective that `one` has with `weights`, for two pictures of that size."""
    many, pixels = len(weights.style), height * width
    content = {layer: w * content_ratio(one, other, shapes[layer]) for layer, w in weights.content.items()}
    style = {
        layer: w
        * (one.share(shapes[layer][2], many) / other.share(shapes[layer][2], many))
        * style_ratio(one, other, shapes[layer], pixels=pixels)
        for layer, w in weights.style.items()
    }
    smooth = weights.smooth and weights.smooth * smooth_ratio(one, other, height=height, width=width)
    found = Weights(content, style, smooth)
    return Translation(found, remarks(one, other, found))


def remarks(one: Convention, other: Convention, found: Weights) -> tuple[str, ...]:
    """The parts without an equivalent, and those that hold under a condition only."""
    lost = {"content": found.content, "style": found.style, "smoothness": {"all layers": found.smooth}}
    lines = [
        f"{part} has no equivalent ({', '.join(layer for layer, w in weights.items() if np.isnan(w))})"
        for part, weights in lost.items()
        if any(map(np.isnan, weights.values()))
    ]
    if needs_one_size(one) != needs_one_size(other):
        lines.append("style is the same only for a style picture of the image's size: one of the two compares sums")
    return tuple(lines)


def content_ratio(one: Convention, other: Convention, shape: Shape) -> float:
    """k of one's content term = k times the other's at a layer of that shape; NaN if there is no such number."""
    if one.content_term == other.content_term:
        return 1.0
    n = shape[2]
    pairs = [(_activation(0, n, 1.0), _activation(1, n, 1.0)), (_activation(2, n, 3.0), _activation(3, n, 0.5))]
    gradients = ([_gradient(c.content_term, *pair) for pair in pairs] for c in (one, other))
    if np.isnan(multiple(*gradients)):
        return float("nan")

    def value(term: Term) -> float:
        # one number, spread over the layer inside the program: a large layer is never in memory
        return float(jax.jit(lambda v: term.value(jnp.full(shape, v), Aim(local=jnp.zeros(shape))))(1.0))

    return value(one.content_term) / value(other.content_term)


def style_ratio(one: Convention, other: Convention, shape: Shape, *, pixels: int) -> float:
    """k of one's style term = k times the other's, for pictures of one size; NaN if there is no such number.

    Only what is computed from moments can be probed; everything else equals itself alone.
    """
    if one.style_term == other.style_term:
        return 1.0
    if one.style_term.measure is not moments or other.style_term.measure is not moments:
        return float("nan")
    mass = float(shape[0] * shape[1])
    probes = [(_moments(0, shape[2], mass, 1.0), _moments(1, shape[2], mass, 1.0))]
    probes += [(_moments(2, shape[2], mass, 3.0), _moments(3, shape[2], mass, 0.5))]  # another aim, too
    return multiple(*([_compare(c.style_term, g, a, pixels) for g, a in probes] for c in (one, other)))


def smooth_ratio(one: Convention, other: Convention, *, height: int, width: int) -> float:
    """The k of: one's smoothness = k times the other's, measured by the gradient. NaN if no such k exists."""
    if one.smooth_term == other.smooth_term:
        return 1.0
    if one.smooth_term is None or other.smooth_term is None:
        return 0.0 if one.smooth_term is None else float("nan")
    images = [scale * jax.random.uniform(jax.random.key(0), (height, width, 3)) for scale in (0.5, 1.0)]
    gradients = [
        jax.jit(jax.grad(lambda x, t=term: t.value(x, Aim()))) for term in (one.smooth_term, other.smooth_term)
    ]
    return multiple(*([gradient(image) for image in images] for gradient in gradients))


def multiple(one: Sequence[Array], other: Sequence[Array]) -> float:
    """k of one = k other for each of the pairs; NaN if there is no such number, or if the other is nothing at all."""
    pairs = [(np.ravel(a).astype(np.float64), np.ravel(b).astype(np.float64)) for a, b in zip(one, other, strict=True)]
    if not all(b.any() for _, b in pairs):
        return float("nan")
    found = [a @ b / (b @ b) for a, b in pairs]
    alike = all(np.abs(a - k * b).max() <= NEAR * np.abs(a).max() for k, (a, b) in zip(found, pairs, strict=True))
    return float(found[0]) if alike and np.ptp(found) <= NEAR * abs(found[0]) else float("nan")


def needs_one_size(convention: Convention) -> bool:
    """Whether the style term changes when the style picture is repeated beside itself: if sums are compared."""
    term = convention.style_term
    if term.measure is not moments:
        return False
    g, a = _moments(0, 4, 9.0, 1.0), _moments(1, 4, 9.0, 1.0)
    twice = jax.tree.map(lambda x: 2 * x, a)
    values = [float(_compare(term, g, m, 9)) for m in (a, twice)]
    return not np.isclose(*values, rtol=NEAR)


def _activation(seed: int, channels: int, scale: float) -> Array:
    return scale * jax.random.uniform(jax.random.key(seed), (16, 12, channels))


def _gradient(term: Term, f: Array, p: Array) -> Array:
    return jax.jit(jax.grad(lambda f: term.value(f, Aim(local=p))))(f)


def _compare(term: Term, g: Moments, a: Moments, pixels: int) -> Array:
    """The style term of these moments, for an image of so many pixels."""
    assert isinstance(term.aim, AimAtMoments)
    return term.compare(g, term.aim.finish(a, View(jnp.zeros((1, 1, 1)), pixels, None)))


def _moments(seed: int, channels: int, mass: float, scale: float) -> Moments:
    """Those of a distribution that could be: the samples are twice as many as the channels."""
    f = scale * jax.random.uniform(jax.random.key(seed), (2 * channels, channels))
    m = moments(f[None])
    return jax.tree.map(lambda x: x * mass / m.mass, m)
