"""Arrays that are still in their file: a shape can be checked before the numbers are read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst_jax.shell.errors import UserError

# Bytes that a file may expand to: compressed weights shrink by a tenth, a bomb of zeros by a thousand
ROOM, RATIO = 64_000_000, 16


def check_room(path: Path, size: int) -> None:
    """Raise UserError if what a file says it holds is out of all proportion to its own size."""
    if size > ROOM + RATIO * path.stat().st_size:
        raise UserError(f"{path}: refused, it would expand to {size:,} bytes; weights do not shrink that much")


class Stored(NamedTuple):
    """An array in a file."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]  # returns the numbers; raises UserError for a damaged file


class Contents(NamedTuple):
    """The content of a weight file, for any network."""

    kind: str  # keras | torch | matconvnet | safetensors
    arrays: Mapping[str, Stored]  # in the file's order; `.kernel` is (h, w, in, out), `.weight` (out, in, h, w)
    notes: Mapping[str, str]  # what the file says about itself
