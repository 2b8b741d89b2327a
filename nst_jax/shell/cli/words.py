"""What people type, as the words that Hydra reads: pictures by their place, options with hyphens, words of others.

    nst photo.jpg painting.jpg size=256 -o out.jpg
    nst photos/ painting.jpg --style-weight 1e4
    nst content=photos/*.jpg style=painting.jpg

Every file name that the system allows is taken. Nothing is imported that takes long.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from nst_jax.shell.errors import UserError
from nst_jax.shell.places import PICTURES
from nst_jax.shell.settings import synonyms
from nst_jax.shell.settings.synonyms import CROWSON, NEURAL_STYLE, OF_ANY

SAFE = re.compile(r"[A-Za-z0-9_./+@-]*|\?\?\?|null")  # what Hydra takes as it is
QUOTES = "'\""
TOKEN = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z0-9_./+@-]+)"""
# names and lists of names with commas between them, as Hydra has them
ITEM = rf"(?:{TOKEN}|\[{TOKEN}(?:,{TOKEN})*\])"
ITEMS = re.compile(f"{ITEM}(?:,{ITEM})*")
NOTATION = re.compile(r"\[.*\]|\{.*\}|[A-Za-z_]+\(.*\)")  # lists, mappings and functions of Hydra's
GLOB = re.compile(r"glob\((.*)\)")
PATTERN = set("*?[")  # letters that make a name a pattern
# names with commas between them, and lists of names in brackets, one at least
NAMES = re.compile(r"\[[^\[\]]+\]|[^,\[\]]+")
LISTS = re.compile(r"(?:[^,\[\]]+,)*\[[^\[\]]+\](?:,(?:\[[^\[\]]+\]|[^,\[\]]+))*")
KEY = re.compile(r"[+~]{0,2}[A-Za-z_][\w./@:]*")
PATHS = (  # settings that are names of files
    *("content", "style", "texture", "weights.path", "weights.mirror", "canvas.path", "output.folder", "sweep.folder"),
    *("strokes.style", "output.to", "output.file", "output.film", "resume"),
)
REGION = re.compile(r"(\+{0,2})(regions\.\w+)(\.(?:content|style|style_region))?")  # a region, or a file of one
MAPPING = re.compile(r"\{\s*\w+\s*:[^{}]*\}")  # {content: sky.png, weight: 2}
# Hydra's own, with the number of words that follow
HYDRA = {
    **dict.fromkeys(("-m", "--multirun", "--resolve", "--run", "--version"), 0),
    **dict.fromkeys(
        ("--cfg", "-c", "--package", "-p", "--config-dir", "-cd", "--shell-completion", "-sc", "--info"), 1
    ),
}
FLAGS = {"-q": "quiet", "--quiet": "quiet", "--json": "json", "-h": "help", "--help": "help"}
TO = ("-o", "--output", "--out")


@dataclass
class Line:
    """A line, sorted.

    Attributes:
      words: settings, KEY=VALUE, values as they were typed.
      flags: Hydra's own.
      notes: what was read as what.
      pictures: names without a key.
      foreign: options with one hyphen, and their values.
      quiet, json, help: the flags of these names.
    """

    words: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str | None]] = field(default_factory=list)
    quiet: bool = False
    json: bool = False
    help: bool = False

    def hydra(self) -> list[str]:
        """The words for Hydra's parser."""
        return [*self.flags, *(quote(word, many=self.is_sweep()) for word in self.words)]

    def style(self) -> str:
        """What the screen shows: "full", "quiet" or "json"."""
        return "json" if self.json else "quiet" if self.quiet else "full"

    def is_sweep(self) -> bool:
        """Whether the line asks for several runs."""
        return bool({"-m", "--multirun"} & set(self.flags))


