"""Preprocessing belongs to the weights: what the network was trained on, as its layer `input`.

`input` maps RGB in [0, 1] to the network's input: image @ kernel + bias. It is read from the file, or
follows from what the values are, or from the programs that write the format; where none of these says it,
the user has to.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.fit import Layers
from nst_jax.shell.stored import Contents

# Mean colour of ImageNet as the original networks subtract it, RGB 0..255:
# https://gist.github.com/ksimonyan/3785162f95cd2d5fee77 (there BGR: 103.939, 116.779, 123.68)
CAFFE_MEAN = (123.68, 116.779, 103.939)
# https://github.com/pytorch/vision/blob/main/torchvision/transforms/_presets.py (ImageClassification)
TORCHVISION_MEAN = (0.485, 0.456, 0.406)
TORCHVISION_STD = (0.229, 0.224, 0.225)

# conv1_1's first filter on blue, rows from above, in the original Caffe values: enough to know them again
# in any container, whichever order it keeps colours, rows and columns in. VGG-19's are read from the weights;
# VGG-16's as others printed them from Keras' file
ORIGINAL = {
    "vgg19": (
        0.34119523,
        0.33999205,
        -0.04484424,
        0.23215917,
        0.08978214,
        -0.30331427,
        -0.07260918,
        -0.246675,
        -0.33683276,
    ),
    "vgg16": (
        0.42947057,
        0.373467,
        -0.061360113,
        0.27476987,
        0.038680777,
        -0.36722335,
        -0.05746817,
        -0.26224968,
        -0.35009676,
    ),
}
CHOICES = ("auto", "caffe", "torchvision")


class Prepared(NamedTuple):
    """Layers in their one canonical form, with their input layer and what they are in words."""

    layers: Layers
    input: dict[str, np.ndarray]
    words: str


def prepare(layers: Layers, contents: Contents, *, network: str, asked: str, where: str) -> Prepared:
    """Find out what `layers` expect. `asked` is auto, or what the user says; a contradiction is a UserError."""
    if asked not in CHOICES:
        raise UserError(f"weights.preprocessing={asked} is unknown; there are {', '.join(CHOICES)}")
    if own := _own(contents):
        words = contents.notes.get("source", "weights with their own input layer")
        _agree(asked, next((k for k in CHOICES[1:] if _same(own, layer(k))), "its own"), where)
        return Prepared(layers, own, words)
    if known := original(layers, network=network, where=where):
        _agree(asked, "caffe", where)
        return Prepared(known, layer("caffe"), f"{network}, the original Caffe values; input {describe('caffe')}")
    return _by_format(layers, contents, network=network, asked=asked, where=where)


def _by_format(layers: Layers, contents: Contents, *, network: str, asked: str, where: str) -> Prepared:
    """Values nobody knows: what the user says, or else what the format's own programs do."""
    if contents.kind == "matconvnet" and asked != "torchvision":
        # RGB in the file, BGR with us: the same function, and one form for all 0..255 weights
        mean = CAFFE_MEAN if asked == "caffe" else _mean(contents.notes)
        shown = ", ".join(f"{m:.6g}" for m in reversed(mean))
        words = f"{network}, from a MatConvNet file; input BGR, 0..255, minus ({shown})"
        return Prepared(_swap(layers), scaled(mean), words)
    usual = {"keras": "caffe", "torch": "torchvision"} if contents.kind != "torch" or _numbered(contents) else {}
    kind = asked if asked != "auto" else usual.get(contents.kind, "")
    if not kind:
        raise UserError(
            f"{where}: these values are not known here, and the file does not say what input they were trained "
            f"on; say weights.preprocessing=caffe ({describe('caffe')}) or torchvision ({describe('torchvision')})"
        )
    return Prepared(layers, layer(kind), f"{network}, from a {contents.kind} file; input {describe(kind)}")


def original(layers: Layers, *, network: str, where: str) -> Layers | None:
    """The original Caffe values in their one form (BGR; height, width, in, out), if that is what these are."""
    kernel = layers["conv1_1"]["kernel"]
    for name, values in ORIGINAL.items():
        blue = np.reshape(values, (3, 3))
        for swapped, turned in ((0, 0), (1, 0), (0, 1), (1, 1)):
            seen = kernel[:, :, 2 if swapped else 0, 0]
            if np.allclose(seen.T if turned else seen, blue, rtol=1e-4, atol=1e-6):
                if name != network:
                    raise UserError(f"{where}: these are the weights of {name}, not of {network}; set network={name}")
                layers = _turn(layers) if turned else layers
                return _swap(layers) if swapped else layers
    return None


def layer(kind: str) -> dict[str, np.ndarray]:
    """The input layer of `caffe` or `torchvision`."""
    if kind == "caffe":
        return scaled(CAFFE_MEAN)
    std = np.asarray(TORCHVISION_STD)
    return _float32(np.diag(1 / std), -np.asarray(TORCHVISION_MEAN) / std)


def scaled(mean: tuple[float, ...]) -> dict[str, np.ndarray]:
    """RGB in [0, 1] to BGR in 0..255 minus `mean` (which is RGB)."""
    return _float32(255 * np.eye(3)[::-1], -np.asarray(mean)[::-1])


def describe(kind: str) -> str:
    """A kind of preprocessing in words."""
    if kind == "caffe":
        return "BGR, 0..255, minus (103.939, 116.779, 123.68)"
    return f"RGB, 0..1, minus {TORCHVISION_MEAN}, over {TORCHVISION_STD}"


def _own(contents: Contents) -> dict[str, np.ndarray]:
    names = {part: f"input.{part}" for part in ("kernel", "bias")}
    if not contents.arrays.keys() >= set(names.values()):
        return {}
    own = {part: np.asarray(contents.arrays[name].read(), np.float32) for part, name in names.items()}
    return own if (own["kernel"].shape, own["bias"].shape) == ((3, 3), (3,)) else {}


def _agree(asked: str, found: str, where: str) -> None:
    if asked not in ("auto", found):
        raise UserError(f"{where}: weights.preprocessing={asked}, but these weights need {found}; leave it at auto")


def _same(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> bool:
    return all(np.allclose(a[k], b[k], rtol=1e-5) for k in ("kernel", "bias"))


def _numbered(contents: Contents) -> bool:
    return any("features." in name for name in contents.arrays)


def _mean(notes: Mapping[str, str]) -> tuple[float, ...]:
    return tuple(float(m) for m in notes["mean"].split()) if "mean" in notes else CAFFE_MEAN


def _float32(kernel: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
    return {"kernel": np.ascontiguousarray(kernel, np.float32), "bias": np.ascontiguousarray(bias, np.float32)}


def _swap(layers: Layers) -> Layers:
    """RGB to BGR, or back: the first convolution's input channels in reverse."""
    first = layers["conv1_1"]
    return layers | {"conv1_1": first | {"kernel": np.ascontiguousarray(first["kernel"][:, :, ::-1])}}


def _turn(layers: Layers) -> Layers:
    """(width, height, in, out) to (height, width, in, out)."""
    return {n: p | {"kernel": np.ascontiguousarray(p["kernel"].swapaxes(0, 1))} for n, p in layers.items()}
