"""Trained networks in use: pictures in, painted pictures out, in one pure function for each method.

    looks = [model.apply.study(model.params, style)]          # of AdaIN and WCT: once for any number of pictures
    painted = paint(model.apply, model.params, images, looks, alpha=0.8)

`apply` shapes the program: it is static and hashable. `params` and `looks` are numbers.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nst_jax.extractors.base import Extractor
from nst_jax.images.regions import resize_mask
from nst_jax.methods.feedforward import adain, johnson, wct
from nst_jax.methods.feedforward.adain import Channels, Form
from nst_jax.methods.feedforward.blending import Alpha, Features, Masks, Shares
from nst_jax.methods.feedforward.decoders import Decoder, encode
from nst_jax.methods.feedforward.johnson import Transform, crop, fit
from nst_jax.methods.feedforward.records import Mirror, Record
from nst_jax.methods.feedforward.wct import Colour, Rule
from nst_jax.types import Image, Mask

Images = Float[Array, "batch height width 3"]


class Model(NamedTuple):
    """A trained network."""

    method: str  # johnson, cin, adain or wct
    apply: Any  # Transformation, Adain or Wct: what shapes the program
    record: Any  # what the network is made of; of wct one for each level, the deepest first
    params: Any  # {"network": ..., "encoder": ...}
    header: Mapping[str, Any]  # what its file says of itself


class Transformation(NamedTuple):
    """A network from picture to picture. It has its own style, or several of them."""

    record: Record

    @property
    def styles(self) -> int:
        """How many styles it has to choose from; 0: its only one."""
        return self.record.styles

    def __call__(
        self,
        params: Any,
        images: Images,
        looks: Sequence[Any] = (),
        *,
        alpha: Alpha = None,
        shares: Shares = None,
        masks: Masks = None,
    ) -> Images:
        """The images, painted. RGB in [0, 1], of any size, which they keep.

        Args:
          params: the model's.
          images: RGB in [0, 1].
          looks: none: its styles are its own.
          alpha: None: its strength is its own.
          shares: of each of its styles, where it has several. They need not sum to 1.
          masks: None.

        Raises:
          ValueError: looks, alpha or masks are given, or shares are missing or too many.
        """
        if len(looks) or alpha is not None or masks is not None:
            raise ValueError("this network has its own style and strength: it takes no looks, no alpha and no masks")
        rows = None if shares is None else jnp.broadcast_to(shares, (images.shape[0], len(shares)))
        return johnson.apply(Transform(self.record), params["network"], images, rows)


class Adain(NamedTuple):
    """A decoder of an encoder's activations with the means and deviations of any style."""

    encoder: Extractor
    layer: str
    record: Mirror
    form: Form

    @property
    def styles(self) -> None:
        """It has no styles of its own."""
        return None

    def study(self, params: Any, style: Image, mask: Mask | None = None) -> Channels:
        """The statistics of a style picture that the network needs. mask: (height, width), the weight of each pixel."""
        seen = encode(self.encoder, params["encoder"], style[None], taps=(self.layer,))[self.layer]
        return adain.measure(seen, carry(mask, seen), unbiased=self.form.unbiased)

    def __call__(
        self,
        params: Any,
        images: Images,
        looks: Sequence[Channels],
        *,
        alpha: Alpha = None,
        shares: Shares = None,
        masks: Masks = None,
    ) -> Images:
        """The images in one style or several. RGB of any size, which they keep, not confined to [0, 1].

        Args:
          params: the model's.
          images: RGB in [0, 1].
          looks: of each style, by `study`.
          alpha: 0 the content's reconstruction, 1 the style; None: 1.
          shares: of each style; None: equal ones. Without masks they are divided by their sum.
          masks: of each style, the weight of each pixel. Where shares times masks sum to less than 1 the rest is the
            content's.
        """
        whole = fit(images, multiple=self.record.multiple)
        own = encode(self.encoder, params["encoder"], whole, taps=(self.layer,))[self.layer]
        around = shrink(enlarge(masks, multiple=self.record.multiple), own)
        found = adain.stylise(own, looks, alpha=alpha, shares=shares, masks=around, form=self.form)
        painted: Any = Decoder(self.record).apply(params["network"], found)
        return crop(painted, height=images.shape[1], width=images.shape[2], top=0, left=0)


class Wct(NamedTuple):
    """Decoders of an encoder's activations at several layers, with the covariances of any style."""

    encoder: Extractor
    levels: tuple[tuple[str, Mirror], ...]  # the layer, and the decoder back from it; the deepest first
    rule: Rule

    @property
    def styles(self) -> None:
        """It has no styles of its own."""
        return None

    def study(self, params: Any, style: Image, mask: Mask | None = None) -> tuple[Colour, ...]:
        """The statistics of a style picture at each level. mask: (height, width), the weight of each pixel."""
        layers = tuple(layer for layer, _ in self.levels)
        seen = encode(self.encoder, params["encoder"], style[None], taps=layers)
        spreads = (wct.measure(seen[layer], carry(mask, seen[layer])) for layer in layers)
        return tuple(wct.colour_of(spread, rule=self.rule) for spread in spreads)

    def __call__(
        self,
        params: Any,
        images: Images,
        looks: Sequence[tuple[Colour, ...]],
        *,
        alpha: Alpha = None,
        shares: Shares = None,
        masks: Masks = None,
    ) -> Images:
        """The images in one style or several, level by level. See `Adain`."""
        multiple = max(record.multiple for _, record in self.levels)
        image, around = fit(images, multiple=multiple), enlarge(masks, multiple=multiple)
        for number, (layer, record) in enumerate(self.levels):
            image = jnp.clip(image, 0, 1) if self.rule.clip and number else image
            own = encode(self.encoder, params["encoder"], image, taps=(layer,))[layer]
            own_looks = [look[number] for look in looks]
            how = {"alpha": alpha, "shares": shares, "masks": shrink(around, own), "rule": self.rule}
            image: Any = Decoder(record).apply(params["network"][layer], wct.stylise(own, own_looks, **how))
        return crop(image, height=images.shape[1], width=images.shape[2], top=0, left=0)