def read(arguments: Sequence[str]) -> Line:
    """Sort a line.

    Raises:
      UserError: it cannot be read. The message has a line that can, where one is known.
    """
    line, rest = Line(), list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            line.pictures += rest
            break
        if word in FLAGS:
            setattr(line, FLAGS[word], True)
        elif word == "help" and not exists(word):
            line.help = True
        elif name in TO:
            line.words.append(f"output.to={value if equals else follow(word, rest)}")
        elif word in HYDRA:
            line.flags += [word, *(follow(word, rest) for _ in range(HYDRA[word]))]
        elif name in HYDRA and equals:
            line.flags += [name, value]
        elif name.startswith("--") and len(name) > 2:
            take_option(line, name, value if equals else None, rest)
        elif word.startswith("-") and not is_number(word) and not exists(word):
            has_value = rest and (not rest[0].startswith("-") or is_number(rest[0])) and "=" not in rest[0]
            line.foreign.append((name, value if equals else rest.pop(0) if has_value else None))
        elif is_setting(word):
            take_setting(line, word)
        else:
            line.pictures.append(word)
    if line.help:
        line.words += line.pictures
        return line
    if line.foreign:
        raise UserError(answer(line))
    place(line)
    make_texture(line)
    spread(line)
    return line


def follow(option: str, rest: list[str]) -> str:
    """The word after an option."""
    if not rest:
        raise UserError(f"{option} takes a value; nst help lists the options")
    return rest.pop(0)


def is_number(word: str) -> bool:
    """Whether the word is a number, perhaps a negative one."""
    try:
        float(word)
        return True
    except ValueError:
        return False


def is_setting(word: str) -> bool:
    """Whether the word is KEY=VALUE, or ~KEY, and no file of that name."""
    if word.startswith("~"):
        return not word.startswith("~/") and "/" not in word
    key, equals, _ = word.partition("=")
    return bool(equals and KEY.fullmatch(key)) and not (Path(word).is_file() and "." in word)


def take_setting(line: Line, word: str) -> None:
    """Take KEY=VALUE. A word of other programs is read as what it is here."""
    key, equals, value = word.partition("=")
    if key.lstrip("+~").startswith(("hydra.run.", "hydra.sweep.", "hydra.output_subdir")):
        raise UserError(f"{key} has no effect here: output.folder (of runs) and sweep.folder name the folders")
    known = OF_ANY.get(key) if equals and not is_key(key) else None
    if known is None:
        line.words.append(word)
        return
    line.words += (read_as := synonyms.translate(known, value))
    if not known.means.startswith("+"):
        line.notes.append(f"{word} is read as {' '.join(read_as)}")


def take_option(line: Line, name: str, value: str | None, rest: list[str]) -> None:
    """Take --key VALUE or --key=VALUE."""
    key = synonyms.normal(name).replace("__", ".")
    known = (
        None if is_key(key) else OF_ANY.get(key) or synonyms.entry(key, CROWSON) or synonyms.entry(key, NEURAL_STYLE)
    )
    if known is None and not is_key(key):
        from nst_jax.shell.names import suggest
        from nst_jax.shell.settings.config import known_keys

        raise UserError(
            f"there is no option {name}.{suggest(key, [*known_keys(), *OF_ANY])} nst help lists the settings"
        )
    if known and not known.means:
        raise UserError(f"{name}: {known.note} (a word of {known.of})")
    if value is None:
        flag = key in booleans() and (not rest or rest[0].lower() not in ("true", "false"))
        value = "true" if flag else follow(name, rest)
    if known is None:
        line.words.append(f"{key}={value}")
        return
    line.words += (read_as := synonyms.translate(known, value))
    line.notes.append(f"{name} {value} is read as {' '.join(read_as)}")


def is_key(key: str) -> bool:
    """Whether it is a setting, or a group of settings, of conf/."""
    return key.lstrip("+~").split(".")[0].split("/")[0] in roots()


def roots() -> set[str]:
    """The first parts of the keys of conf/."""
    from nst_jax.shell.places import conf

    text = (conf() / "config.yaml").read_text(encoding="utf-8")
    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE)) - {"defaults"}
    return (
        keys
        | {path.name for path in conf().iterdir() if path.is_dir()} - {"preset", "experiment", "train"}
        | {"resume"}
    )


def booleans() -> set[str]:
    """The settings that are true or false."""
    from nst_jax.shell.places import conf

    text = (conf() / "config.yaml").read_text(encoding="utf-8")
    return set(re.findall(r"^(\w+): (?:true|false)\b", text, re.MULTILINE))


