"""The contact sheet of a training: what its first steps see, and where its transfers are."""

from pathlib import Path

import numpy as np
from PIL import Image

from nst_jax.shell.io.atomic import draft


def write(path: Path, pieces: np.ndarray, *, columns: int = 12) -> None:
    """Write the pieces (n, side, side, 3), RGB in [0, 1], in rows."""
    side = pieces.shape[1]
    rows = -(-len(pieces) // columns)
    page = np.ones((rows * side, columns * side, 3), np.float32)
    for i, piece in enumerate(pieces):
        top, left = side * (i // columns), side * (i % columns)
        page[top : top + side, left : left + side] = np.clip(piece, 0, 1)
    with draft(path) as part:
        Image.fromarray(np.round(255 * page).astype(np.uint8)).save(part, format="JPEG", quality=85)
