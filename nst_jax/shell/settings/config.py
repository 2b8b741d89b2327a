"""From the command line to values: the only module that knows OmegaConf and where conf/ is."""

import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from hydra import __version__ as hydra_version
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from nst_jax.shell.errors import UserError
from nst_jax.shell.names import suggest
from nst_jax.shell.places import conf
from nst_jax.shell.settings.devices import wrong_devices
from nst_jax.shell.settings.layers import pick_layers
from nst_jax.shell.settings.model import wrong_model
from nst_jax.shell.settings.network import wrong_network
from nst_jax.shell.settings.options import files
from nst_jax.shell.settings.regions import wrong_regions
from nst_jax.shell.settings.scale import wrong_scale
from nst_jax.shell.settings.schema import Config, Sweep
from nst_jax.shell.settings.texture import with_layers, wrong_texture

SIDE = 100_000  # pixels of a side at most
COUNT = 2**31 - 1  # iterations are counted in 32 bits
PADDINGS = ("zero", "reflect", "replicate", "replicate_once", "circular", "circular_x", "circular_y")
NO_OPTION = "Config group override must be a string"  # a ValueError of Hydra's, for network=null
# hydra-core 1.3 wants a word on which defaults it takes, and 1.4 warns of it: they are its only ones
VERSION_BASE = {"version_base": "1.3"} if hydra_version.startswith("1.3.") else {}

ConfigStore.instance().store(name="schema", node=Config)


FROM = "from"  # a line's word for its base; Python has another use for it, so that it is no field of Config
FACTORS = ("layers.content", "layers.style")
MAPPINGS = ("canvas", "colour", "optimiser", "scale", "layers", "regions", *FACTORS)


def read(cfg: DictConfig) -> Config:
    """The settings as plain values, once: OmegaConf takes 12 us for each look at a key. UserError if one is off."""
    if FROM in cfg:
        with open_dict(cfg):
            del cfg[FROM]
    if extra := [str(key) for key in cfg if key not in {f.name for f in fields(Config)}]:
        raise UserError(f"there is no setting {extra[0]}.{suggest(extra[0], known_keys())}")
    if absent := sorted(key for key in OmegaConf.missing_keys(cfg)):
        raise UserError(f"not given: {', '.join(absent)}. Say: nst " + " ".join(f"{k}=..." for k in absent))
    for key in MAPPINGS:  # OmegaConf takes the value of an interpolation for one, whatever it is
        value = OmegaConf.select(cfg, key)
        plain_value = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_dict(value) else value
        if not isinstance(plain_value, dict) or (key in FACTORS and not all_numbers(plain_value)):
            raise UserError(f"{key}={plain_value}: give names and numbers, such as {{name: 1.0}}")
    config = cast(Config, OmegaConf.to_object(cfg))
    config.layers, config.pattern = pick_layers(config), with_layers(config)
    for problem in problems(config):
        raise UserError(problem)
    return config


def all_numbers(values: dict[Any, Any]) -> bool:
    """Whether each value is a number."""
    return all(isinstance(value, int | float) for value in values.values())


def plain(config: Config) -> dict[str, Any]:
    """The resolved settings as dicts, lists and numbers."""
    return asdict(config)


def from_plain(settings: dict[str, Any]) -> Config:
    """The settings, from the output of `plain`."""
    return cast(Config, OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Config), escape(settings))))


def escape(value: Any) -> Any:
    """The same settings, for OmegaConf to take to the letter: a file's name may have ${ in it."""
    if isinstance(value, dict):
        return {key: escape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [escape(inner) for inner in value]
    return re.sub(r"(\\*)\$\{", lambda m: f"{m.group(1) * 2}\\${{", value) if isinstance(value, str) else value


def plain_yaml(path: Path) -> dict[str, Any]:
    """A run's config.yaml as plain values."""
    return cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(path), resolve=True))


