"""The settings of a former run as the base of a line: `nst from=RESULT steps=1000`.

The base is a config of Hydra's, made of conf/config.yaml. Where that chooses an option of a group, the base chooses an
option that holds what the run had. The words of a line then mean what they mean elsewhere: `optimiser=adam` takes the
place of the whole optimiser, and `convention=keras` brings its weights, unless the run had weights of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.settings import config, options
from nst_jax.shell.settings.schema import Config
from nst_jax.shell.settings.texture import own_layers

NAME = "again"  # of the base and of its options, in Hydra's store
# how a run was made and where its picture went: not what it was
LEFT_OUT = ("sweep", "dry_run", "origin", "output.to", "device.distributed")
NAMES = ("name", "start", "source")  # keys whose value names the option of a group
FREE = ("optimiser", "canvas", "colour", "scale", "layers", "regions")  # sections whose keys depend on what is chosen
ONE_OPTION = {"output": "default", "device": "default"}  # groups whose files have no such key
Settings = dict[str, Any]


class Former(NamedTuple):
    """The settings of a former run, as this version knows them."""

    settings: Settings  # of its record, without those that this version does not know, nor those of LEFT_OUT
    unknown: list[str]  # KEY=VALUE that this version does not know
    absent: list[str]  # settings that the record lacks
    to: str | None  # its output.to, which is not taken over


def understand(recorded: Mapping[str, Any]) -> Former:
    """Sort the settings of a record.

    Args:
      recorded: as `settings.plain` gave them, perhaps in another version.

    Returns:
      What can be taken over, and what cannot.
    """
    unknown, known = [], {}
    for key, value in recorded.items():
        known |= {key: value} if keep(key, value, unknown) else {}
    for key in (key for key in tuple(known) if isinstance(known[key], dict)):
        names = names_within(key)
        known[key] = {k: v for k, v in known[key].items() if keep(f"{key}.{k}", v, unknown, names)}
    absent = [f.name for f in fields(Config) if f.name not in recorded and f.name not in (*LEFT_OUT, "model", "alpha")]
    to = recorded.get("output")
    return Former(known, unknown, absent, to.get("to") if isinstance(to, dict) else None)


def keep(key: str, value: Any, unknown: list[str], names: set[str] | None = None) -> bool:
    """Whether a setting is taken over. One that this version does not know is added to `unknown`.

    names: that there are in the section of the key; None: any.
    """
    section, _, name = key.partition(".")
    kinds = {f.name: f.default_factory for f in fields(Config)}
    is_known = section in kinds and (not name or names is None or name in names)
    if not is_known or (not name and callable(kinds[section]) and not isinstance(value, dict)):
        unknown.append(f"{key}={value}")
        return False
    return key not in LEFT_OUT


def names_within(section: str) -> set[str] | None:
    """The settings that a section of the settings may have; None: any."""
    kind = next(f.default_factory for f in fields(Config) if f.name == section)
    if is_dataclass(kind):
        return {f.name for f in fields(kind)}
    files = sorted((conf() / section).rglob("*.yaml"))
    return {str(key) for file in files for key in cast(DictConfig, OmegaConf.load(file))} or None


def store(former: Former, origin: Mapping[str, str]) -> str:
    """Give Hydra the base that the settings make; returns its name.

    Args:
      former: of `understand`.
      origin: what the base says of itself: `path` and `sha256`.
    """
    main = cast(Settings, OmegaConf.to_container(OmegaConf.load(conf() / "config.yaml"), resolve=False))
    given = former.settings
    network, look = name_of("network", given), str(given.get("look", "plain"))
    by_network, by_look = brought("network", network), brought("look", look)
    shown, is_known = keys_of(look), look in options.files("look")
    brings = {"network": by_network, "look": by_look}
    chosen = []
    for entry in main["defaults"]:
        group, option = next(iter(entry.items())) if isinstance(entry, dict) else (entry, "")
        if group == "look" and is_known and look != "plain":
            put("look", {"look": look, **pick(given, shown)}, by_look)
            option = NAME
        elif option and group in given and group != "look":
            put(group, {group: option_of(group, str(option), given[group], main.get(group))}, brings.get(group, []))
            option = option if group in (*by_network, *by_look) else NAME
        chosen.append({group: option} if option else entry)
    own = {key: value for key, value in given.items() if key in main}
    rest = overlay({k: v for k, v in main.items() if k not in ("defaults", "hydra")}, own, given, shown)
    rest |= {"look": "plain" if is_known else look, "origin": dict(origin)}
    ConfigStore.instance().store(name=NAME, node={"defaults": chosen, "hydra": main["hydra"], **rest})
    return NAME


def put(group: str, values: Settings, brings: Iterable[str]) -> None:
    """Store an option of a group.

    Args:
      group: such as "network".
      values: of all settings that it sets.
      brings: other groups, of which it chooses the former run's option, too.
    """
    defaults: list[Any] = [*({f"override /{other}": NAME} for other in brings), "_self_"]
    node = {"defaults": defaults, **config.escape(values)}
    ConfigStore.instance().store(group=group, name=NAME, package="_global_", node=node)


def option_of(group: str, default: str, given: Settings, beside: Any) -> Settings:
    """The values in the option of a group: those of the run, and the group's own where its record lacks one.

    Args:
      group: such as "optimiser".
      default: the name of its option in conf/config.yaml.
      given: the run's values.
      beside: what conf/config.yaml itself sets in the group, or None.
    """
    outside = set(beside or ()) - ({"path"} if given.get("source") == "file" else set())
    own = {key: value for key, value in given.items() if key not in outside}
    if group == "layers":
        return own
    named = ONE_OPTION.get(group) or name_of(group, {group: given}) or default
    same = named if named in options.files(group) else default if group in ("network", "weights", "convention") else ""
    if not same:
        return own
    filled = options.network_settings(same) if group == "network" else options.settings(group, same)
    return {key: value for key, value in filled.items() if key != "defaults"} | own


def overlay(main: Settings, own: Settings, given: Settings, shown: Iterable[str]) -> Settings:
    """conf/config.yaml's own values, those of the run in their place.

    Args:
      main: the values of conf/config.yaml. One that stands for another, `${...}`, stays where the run had that other.
      own: the run's values of these keys.
      given: all values of the run.
      shown: the keys that its look sets, which the option of the look holds.
    """
    made: Settings = dict(main)
    for key, value in own.items():
        before = main[key]
        if key == "regions":
            made[key] = config.escape(value)
        elif isinstance(before, dict):
            inside = {k: config.escape(v) for k, v in value.items() if k in before and f"{key}.{k}" not in shown}
            moved = {"path"} if value.get("source") == "file" else set()  # the option has it: weights=own has none
            made[key] = {k: v for k, v in (before | inside).items() if k not in moved}
        elif key not in shown and not stands_for(before, value, given):
            made[key] = config.escape(value)
    return made


def stands_for(before: Any, value: Any, given: Settings) -> bool:
    """Whether a default stands for another setting, `${convention.style_weight}`, and the run had that one's value."""
    if not isinstance(before, str) or not before.startswith("${"):
        return False
    section, _, name = before[2:-1].partition(".")
    return value is not None and (given.get(section) or {}).get(name) == value


