"""Settings as Hydra's grammar has them: names of files in quotes where they must be, a folder as the pictures in it."""

import re

from nst_jax.shell.cli.files import exists, expand, match, stands_for_many

SAFE = re.compile(r"[A-Za-z0-9_./+@-]*|\?\?\?|null")  # what Hydra takes as it is
QUOTES = "'\""
TOKEN = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z0-9_./+@-]+)"""
# names and lists of names with commas between them, as Hydra has them
ITEM = rf"(?:{TOKEN}|\[{TOKEN}(?:,{TOKEN})*\])"
ITEMS = re.compile(f"{ITEM}(?:,{ITEM})*")
NOTATION = re.compile(r"\[.*\]|\{.*\}|[A-Za-z_]+\(.*\)")  # lists, mappings and functions of Hydra's
GLOB = re.compile(r"glob\((.*)\)")
# names with commas between them, and lists of names in brackets, one at least
NAMES = re.compile(r"\[[^\[\]]+\]|[^,\[\]]+")
LISTS = re.compile(r"(?:[^,\[\]]+,)*\[[^\[\]]+\](?:,(?:\[[^\[\]]+\]|[^,\[\]]+))*")
PATHS = (  # settings that are names of files
    *("content", "style", "texture", "weights.path", "weights.mirror", "canvas.path", "output.folder", "sweep.folder"),
    *("strokes.style", "output.to", "output.file", "output.film", "resume", "model", "canvas.model"),
)
REGION = re.compile(r"(\+{0,2})(regions\.\w+)(\.(?:content|style|style_region))?")  # a region, or a file of one
MAPPING = re.compile(r"\{\s*\w+\s*:[^{}]*\}")  # {content: sky.png, weight: 2}


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
    if not any(stands_for_many(part) and not is_list(part) for part in parts):
        return None
    found = []
    for part in parts:
        found += [literal_list(part)] if is_list(part) else [literal(name) for name in expand([part])]
    return found


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
    """A setting of a region for Hydra's parser, which adds the region if its name is new."""
    key = f"++{key.lstrip('+')}"
    matched = REGION.fullmatch(key)
    if matched and matched[3]:
        if exists(value):
            return f"{key}={literal(value)}"
        names = value.split(",") if many else [value]
        return f"{key}={value if set(value) & set(QUOTES) else ','.join(literal(name) for name in names)}"
    if matched and MAPPING.fullmatch(value) and not set(value) & set(QUOTES):
        pairs = [pair.partition(":") for pair in value[1:-1].split(",")]
        return f"{key}={{{','.join(f'{k.strip()}:{literal(v.strip())}' for k, _, v in pairs)}}}"
    return f"{key}={value}"