def sweep_settings(cfg: DictConfig) -> Sweep:
    """The part of the settings that says how a sweep is run."""
    with open_dict(cfg):
        return cast(Sweep, OmegaConf.to_object(cfg.sweep))


def from_record(settings: dict[str, Any]) -> tuple[Config, list[str]]:
    """The settings of a run's config.yaml, and those that it lacks, which have their defaults.

    Raises UserError for a file that lacks what has no default in config.yaml: another version has written it.
    """
    defaults = cast(DictConfig, OmegaConf.load(conf() / "config.yaml"))
    defaults["scale"] = OmegaConf.load(conf() / "scale" / "single.yaml")
    absent = [f.name for f in fields(Config) if f.name not in settings and f.name in defaults]
    own = {key: defaults[key] for key in absent}
    try:
        return from_plain(
            settings | {k: OmegaConf.to_object(v) if OmegaConf.is_config(v) else v for k, v in own.items()}
        ), absent
    except OmegaConfBaseException as error:
        raise UserError(f"its config.yaml is that of another version ({' '.join(str(error).split())})") from None


def yaml(config: Config) -> str:
    """The resolved settings as YAML."""
    return OmegaConf.to_yaml(OmegaConf.create(escape(plain(config))))


def problems(c: Config) -> Iterable[str]:
    """The mistakes in the values, in words."""
    yield from (f"{key} must be one of {', '.join(known)}; got {value}" for key, value, known in _wrong_choices(c))
    for key, value in _numbers(c):
        if not 0 <= value < float("inf"):
            why = (
                "a number above 1.8e308 is read as infinity" if value == float("inf") else "a weight is never negative"
            )
            yield f"{key} must be a finite number, 0 or more; got {value:g} ({why if value == value else 'no number'})"
    yield from _wrong_styles(c)
    yield from wrong_network(c)
    yield from wrong_texture(c)
    yield from wrong_regions(c)
    yield from wrong_scale(c)
    yield from wrong_model(c)
    scales = scales_of(c)
    bounds = (("size", c.size, 16), ("style_scale", min(scales), 1e-3), ("steps", c.steps, 0))
    bounds += (("convention.reference", c.convention.reference, 16), ("max_pixels", c.max_pixels, 256))
    bounds += (("photo.pool", c.photo.pool, 1), ("strokes.steps", c.strokes.steps, 0))
    bounds += (("strokes.scale", c.strokes.scale, 1e-3),)
    bounds += (("output.checkpoint", c.output.checkpoint, 0), ("sweep.checkpoint", c.sweep.checkpoint, 0))
    yield from (f"{key} must be at least {low}; got {value}" for key, value, low in bounds if not value >= low)
    largest = (("size", c.size, SIDE), ("style_scale", max(scales), 1e3), ("steps", c.steps, COUNT))
    largest += (("convention.reference", c.convention.reference, SIDE), ("output.every", c.output.every, COUNT))
    largest += (("strokes.steps", c.strokes.steps, COUNT), ("strokes.scale", c.strokes.scale, 1e3))
    yield from (f"{key} must be at most {high:g}; got {value}" for key, value, high in largest if not value <= high)
    for key, seed in (("seed", c.seed), ("weights.seed", c.weights.seed)):
        if not -(2**63) <= seed < 2**63:
            yield f"{key} must fit into 64 bits; got {seed}"
    if c.canvas.get("start") == "file" and not isinstance(c.canvas.get("path"), str):
        yield f"canvas.path must be a file; got {c.canvas.get('path')!r}"
    if not 0 < c.device.memory_fraction <= 1:
        yield f"device.memory_fraction must be in (0, 1]; got {c.device.memory_fraction}"
    tiles = c.device.tiles
    if tiles not in ("auto", "none") and not (is_number(tiles) and 16 <= tiles <= SIDE and tiles == int(tiles)):
        yield f"device.tiles must be auto, none, or a number of pixels, at least 16; got {tiles}"
    yield from wrong_devices(c)
    if c.output.every < 0 or not 1 <= c.output.quality <= 100 or c.output.film_ms < 1:
        yield "output: every must be 0 or more, quality 1 to 100, film_ms 1 or more"
    for side in ("content", "style"):
        if not getattr(c.layers, side) and getattr(c, f"{side}_weight"):
            mend = f"name a layer (+layers.{side}.NAME=1) or set {side}_weight=0"
            yield f"layers.{side} is empty but {side}_weight is not 0: {mend}"
    if not c.layers.content and not c.layers.style:
        yield "layers.content and layers.style are both empty: nothing is compared with anything"


