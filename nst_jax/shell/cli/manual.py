"""The output of `nst --help` and `nst help WORD`, from the comments of conf/. It imports no slow modules."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.settings.options import files as files_of

USAGE = """\
nst: neural style transfer

  nst photo.jpg painting.jpg                         the picture, in a new folder under runs/
  nst photo.jpg painting.jpg -o out.jpg              and there
  nst photo.jpg painting.jpg network=distilled       without a download: a small VGG-16 that comes with nst_jax
  nst photo.jpg painting.jpg look=strong             or gentle, balanced, painterly
  nst photo.jpg painting.jpg size=256 steps=200 style_weight=1e4
  nst photos/ painting.jpg -o painted/               every photograph of a folder
  nst -m photo.jpg painting.jpg style_weight=1e2,1e3,1e4 seed=0,1
                                                     a sweep: six runs as lanes of one program
  nst photo.jpg day.jpg "regions.sky={content: sky.png, style: night.jpg}"
                                                     a style for each part of the photograph
  nst texture=brick.jpg size=1024                    more of a texture, without a seam
  nst photo.jpg painting.jpg method=instant          in one pass, by a small network that comes with nst_jax
  nst photo.jpg model=eight_styles style=ink         by another one, which has eight styles of its own
  nst photos/ painting.jpg model=FILE                by a network of yours; nst-train makes it
  nst resume=runs/latest                             go on with a run that was stopped or killed
  nst from=runs/latest steps=1000                    that run again, with more steps

  nst help            every setting, its default and unit
  nst help optimiser  one setting, or a group of settings and its options
  --quiet             print the name of the result only; --json: its record
  --cfg job ...       the settings that a line gives, without running it
  --version
  eval "$(nst -sc install=bash)"   tab completion, also zsh and fish
