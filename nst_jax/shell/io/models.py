"""Feed-forward networks in files: one .safetensors with the variables, and in its header all that they came from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst_jax.methods.feedforward.models import flatten, nest, plain, record_of
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import draft

FORMAT = "nst_jax feed-forward 1"


class Model(NamedTuple):
    """A trained network."""

    method: str  # johnson, cin, adain or wct
    record: Any  # of methods.feedforward: what the network is made of
    variables: Mapping[str, Any]  # {"params": ...}, and "batch_stats" of a batch normalisation; float32
    notes: Mapping[str, str]  # all else that the file says of itself


def save(model: Model, path: str | Path) -> None:
    """Write one file, whole or not at all. The variables keep their precision."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    flat = {name: np.ascontiguousarray(values) for name, values in flatten(model.variables).items()}
    header = {"format": FORMAT, "method": model.method, "record": json.dumps(plain(model.record)), **model.notes}
    with draft(path) as part:
        try:
            save_file(flat, part, metadata=header)
        except SafetensorError as error:  # a full disk, for instance
            raise OSError(str(error)) from error


def load(path: str | Path) -> Model:
    """Read a file that `save` wrote. Raises UserError for another one, or a damaged one."""
    from safetensors import SafetensorError, safe_open

    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f"no file {path}: give a model that nst-train wrote")
    try:
        with safe_open(path, framework="numpy") as file:
            notes = dict(file.metadata() or {})
            flat = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged, or no .safetensors file ({error})") from None
    if notes.pop("format", None) != FORMAT:
        raise UserError(f"{path} holds no feed-forward network of this version: give a model that nst-train wrote")
    try:
        method, record = notes.pop("method"), record_of(json.loads(notes.pop("record")))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged: its header says no network ({error})") from None
    return Model(method, record, nest(flat), notes)