def styles_of(c: Config) -> list[str]:
    """The paths of the style pictures: none, one or several. A texture's exemplar is one."""
    if c.texture is not None:
        return [c.texture]
    return [str(path) for path in (c.style if isinstance(c.style, list) else [c.style]) if path is not None]


def scales_of(c: Config) -> list[float]:
    """The scale of each style picture; at least one."""
    given = c.style_scale if isinstance(c.style_scale, list) else [c.style_scale] * max(1, len(styles_of(c)))
    return [float(scale) for scale in given]


def _wrong_styles(c: Config) -> Iterable[str]:
    """The mistakes in the style pictures, their shares and their scales. Only the first of them."""
    paths = c.style if isinstance(c.style, list) else [c.style]
    if not paths or not all(isinstance(path, str | int | float | None) for path in paths):
        yield f"style must be a picture, or a list of pictures: [one.jpg,two.jpg]; got {c.style}"
    elif isinstance(c.style, list) and None in paths:
        yield f"style has a null among its pictures: {c.style}"
    scales = c.style_scale if isinstance(c.style_scale, list) else [c.style_scale]
    if not scales or not all(is_number(scale) for scale in scales):
        yield f"style_scale must be a number, or a list of numbers; got {c.style_scale}"
    elif isinstance(c.style_scale, list) and len(scales) != len(styles_of(c)):
        yield f"style_scale has {len(scales)} numbers for {len(styles_of(c))} styles: give one for each"
    if c.style_blend is not None and not (isinstance(c.style_blend, list) and all(map(is_number, c.style_blend))):
        yield f"style_blend must be a list of numbers, one for each style: [0.7,0.3]; got {c.style_blend}"


def is_number(value: Any) -> bool:
    """Whether it is a number: neither a flag nor a word."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(c: Config) -> Iterable[tuple[str, float]]:
    """The weights, of parts and of layers."""
    yield from ((key, getattr(c, key)) for key in ("content_weight", "style_weight", "tv_weight"))
    yield from ((f"photo.{key}", getattr(c.photo, key)) for key in ("laplacian", "matting"))
    for side in ("content", "style"):
        yield from ((f"layers.{side}.{layer}", factor) for layer, factor in getattr(c.layers, side).items())


def _wrong_choices(c: Config) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    choices = (
        ("network.pool", c.network.pool, ("max", "avg", "l2")),
        ("network.rounding", c.network.rounding, ("floor", "ceil")),
        ("network.padding", c.network.padding, PADDINGS),
        ("convention.resolution", c.convention.resolution, ("published", "invariant")),
        ("convention.positions", c.convention.positions, ("image", "own")),
        ("sweep.redo", c.sweep.redo, ("failed", "missing", "all")),
        ("network.convolution", c.network.convolution, ("auto", "direct", "winograd")),
        ("device.checkpoint", str(c.device.checkpoint).lower(), ("auto", "true", "false")),
        ("device.precision", c.device.precision, ("float32", "tf32", "bfloat16")),
        ("style_mix", c.style_mix, ("targets", "terms")),
        ("strokes.mix", c.strokes.mix, ("repaint", "layers")),
        ("size_rule", c.size_rule, ("long", "short", "height", "width", "area", "original")),
    )
    return (row for row in choices if row[1] not in row[2])


def is_mistake(error: BaseException) -> bool:
    """Whether the error is Hydra's or OmegaConf's word for a mistake in a line, of their own kinds or of Python's."""
    if isinstance(error, HydraException | OmegaConfBaseException):
        return True
    raised = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    theirs = bool(raised) and raised[-1].startswith(("hydra.", "omegaconf."))
    return theirs and isinstance(error, ValueError | TypeError | AttributeError | LookupError)