"""

# words of a line that are no settings
LINES = (
    (
        "from",
        "null",
        "a result, the .json beside it, or the folder of its run: the line begins with all settings of that run, and "
        "its other words change them; docs/how_to/again.md",
    ),
    ("resume", "null", "the folder of a run that was stopped or killed: it goes on; steps=N with it: to another end"),
)
AGAIN = "Again, and on"
# (title, settings of conf/config.yaml, groups whose options are listed, groups whose keys are listed)
SECTIONS = (
    ("The pictures", ("content", "style", "background", "max_pixels"), (), ()),
    (
        "How it looks",
        (
            *("look", "content_weight", "style_weight", "tv_weight", "style_scale", "style_blend", "style_mix"),
            *("strokes", "photo", "regions", "masks", "layers"),
        ),
        ("look", "layers", "canvas", "colour"),
        (),
    ),
    ("In one pass, by a trained network", ("model", "alpha"), (), ()),
    ("A texture", ("texture", "pattern"), (), ()),
    ("How large, how long", ("size", "size_rule", "steps", "average", "seed", "dry_run"), ("scale", "optimiser"), ()),
    ("Where the results go", (), ("output",), ("output/default",)),
    (
        "What published programs do",
        ("convention", "weights", "network"),
        ("preset", "convention", "network", "weights"),
        (),
    ),
    ("Many runs", ("sweep",), ("experiment", "hydra/launcher", "hydra/sweeper"), ()),
    (AGAIN, tuple(key for key, *_ in LINES), (), ()),
    ("The machine", (), (), ("device/default",)),
)
LINE = re.compile(r"( *)([\w]+):(?: (.*?))??(?: *# (.*))?$")
WIDTH = 100
OWN = ("name", "start", "look", "_target_", "engine")  # what an option is, not what it can be told


class Entry(NamedTuple):
    """A setting, as a file of conf/ has it."""

    key: str
    value: str
    meaning: str


def page(given: Sequence[str]) -> str:
    """The help: of all settings, or of those that are named. Raises UserError for an unknown name."""
    keys = [word.lstrip("+~").partition("=") for word in given if not word.startswith("-")]
    return "\n".join(topic(key, value) for key, _, value in keys) if keys else whole_page()


def whole_page() -> str:
    """The usage and every setting, in sections by purpose."""
    main = [*entries(conf() / "config.yaml"), *(Entry(*line) for line in LINES)]
    text = [USAGE, "Settings: KEY=VALUE. Groups: GROUP=OPTION; each option has keys of its own: nst help GROUP=OPTION"]
    for title, keys, groups, files in SECTIONS:
        text += ["", title]
        text += [show(e) for e in main if e.key.split(".")[0] in keys]
        for file in files:
            text += [show(e._replace(key=f"{file.split('/')[0]}.{e.key}")) for e in entries(conf() / f"{file}.yaml")]
        text += [wrap(f"  {group}: ", " | ".join(options(group))) for group in groups]
    return "\n".join(text)


def topic(key: str, value: str) -> str:
    """The help for one setting or group, or for an option of a group."""
    group = key.replace(".", "/") if (conf() / key.replace(".", "/")).is_dir() else key
    known = [e for e in settings() if e.key == key or e.key.startswith(f"{key}.")]
    if not known and not options(group):
        from nst_jax.shell.names import suggest
        from nst_jax.shell.settings.synonyms import OF_ANY

        if key in OF_ANY:
            return topic(OF_ANY[key].means.lstrip("+").partition("=")[0], value)
        names = [*(e.key for e in settings()), *groups()]
        raise UserError(f"help: there is no setting {key}.{suggest(key, names)} nst help lists them all")
    chosen = [value] if value in options(group) else options(group)
    text = [show(e) for e in known]
    if options(group):
        text.append(f"{key}=OPTION" if value not in options(group) else f"{key}={value}")
    for name in chosen:
        file = conf() / group / f"{name}.yaml"
        inside = entries(file)
        said = about(file) or next((e.meaning for e in inside if e.key in OWN and e.meaning), "")
        text.append(wrap(f"  {name}: ", said) if said else f"  {name}")
        if len(chosen) == 1 or len(inside) <= 8:
            prefix = "" if group in ("preset", "experiment", "look") else f"{group.replace('/', '.')}."
            text += [f"  {show(e._replace(key=prefix + e.key))}" for e in inside if e.key not in OWN]
    return "\n".join(text)


def groups() -> list[str]:
    """The names of all groups."""
    folders = (p for p in (*conf().iterdir(), *(conf() / "hydra").iterdir()) if p.name != "train")  # of nst-train
    found = [p for p in folders if any(p.glob("*.yaml"))]
    return sorted(p.relative_to(conf()).as_posix() for p in found)


def options(group: str) -> list[str]:
    """The options of a group, by name."""
    return sorted(files_of(group)) if "/" in group or group in groups() else []


def settings() -> list[Entry]:
    """Every setting that a line has for any choice of options."""
    found = [*entries(conf() / "config.yaml"), *(Entry(*line) for line in LINES)]
    for group in ("output", "device"):
        found += [e._replace(key=f"{group}.{e.key}") for e in entries(conf() / group / "default.yaml")]
    return found


def entries(file: Path) -> list[Entry]:
    """The settings of a file of conf/, with the comments behind them and below."""
    found: list[Entry] = []
    parents: list[str] = []
    fresh = False  # whether the last line was a setting
    text = file.read_text(encoding="utf-8").split("\nhydra:")[0]
    for line in text.splitlines():
        if fresh and (more := re.fullmatch(r" {12,}# (.*)", line)):
            found[-1] = found[-1]._replace(meaning=f"{found[-1].meaning} {more.group(1)}")
        elif (read := LINE.fullmatch(line)) and read.group(2) != "defaults":
            indent, key, value, meaning = read.groups(default="")
            parents = [*parents[: len(indent) // 2], key]
            if fresh := bool(value):
                found.append(Entry(".".join(parents), value, meaning))
        else:
            fresh = False
    return found


def about(file: Path) -> str:
    """The description of a file: its first line of comment."""
    lines = file.read_text(encoding="utf-8").splitlines()
    said = [line.lstrip("# ") for line in lines if line.startswith("# ") and "@package" not in line]
    return said[0] if said else ""


def show(entry: Entry) -> str:
    """One setting on a line."""
    value = "(needed)" if entry.value == "???" else entry.value
    value = re.sub(r"\$\{convention\.\w+\}", "(the convention's)", value)
    return wrap(f"  {entry.key}={value}".ljust(34) + " ", entry.meaning) if entry.meaning else f"  {entry.key}={value}"


def wrap(head: str, text: str, width: int = WIDTH) -> str:
    """The text behind the head, in lines of at most so many letters, the later ones indented."""
    lines, words = [head], text.split(" ")
    indent = " " * min(len(head), 35)
    for word in words:
        if len(lines[-1]) + len(word) > width and lines[-1].strip():
            lines.append(indent)
        lines[-1] += f"{word} "
    return "\n".join(line.rstrip() for line in lines)
