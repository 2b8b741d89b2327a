"""A network with its weights, and pictures: what a run is made of, by name or by file."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp

from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import Architecture, Extractor, pick_factors
from nst_jax.extractors.softmax import with_softmax
from nst_jax.images.size import resize, target_shape
from nst_jax.nn.windows import Window
from nst_jax.published import PROFILES
from nst_jax.published.base import Profile
from nst_jax.types import Image


class Network(NamedTuple):
    """A feature extractor with its parameters, and the layers and convention that suit it.

    For a network of your own: Network(extractor, params, content_layers={...: 1.0}, style_layers={...: 1.0}).
    """

    extractor: Extractor
    params: Any
    content_layers: Mapping[str, float]  # each layer's factor
    style_layers: Mapping[str, float]
    convention: str = "relative"
    source: str = "a network of your own"  # what the parameters are, in words
    windows: Callable[[str], Sequence[Window]] | None = None  # a layer -> the windows from the image to it, for regions


def load(
    name: str | Path = "vgg19",
    *,
    network: str | None = None,
    weights: str = "own",
    preprocessing: str = "auto",
    seed: int = 0,
    pool: str | None = None,
    rounding: str | None = None,
    padding: str = "zero",
    convolution: str = "auto",
    dtype: str = "float32",
    layers: str | None = None,
    content_count: int | None = None,
    style_count: int | None = None,
    smooth: str = "none",
    temperature: float = 1.0,
) -> Network:
    """A network by name, or one whose weights are in a file.

    Args:
      name: vgg19, vgg16, distilled, texnet, squeezenet, inception_v3, googlenet, resnet18, resnet34, resnet50,
        resnet101, inception_v3_keras or resnet50_keras; or the path of a weight file (.h5, .pth, .mat, .safetensors).
      network: which network the file holds; vgg19 if not said.
      weights: own (the network's own, downloaded once), keras, torchvision, matconvnet, random or auto.
      preprocessing: auto; caffe, torchvision or tf for a file that does not say what it was trained on; pystiche for
        that program's mean; unit for RGB in [0, 1], whatever the network was trained on.
      seed: of random weights.
      pool: max, avg or l2; the network's own if not said.
      rounding: floor or ceil: what pooling makes of an odd side; the network's own if not said.
      padding: zero, reflect, replicate; circular, circular_x or circular_y for textures without a seam.
      convolution: auto, direct or winograd.
      dtype: of the convolutions, float32 or bfloat16.
      layers: a published choice of layers, such as gatys or report_tf2; those that suit the network if not said.
      content_count, style_count: so many layers instead, one from the middle of each of so many equal parts of the
        network. Content is the mean over its layers.
      smooth: none; channels or all: the softmax of the activations takes their place (SWAG): see `Softmax`.
      temperature: what activations are divided by before.

    Raises:
      UserError: a name, a setting or a file that does not fit.
      ValueError: `smooth`, `temperature`, a count that is too large, or a setting that the network lacks.
    """
    from nst_jax.shell.io import weights as files
    from nst_jax.shell.names import look_up
    from nst_jax.shell.running import device

    path = str(name) if str(name) not in MODULES and Path(name).expanduser().exists() else None
    known = network or ("vgg19" if path else str(name))
    look_up(dict(MODULES), known, "load")
    arch = with_softmax(architecture(known), over=smooth, temperature=temperature)
    given = {"path": path, "preprocessing": preprocessing, "seed": seed}
    loaded = files.load("file" if path else weights, network=known, needed=(), log=lambda text: None, **given)
    profile = look_up(PROFILES, layers, "layers") if layers else suitable_layers(arch, loaded.params)
    counts = {"content": content_count, "style": style_count}
    picked = {side: pick_factors(arch, side=side, count=n) for side, n in counts.items() if n is not None}
    content, style = picked.get("content", profile.content), picked.get("style", profile.style)
    rounding = rounding or arch.rounding
    settings = {"pool": pool or arch.pool, "rounding": rounding, "padding": padding}
    extractor, windows = arch.tap({*content, *style}, **settings), partial(arch.windows, rounding=rounding)
    convolution = device.convolution(convolution)
    check_params(arch, loaded.params, extractor.taps)
    params = arch.ready(dict(loaded.params), convolution=convolution, dtype=dtype, taps=extractor.taps)
    return Network(extractor, params, content, style, arch.convention, loaded.source, windows)


def suitable_layers(arch: Architecture, params: Mapping[str, Any]) -> Profile:
    """The layers to compare: of the whole network, or of its first part where the parameters end early."""
    from nst_jax.shell.errors import UserError

    if set(arch.kernels) <= params.keys():
        return PROFILES[arch.profile]
    if not arch.shallow:
        raise UserError(f"the weights hold a part of {arch.name} only, and no layers are known that suit it")
    return PROFILES[arch.shallow]


def check_params(arch: Architecture, params: Mapping[str, Any], taps: tuple[str, ...]) -> None:
    """Raise UserError where the weights end before a layer."""
    from nst_jax.shell.errors import UserError

    if missing := [name for name in arch.needs(taps) if name not in params]:
        raise UserError(f"the weights hold a part of {arch.name} only: there is no {missing[0]}; take shallower layers")


def picture(name: str | Path, *, size: int = 512) -> Image:
    """A bundled picture or a file, its longer side `size` pixels.

    The bundled pictures are landscape and portrait (contents), brush, mosaic and ink (styles), and brick (a texture).

    Raises UserError for a file that cannot be read.
    """
    from nst_jax import pictures
    from nst_jax.shell.io import pictures as files

    image = files.read(pictures.path(str(name)) if name in pictures.NAMES else name).image
    height, width = target_shape(height=image.shape[0], width=image.shape[1], size=size, rule="long")
    return resize(jnp.asarray(image), height=height, width=width)


def read(image: Any, size: int) -> Image:
    """A picture by name or path at `size`; an array stays as it is."""
    return picture(image, size=size) if isinstance(image, str | Path) else image