def explain(error: BaseException, keys: Iterable[str] | None = None) -> str:
    """One of Hydra's or OmegaConf's errors in one line, with the nearest key.

    keys: that there are; None: those of `nst`.
    """
    text = f"{error} {error.__cause__ or ''}"
    if text.startswith(NO_OPTION):
        return "a group of settings takes the name of one of its options, GROUP=OPTION; nst --help lists them"
    unknown = re.search(r"Key '[^']+' (?:is )?not in .*?full_key: ([\w.-]+)", text, re.DOTALL)
    unknown = unknown or re.search(r"Could not override '([^']+)'", text)
    if unknown and (layer := re.fullmatch(r"layers\.(content|style)\.(\w+)", unknown.group(1))):
        side, name = layer.groups()
        return f"the layers in use have no {name} in layers.{side}; to add it: +layers.{side}.{name}=1"
    if unknown and (known := elsewhere(unknown.group(1))):
        return known
    if unknown:
        names = known_keys() if keys is None else keys
        return f"there is no setting {unknown.group(1)}.{suggest(unknown.group(1), names)}"
    if found := re.search(r"Could not find '([\w/]+)/([^']+)'", text):
        group, name = found.groups()
        options = sorted({*files(group), *(p.stem for own in own_folders() for p in (own / group).glob("*.yaml"))})
        return f"{group} has no option {name}.{suggest(name, options)} The options: {', '.join(options)}"
    if not isinstance(error, HydraException | OmegaConfBaseException):
        return f"this line cannot be read ({' '.join(text.split())}); nst --help lists the settings"
    return " ".join(text.split("object_type")[0].split())


def elsewhere(key: str) -> str | None:
    """The message for a key that another option of its group has, or None for any other key."""
    group, _, name = key.partition(".")
    found = files(group).values() if name and group in ("scale", "optimiser", "canvas") else ()
    having = [file.stem for file in found if name in cast(DictConfig, OmegaConf.load(file))]
    if not having:
        return None
    most = "multi" if "multi" in having else having[0]
    return f"the {group} in use has no {name}; {group}={most} has it: {', '.join(f'{group}={n}' for n in having)}"


def own_folders() -> list[Path]:
    """The folders of the user's own options: `nst --config-dir FOLDER`."""
    words = sys.argv[1:]
    return [Path(folder) for flag, folder in pairwise(words) if flag in ("--config-dir", "-cd")]


def known_keys() -> list[str]:
    """Every key of every file in conf/, written with dots."""
    keys = list(_flat(OmegaConf.to_container(OmegaConf.load(conf() / "config.yaml"))))
    for file in (f for f in conf().glob("*/*.yaml") if f.parent.name != "preset"):
        loaded = OmegaConf.to_container(OmegaConf.load(file))
        keys += [f"{file.parent.name}.{key}" for key in _flat(loaded)]
    return sorted({k for k in keys if not k.startswith(("hydra", "defaults"))})


def _flat(tree: Any, prefix: str = "") -> Iterable[str]:
    for key, value in tree.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")


def folder_name(path: str) -> str:
    """A picture's name as a part of a folder's name."""
    return re.sub(r"[^\w\-]+", "_", Path(path).stem)[:40] or "picture"


def flatten(tree: Mapping[str, Any], separator: str = ".", prefix: str = "") -> dict[str, Any]:
    """The leaves of a tree by their keys, joined by the separator. An empty section has none."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        inner = isinstance(value, Mapping)
        found |= flatten(value, separator, f"{prefix}{key}{separator}") if inner else {f"{prefix}{key}": value}
    return found