def carry(mask: Mask | None, seen: Features) -> Any:
    """The mask of a picture at the size of its activations, with the axis of a batch."""
    return None if mask is None else resize_mask(mask, height=seen.shape[1], width=seen.shape[2])[None]


def shrink(masks: Masks, seen: Features) -> Any:
    """The masks at the size of activations."""
    if masks is None:
        return None
    return jnp.stack([resize_mask(mask, height=seen.shape[1], width=seen.shape[2]) for mask in masks])


def enlarge(masks: Masks, *, multiple: int) -> Any:
    """The masks, mirrored beyond the lower and the right border as the image is: `johnson.fit`."""
    return None if masks is None else fit(masks[..., None], multiple=multiple)[..., 0]


@partial(jax.jit, static_argnames="apply")
def paint(
    apply: Any,
    params: Any,
    images: Images,
    looks: Sequence[Any] = (),
    *,
    alpha: Any = None,
    shares: Any = None,
    masks: Any = None,
) -> Images:
    """`apply`, compiled: one program for each size."""
    return apply(params, images, looks, alpha=alpha, shares=shares, masks=masks)


@partial(jax.jit, static_argnames="apply")
def study(apply: Any, params: Any, style: Image, mask: Mask | None = None) -> Any:
    """`apply.study`, compiled: one program for each size."""
    return apply.study(params, style, mask)


def choose(names: Sequence[str], chosen: Sequence[int | str], shares: Sequence[Any] | None) -> list[float]:
    """The share of each of a network's own styles.

    Args:
      names: of its styles, such as brush.jpg.
      chosen: some of them, by number, from 0, or by name, with the suffix or without; none: all.
      shares: of those that are chosen; None: equal ones. They are divided by their sum.

    Raises:
      ValueError: an unknown style, another number of shares, or shares that sum to 0; the network has several
        styles, and nothing says which.
    """
    if not chosen and shares is None and len(names) > 1:
        raise ValueError(f"this network has several styles, and none is chosen: {describe(names)}")
    places = [place_of(names, one) for one in chosen] or list(range(len(names)))
    weights = [1.0] * len(places) if shares is None else [float(share) for share in shares]
    if len(weights) != len(places):
        raise ValueError(f"{len(weights)} shares for {len(places)} styles: give one for each of {describe(names)}")
    if not sum(weights) > 0 or min(weights) < 0:
        raise ValueError(f"shares {weights}: give numbers from 0, one of them above it")
    found = [0.0] * len(names)
    for place, weight in zip(places, weights, strict=True):
        found[place] += weight / sum(weights)
    return found


def place_of(names: Sequence[str], wanted: int | str) -> int:
    """The number of a style. Raises ValueError for an unknown number or name."""
    numbers = {str(place): place for place in range(len(names))}
    stems = {name.rpartition(".")[0]: place for place, name in enumerate(names)}
    known = numbers | stems | {name: place for place, name in enumerate(names)}
    if (text := str(wanted)) in known:
        return known[text]
    raise ValueError(f"this network has no style {text}: it has {describe(names)}")


def describe(names: Sequence[str]) -> str:
    """The styles with their numbers."""
    return ", ".join(f"{place} {name}" for place, name in enumerate(names))


def arrange(
    masks: Mapping[str, Mask], rest: Mask, *, painted: Sequence[str], shares: Sequence[Any]
) -> tuple[dict[str, Any], Mask | None]:
    """The masks and shares of all looks, those of the rest first and then the regions', and what is kept.

    Args:
      masks: of the regions, by name.
      rest: what they leave.
      painted: the regions that have a style. The others keep the photograph.
      shares: of the styles of the rest; none: the rest keeps the photograph.

    Returns:
      `masks` and `shares` as the network takes them; where the photograph stays, None: nowhere.
    """
    kept = [mask for name, mask in masks.items() if name not in painted] + ([] if shares else [rest])
    numbers = {
        "masks": jnp.stack([*[rest] * len(shares), *(masks[name] for name in painted)]),
        "shares": jnp.asarray([*shares, *[1.0] * len(painted)], jnp.float32),
    }
    return numbers, jnp.stack(kept).sum(0) if kept else None


def compose(image: Image, photo: Image, kept: Mask | None) -> Image:
    """The image with the kept part of the photograph. kept: (height, width), 1 where it stays."""
    return image if kept is None else kept[..., None] * photo + (1 - kept[..., None]) * image
