"""Draw the bundled pictures anew: `python -m tools.pictures.draw [folder [names]]` (about 20 seconds).

Only NumPy and Pillow, seeded: the same pictures everywhere, to the bit where libjpeg is the same.
"""

import importlib
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from nst_jax import pictures
from tools.pictures import landscape
from tools.pictures.fields import picture

_SEED = 7
_LIMIT = 150_000  # bytes a picture


def draw(name: str) -> np.ndarray:
    """One of the bundled pictures, (height, width, 3) RGB in [0, 1]."""
    return importlib.import_module(f"tools.pictures.{name}").draw(np.random.default_rng(_SEED))


def save(name: str, folder: Path) -> Path:
    """Draw one picture into a folder, at the best JPEG quality that keeps it small."""
    image, target = picture(draw(name)), folder / f"{name}.jpg"
    for quality in range(93, 60, -2):
        image.save(target, quality=quality, optimize=True)
        if target.stat().st_size < _LIMIT:
            break
    return target


def save_masks(folder: Path) -> list[Path]:
    """Draw the masks of the landscape: its sky in shades of gray, and all its parts, each in a colour."""
    masks = landscape.parts(np.random.default_rng(_SEED))
    number = np.argmax(np.stack([masks[name] for name in landscape.PARTS]), 0)
    colours = np.asarray(list(landscape.PARTS.values()), np.uint8)
    drawn = {"landscape_sky": np.round(masks["sky"] * 255).astype(np.uint8), "landscape_parts": colours[number]}
    for name, mask in drawn.items():
        Image.fromarray(mask).save(folder / f"{name}.png", optimize=True)
    return [folder / f"{name}.png" for name in drawn]


def main() -> None:
    """Draw all of them, or some, into the package nst_jax.pictures or the folder named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(pictures.__file__).parent
    for name in sys.argv[2:] or pictures.NAMES:
        target = save(name, folder)
        print(f"{target}  {target.stat().st_size:,} bytes")
    for target in save_masks(folder):
        print(f"{target}  {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
