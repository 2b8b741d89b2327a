"""A file's arrays, fitted to a network: names, layouts and shapes, and everything that is wrong with them by name."""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.stored import Contents, Stored

Layers = dict[str, dict[str, np.ndarray]]
Shapes = Mapping[str, tuple[int, int, int, int]]

CONV = re.compile(r"(?:^|\.)(?:block(\d)_conv|conv(\d)_)(\d)\.(kernel|weight|bias)$")  # Keras', and everybody else's
INDEX = re.compile(r"(?:^|\.)features\.(\d+)\.(\w+)$")  # torchvision's
# the fully connected layers behind the convolutions, which nothing here needs
CLASSIFIER = re.compile(r"(?:^|\.)(fc\d*|classifier|predictions|prob|flatten|dense)\b|(?:^|\.)(fc|dense)_?\d")
WIDTH = 8  # how many names a message lists


def shapes(network: str) -> Shapes:
    """The shape of every kernel, by layer name."""
    from nst_jax import extractors, vgg  # imports jax: only when weights are really loaded

    if network not in extractors.BLOCKS:
        raise UserError(f"network: no weights are known for {network!r}; there are {', '.join(extractors.BLOCKS)}")
    return vgg.kernels(extractors.BLOCKS[network])


def fit(contents: Contents, *, network: str, needed: tuple[str, ...], where: str) -> Layers:
    """The convolutions in the file, float32 in (height, width, in, out), in the network's order.

    The first blocks alone are enough where `needed` asks for no more. UserError names what is missing, what
    the network does not have, and shapes that are not its own.
    """
    expected = shapes(network)
    found, surplus = _named(contents, expected)
    for layer, parts in found.items():
        for role, wanted in (("kernel", expected[layer]), ("bias", expected[layer][3:])):
            if role in parts and parts[role].shape != wanted:
                shape = parts[role].shape
                raise UserError(f"{where}: not weights of {network}, {layer}'s {role} is {shape}, not {wanted}")
    if surplus:
        raise UserError(f"{where}: not weights of {network}, it has no {_list(surplus)}")
    _whole(found, expected, network=network, needed=needed, where=where)
    return {layer: _load(found[layer], layer, where) for layer in expected if layer in found}


def _named(contents: Contents, expected: Shapes) -> tuple[dict[str, dict[str, Stored]], list[str]]:
    """The arrays as layer -> role -> array, and the names that are no layer of this network."""
    places = dict(_positions(expected))
    found: dict[str, dict[str, Stored]] = {}
    surplus = []
    for name, stored in _familiar(contents, expected):
        layer, role = _layer(name, places)
        part, array = _oriented(role, stored)
        if layer in expected and part not in found.get(layer, {}):  # not twice, as in a file with an average of itself
            found.setdefault(layer, {})[part] = array
        elif not name.startswith("input.") and not CLASSIFIER.search(name):
            surplus.append(name)
    return found, surplus


def _layer(name: str, places: Mapping[int, str]) -> tuple[str, str]:
    if match := CONV.search(name):
        keras, plain, i, role = match.groups()
        return f"conv{keras or plain}_{i}", role
    if match := INDEX.search(name):
        return places.get(int(match[1]), ""), match[2]
    return "", ""


def _positions(expected: Shapes) -> Iterator[tuple[int, str]]:
    """torchvision numbers its layers: a convolution and its ReLU count 2, the pooling behind a block 1."""
    place, block = 0, "conv1"
    for layer in expected:
        if not layer.startswith(block):
            place, block = place + 1, layer.partition("_")[0]
        yield place, layer
        place += 2


def _familiar(contents: Contents, expected: Shapes) -> Iterator[tuple[str, Stored]]:
    """A Keras file whose layers have names of their own is read in its order, if its kernels are of rank 4."""
    arrays = contents.arrays
    if contents.kind != "keras" or any(CONV.search(name) for name in arrays):
        yield from arrays.items()
        return
    layers = [n.removesuffix(".kernel") for n, a in arrays.items() if n.endswith(".kernel") and len(a.shape) == 4]
    names = dict(zip(layers, expected, strict=False))
    for name, stored in arrays.items():
        layer, _, role = name.rpartition(".")
        dense = len(arrays.get(f"{layer}.kernel", stored).shape) == 2
        if not dense:
            yield (f"{names[layer]}.{role}" if layer in names else name), stored


def _whole(found: Mapping, expected: Shapes, *, network: str, needed: tuple[str, ...], where: str) -> None:
    """No layer may be missing that is needed, nor one before the deepest that is there."""
    if not found:
        raise UserError(f"{where}: not weights of {network}, it holds none of its layers")
    order = list(expected)
    deepest = max(order.index(layer) for layer in found)
    if gaps := [layer for layer in order[:deepest] if layer not in found]:
        raise UserError(f"{where}: not weights of {network}, it has {order[deepest]} but no {_list(gaps)}")
    if missing := [layer for layer in order if layer in needed and layer not in found]:
        raise UserError(
            f"{where}: holds {order[0]} to {order[deepest]} only, and these layers need {_list(missing)} too; "
            "use the whole file, or layers that are not as deep"
        )
    for layer, parts in found.items():
        if surplus := {"kernel", "bias"} ^ parts.keys():
            raise UserError(
                f"{where}: {layer} should have a kernel and a bias, and nothing else; see {_list([*surplus])}"
            )


def _oriented(role: str, stored: Stored) -> tuple[str, Stored]:
    """torch's `weight` is (out, in, height, width), our `kernel` (height, width, in, out)."""
    if role != "weight" or len(stored.shape) != 4:
        return role.replace("weight", "kernel"), stored
    out, cin, height, width = stored.shape
    return "kernel", Stored((height, width, cin, out), lambda: np.transpose(stored.read(), (2, 3, 1, 0)))


def _load(parts: Mapping[str, Stored], layer: str, where: str) -> dict[str, np.ndarray]:
    arrays = {r: np.ascontiguousarray(parts[r].read(), np.float32) for r in ("kernel", "bias")}
    if not all(np.isfinite(a).all() for a in arrays.values()):
        raise UserError(f"{where}: damaged, {layer} holds values that are not finite")
    return arrays


def _list(names: list[str]) -> str:
    more = f" and {len(names) - WIDTH} more" if len(names) > WIDTH else ""
    return ", ".join(names[:WIDTH]) + more
