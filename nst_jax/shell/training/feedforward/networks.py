"""The network that learns, by method and record."""

from typing import Any

from nst_jax.methods.feedforward.johnson import Transform
from nst_jax.methods.feedforward.painters import Transformer
from nst_jax.methods.feedforward.records import RECORDS, Record, with_widths
from nst_jax.shell.errors import UserError
from nst_jax.shell.names import look_up
from nst_jax.shell.training.feedforward.config import Config


def make_painter(method: str, config: Config, *, styles: int, channels: int) -> tuple[Record, Any]:
    """The record of the network that learns, and the network as the step takes it.

    Args:
      method: johnson, cin, adain or wct.
      config: the settings.
      styles: that are learnt.
      channels: that a decoder takes.
    """
    return make_transformer(method, config, styles=styles)


def make_transformer(method: str, config: Config, *, styles: int) -> tuple[Record, Transformer]:
    """A network from picture to picture. Raises UserError for a record that the method does not train."""
    conditional = method == "cin"
    known = {name: record for name, record in RECORDS.items() if (record.norm == "conditional") == conditional}
    record = look_up(known, config.record, f"record, of nst-train {method}")
    if not conditional and config.batch == 1 and record.norm == "batch":
        raise UserError(f"record={config.record}: its normalisation is by the batch; give batch=2 or more")
    record = with_widths(record, factor=config.width)._replace(styles=styles if conditional else 0)
    if min(layer.width for layer in record.layers) < 1:
        raise UserError(f"width={config.width:g} leaves a layer without channels")
    if config.side % record.multiple:
        raise UserError(f"side={config.side}: give a multiple of {record.multiple}, for this network halves it")
    return record, Transformer(Transform(record), record.styles)
