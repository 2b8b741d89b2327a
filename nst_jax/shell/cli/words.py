"""The reader of command lines, for Hydra: pictures by their place, options with hyphens, words of other programs.

    nst photo.jpg painting.jpg size=256 -o out.jpg
    nst photos/ painting.jpg --style-weight 1e4
    nst content=photos/*.jpg style=painting.jpg

Every file name that the system allows is taken. Nothing is imported that takes long.
"""

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from nst_jax.extractors import AVERAGES, MODULES
from nst_jax.shell.cli import again
from nst_jax.shell.cli.files import exists
from nst_jax.shell.cli.line import Line
from nst_jax.shell.cli.placing import expand_folders, place, place_for_model
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings import synonyms
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
METHODS = ("instant", "optimise", "optimize")
PACKAGED = "any_style"  # the network of method=instant


def read(arguments: Sequence[str]) -> Line:
    """Sort a line.

    Raises:
      UserError: it cannot be read. The message has a line that can, where one is known.
    """
    again.refuse_config(arguments)
    rest, notes = choose_method(arguments)
    rest, named, read_as = again.take(rest)
    helps = any(FLAGS.get(word) == "help" or word == "help" for word in rest)
    line = Line(model=names_model(rest), notes=[*notes, *read_as], origin=None if helps else again.find(named))
    if line.origin and line.origin.is_model():
        line.model |= not frees_model(rest)
        line.words += [] if line.model else ["alpha=1"]  # the strength of a model that there is no more
    take_words(line, rest)
    if line.help:
        line.words += [*line.pictures, *([f"{again.FROM}="] if named is not None else [])]
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


def take_words(line: Line, rest: list[str]) -> None:
    """Take every word into the line. `rest` is empty at the end."""
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            line.pictures += rest
            rest.clear()
        elif word in FLAGS:
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


def choose_method(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words without `method=`, and what to say: method=instant is a model that comes with the package.

    Raises UserError for another method.
    """
    rest, given = [], None
    words = iter(arguments)
    for word in words:
        if word == "--method":
            given = next(words, "")
        elif found := re.fullmatch(r"(?:--|\+{0,2})method=(.*)", word):
            given = found[1]
        else:
            rest.append(word)
    if given is not None and given not in METHODS:
        raise UserError(f"method={given}: it is instant, by a network in one pass, or optimise, as without the word")
    if given != "instant" or names_model(rest):
        return rest, []
    return [f"model={PACKAGED}", *rest], [f"method=instant is read as model={PACKAGED}"]


def names_model(arguments: Sequence[str]) -> bool:
    """Whether the line names a trained network. `model=vgg19` is a word for the network that sees."""
    given = [word.partition("=")[2] for word in arguments if re.match(r"(--|\+{0,2})model=", word)]
    given += [value for name, value in pairwise(arguments) if name == "--model"]
    return any(value not in (*MODULES, "", "null") for value in given)


def frees_model(arguments: Sequence[str]) -> bool:
    """Whether the line says model=null: what a model has painted is then optimised."""
    return any(re.fullmatch(r"(?:--|\+{0,2})model=null", word) for word in arguments)


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
    return bool(equals and KEY.fullmatch(key)) and not ("." in word and exists(word) and Path(word).is_file())


def take_setting(line: Line, word: str) -> None:
    """Take KEY=VALUE. A word of another program is read as the setting here."""
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
    """Whether a word is a setting. Without a trained network `model` and `alpha` are words of other programs."""
    knows_models = line.model or (line.origin is not None and line.origin.is_model())
    return is_key(key) and (knows_models or key not in ("model", "alpha"))


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
        | {"resume", again.FROM}
    )


def booleans() -> set[str]:
    """The settings that are true or false."""
    from nst_jax.shell.places import conf

    text = (conf() / "config.yaml").read_text(encoding="utf-8")
    return set(re.findall(r"^(\w+): (?:true|false)\b", text, re.MULTILINE))


def answer(line: Line) -> str:
    """The answer to a line of neural-style or style-transfer-pytorch: the line that does it here."""
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


def complete(line: Line) -> None:
    """Add what the line means and does not say."""
    if not line.says_texture() and (words := words_of_texture(line.words)):
        line.words += words
        line.notes.append(f"texture= is read with {' '.join(words)}")


def words_of_texture(words: Sequence[str]) -> list[str]:
    """The settings of a line with texture=PICTURE that it leaves open; nothing for another line."""
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
