"""What people type, as the words that Hydra reads: pictures by their place, options with hyphens, words of others.

    nst photo.jpg painting.jpg size=256 -o out.jpg
    nst photos/ painting.jpg --style-weight 1e4
    nst content=photos/*.jpg style=painting.jpg

Every file name that the system allows is taken. Nothing is imported that takes long.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from nst_jax.extractors import AVERAGES, MODULES
from nst_jax.shell.cli.files import exists, expand, match, stands_for_many
from nst_jax.shell.cli.quoting import REGION, literal, pictures_of, quote
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings import model, synonyms
from nst_jax.shell.settings.synonyms import CROWSON, NEURAL_STYLE, OF_ANY

KEY = re.compile(r"[+~]{0,2}[A-Za-z_][\w./@:]*")
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
      contents: the photographs, where a model paints them.
      foreign: options with one hyphen, and their values.
      quiet, json, help: the flags of these names.
    """

    words: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str | None]] = field(default_factory=list)
    quiet: bool = False
    json: bool = False
    help: bool = False
    model: bool = False  # a trained network paints

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
    line, rest = Line(model=names_model(arguments)), list(arguments)
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
    if line.model:
        place_for_model(line)
        return line
    place(line)
    complete(line)
    expand_folders(line)
    return line


def names_model(arguments: Sequence[str]) -> bool:
    """Whether the line names a trained network. `model=vgg19` is a word for the network that sees."""
    given = [word.partition("=")[2] for word in arguments if re.match(r"(--|\+{0,2})model=", word)]
    given += [value for name, value in pairwise(arguments) if name == "--model"]
    return any(value not in (*MODULES, "", "null") for value in given)


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
    known = OF_ANY.get(key) if equals and not is_setting_of(line, key) else None
    if known is None:
        line.words.append(word)
        return
    line.words += (read_as := synonyms.translate(known, value))
    if not known.means.startswith("+"):
        line.notes.append(f"{word} is read as {' '.join(read_as)}")


def take_option(line: Line, name: str, value: str | None, rest: list[str]) -> None:
    """Take --key VALUE or --key=VALUE."""
    key = synonyms.normal(name).replace("__", ".")
    own = is_setting_of(line, key)
    known = None if own else OF_ANY.get(key) or synonyms.entry(key, CROWSON) or synonyms.entry(key, NEURAL_STYLE)
    if known is None and not own:
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


def is_setting_of(line: Line, key: str) -> bool:
    """Whether a word is a setting. Without a trained network `model` and `alpha` are what they are elsewhere."""
    return is_key(key) and (line.model or key not in ("model", "alpha"))


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


def place_for_model(line: Line) -> None:
    """The same, of a line with model=FILE: it paints all photographs by one process.

    Raises UserError for a sweep, for several paintings by one name, and for settings that a model takes no notice of.
    """
    if line.is_sweep():
        raise UserError("-m: a model paints at once; content=photos/ has many photographs. Leave out -m")
    model.refuse(line.words)
    named = [word.partition("=")[2] for word in line.words if word.startswith("content=")]
    rest, given = list(line.pictures), {word.partition("=")[0] for word in line.words}
    if rest and "style" not in given and (named or len(rest) > 1):
        line.words.append(f"style={rest.pop()}")
    elif "style" not in given:
        line.words.append("style=null")
    if named and rest:
        raise UserError(f"content= is given, and these pictures beside it: {', '.join(rest)}")
    for at, word in enumerate(line.words):
        if word.startswith("style=") and stands_for_many(value := word.partition("=")[2]) and "[" not in value[:1]:
            if len(found := expand([value])) > 1:
                raise UserError(f"{word} stands for {len(found)} pictures: give one, or several to mix: style=[a,b]")
            line.words[at] = f"style={found[0]}"
    line.contents = [name for value in named for name in contents_of(value)] or expand(rest)
    if line.contents:
        line.words = [word for word in line.words if not word.startswith("content=")]
        line.words.append(f"content={line.contents[0]}")


def contents_of(value: str) -> list[str]:
    """The photographs that content=VALUE names: one, a folder, a pattern, or several with commas between them."""
    if exists(value) or match(value):
        return expand([value])
    return expand(part.strip("'\" ") for part in value.removeprefix("[").removesuffix("]").split(","))


def complete(line: Line) -> None:
    """Add what the line means and does not say."""
    if words := words_of_texture(line.words):
        line.words += words
        line.notes.append(f"texture= is read with {' '.join(words)}")


def words_of_texture(words: Sequence[str]) -> list[str]:
    """What a line with texture=PICTURE means, where it does not say otherwise; nothing for another line."""
    given = {word.partition("=")[0].lstrip("+") for word in words}
    if "texture" not in given:
        return []
    own = {"content": "null", "style": "null", "content_weight": "0", "canvas": "noise"}
    if not given & {"convention", "preset"}:
        own["convention"] = "relative"
    others = {f"network={name}" for name, module in MODULES.items() if module not in AVERAGES}
    if not given & {"preset", "network.padding"} and not others & {*words}:
        own["network.pool"] = "avg"  # Gatys et al. 2015, section 2: smoother; the others have none but their own
    return [f"{key}={value}" for key, value in own.items() if key not in given]


def expand_folders(line: Line) -> None:
    """Put the pictures in the place of folders and patterns in content=, style= and texture=. Several are a sweep."""
    for at, word in enumerate(line.words):
        names = pictures_of(word)
        if names and len(names) > 1 and not line.is_sweep():
            line.flags.append("-m")
        if names:
            line.words[at] = f"{word.partition('=')[0]}={','.join(names)}"


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
