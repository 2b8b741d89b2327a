"""Find a network's convolutions in a weight file: their names, layouts and shapes, and every mistake by name."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nst_jax.shell.errors import UserError
from nst_jax.shell.io.stored import Contents, Stored

if TYPE_CHECKING:
    from nst_jax.extractors.base import Architecture  # imports jax

# a convolution -> kernel (height, width, in, out) and bias (out), or what its batch normalisation has in place of it
Layers = dict[str, dict[str, np.ndarray]]

# the fully connected layers behind the convolutions and beside them, which nothing here needs
CLASSIFIER = re.compile(
    r"(?:^|\.)(fc\d*|classifier|predictions|prob|flatten|dense|AuxLogits|aux\d)\b|(?:^|\.)(fc|dense)_?\d"
)
# what robustness (github.com/MadryLab/robustness, train.py and attacker.py) writes beside a model: the same model
# within the attack, what normalises the input, and the state of the training
BESIDE = re.compile(r"(?:^|\.)(?:attacker|normalizer)\.|^(?:optimizer|schedule|amp)\.")
NORM = ("scale", "offset", "mean", "variance")  # of a batch normalisation
# their names: torch's; Keras' in files of Keras 2, older ones with more around them; their numbers in those of Keras 3
ROLES = {"weight": "scale", "bias": "offset", "running_mean": "mean", "running_var": "variance"}
KERAS_ROLES = {"gamma": "scale", "beta": "offset", "mean": "mean", "var": "variance", "std": "variance"}
COUNTS = {3: NORM[1:], 4: NORM}  # without gamma, and with it
UNUSED = ("num_batches_tracked",)
MAX_NAMES = 8  # in a message


def fit(contents: Contents, *, architecture: "Architecture", needed: tuple[str, ...], where: str) -> Layers:
    """Read the network's convolutions from a file.

    Args:
      contents: the file's arrays by name.
      architecture: the network.
      needed: the convolutions that must be there. The first ones of the network are enough if they hold these.
      where: the file's name, for errors.

    Returns:
      float32 arrays in the network's order: kernels (height, width, in, out), biases (out).

    Raises:
      UserError: it names what is missing, what the network does not have, and shapes that are not its own.
    """
    expected, network = architecture.kernels, architecture.name
    found, surplus = _match(contents, architecture)
    for layer, parts in found.items():
        for role, stored in ((role, parts[role]) for role in ("kernel", "bias", *NORM) if role in parts):
            wanted = expected[layer] if role == "kernel" else expected[layer][-1:]
            if stored.shape != wanted:
                shape = stored.shape
                raise UserError(f"{where}: not weights of {network}, {layer}'s {role} is {shape}, not {wanted}")
    if surplus:
        raise UserError(f"{where}: not weights of {network}, it has no {_list(surplus)}")
    _check_complete(found, architecture, needed=needed, where=where)
    return {layer: _load(found[layer], layer, where) for layer in expected if layer in found}


def _match(contents: Contents, architecture: "Architecture") -> tuple[dict[str, dict[str, Stored]], list[str]]:
    """The arrays as layer -> role -> array, and the names that belong to no layer of this network."""
    names, norms = _layer_names(contents, architecture)
    found: dict[str, dict[str, Stored]] = {}
    surplus = []
    for name, stored in ((name, stored) for name, stored in contents.arrays.items() if not BESIDE.search(name)):
        path, _, role = name.rpartition(".")
        layer = names.get(path) or norms.get(path)
        part, array = _orient(role, stored) if path in names else (norm_role(role, path, contents), stored)
        if layer and part in UNUSED:
            continue
        if layer and part not in found.get(layer, {}):  # not twice, as in a file with an average of itself
            found.setdefault(layer, {})[part] = array
        elif not (name.startswith("input.") or CLASSIFIER.search(name) or _is_dense(contents, path)):
            surplus.append(name)
    return found, surplus


def norm_role(role: str, path: str, contents: Contents) -> str:
    """The role of an array of a batch normalisation, by its name in the file or by its number there."""
    if contents.kind != "keras":
        return ROLES.get(role, role)
    if role.isdigit():
        own = [name for name in contents.arrays if name.rpartition(".")[0] == path]
        return COUNTS.get(len(own), {int(role): role})[int(role)]
    return next((known for word, known in KERAS_ROLES.items() if word in role), role)


def _layer_names(contents: Contents, architecture: "Architecture") -> tuple[dict[str, str], dict[str, str]]:
    """The network's convolution for each path in the file, and the one that each normalisation there follows.

    A Keras file with names of its own is read in its order.
    """
    paths = dict.fromkeys(name.rpartition(".")[0] for name in contents.arrays)
    names = {path: layer for path in paths if (layer := _look_up_alias(path, architecture.aliases))}
    norms = {path: layer for path in paths if (layer := _look_up_alias(path, architecture.norms))}
    if names or contents.kind != "keras":
        return names, norms
    kernels = {path: contents.arrays.get(f"{path}.kernel") for path in paths}
    convolutions = [path for path, kernel in kernels.items() if kernel and len(kernel.shape) == 4]
    order = architecture.keras_order or tuple(architecture.kernels)
    behind = [path for path, kernel in kernels.items() if kernel is None]
    names = dict(zip(convolutions, order, strict=False))
    return names, dict(zip(behind, (name for name in order if name in architecture.eps), strict=False))


def _look_up_alias(path: str, aliases: Mapping[str, str]) -> str | None:
    """The layer of a path, or of the part after one of its dots or slashes: module.features.0 is features.0."""
    starts = [0, *(i + 1 for i, character in enumerate(path) if character in "./")]
    return next((aliases[path[i:]] for i in starts if path[i:] in aliases), None)


def _is_dense(contents: Contents, path: str) -> bool:
    """Whether a Keras layer is fully connected."""
    kernel = contents.arrays.get(f"{path}.kernel")
    return contents.kind == "keras" and kernel is not None and len(kernel.shape) == 2


def _check_complete(
    found: Mapping[str, Mapping[str, Stored]], architecture: "Architecture", *, needed: tuple[str, ...], where: str
) -> None:
    """Check that the needed layers are present, and every layer before the deepest one in the file."""
    order, network = tuple(architecture.kernels), architecture.name
    if not found:
        raise UserError(f"{where}: not weights of {network}, it holds none of its layers")
    deepest = max(order.index(layer) for layer in found)
    if gaps := [layer for layer in order[:deepest] if layer not in found]:
        raise UserError(f"{where}: not weights of {network}, it has {order[deepest]} but no {_list(gaps)}")
    if missing := [layer for layer in order if layer in needed and layer not in found]:
        raise UserError(
            f"{where}: holds {order[0]} to {order[deepest]} only, and these layers need {_list(missing)} too; "
            "use the whole file, or layers that are not as deep"
        )
    for layer, parts in found.items():
        if layer not in architecture.eps and (surplus := {"kernel", "bias"} ^ parts.keys()):
            raise UserError(
                f"{where}: {layer} should have a kernel and a bias, and nothing else; see {_list([*surplus])}"
            )
        optional = {"bias", "scale"}  # of Keras' ResNet, and not of Keras' Inception
        if layer in architecture.eps and (odd := ({"kernel", *NORM} ^ parts.keys()) - optional):
            raise UserError(
                f"{where}: {layer} should have a kernel and a batch normalisation, and nothing else; "
                f"see {_list([*odd])}"
            )


def _orient(role: str, stored: Stored) -> tuple[str, Stored]:
    """torch's `weight` is (out, in, height, width), our `kernel` (height, width, in, out)."""
    if role != "weight" or len(stored.shape) != 4:
        return role.replace("weight", "kernel"), stored
    out, cin, height, width = stored.shape
    return "kernel", Stored((height, width, cin, out), lambda: np.transpose(stored.read(), (2, 3, 1, 0)))


def _load(parts: Mapping[str, Stored], layer: str, where: str) -> dict[str, np.ndarray]:
    """The arrays of a layer. Its normalisation takes up a bias before it. A scale that the file lacks is 1."""
    arrays = {role: np.ascontiguousarray(stored.read(), np.float32) for role, stored in parts.items()}
    if not all(np.isfinite(a).all() for a in arrays.values()):
        raise UserError(f"{where}: damaged, {layer} holds values that are not finite")
    if "mean" not in arrays:
        return {role: arrays[role] for role in ("kernel", "bias")}
    if (arrays["variance"] < 0).any():
        raise UserError(f"{where}: damaged, {layer} holds variances below 0")
    own = {"scale": np.ones_like(arrays["mean"]), **arrays, "mean": arrays["mean"] - arrays.get("bias", 0)}
    return {role: own[role] for role in ("kernel", *NORM)}


def _list(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
