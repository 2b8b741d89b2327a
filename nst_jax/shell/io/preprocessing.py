"""Preprocessing belongs to the weights: it is the layer `input` of their network.

`input` maps RGB in [0, 1] to the input of the network's training: image @ kernel + bias. It is read from the file, or
follows from the values, or from the programs that write the format. Where none of these says it, the user has to.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.fit import Layers
from nst_jax.shell.io.stored import Contents

if TYPE_CHECKING:
    from nst_jax.extractors.base import Architecture  # imports jax

# Mean colour of ImageNet as the original networks subtract it, RGB 0..255:
# https://gist.github.com/ksimonyan/3785162f95cd2d5fee77 (there BGR: 103.939, 116.779, 123.68)
CAFFE_MEAN = (123.68, 116.779, 103.939)
# https://github.com/pytorch/vision/blob/main/torchvision/transforms/_presets.py (ImageClassification)
TORCHVISION_MEAN = (0.485, 0.456, 0.406)
TORCHVISION_STD = (0.229, 0.224, 0.225)
# https://github.com/pystiche/pystiche/blob/71217c2/pystiche/enc/prepostprocessing.py#L87-L114: the first one, rounded
PYSTICHE_MEAN = (255 * 0.485, 255 * 0.458, 255 * 0.408)

CHOICES = ("auto", "caffe", "torchvision", "tf", "pystiche", "unit")
# What is not what the network was trained on, but what a program gives it instead -> what the file may have
STANDS_FOR = {"pystiche": "caffe", "unit": "auto"}


class Prepared(NamedTuple):
    """Layers in their canonical form, with their input layer."""

    layers: Layers
    input: dict[str, np.ndarray]  # kernel (3, 3), bias (3,)
    words: str  # what they are and the input that they expect


def prepare(
    layers: Layers, contents: Contents, *, architecture: "Architecture", preprocessing: str, where: str
) -> Prepared:
    """Find out which input the layers expect.

    Args:
      layers: the convolutions, as `fit` returns them.
      contents: the file that they are from.
      architecture: the network.
      preprocessing: auto; or caffe, torchvision or tf, as the user says.
      where: the file's name, for errors.

    Raises:
      UserError: the file does not say it, or contradicts the user.
    """
    if preprocessing not in CHOICES:
        raise UserError(f"weights.preprocessing={preprocessing} is unknown; there are {', '.join(CHOICES)}")
    if own := _read_input(contents):
        kind = next((k for k in ("caffe", "torchvision", "tf") if _is_same(own, layer(k))), "its own")
        words = contents.notes.get("source", "their input layer is in the file")
        _check_agreement(preprocessing, kind, where)
        return Prepared(layers, own, words)
    if known := recognise(layers, architecture=architecture, where=where):
        _check_agreement(preprocessing, "caffe", where)
        words = f"{architecture.name}, the original Caffe values; input {describe('caffe')}"
        return Prepared(known, layer("caffe"), words)
    return _prepare_by_format(layers, contents, architecture=architecture, preprocessing=preprocessing, where=where)


def _prepare_by_format(
    layers: Layers, contents: Contents, *, architecture: "Architecture", preprocessing: str, where: str
) -> Prepared:
    """For values that are not known: what the user says, or else what the format's own programs do."""
    network = architecture.name
    if contents.kind == "matconvnet" and preprocessing != "torchvision":
        # RGB in the file, BGR here: the same function, and one form for all 0..255 weights
        mean = CAFFE_MEAN if preprocessing == "caffe" else _mean(contents.notes)
        shown = ", ".join(f"{m:.6g}" for m in reversed(mean))
        words = f"{network}, from a MatConvNet file; input BGR, 0..255, minus ({shown})"
        return Prepared(_swap_colours(layers), subtract_mean(mean), words)
    usual = {"keras": "caffe"} | ({"torch": "torchvision"} if _is_torchvision(contents) else {})
    usual |= dict(architecture.inputs)
    kind = preprocessing if preprocessing != "auto" else usual.get(contents.kind, "")
    if not kind:
        raise UserError(
            f"{where}: these values are not known here, and the file does not say what input they were trained "
            f"on; say weights.preprocessing=caffe ({describe('caffe')}) or torchvision ({describe('torchvision')}) "
            f"or tf ({describe('tf')})"
        )
    return Prepared(layers, layer(kind), f"{network}, from a {contents.kind} file; input {describe(kind)}")


def recognise(layers: Layers, *, architecture: "Architecture", where: str) -> Layers | None:
    """Bring the original Caffe values to one form: BGR; height, width, in, out.

    They are known by the first filter for blue, in whichever order the file keeps colours, rows and columns.

    Returns:
      The layers in that form; None if they are other values.

    Raises:
      UserError: they are the original values of another network.
    """
    kernel = layers[next(iter(architecture.kernels))]["kernel"]
    if kernel.shape[:3] != (3, 3, 3):
        return None
    for name, numbers in _fingerprints(architecture).items():
        blue = np.reshape(numbers, (3, 3))
        for swapped, transposed in ((0, 0), (1, 0), (0, 1), (1, 1)):
            candidate = kernel[:, :, 2 if swapped else 0, 0]
            if np.allclose(candidate.T if transposed else candidate, blue, rtol=1e-4, atol=1e-6):
                if name != architecture.name:
                    message = f"these are the weights of {name}, not of {architecture.name}; set network={name}"
                    raise UserError(f"{where}: {message}")
                layers = _transpose(layers) if transposed else layers
                return _swap_colours(layers) if swapped else layers
    return None


