"""Picture files of every format and mode, damaged at random: they are read, or refused in a line."""

import time
import warnings
from typing import Any

import numpy as np
import pytest
from campaign import times
from PIL import Image
from test_hostile_weights import damage

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import pictures

FILES = 300  # damaged ones
SECONDS = 10.0  # that a picture may take
KINDS = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "webp": ("RGB", "RGBA"),
    "tif": ("1", "L", "RGB", "RGBA", "CMYK", "LAB", "F", "I;16"),
    "bmp": ("1", "L", "RGB"),
    "gif": ("L", "P"),
}


def make(path, mode):
    """A small picture of that mode, with data that says where the picture is up."""
    noise = np.random.default_rng(len(mode)).integers(0, 255, (24, 20, 4), np.uint8)
    if mode == "I;16":
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 256)
    else:
        image = Image.fromarray(noise[..., :3])
        image = image.convert("RGB").convert("RGBA" if mode in ("RGBA", "LA") else "RGB")
        image = image.convert("L").convert("F") if mode == "F" else image if mode == "LAB" else image.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    options: Any = {"exif": exif} if path.suffix in (".jpg", ".png", ".webp", ".tif") else {}
    image.save(path, **options)
    return path.read_bytes()


@pytest.mark.slow
def test_files_damaged_at_random(tmp_path):
    rng = np.random.default_rng(7)
    whole = [make(tmp_path / f"whole.{suffix}", mode) for suffix, modes in KINDS.items() for mode in modes]
    path, read = tmp_path / "damaged", 0
    for number in range(max(FILES, times(FILES))):
        data = whole[number % len(whole)]
        head = 200  # where the structure is
        path.write_bytes(damage(data[:head], rng) + data[head:] if number % 2 else damage(data, rng))
        began = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = pictures.read(path, max_pixels=1_000_000, log=lambda _: None)
        except UserError as error:
            lines = str(error).splitlines()
        else:
            lines = [""]
            read += 1
            assert found.image.shape[2] == 3
            assert np.isfinite(found.image).all()
            assert 0 <= found.image.min() <= found.image.max() <= 1
        assert len(lines) == 1
        assert time.monotonic() - began < SECONDS
    assert 0.1 < read / max(FILES, times(FILES)) < 0.9
