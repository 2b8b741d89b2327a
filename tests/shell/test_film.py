import importlib.util
import sys

import numpy as np
import pytest
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from nst_jax.shell.errors import UserError
from nst_jax.shell.reports.film import film


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    still = rng.integers(0, 255, (5, 7, 3), np.uint8).repeat(15, 0).repeat(15, 1)  # odd: 75 x 105
    return [np.roll(still, 3 * i, 1) for i in range(5)]


def test_an_animated_webp(tmp_path, frames):
    path = film(tmp_path / "film.webp", frames, milliseconds=80, quality=90)
    with Image.open(path) as written:
        assert isinstance(written, WebPImageFile)
        assert written.n_frames == 5
        assert written.info["loop"] == 0
        for i, frame in enumerate(frames):
            written.seek(i)
            assert np.abs(np.asarray(written.convert("RGB"), float) - frame).mean() < 12
        assert written.info["duration"] == 80


@pytest.mark.skipif(not importlib.util.find_spec("av"), reason="the extra 'video' is not installed")
def test_an_mp4(tmp_path, frames):
    import av  # pyright: ignore[reportMissingImports]

    path = film(tmp_path / "film.mp4", frames, milliseconds=80, quality=90)
    with av.open(str(path)) as container:
        seen = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert container.streams.video[0].pix_fmt == "yuv444p"
    assert len(seen) == 5
    assert np.abs(np.asarray(seen, float) - frames).mean() < 12


def test_an_mp4_without_the_extra_says_what_to_install(tmp_path, frames, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r"pip install 'av>=14'"):
        film(tmp_path / "film.mp4", frames, milliseconds=80, quality=90)
    assert not list(tmp_path.iterdir())


def test_films_that_cannot_be(tmp_path, frames):
    with pytest.raises(UserError, match="no frames"):
        film(tmp_path / "a.webp", [], milliseconds=80, quality=90)
    with pytest.raises(UserError, match=r"name it \.webp or \.mp4"):
        film(tmp_path / "a.gif", frames, milliseconds=80, quality=90)
    with pytest.raises(UserError, match="several shapes"):
        film(tmp_path / "a.webp", [frames[0], frames[0][1:]], milliseconds=80, quality=90)
    with pytest.raises(UserError, match="at least 1 ms"):
        film(tmp_path / "a.webp", frames, milliseconds=0, quality=90)
