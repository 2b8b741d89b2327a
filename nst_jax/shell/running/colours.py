"""The colours of a run's pictures and of its result, as the settings ask for them."""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from nst_jax.images import colour
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.pictures import Picture
from nst_jax.shell.names import look_up

Files = Mapping[str, Picture | None]  # content, and style or style_1, style_2, ...


class Colours(NamedTuple):
    """A mode of `images.colour`, and its numbers."""

    name: str
    mode: colour.Mode
    numbers: dict[str, Any]


def colours(settings: Mapping[str, Any]) -> Colours:
    """The mode that the settings name. Raises UserError for an unknown name, wrong keys or a wrong value."""
    numbers = dict(settings)
    name = str(numbers.pop("name", None))
    mode = look_up(colour.MODES, name, "colour")
    known = [k for k, p in inspect.signature(mode.style).parameters.items() if p.kind is p.KEYWORD_ONLY]
    if numbers.keys() != set(known):
        raise UserError(f"colour={name} takes {', '.join(known) or 'no settings'}; got {', '.join(numbers)}")
    if "by" in numbers:
        look_up(colour.MAPS, str(numbers["by"]), "colour.by")
    if not isinstance(numbers.get("spread", True), bool):
        raise UserError(f"colour.spread must be true or false; got {numbers['spread']}")
    return Colours(name, mode, numbers)


def recolour(chosen: Colours, files: Files) -> Files:
    """The pictures as the run takes them, at their own sizes. Raises UserError where there is no photograph."""
    content = files["content"]
    if chosen.name == "style":
        return files
    if content is None:
        raise UserError(f"colour={chosen.name} needs the colours of a photograph, and content is null")
    photo = jnp.asarray(content.image)
    changed = {"content": content._replace(image=np.asarray(chosen.mode.content(photo)))}
    for name, style in files.items():
        if name != "content" and style is not None:
            painting = chosen.mode.style(jnp.asarray(style.image), photo, **chosen.numbers)
            changed[name] = style._replace(image=np.asarray(painting))
    return {**files, **changed}
