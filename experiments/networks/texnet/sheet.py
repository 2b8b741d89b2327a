"""The contact sheet of the generator: a row of variants for each family, then scenes.

python -m experiments.networks.texnet.sheet docs/pictures/texnet_textures.jpg
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.networks.texnet.data import as_bytes
from experiments.networks.texnet.scenes import scene
from experiments.networks.texnet.textures import FAMILIES, picture


def sheet(*, columns: int, size: int) -> np.ndarray:
    """(rows * size, columns * size, 3), RGB in [0, 1]."""
    rows = [[picture(f, variant=v, seed=5, size=size) for v in range(columns)] for f in FAMILIES]
    for first in (0, columns):
        rows.append([scene(seed=first + i, size=size, variants=columns) for i in range(columns)])
    return np.concatenate([np.concatenate(row, 1) for row in rows])


def main(path: Path) -> None:
    """Draws the sheet in two halves beside each other."""
    drawn = as_bytes(sheet(columns=8, size=72))
    Image.fromarray(np.concatenate(np.array_split(drawn, 2), 1)).save(path, quality=72)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