def answer(line: Line) -> str:
    """What to say to a line of neural-style or style-transfer-pytorch: the line that does it here."""
    words = [name for name, _ in line.foreign]
    of = NEURAL_STYLE if all(synonyms.entry(w, NEURAL_STYLE) for w in words) else CROWSON
    unknown = [w for w in words if not synonyms.entry(w, of)]
    if unknown:
        from nst_jax.shell.names import suggest

        known = [f"-{s.word}" for s in synonyms.SYNONYMS if s.of in (NEURAL_STYLE, CROWSON)]
        return (
            f"there is no option {unknown[0]}.{suggest(unknown[0], known)} Settings are KEY=VALUE; nst help lists them"
        )
    read_as, without = [], []
    for name, value in line.foreign:
        known = synonyms.entry(name, of)
        assert known
        if known.means and value is not None:
            read_as += synonyms.translate(known, value)
        else:
            without.append(f"{name}: {known.note}")
    place(line, strict=False)
    same = shlex.join(["nst", *line.words, *read_as, f"+preset={synonyms.PRESETS[of]}"])
    lost = f" (left out: {'; '.join(without)})" if without else ""
    return f"these are options of {of}. The line that does it here: {same}{lost}"


def make_texture(line: Line) -> None:
    """Add what a line with texture=PICTURE means, where it does not say otherwise."""
    given = {word.partition("=")[0].lstrip("+") for word in line.words}
    if "texture" not in given:
        return
    own = {"content": "null", "style": "null", "content_weight": "0", "canvas": "noise"}
    if not given & {"convention", "preset"}:
        own["convention"] = "relative"
    if not given & {"preset", "network.padding"} and "network=squeezenet" not in line.words:
        own["network.pool"] = "avg"  # Gatys et al. 2015, section 2: smoother; squeezenet has no other than its own
    words = [f"{key}={value}" for key, value in own.items() if key not in given]
    line.words += words
    line.notes.append(f"texture= is read with {' '.join(words)}")


def place(line: Line, *, strict: bool = True) -> None:
    """Turn the pictures into content= and style=: the last one is the painting, the others are photographs."""
    if not line.pictures:
        return
    given = {word.partition("=")[0] for word in line.words}
    contents, styles = list(line.pictures), []
    if len(contents) == 1 and not given & {"content", "style"} and any(REGION.match(key) for key in given):
        line.words.append("style=null")  # what no region takes keeps the photograph
        given.add("style")
    if "style" not in given and (len(contents) > 1 or "content" in given):
        styles = [contents.pop()]
    if strict and contents and not styles and "style" not in given:
        one = shlex.quote(line.pictures[0])
        raise UserError(f"one picture only: say nst {one} PAINTING.jpg, or nst content={one} style=null style_weight=0")
    if contents and "content" in given:
        raise UserError(f"content= is given, and these pictures beside it: {', '.join(contents)}")
    for key, names in (("content", expand(contents)), ("style", expand(styles))):
        if len(names) > 1 and not line.is_sweep():
            line.flags.append("-m")
        if names:
            line.words.append(f"{key}={','.join(literal(name) for name in names)}")


def expand(names: Iterable[str]) -> list[str]:
    """File names: a folder is the pictures in it, and a pattern those that match. Raises UserError for none."""
    found = []
    for name in names:
        path = Path(name).expanduser() if exists(name) or name.startswith("~/") else Path(name)
        if path.is_dir():
            inside = sorted(str(p) for p in path.iterdir() if p.suffix.lower() in PICTURES and p.is_file())
            if not inside:
                raise UserError(f"{name}: no picture is in this folder ({', '.join(PICTURES)})")
            found += inside
        elif PATTERN & set(name) and not path.exists():
            if not (matching := match(name)):
                raise UserError(f"{name}: there is no such file, and as a pattern it matches none")
            found += matching
        else:
            found.append(name)
    return found


def match(pattern: str) -> list[str]:
    """The files that a pattern matches, sorted: the pictures among them where there are any.

    Folders that are there stand for themselves, whatever letters their names have.
    """
    if not PATTERN & set(pattern):
        return []
    path = Path(pattern).expanduser() if pattern.startswith("~/") else Path(pattern)
    folder = next((p for p in path.parents if exists(str(p))), Path())
    inside = glob(str(path.relative_to(folder)), root_dir=folder, recursive=True)  # noqa: PTH207  no hidden files
    files = sorted(str(folder / name) for name in inside if (folder / name).is_file())
    return [name for name in files if Path(name).suffix.lower() in PICTURES] or files


