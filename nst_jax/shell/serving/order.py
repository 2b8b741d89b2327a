"""The order that the page sends, as the line of `nst` that makes the same picture."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nst_jax.shell.errors import UserError
from nst_jax.shell.serving import choices

DEFAULT = "runs"  # output.folder, where the line does not say another


class Order(NamedTuple):
    """A picture that is asked for."""

    photo: Path
    painting: Path
    keep: Path | None  # the mask of what stays as the photograph has it
    method: str
    look: str
    size: int  # pixels of the longer side
    colour: str
    network: str
    steps: int
    strength: float  # of one pass: 0 the photograph, 1 the painting


def read(asked: Any, find: Callable[[str], Path]) -> Order:
    """The order that the page sent.

    Args:
      asked: its fields by name; one that is not there has its value of `choices.BEGIN`.
      find: the file of a picture, by its name on the page.

    Raises:
      UserError: a field that is none, or a value that cannot be.
    """
    if not isinstance(asked, Mapping):
        raise UserError("the page sent no order")
    if unknown := sorted(set(map(str, asked)) - choices.BEGIN.keys()):
        raise UserError(f"the page has no {unknown[0]}")
    given = {**choices.BEGIN, **asked}
    network = choose("network", given["network"], choices.NETWORKS)
    look = choose("look", given["look"], choices.LOOKS)
    if look != "plain" and network not in choices.LOOK_NETWORKS:
        raise UserError(f"the look {look} is made for {', '.join(choices.LOOK_NETWORKS)}; with {network} take plain")
    return Order(
        photo=find(str(given["photo"])),
        painting=find(str(given["painting"])),
        keep=None if given["keep"] is None else find(str(given["keep"])),
        method=choose("method", given["method"], choices.METHODS),
        look=look,
        size=whole("size", given["size"], choices.SIZES),
        colour=choose("colour", given["colour"], choices.COLOURS),
        network=network,
        steps=whole("steps", given["steps"], choices.STEPS),
        strength=share(given["strength"]),
    )


def words(order: Order, folder: Path) -> list[str]:
    """The words of the line after `nst`. folder: of the runs."""
    own = [f"network={order.network}", f"look={order.look}"]
    painted = [*own, f"colour={order.colour}", f"size={order.size}", f"steps={order.steps}"]
    if order.method == "instant":
        strength = [] if order.strength == 1 else [f"alpha={order.strength:g}"]
        painted = ["method=instant", *strength, f"colour={order.colour}", f"size={order.size}"]
    kept = [] if order.keep is None else [f"regions.keep.content={order.keep}", "regions.keep.style=null"]
    where = [] if folder == Path(DEFAULT) else [f"output.folder={folder.absolute()}"]
    return [f"content={order.photo}", f"style={order.painting}", *kept, *painted, *where]


def choose(what: str, value: Any, known: Collection[str]) -> str:
    """The value, which is one of those that are known. Raises UserError for another."""
    if not isinstance(value, str) or value not in known:
        raise UserError(f"{what} is one of {', '.join(known)}; got {value}")
    return value


def whole(what: str, value: Any, within: tuple[int, int]) -> int:
    """A whole number within bounds. Raises UserError for another value."""
    low, high = within
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UserError(f"{what} is a whole number from {low} to {high}; got {value}")
    return value


def share(value: Any) -> float:
    """A number from 0 to 1. Raises UserError for another value."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UserError(f"strength is a number from 0 to 1; got {value}")
    return float(value)
