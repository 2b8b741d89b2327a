"""An array that is still in its file: its shape can be judged before its numbers are read."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Stored(NamedTuple):
    """`read` gives the numbers."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


class Contents(NamedTuple):
    """What a weight file holds, before anybody has judged whether it fits a network."""

    kind: str  # keras | torch | matconvnet | safetensors
    arrays: Mapping[str, Stored]  # in the file's order; `.kernel` is (h, w, in, out), `.weight` (out, in, h, w)
    notes: Mapping[str, str]  # what the file says about itself