def keys_of(look: str) -> list[str]:
    """The settings that a look sets, with dots. A look without a file has an empty list."""
    file = conf() / "look" / f"{look}.yaml"
    found = load(file) if file.is_file() else {}
    return [key for key in config.flatten({k: v for k, v in found.items() if k != "defaults"}) if key != "look"]


def pick(given: Settings, keys: Iterable[str]) -> Settings:
    """The values of these keys, as a tree."""
    made = OmegaConf.create({})
    values = config.flatten(given)
    for key in keys:
        if key in values:
            OmegaConf.update(made, key, values[key])
    return cast(Settings, OmegaConf.to_container(made))


def brought(group: str, name: str) -> list[str]:
    """The other groups that an option sets, too: texnet sets its layers and its convention."""
    file = conf() / group / f"{name}.yaml"
    entries = load(file).get("defaults", []) if file.is_file() else []
    words = [word for entry in entries if isinstance(entry, dict) for word in entry]
    return [word.removeprefix("override /") for word in words if word.startswith("override /")]


def load(file: Path) -> Settings:
    """The contents of a file of conf/."""
    return cast(Settings, OmegaConf.to_container(OmegaConf.load(file), resolve=False) or {})


def name_of(group: str, given: Settings) -> str:
    """The name of the option of a group in use; "" where nothing says it."""
    values = given.get(group)
    return next((str(values[key]) for key in NAMES if values.get(key)), "") if isinstance(values, dict) else ""


def free_layers(former: Former) -> Former:
    """The settings without the layers of a texture's terms, where they are those that its network has by itself."""
    given = former.settings
    named = (given.get("pattern") or {}).get("layers")
    if not given.get("texture") or named is None:
        return former
    try:
        own = own_layers(name_of("network", given), (given.get("layers") or {}).get("style") or {})
    except UserError:
        return former
    freed = given | {"pattern": given["pattern"] | {"layers": None}}
    return former._replace(settings=freed) if own == named else former


def differences(former: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The settings that are not what they were: by key, the former value and the one of now; None: there was none."""
    ours, theirs = config.flatten(now), config.flatten(former)
    added = [key for key in ours if key not in theirs and key.partition(".")[0] in {*FREE} & {*former}]
    said = lambda key: not any(key == left or key.startswith(f"{left}.") for left in LEFT_OUT)
    keys = [key for key in (*theirs, *added) if said(key)]
    return {key: (theirs.get(key), ours.get(key)) for key in keys if theirs.get(key) != ours.get(key)}
