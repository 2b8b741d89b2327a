"""One style or several, of a whole picture or of its regions: what AdaIN and WCT have in common."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from nst_jax.types import Scalar

Features = Float[Array, "*batch _ _ c"]
Alpha = Scalar | float | None
Shares = Float[Array, " styles"] | None
Masks = Float[Array, "styles _ _"] | None


def blend(stylised: Features, content: Features, alpha: Scalar | float) -> Features:
    """alpha times the one and 1 - alpha times the other (ADA test.lua:116). 0 gives the content to the bit."""
    return alpha * stylised + (1 - alpha) * content


def combine(
    content: Features,
    looks: Sequence[Any],
    measure: Callable[[Any], Any],
    restyle: Callable[[Any, Any], Features],
    *,
    alpha: Alpha,
    shares: Shares,
    masks: Masks,
) -> Features:
    """The content's features in one style or several: their mean by shares, or each in its mask.

    Args:
      content: features.
      looks: of the styles.
      measure: mask or None -> the statistics of the content's features there.
      restyle: (statistics, look) -> the features in that style.
      alpha: 0 the content, 1 the styles, above 1 exaggerated; None: 1.
      shares: of the styles; None: equal ones. Without masks they are divided by their sum.
      masks: of the styles, as large as the features. Each region is measured by its own positions. Where shares times
        masks sum to less than 1 the rest is content; ADA test.lua:84-103 leaves zeros there.

    Raises:
      ValueError: there are no looks.
    """
    if not len(looks):
        raise ValueError("this network takes the style of a picture: give one look at least, by `study`")
    weights = jnp.ones(len(looks)) if shares is None else shares
    if masks is None:
        known = measure(None)
        each = jnp.stack([restyle(known, look) for look in looks])
        found: Any = jnp.tensordot(weights / weights.sum(), each, 1)
    else:
        parts = weights[:, None, None] * masks
        found = (1 - parts.sum(0))[..., None] * content
        for look, mask, part in zip(looks, masks, parts, strict=True):
            known = measure(jnp.broadcast_to(mask, content.shape[:-1]))
            found += part[..., None] * restyle(known, look)
    return found if alpha is None else blend(found, content, alpha)
