"""Arrays that are still in their file: a shape can be checked before the numbers are read."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Stored(NamedTuple):
    """An array in a file."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]  # returns the numbers; raises UserError for a damaged file


class Contents(NamedTuple):
    """What a weight file holds, whatever network it is for."""

    kind: str  # keras | torch | matconvnet | safetensors
    arrays: Mapping[str, Stored]  # in the file's order; `.kernel` is (h, w, in, out), `.weight` (out, in, h, w)
    notes: Mapping[str, str]  # what the file says about itself
