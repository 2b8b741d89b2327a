"""`from=RESULT`: the word of a line that names the run it begins from."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from nst_jax.shell.cli.files import exists
from nst_jax.shell.cli.quoting import QUOTES, literal
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings.synonyms import OF_ANY

if TYPE_CHECKING:
    from nst_jax.shell.running.origin import Origin

FROM = "from"
WORD = re.compile(r"(?:--|\+{0,2})(\w+)=(.*)", re.DOTALL)
# Hydra's own way to a config of one's own, which a run's config.yaml is not
CONFIG_OPTIONS = ("-cp", "--config-path", "-cn", "--config-name")


def take(arguments: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """Take the word out of a line. Return the other words, the name of the run, and a note of each word read as `from`.

    Raises:
      UserError: two runs are named, or a list of them.
    """
    rest, named, notes = [], [], []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
            break
        matched = WORD.fullmatch(word)
        key = matched[1] if matched else word.removeprefix("--") if word.startswith("--") else ""
        if not means_from(key):
            rest.append(word)
            continue
        named.append(strip_quotes(matched[2] if matched else next(words, "")))
        if key != FROM:
            notes.append(f"{word} is read as {FROM}={named[-1]}")
    if not named:
        return rest, None, notes
    if len(set(named)) > 1 or ("," in named[0] and not exists(named[0])):
        raise UserError(f"{FROM}={','.join(dict.fromkeys(named))}: a line begins from one run; give a line for each")
    if not named[0]:
        raise UserError(f"{FROM}= takes a result, the .json beside it, or the folder of a run: {FROM}=runs/latest")
    return rest, named[0], notes


def means_from(key: str) -> bool:
    """Whether a key is `from`, or a word that is read as it."""
    return key == FROM or (key in OF_ANY and OF_ANY[key].means == FROM)


def strip_quotes(value: str) -> str:
    """The name without the quotes that Hydra's grammar wants, where it has them."""
    quoted = len(value) > 1 and value[0] in QUOTES and value[-1] == value[0] and not exists(value)
    return value[1:-1].replace(f"\\{value[0]}", value[0]) if quoted else value


def find(named: str | None) -> "Origin | None":
    """The run of that name, or None for a line that leaves it out. Raises UserError unless it names one run."""
    if named is None:
        return None
    from nst_jax.shell.running.origin import find  # OmegaConf: a line without the word does not wait for it

    return find(named)


def setting(origin: "Origin") -> str:
    """The word for Hydra's parser, which keeps it with the other settings of a line."""
    return f"+{FROM}={literal(origin.path)}"


def refuse_config(arguments: Sequence[str]) -> None:
    """Raise UserError for a line that would have Hydra read a run's config.yaml: it says the line that does it here."""
    given = {word.partition("=")[0]: word.partition("=")[2] for word in arguments if "=" in word}
    given |= {word: value for word, value in pairwise([*arguments, ""]) if word in CONFIG_OPTIONS}
    asked = [word for word in CONFIG_OPTIONS if word in given]
    if asked:
        place = next((given[word] for word in ("-cp", "--config-path") if given.get(word)), "RUN")
        raise UserError(
            f"{asked[0]} is not there: the settings of a run are taken up by its folder or its picture: "
            f"nst {FROM}={place} steps=1000"
        )