def spread(line: Line) -> None:
    """Put the pictures in the place of folders and patterns in content=, style= and texture=. Several are a sweep."""
    for place, word in enumerate(line.words):
        names = pictures_of(word)
        if names and len(names) > 1 and not line.is_sweep():
            line.flags.append("-m")
        if names:
            line.words[place] = f"{word.partition('=')[0]}={','.join(names)}"


def pictures_of(word: str) -> list[str] | None:
    """The pictures that folders and patterns in content=, style= or texture= stand for, each as Hydra's grammar has it.

    Commas stand between names, but in one that is there or that matches as a whole. A list in brackets stays as it is.

    Returns:
      The names. None where the word has no folder and no pattern.
    """
    key, _, value = word.partition("=")
    if key not in ("content", "style", "texture") or value in ("", "???"):
        return None
    if matched := GLOB.fullmatch(value):
        return [literal(name) for name in expand([matched.group(1).strip(QUOTES)])]
    if not exists(value) and is_notation(value):
        return None
    if exists(value) or match(value):
        parts = [value]
    elif key == "style" and LISTS.fullmatch(value):
        parts = NAMES.findall(value)
    else:
        parts = value.split(",")
    if not any(stands_for_many(part) for part in parts):
        return None
    found = []
    for part in parts:
        found += [literal_list(part)] if is_list(part) else [literal(name) for name in expand([part])]
    return found


def stands_for_many(name: str) -> bool:
    """Whether the name is that of a folder, or a pattern: no file has it."""
    if exists(name):
        return Path(name).expanduser().is_dir()
    return bool(PATTERN & set(name)) and not is_list(name)


def is_list(name: str) -> bool:
    """Whether it is a list in brackets."""
    return name.startswith("[") and name.endswith("]")


def is_notation(value: str) -> bool:
    """Whether it is Hydra's own notation: a list, a function, or names of which some are in quotes."""
    return bool(NOTATION.fullmatch(value) or (ITEMS.fullmatch(value) and set(value) & set(QUOTES)))


def literal(name: str) -> str:
    """A name as Hydra's grammar has it, quoted where it must be."""
    if SAFE.fullmatch(name) and name:
        return name
    # within quotes a backslash counts as itself, but for those before a quote and those before ${
    escaped = re.sub(r"(\\*)\$\{", lambda found: f"{found.group(1) * 2}\\${{", name)
    escaped = re.sub(r"(\\+)(?='|$)", r"\1\1", escaped).replace("'", "\\'")
    return f"'{escaped}'"


def literal_list(names: str) -> str:
    """A name, or names in brackets, as Hydra's grammar has them."""
    if not names.startswith("["):
        return literal(names)
    return f"[{','.join(literal(name.strip()) for name in names[1:-1].split(','))}]"


def quote(word: str, *, many: bool = True) -> str:
    """A setting for Hydra's parser: names of files are quoted where Hydra's grammar wants it.

    many: whether commas may stand between several names.
    """
    key, equals, value = word.partition("=")
    if equals and key.lstrip("+").startswith("regions."):
        return quote_region(key, value, many=many)
    if not equals or key not in PATHS or SAFE.fullmatch(value):
        return word
    if matched := GLOB.fullmatch(value):
        return f"{key}={','.join(map(literal, expand([matched.group(1).strip(QUOTES)])))}"
    if not exists(value):
        if key == "style" and LISTS.fullmatch(value) and not set(value) & set(QUOTES):
            return f"style={','.join(literal_list(name) for name in NAMES.findall(value))}"
        if is_notation(value):
            return word
        if many and "," in value:
            return f"{key}={','.join(map(literal, value.split(',')))}"
    return f"{key}={literal(value)}"


def quote_region(key: str, value: str, *, many: bool) -> str:
    """A setting of a region for Hydra's parser, which adds the region if there is none of that name."""
    key = f"++{key.lstrip('+')}"
    matched = REGION.fullmatch(key)
    if matched and matched[3]:
        names = value.split(",") if many and not exists(value) else [value]
        return f"{key}={value if set(value) & set(QUOTES) else ','.join(literal(name) for name in names)}"
    if matched and MAPPING.fullmatch(value) and not set(value) & set(QUOTES):
        pairs = [pair.partition(":") for pair in value[1:-1].split(",")]
        return f"{key}={{{','.join(f'{k.strip()}:{literal(v.strip())}' for k, _, v in pairs)}}}"
    return f"{key}={value}"


def exists(name: str) -> bool:
    """Whether there is such a file."""
    try:
        return Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False
