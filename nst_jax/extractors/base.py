"""The protocol of a feature extractor, and the entry of a network that has a name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from nst_jax.extractors.addresses import Published
from nst_jax.nn import windows
from nst_jax.nn.lifted import Lifted, dense
from nst_jax.nn.precision import product
from nst_jax.nn.windows import Window
from nst_jax.types import Activations, Image, Params

Shape = tuple[int, int, int]  # height, width, channels


@runtime_checkable
class Extractor(Protocol):
    """A network that returns activations by layer name. It is hashable, and equal to another of the same fields.

    flax.linen modules with a field `taps` are extractors as they are. `Function` makes one of a plain function, which
    may call flax.nnx or anything else.
    """

    @property
    def taps(self) -> tuple[str, ...]:
        """The layers whose activations are returned."""
        ...

    def clone(self, *, taps: tuple[str, ...]) -> "Extractor":
        """The same network with other taps."""
        ...

    def apply(self, variables: Any, image: Image) -> Any:
        """The activations of one image, by layer name: arrays, or `Lifted`.

        variables: {"params": the network's parameters}.
        """
        ...


class Function(NamedTuple):
    """An extractor made of a function (params, image, taps) -> {layer: activation (height, width, channels)}."""

    function: Callable[[Any, Image, tuple[str, ...]], Activations]
    taps: tuple[str, ...]

    def clone(self, *, taps: tuple[str, ...]) -> "Function":
        """The same function with other taps."""
        return self._replace(taps=taps)

    def apply(self, variables: Mapping[str, Any], image: Image) -> Activations:
        """The activations of one image, by layer name."""
        return self.function(variables["params"], image, self.taps)


def features(network: Extractor, params: Any, image: Image) -> Activations:
    """The activations of `image` at the network's taps, by layer name."""
    return {tap: dense(found) for tap, found in activations(network, params, image).items()}


def activations(network: Extractor, params: Any, image: Image) -> Mapping[str, Array | Lifted]:
    """The same as the network gives them: a narrow network's are not yet lifted."""
    return network.apply({"params": params}, image)


def shapes(network: Extractor, params: Any, *, height: int, width: int) -> dict[str, Shape]:
    """The shape of each tap for an image of height x width pixels. Nothing is computed.

    params: arrays, or their shapes as jax.eval_shape gives them.
    """
    image = jax.ShapeDtypeStruct((height, width, 3), jnp.float32)
    seen = jax.eval_shape(lambda p, x: dict(features(network, p, x)), params, image)
    return {layer: seen[layer].shape for layer in network.taps}  # jax sorts the names of a dict


def is_local(network: Extractor) -> bool:
    """Whether an activation depends only on the window of its position. `local = False` says that it is not."""
    return bool(getattr(network, "local", True))


NONE: Mapping[str, Any] = MappingProxyType({})


class Architecture(NamedTuple):
    """A network by name: all that the rest of the package asks of it.

    A layer can be tapped; a convolution has parameters. A raw output is the value after a convolution, before
    its normalisation and its ReLU. Parameters are
    {convolution: {"kernel": (height, width, in, out), "bias": (out)}}, and "input", the preprocessing. A convolution
    that a batch normalisation follows has "scale", "offset", "mean" and "variance" (out) instead of "bias".
    """

    name: str
    layers: tuple[str, ...]  # every layer, from the image to the deepest
    build: Callable[..., Extractor]  # (taps, *, pool, rounding, padding, checkpoint); ValueError for a wrong setting
    shapes: Callable[..., dict[str, Shape]]  # (network, *, height, width) -> the shape of each tap
    windows: Callable[..., tuple[Window, ...]]  # (layer, *, rounding) -> from the image to the layer, in order
    kernels: Mapping[str, tuple[int, ...]]  # of each convolution: the kernel's shape, in order
    needs: Callable[[tuple[str, ...]], tuple[str, ...]]  # taps -> the convolutions that they need
    random: Callable[[Array], Params]  # key -> untrained parameters
    prepare: Callable[..., Params]  # (params, *, convolution, dtype) -> parameters ready for many evaluations
    stages: tuple[tuple[str, ...], ...]  # the convolutions in groups: weights.random_from counts them
    aliases: Mapping[str, str]  # a convolution's name in files -> here
    sources: Mapping[str, tuple[Published, ...]]  # a publisher -> its files
    packaged: str | None  # the file of the package with its weights
    fingerprint: tuple[float, ...] | None  # of the original Caffe values: the first filter's numbers for blue
    profile: str  # the option of conf/layers that suits it
    convention: str  # the convention that suits it
    pool: str = "max"  # the pooling that it was trained with
    shallow: str = ""  # the option of conf/layers for a file that holds its first layers only; "": there is none
    rounding: str = "floor"  # what its poolings make of an odd side, as it was trained
    choices: tuple[str, ...] = ()  # the layers among which `pick_evenly` picks
    eps: Mapping[str, float] = NONE  # of each convolution that a batch normalisation follows
    norms: Mapping[str, str] = NONE  # a normalisation's name in files -> the convolution before it
    keras_order: tuple[str, ...] = ()  # the convolutions in the order of Keras' files
    inputs: Mapping[str, str] = NONE  # a format of files -> the preprocessing of its values
    raw: Mapping[str, str] = NONE  # what can be tapped beside the layers: raw outputs -> their convolutions

    def margin(self, layer: str) -> int:
        """The pixels beyond its own cell that a position of the layer sees, on the side where it sees more."""
        return windows.margin(self.windows(layer, rounding="floor"))

    def ready(
        self, params: Mapping[str, Mapping[str, Any]], *, convolution: str, dtype: str, taps: tuple[str, ...] = ()
    ) -> Params:
        """The parameters as `prepare` makes them for many evaluations, by one program.

        taps: of the network. A convolution whose raw output is among them stays as it is.
        """
        whole = {self.raw[tap] for tap in taps if tap in self.raw}
        make = jax.jit(self.prepare, static_argnames=("convolution", "dtype"))
        rest = {name: layer for name, layer in params.items() if name not in whole}
        return make(rest, convolution=convolution, dtype=dtype) | {
            name: jax.tree.map(jnp.asarray, dict(params[name])) for name in whole
        }

    def tap(self, layers: tuple[str, ...] | set[str], **settings: Any) -> Extractor:
        """The network tapped at these layers, in its own order. Raises ValueError for a layer that it lacks."""
        known = (*self.layers, *self.raw)
        if unknown := [layer for layer in layers if layer not in known]:
            raise ValueError(f"{self.name} has no layer {unknown[0]}; its layers: {' '.join(self.layers)}")
        return self.build(tuple(layer for layer in known if layer in layers), **settings)


def pick_evenly(layers: tuple[str, ...], *, count: int) -> tuple[str, ...]:
    """So many layers, one from the middle of each of `count` equal parts. Raises ValueError where there are fewer."""
    if not 1 <= count <= len(layers):
        raise ValueError(f"there are {len(layers)} layers to pick from, {' '.join(layers)}; got {count}")
    return tuple(layers[(2 * i + 1) * len(layers) // (2 * count)] for i in range(count))


def pick_factors(arch: Architecture, *, side: str, count: int) -> dict[str, float]:
    """So many layers of the network, as `pick_evenly` picks them, with their factors.

    Args:
      arch: the network.
      side: content, which is the mean over its layers, 1 / count each; or style, where each counts 1.
      count: of the layers.

    Raises:
      ValueError: the network has fewer.
    """
    found = pick_evenly(arch.choices or arch.layers, count=count)
    return dict.fromkeys(found, 1 / count if side == "content" else 1.0)


class Input(nn.Module):
    """The preprocessing of the weights: from RGB in [0, 1] to the input of its training, as an affine map."""

    @nn.compact
    def __call__(self, image: Image) -> Float[Array, "h w 3"]:
        kernel = self.param("kernel", nn.initializers.zeros, (3, 3))
        bias = self.param("bias", nn.initializers.zeros, (3,))
        return preprocess({"kernel": kernel, "bias": bias}, image)


def preprocess(entry: Mapping[str, Array], image: Float[Array, "*_ 3"]) -> Float[Array, "*_ 3"]:
    """The affine map of each pixel. entry: the parameters of the layer `input`."""
    return product(image, entry["kernel"]) + entry["bias"]


def see_gray(params: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The parameters of the same network on the mean of the image's channels, in each of the three.

    The gradient is then the same in all channels: an image that starts in shades of gray stays so, and is optimised as
    the image of one channel that it is.
    """
    entry = params["input"]
    kernel = jnp.broadcast_to(jnp.asarray(entry["kernel"]).mean(0), entry["kernel"].shape)
    return {**params, "input": {**entry, "kernel": kernel}}


def draw_params(key: Array, kernels: Mapping[str, tuple[int, ...]]) -> Params:
    """He-normal kernels and zero biases: an untrained network (He, Wang & Hopcroft 2016, arXiv 1606.04801).

    Its input is RGB in 0..255 minus 127.5. The activations then have the size of the original VGG's, so that a weight
    means what it means there: a style term grows with their fourth power and a content term with their square.
    """
    he = jax.nn.initializers.he_normal()
    params: dict = {"input": {"kernel": 255.0 * jnp.eye(3), "bias": jnp.full(3, -127.5)}}
    for k, (name, shape) in zip(jax.random.split(key, len(kernels)), kernels.items(), strict=True):
        params[name] = {"kernel": he(k, shape), "bias": jnp.zeros(shape[-1])}
    return params