def _fingerprints(architecture: "Architecture") -> dict[str, tuple[float, ...]]:
    """Those of every network that has one, this one's among them."""
    from nst_jax import extractors

    every = {name: extractors.architecture(name) for name in extractors.MODULES} | {architecture.name: architecture}
    return {name: one.fingerprint for name, one in every.items() if one.fingerprint}


def layer(kind: str) -> dict[str, np.ndarray]:
    """The input layer of `caffe`, `torchvision`, `tf` (2 x - 1, Keras' name for it), `pystiche` or `unit` (x)."""
    if kind == "unit":
        return _float32(np.eye(3), np.zeros(3))
    if kind == "tf":
        return _float32(2 * np.eye(3), -np.ones(3))
    if kind in ("caffe", "pystiche"):
        return subtract_mean(CAFFE_MEAN if kind == "caffe" else PYSTICHE_MEAN)
    std = np.asarray(TORCHVISION_STD)
    return _float32(np.diag(1 / std), -np.asarray(TORCHVISION_MEAN) / std)


def subtract_mean(mean: tuple[float, ...]) -> dict[str, np.ndarray]:
    """RGB in [0, 1] to BGR in 0..255 minus `mean` (which is RGB)."""
    return _float32(255 * np.eye(3)[::-1], -np.asarray(mean)[::-1])


def describe(kind: str) -> str:
    """A kind of preprocessing in words."""
    if kind == "caffe":
        return "BGR, 0..255, minus (103.939, 116.779, 123.68)"
    if kind == "pystiche":
        return "BGR, 0..255, minus pystiche's (104.04, 116.79, 123.675)"
    if kind in ("tf", "unit"):
        return "RGB, -1..1" if kind == "tf" else "RGB, 0..1"
    return f"RGB, 0..1, minus {TORCHVISION_MEAN}, over {TORCHVISION_STD}"


def _read_input(contents: Contents) -> dict[str, np.ndarray]:
    if normalizer := [name for name in contents.arrays if name.endswith("normalizer.new_mean")]:
        return _read_normalizer(contents, normalizer[0].removesuffix("new_mean"))
    names = {part: f"input.{part}" for part in ("kernel", "bias")}
    if not contents.arrays.keys() >= set(names.values()):
        return {}
    own = {part: np.asarray(contents.arrays[name].read(), np.float32) for part, name in names.items()}
    if not all(np.isfinite(a).all() for a in own.values()):
        raise UserError("damaged: the layer input holds values that are not finite")
    return own if (own["kernel"].shape, own["bias"].shape) == ((3, 3), (3,)) else {}


def _read_normalizer(contents: Contents, at: str) -> dict[str, np.ndarray]:
    """(x - mean) / deviation, as robustness writes it: github.com/MadryLab/robustness, tools/helpers.py."""
    given = [contents.arrays.get(f"{at}{name}") for name in ("new_mean", "new_std")]
    mean, std = (np.zeros(0) if one is None else np.asarray(one.read(), float).ravel() for one in given)
    if (mean.size, std.size) != (3, 3) or not np.isfinite([mean, std]).all() or std.min() <= 0:
        raise UserError(f"damaged: {at}new_mean and {at}new_std should be three numbers each, the latter above 0")
    return _float32(np.diag(1 / std), -mean / std)


def _check_agreement(preprocessing: str, found: str, where: str) -> None:
    if preprocessing not in ("auto", found):
        message = f"weights.preprocessing={preprocessing}, but these weights need {found}; leave it at auto"
        raise UserError(f"{where}: {message}")


def _is_same(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> bool:
    return all(np.allclose(a[k], b[k], rtol=1e-5) for k in ("kernel", "bias"))


def _is_torchvision(contents: Contents) -> bool:
    """Whether the file has torchvision's names."""
    return any("features." in name for name in contents.arrays)


def _mean(notes: Mapping[str, str]) -> tuple[float, ...]:
    return tuple(float(m) for m in notes["mean"].split()) if "mean" in notes else CAFFE_MEAN


def _float32(kernel: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
    return {"kernel": np.ascontiguousarray(kernel, np.float32), "bias": np.ascontiguousarray(bias, np.float32)}


def _swap_colours(layers: Layers) -> Layers:
    """RGB to BGR, or back: the first convolution's input channels in reverse."""
    first = next(iter(layers))
    kernel = np.ascontiguousarray(layers[first]["kernel"][:, :, ::-1])
    return layers | {first: layers[first] | {"kernel": kernel}}


def _transpose(layers: Layers) -> Layers:
    """(width, height, in, out) to (height, width, in, out)."""
    return {n: p | {"kernel": np.ascontiguousarray(p["kernel"].swapaxes(0, 1))} for n, p in layers.items()}
