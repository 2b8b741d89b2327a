"""Trained feed-forward networks, from files that nst-train wrote, ready to paint."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp

from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.methods.feedforward import wct
from nst_jax.methods.feedforward.adain import FORMS
from nst_jax.methods.feedforward.instant import Adain, Model, Transformation, Wct
from nst_jax.methods.feedforward.records import LEVELS
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache, models, weights
from nst_jax.shell.names import find, look_up, suggest
from nst_jax.shell.places import PACKAGE, package_file
from nst_jax.shell.running import device
from nst_jax.shell.settings.schema import Weights

Log = Callable[[str], object]
FILE = "model.safetensors"  # of nst-train, in its folder
OWN = Weights(source="own", seed=0, preprocessing="auto")  # the encoder's weights are those that the file names


class Encoder(NamedTuple):
    """How the encoder is loaded."""

    source: Weights
    convolution: str | None
    log: Log


class Part(NamedTuple):
    """One file."""

    path: Path
    sha256: str
    model: models.Model
    config: Mapping[str, Any]  # the settings of its training


def load(given: Any, *, source: Weights = OWN, log: Log, convolution: str | None = None) -> Model:
    """A trained network.

    Args:
      given: a file of nst-train, its folder, the name of one that comes with the package, or a list: the levels of WCT.
      source: where the encoder's weights are; `own`: where the training had them from.
      log: takes what happens on the way, a line each.
      convolution: of the encoder, auto, direct or winograd; None: as in the training.

    Raises:
      UserError: no such file, a damaged one, files that do not belong together, or an encoder that is not to be had.
    """
    parts = [read(path) for path in paths_of(given)]
    methods = {part.model.method for part in parts}
    if len(parts) > 1 and methods != {"wct"}:
        names = ", ".join(f"{part.path} ({part.model.method})" for part in parts)
        raise UserError(f"model: several files are the levels of wct; these are {names}")
    make = look_up(KINDS, parts[0].model.method, f"the method of {parts[0].path}")
    try:
        return make(parts, Encoder(source, convolution, log))
    except (KeyError, TypeError) as error:
        raise UserError(f"{parts[0].path}: its header lacks what the network needs ({error})") from None


def paths_of(given: Any) -> list[Path]:
    """The files that `model` names. Raises UserError where there are none."""
    if isinstance(given, list | tuple):
        return [path for one in given for path in paths_of(one)]
    path = Path(given).expanduser()
    if not path.exists() and path.name == str(given):
        path = find_packaged(path.name) or path
    if path.is_dir():
        inside = [path / FILE] if (path / FILE).is_file() else sorted(path.glob(f"*/{FILE}"))
        if not inside:
            raise UserError(f"model={given}: no {FILE} is in this folder, nor in a folder within")
        return inside
    if not path.is_file():
        raise UserError(f"model={given}: there is no such file: give a file that nst-train wrote{other_names(path)}")
    return [path]


def name_of(given: Any) -> str:
    """A name for a model: its file's, or its folder's where the file has the name that nst-train gives."""
    path = Path(given).expanduser()
    return path.absolute().parent.name if path.name == FILE else path.name


def find_packaged(name: str) -> Path | None:
    """The file or folder of that name among the models that come with the package, or None."""
    places = (package_file(f"trained/models/{name}"), package_file(f"trained/models/{name}.safetensors"))
    return next((place for place in places if place.exists()), None)


def other_names(path: Path) -> str:
    """The other names, in words."""
    known = sorted({place.stem for place in (PACKAGE / "trained" / "models").glob("*")})
    near = suggest(path.name, [p.name for p in path.parent.glob("*.safetensors")] if path.parent.is_dir() else [])
    return (f", or one that comes with nst_jax: {', '.join(known)}." if known else ".") + near


def read(path: Path) -> Part:
    """One file."""
    model = models.load(path)
    try:
        config = json.loads(model.notes["config"])
    except (KeyError, ValueError):
        config = {}
    return Part(path, cache.sha256(path), model, config)


def header(parts: Sequence[Part], **more: Any) -> dict[str, Any]:
    """The headers of the files, and their hashes."""
    files = [{"path": str(part.path), "sha256": part.sha256} for part in parts]
    return {**parts[0].model.notes, "files": files, **more}


def as_arrays(variables: Any) -> Any:
    """The variables on the device."""
    import jax

    return jax.tree.map(jnp.asarray, dict(variables))


def make_transformation(parts: Sequence[Part], encoder: Encoder) -> Model:
    """johnson or cin. Its encoder has had its part in the training."""
    own = parts[0].model
    styles = [style["name"] for style in json.loads(own.notes.get("styles", "[]"))]
    if own.record.styles and len(styles) != own.record.styles:
        styles = [f"style_{place}" for place in range(own.record.styles)]
    params = {"network": as_arrays(own.variables)}
    return Model(own.method, Transformation(own.record), own.record, params, header(parts, style_names=styles))


def make_adain(parts: Sequence[Part], encoder: Encoder) -> Model:
    """A decoder for any style, with its encoder."""
    own, config = parts[0].model, parts[0].config
    layer = str(config["level"])
    form = look_up(FORMS, config["form"], f"form, of {parts[0].path}")
    network, params, facts = make_encoder(parts, (layer,), encoder)
    apply = Adain(network, layer, own.record, form)
    return Model(
        own.method,
        apply,
        own.record,
        {"network": as_arrays(own.variables), "encoder": params},
        header(parts, encoder_used=facts),
    )


def make_wct(parts: Sequence[Part], encoder: Encoder) -> Model:
    """Decoders of one level or several, with their encoder. The deepest is the first."""
    levels = {str(part.config["level"]): part for part in parts}
    if len(levels) < len(parts):
        raise UserError(f"model: two of these files are of one level: {', '.join(str(part.path) for part in parts)}")
    if unknown := [level for level in levels if level not in LEVELS]:
        raise UserError(f"{levels[unknown[0]].path}: its level is {unknown[0]}, which is none of {', '.join(LEVELS)}")
    order = tuple(level for level in reversed(LEVELS) if level in levels)
    network, params, facts = make_encoder([levels[level] for level in order], order, encoder)
    records = tuple((level, levels[level].model.record) for level in order)
    variables = {level: as_arrays(levels[level].model.variables) for level in order}
    apply = Wct(network, records, wct.RULES["relative"])
    head = header([levels[level] for level in order], encoder_used=facts)
    return Model("wct", apply, records, {"network": variables, "encoder": params}, head)


KINDS = {"johnson": make_transformation, "cin": make_transformation, "adain": make_adain, "wct": make_wct}


def make_encoder(
    parts: Sequence[Part], layers: tuple[str, ...], encoder: Encoder
) -> tuple[Extractor, Any, dict[str, str]]:
    """The encoder that the files name, tapped at the layers, its parameters, and their source and hash.

    Raises UserError if it is not the encoder of the training.
    """
    first = parts[0]
    wanted = {part.model.notes.get("encoder_sha256") for part in parts}
    if len(wanted) > 1:
        raise UserError(f"model: the levels were trained with different encoders: {', '.join(map(str, wanted))}")
    settings = first.config["network"]
    arch = find(architecture, MODULES, settings["name"], f"network.name, of {first.path}")
    network = tap(arch, layers, settings, first.path)
    source = choose(encoder.source, first)
    loaded, sha = load_weights(arch, network, source, encoder.log), wanted.pop()
    drawn = source.source == first.config["weights"]["source"] == "random"  # the hash is that of the layers in use
    if loaded.sha256 != sha and not drawn:
        raise UserError(
            f"{first.path} was trained with the encoder {first.model.notes.get('encoder')} (sha256 {str(sha)[:12]}), "
            f"and this is {loaded.source} (sha256 {loaded.sha256[:12]}): give that one, weights=file weights.path=FILE"
        )
    convolution = device.convolution(encoder.convolution or str(settings.get("convolution", "auto")))
    params = arch.ready(dict(loaded.params), convolution=convolution, dtype="float32")
    return network, params, {"source": loaded.source, "sha256": loaded.sha256}


def choose(source: Weights, part: Part) -> Weights:
    """Where the encoder's weights are: where the settings say, or else where the training had them from."""
    if source.source != "own":
        return source
    given = part.config["weights"]
    if given["source"] == "file":
        raise UserError(
            f"{part.path} was trained with weights in a file, {given['path']} ({part.model.notes.get('encoder')}): say "
            "where it is, weights=file weights.path=FILE"
        )
    known = {key: given[key] for key in ("source", "seed", "preprocessing") if key in given}
    return Weights(**{"seed": 0, "preprocessing": "auto", **known, "mirror": source.mirror})


def tap(arch: Architecture, layers: tuple[str, ...], settings: Mapping[str, Any], path: Path) -> Extractor:
    """The network as it was in the training, tapped at the layers."""
    try:
        how = {key: settings[key] for key in ("pool", "rounding", "padding")}
        return arch.tap(layers, **how, checkpoint=False)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None


def load_weights(arch: Architecture, network: Extractor, source: Weights, log: Log) -> weights.NetworkParams:
    """The encoder's parameters as far as its taps need them."""
    needed = arch.needs(network.taps)
    given = {"path": source.path, "mirror": source.mirror, "seed": source.seed, "preprocessing": source.preprocessing}
    loaded = weights.load(source.source, network=arch.name, needed=needed, log=log, **given)
    return loaded._replace(params={name: loaded.params[name] for name in ("input", *needed)})
