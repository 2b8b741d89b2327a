"""A style for a transfer: the composition of one painting in the strokes of another."""

from collections.abc import Mapping, Sequence
from typing import Any

from nst_jax.api.networks import Network, read
from nst_jax.api.optimisers import Method, lbfgs
from nst_jax.api.problems import as_image, losses_of, with_factors
from nst_jax.api.progress import step_through
from nst_jax.losses.term import taps
from nst_jax.methods import strokes, transfer
from nst_jax.methods.transfer import Spec
from nst_jax.types import Image


def repaint(
    net: Network,
    coarse: Any,
    fine: Any,
    *,
    to: str = "relu2_1",
    size: int = 512,
    scale: float = 1.0,
    convention: str | None = None,
    style_layers: Mapping[str, float] | Sequence[str] | None = None,
    solver: Method | None = None,
    steps: int = 200,
    seed: int = 0,
    progress: bool = True,
) -> Image:
    """Paint a painting in the brush strokes of another (Gatys et al. 2017, section 6): a style for `stylise`.

        style = nst.repaint(net, "ink", "brush", size=256)
        result = nst.stylise(net, "landscape", style, size=256)

    Args:
      net: by `load`.
      coarse: the painting with the composition: a file, a bundled picture, or an image (height, width, 3) in [0, 1].
      fine: the painting with the strokes, likewise.
      to: the deepest style layer that is compared; relu2_1 as published for 512 pixels, relu4_1 for 1024.
      size: of a file's longer side, in pixels.
      scale: the size of `fine` in parts of `size`; larger strokes for larger values.
      convention: whose style terms are compared; the network's own if not said.
      style_layers: layers from the shallowest to the deepest, or layers with their factors; the network's own if not
        said. Those behind `to` do not count.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations; 200 as published for 1024 pixels, 500 for 512.
      seed: of what a convention draws.
      progress: show a progress bar.

    Returns:
      The image, of the size of `coarse`. Colours may leave [0, 1] a little.

    Raises:
      ValueError: an unknown layer, or a layer that is above all style layers.
    """
    start = as_image("coarse", read(coarse, size))
    picture = as_image("fine", read(fine, max(1, round(size * scale))))
    factors = with_factors(style_layers, net.style_layers)
    layers = strokes.layers_up_to(factors, to=to, order=tuple(factors))
    method = lbfgs() if solver is None else solver
    terms = strokes.style_terms(losses_of(convention or net.convention).convention, layers)
    spec = Spec(net.extractor.clone(taps=taps(terms)), terms, method.solver, method.options)
    numbers = dict(method.numbers), transfer.aims_key(seed=seed)
    posed = strokes.pose(spec, net.params, start, picture, layers, *numbers)
    if not progress:
        return strokes.repaint(spec, posed, start, steps=steps)
    return step_through(spec, posed, start, steps)[0].image
