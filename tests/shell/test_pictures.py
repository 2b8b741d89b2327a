"""The bundled pictures: there, small, rich, and the very ones that the script draws."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.io import pictures as files


@pytest.mark.parametrize("name", pictures.NAMES)
def test_a_bundled_picture_is_small_and_plain_to_read(name):
    path = pictures.path(name)
    assert path.stat().st_size < 150_000
    picture = files.read(path)
    assert picture.notes == ()
    shorter = 256 if name in pictures.TEXTURES else 384
    assert max(picture.image.shape) == (512 if name in pictures.CONTENTS else shorter)
    assert min(picture.image.shape[:2]) == shorter


@pytest.mark.parametrize("name", pictures.NAMES)
def test_it_has_structure_and_colour(name):
    image = files.read(pictures.path(name)).image
    assert image.std() > 0.12
    assert np.abs(np.diff(image, axis=0)).mean() > 0.01


def test_an_unknown_name():
    with pytest.raises(ValueError, match="landscape, portrait, brush, mosaic, ink, brick"):
        pictures.path("mona_lisa")


@pytest.mark.slow
@pytest.mark.parametrize("name", pictures.NAMES)
def test_the_script_draws_the_same_again(tmp_path, name):
    """The command as a person gives it, and without the type checks of every stroke."""
    subprocess.run([sys.executable, "-m", "tools.pictures.draw", str(tmp_path), name], check=True)
    with Image.open(tmp_path / f"{name}.jpg") as new, Image.open(pictures.path(name)) as kept:
        assert new.size == kept.size
        apart = np.abs(np.asarray(new, float) - np.asarray(kept, float)).mean()
    assert apart < 2
