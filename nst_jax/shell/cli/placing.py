"""Pictures of a line in their places: which are photographs, and which is the painting.

Every file name that the system allows is taken.
"""

import shlex

from nst_jax.shell.cli.files import exists, expand, match, stands_for_many
from nst_jax.shell.cli.line import Line
from nst_jax.shell.cli.quoting import REGION, literal, pictures_of
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings import model


def place(line: Line, *, strict: bool = True) -> None:
    """Turn the pictures into content= and style=: the last one is the painting, the others are photographs."""
    if not line.pictures:
        return
    given = {word.partition("=")[0] for word in line.words}
    contents, styles = list(line.pictures), []
    alone = line.origin is None  # else the other picture is that of the run
    if alone and len(contents) == 1 and not given & {"content", "style"} and any(REGION.match(key) for key in given):
        line.words.append("style=null")  # what no region takes keeps the photograph
        given.add("style")
    if "style" not in given and (len(contents) > 1 or "content" in given):
        styles = [contents.pop()]
    if strict and alone and contents and not styles and "style" not in given:
        one = shlex.quote(line.pictures[0])
        raise UserError(f"one picture only: say nst {one} PAINTING.jpg, or nst content={one} style=null style_weight=0")
    if contents and "content" in given:
        raise UserError(f"content= is given, and these pictures beside it: {', '.join(contents)}")
    for key, names in (("content", expand(contents)), ("style", expand(styles))):
        if len(names) > 1 and not line.is_sweep():
            line.flags.append("-m")
        if names:
            line.words.append(f"{key}={','.join(literal(name) for name in names)}")


def expand_folders(line: Line) -> None:
    """Replace folders and patterns in content=, style= and texture= by their pictures. Several are a sweep."""
    for at, word in enumerate(line.words):
        names = pictures_of(word)
        if names and len(names) > 1 and not line.is_sweep():
            line.flags.append("-m")
        if names:
            line.words[at] = f"{word.partition('=')[0]}={','.join(names)}"


def place_for_model(line: Line) -> None:
    """Turn the pictures into content= and style= where model=FILE paints all photographs by one process.

    Raises UserError for a sweep, for several paintings by one name, and for settings that a model takes no notice of.
    """
    if line.is_sweep():
        raise UserError("-m: a model paints at once; content=photos/ has many photographs. Leave out -m")
    try:
        model.refuse(line.words)
    except UserError as error:
        named = {word.partition("=")[0] for word in line.words}
        if line.origin is None or "model" in named:
            raise
        raise UserError(f"{line.origin.path} was painted by a model (model=null: optimise instead). {error}") from None
    named = [word.partition("=")[2] for word in line.words if word.startswith("content=")]
    rest, given = list(line.pictures), {word.partition("=")[0] for word in line.words}
    if rest and "style" not in given and (named or len(rest) > 1):
        line.words.append(f"style={rest.pop()}")
    elif "style" not in given and line.origin is None:
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
