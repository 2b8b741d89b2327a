"""The network that learns, by method and record."""

from typing import Any

from nst_jax.methods.feedforward.adain import FORMS
from nst_jax.methods.feedforward.decoders import DRAWS, Decoder
from nst_jax.methods.feedforward.johnson import Transform
from nst_jax.methods.feedforward.painters import Adain, Decoding, Transformer, Wct
from nst_jax.methods.feedforward.records import ENCODERS, LEVELS, RECORDS, Mirror, Record, deepen, mirror, with_widths
from nst_jax.methods.feedforward.training import Code
from nst_jax.methods.feedforward.wct import RULES
from nst_jax.shell.errors import UserError
from nst_jax.shell.names import look_up
from nst_jax.shell.training.feedforward.config import Config


def make_painter(method: str, config: Config, *, styles: int, divisor: float) -> tuple[Record | Mirror, Any]:
    """The record of the network that learns, and the network as the step takes it.

    Args:
      method: johnson, cin, adain or wct.
      config: the settings.
      styles: that are learnt.
      divisor: of what a decoder takes.
    """
    if method in ("johnson", "cin"):
        return make_transformer(method, config, styles=styles)
    return make_decoder(method, config, divisor=divisor)


def check_network(method: str, config: Config) -> None:
    """Raise UserError for a record, a level or a size that makes no network: before anything is read."""
    make_painter(method, config, styles=1, divisor=1.0)


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


def make_decoder(method: str, config: Config, *, divisor: float) -> tuple[Mirror, Decoding]:
    """A decoder from the encoder's level. Raises UserError for an unknown level or record."""
    look_up({level: level for level in LEVELS}, config.level, "level")
    widths = look_up(ENCODERS, config.record, "record, a decoder's, which is the mirror of an encoder")
    look_up(dict.fromkeys(DRAWS), config.draw, "draw")
    record = mirror(widths, level=config.level)._replace(divisor=divisor, draw=config.draw)
    record = deepen(record, widths, level=config.level, number=config.more)
    if config.side % record.multiple:
        raise UserError(f"side={config.side}: give a multiple of {record.multiple}, for the encoder halves it")
    return record, Decoding(Decoder(record), Code(config.level, make_mix(method, config)))


def make_mix(method: str, config: Config) -> Adain | Wct | None:
    """The way that the style enters the activation. Raises UserError for an unknown mix or form."""
    if method != "adain":
        return None
    means = Adain(look_up(FORMS, config.form, "form"))
    return look_up({"means": means, "covariances": Wct(RULES["relative"])}, config.mix, "mix")
