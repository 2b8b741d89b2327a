"""The brush strokes of one painting and the composition of another: Gatys et al. 2017, arXiv 1611.07865, section 6.

The coarse style is an image that is optimised, with style terms of the fine one alone, at the layers that see small
parts of a picture. The result is the style of an ordinary transfer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from nst_jax.losses.term import Terms
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.published.base import Convention
from nst_jax.types import Image, Scalar

MIXES = ("repaint", "layers")
PART = "strokes"  # the fine picture, and the part of the terms that aim at it


def layers_up_to(chosen: Mapping[str, float], *, to: str, order: Sequence[str]) -> dict[str, float]:
    """The chosen layers that are not deeper than `to`, with their factors.

    Args:
      chosen: the style layers.
      to: a layer.
      order: of all layers, from the image to the deepest.

    Raises:
      ValueError: `to` is no layer, or it is above all that are chosen, or one of these is a raw output.
    """
    if to not in order:
        raise ValueError(f"there is no layer {to}; the style layers here: {', '.join(chosen)}")
    if raw := [name for name in chosen if name not in order]:
        raise ValueError(f"{raw[0]} is a raw output, and has no place in the order of the layers")
    found = {name: factor for name, factor in chosen.items() if order.index(name) <= order.index(to)}
    if not found:
        raise ValueError(f"no style layer is up to {to}; the style layers here: {', '.join(chosen)}")
    return found


def style_terms(convention: Convention, layers: Mapping[str, float]) -> Terms:
    """The convention's style terms at these layers, and no other term."""
    return tuple(map(convention.style, layers))


def weights(layers: Mapping[str, float]) -> dict[str, Scalar]:
    """The weight of each layer's style term: its own factor divided by their number, for any number of channels.

    leongatys/NeuralImageSynthesis @cced0b9, ScaleControl: ptw / len(layers) for each. ptw is 1 here: there is no other
    term that it would be weighed against.
    """
    return {f"style/{name}": jnp.float32(factor / len(layers)) for name, factor in layers.items()}


def pose(
    spec: Spec,
    params: Any,
    coarse: Image,
    fine: Image,
    layers: Mapping[str, float],
    hyper: Mapping[str, Any],
    key: Array,
) -> Problem:
    """The problem of painting `coarse` in the strokes of `fine`.

    Args:
      spec: with the terms of `style_terms`.
      params: the network's.
      coarse: the image to be painted anew.
      fine: the picture with the strokes, of any size.
      layers: the factor of each layer.
      hyper: the solver's numbers.
      key: for terms that draw a part of their aims.
    """
    pixels = coarse.shape[0] * coarse.shape[1]
    aims = transfer.aims(spec.network, spec.terms, params, {"style": fine}, pixels=pixels, key=key, tiles=spec.tiles)
    return Problem(params, aims, weights(layers), hyper)


def repaint(spec: Spec, problem: Problem, coarse: Image, *, steps: int) -> Image:
    """The coarse style in the strokes of the fine one. Where a value is not finite, the best image before it.

    Colours may leave [0, 1]. They are not clipped, as in the released program: the Gram matrices of a clipped picture
    are further from those of the fine one.

    Args:
      spec: with the terms of `style_terms`.
      problem: by `pose`.
      coarse: where the image starts.
      steps: iterations.
    """
    return transfer.stylise(spec, problem, coarse, steps=steps).image


def divide(terms: Terms, numbers: Mapping[str, Any], layers: Mapping[str, float]) -> tuple[Terms, dict[str, Any]]:
    """The terms and weights of a transfer whose style terms at `layers` aim at the picture `PART`.

    The paper compares its method with this "naive combination". The statistics of neighbouring layers depend on each
    other, so that the aims of two pictures contradict each other.

    Args:
      terms: style terms have the names style/LAYER.
      numbers: the weight of each term.
      layers: the layers of the fine style.
    """
    new = {f"style/{name}": f"{PART}/{name}" for name in layers}
    return (
        tuple(t._replace(name=new[t.name], of=PART) if t.name in new else t for t in terms),
        {new.get(name, name): weight for name, weight in numbers.items()},
    )
