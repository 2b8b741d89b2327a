"""A trained network as plain values: what a file holds, and the network that comes of it."""

from collections.abc import Mapping
from typing import Any

from flax import traverse_util

from nst_jax.methods.feedforward.decoders import Decoder
from nst_jax.methods.feedforward.johnson import Transform
from nst_jax.methods.feedforward.records import Layer, Mirror, Record

SEPARATOR = "/"


def flatten(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables by one name each: params/conv1/kernel."""
    return traverse_util.flatten_dict(dict(variables), sep=SEPARATOR)


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of `flatten`."""
    return traverse_util.unflatten_dict(dict(flat), sep=SEPARATOR)


def plain(record: Record | Mirror) -> dict[str, Any]:
    """A record as names, numbers and lists of them, for a file's header."""
    layers = [layer._asdict() if isinstance(layer, Layer) else layer for layer in record.layers]
    return {**record._asdict(), "layers": layers}


def record_of(values: Mapping[str, Any]) -> Record | Mirror:
    """The record of `plain`. Raises TypeError or KeyError for other values."""
    if "entry" not in values:
        return Mirror(**{**values, "layers": tuple(values["layers"])})
    return Record(**{**values, "layers": tuple(Layer(**layer) for layer in values["layers"])})


def module(record: Record | Mirror) -> Transform | Decoder:
    """The network of a record."""
    return Decoder(record) if isinstance(record, Mirror) else Transform(record)
