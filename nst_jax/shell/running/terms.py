"""The terms of a run: the convention, its terms, their weights and their aims."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import jax
from jax.sharding import Mesh

from nst_jax import published
from nst_jax.analysis import resolution
from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.images.tiles import Tiles
from nst_jax.losses import term
from nst_jax.losses.photo import laplacian_term, matting_term
from nst_jax.losses.term import Aim, Blend, Terms
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Masks
from nst_jax.parallel import layout
from nst_jax.published import CONVENTIONS
from nst_jax.published.base import Convention
from nst_jax.shell.errors import UserError
from nst_jax.shell.names import find
from nst_jax.shell.running import texture
from nst_jax.shell.running.inputs import Inputs, Log
from nst_jax.shell.running.networks import layers
from nst_jax.shell.settings.schema import Config
from nst_jax.types import Image, Params

Compute = Callable[[Callable[[], Any]], Any]

WEIGHTS = ("content_weight", "style_weight", "tv_weight")


def convention(config: Config, shape: tuple[int, ...], log: Log) -> Convention:
    """The convention, for an image of that shape."""
    c = config.convention
    found = find(published.convention, CONVENTIONS, c.name, "convention.name")
    if config.tv_weight and found.smooth_term is None:
        raise UserError(
            f"tv_weight={config.tv_weight:g}: convention={c.name} has no smoothness term. Set tv_weight=0, or choose "
            "a convention that has one, such as convention=pystiche"
        )
    if c.positions == "own" or config.texture:  # a texture has another size than its exemplar
        found = resolution.one_size(found)
    if c.resolution == "published":
        return found
    size = {"pixels": shape[0] * shape[1], "reference": c.reference**2}
    log(resolution.words(found, **size))
    return resolution.invariant(found, **size)


def losses(
    config: Config, compared: Convention, arch: Architecture, net: Extractor, found: Inputs
) -> tuple[Terms, dict[str, Any]]:
    """The terms, and each one's weight by name."""
    content, style = layers(config)
    shape, (height, width, _) = found.content.shape, found.styles[0].shape
    compared = with_photo_terms(config, compared, shape)
    compared = texture.with_texture_terms(config, compared, arch.shapes(net, height=height, width=width))
    channels = {layer: shape[2] for layer, shape in arch.shapes(net, height=64, width=64).items()}
    parts = {k: getattr(config, k) for k in WEIGHTS}
    return compared.terms(content, style), compared.weights(
        channels, **parts, content_layers=content, style_layers=style
    )


def with_photo_terms(config: Config, compared: Convention, shape: tuple[int, ...]) -> Convention:
    """The convention with the terms of `photo` that have a weight. shape: of the image."""
    p = config.photo
    if (p.laplacian or p.matting) and config.content is None:
        raise UserError("photo.laplacian and photo.matting keep what a photograph has, and content is null")
    if p.laplacian and min(shape[:2]) < 3 * p.pool:
        raise UserError(f"photo.pool={p.pool} leaves less than 3 x 3 pixels of {shape[1]} x {shape[0]}: lower it")
    weights = {laplacian_term(pool=p.pool): p.laplacian, matting_term(): p.matting}
    return compared._replace(others=(*compared.others, *((t, w) for t, w in weights.items() if w)))


def find_aims(
    net: Extractor,
    terms: Terms,
    params: Params,
    pictures: Mapping[str, Image | Blend],
    masks: Mapping[str, Masks],
    *,
    seed: int,
    compute: Compute,
    tiles: Tiles | None,
    mesh: Mesh | None,
) -> dict[str, Aim]:
    """The aims. Raises UserError where a term cannot aim at several pictures as one.

    mesh: the devices that share the rows of the pictures; None: one device has all of them.
    """
    used = {name: pictures[name] for name in dict.fromkeys(t.of for t in terms if t.of)}
    height, width, _ = cast(Image, pictures["content"]).shape
    of_image: dict[str, Any] = {"pixels": height * width, "shape": (height, width), "tiles": tiles}
    of_image["key"] = transfer.aims_key(seed=seed)
    find = lambda params, used, masks: transfer.aims(net, terms, params, used, masks=masks, **of_image)
    try:
        with layout.within(mesh):
            return compute(lambda: on_mesh(mesh, find, params, used, masks) if mesh else find(params, used, masks))
    except term.CannotBlend as error:
        raise UserError(f"{error}; style_mix=terms has a term for each style") from None


def on_mesh(mesh: Mesh, find: Callable[..., dict[str, Aim]], *arguments: Any) -> dict[str, Aim]:
    """The aims that find(*arguments) returns, by one program within the mesh. They lie as a Problem's do."""
    leaves, tree = jax.tree.flatten(arguments)
    arrays = {i: leaf for i, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)}
    whole = lambda known: find(*tree.unflatten([known.get(i, leaf) for i, leaf in enumerate(leaves)]))
    places = layout.of_aims(mesh, jax.eval_shape(whole, arrays))
    return jax.jit(whole, out_shardings=places)(layout.put(arrays, dict.fromkeys(arrays, layout.whole(mesh))))
