"""Pictures and texts out: exact, whole or not at all, and with their provenance."""

import json
import os
import signal
import subprocess
import sys
import time

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import atomic, saving
from nst_jax.shell.io import pictures as files

META = {"Software": "nst-jax 1", "provenance": '{"seed": 0, "title": "Käthe — ☃"}'}


@pytest.fixture
def picture():
    y, x = np.mgrid[0:32, 0:48] / 48
    return np.stack([x, y, 1 - x], 2).astype(np.float32)


@pytest.mark.parametrize(("suffix", "tolerance"), [(".png", 0.5), (".jpg", 3), (".jpeg", 3), (".WEBP", 3)])
def test_what_was_written_is_read(tmp_path, picture, suffix, tolerance):
    path = saving.write(tmp_path / f"a{suffix}", jnp.asarray(picture), metadata=META)
    back = files.read(path)
    assert back.notes == ()
    assert np.abs(back.image - picture).max() * 255 <= tolerance * 5
    assert np.abs(back.image - picture).mean() * 255 <= tolerance


def test_rounding_is_to_the_nearest_and_clipped(tmp_path):
    values = np.array([-0.5, 0.49 / 255, 0.51 / 255, 254.4 / 255, 254.6 / 255, 7.0])
    image = np.broadcast_to(values[None, :, None], (16, 6, 3))
    saving.write(tmp_path / "a.png", image, metadata={})
    with Image.open(tmp_path / "a.png") as written:
        assert np.asarray(written)[0, :, 0].tolist() == [0, 0, 1, 254, 255, 255]


def test_every_level_comes_back(tmp_path):
    levels = np.arange(256, dtype=np.float32).reshape(16, 16, 1).repeat(3, 2) / 255
    saving.write(tmp_path / "a.png", levels, metadata={})
    np.testing.assert_array_equal(files.read(tmp_path / "a.png").image, levels)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_alpha_is_kept(tmp_path, picture, suffix):
    alpha = np.zeros((32, 48), np.float32)
    alpha[8:24] = 1
    saving.write(tmp_path / f"a{suffix}", picture, alpha=alpha, metadata={})
    np.testing.assert_array_equal(files.read(tmp_path / f"a{suffix}").alpha, alpha)


def test_alpha_in_a_jpeg_is_refused(tmp_path, picture):
    with pytest.raises(UserError, match="JPEG has no transparency"):
        saving.write(tmp_path / "a.jpg", picture, alpha=picture[..., 0], metadata={})


def test_provenance_in_a_png(tmp_path, picture):
    saving.write(tmp_path / "a.png", picture, metadata=META)
    with Image.open(tmp_path / "a.png") as written:
        assert {key: written.info[key] for key in META} == META
        assert written.info["srgb"] == 0


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_provenance_in_exif(tmp_path, picture, suffix):
    saving.write(tmp_path / f"a{suffix}", picture, metadata=META)
    with Image.open(tmp_path / f"a{suffix}") as written:
        exif = written.getexif()
        comment = exif.get_ifd(0x8769)[0x9286]
    assert comment.startswith(b"ASCII\0\0\0")
    assert json.loads(comment[8:]) == META
    assert exif[0x0131] == "nst-jax 1"


def test_provenance_too_long_for_a_jpeg_points_to_the_sidecar(tmp_path, picture):
    saving.write(tmp_path / "a.jpg", picture, metadata={"provenance": "x" * 70_000})
    with Image.open(tmp_path / "a.jpg") as written:
        assert b"a.json" in written.getexif().get_ifd(0x8769)[0x9286]


def test_quality_is_heeded(tmp_path, picture):
    noise = np.random.default_rng(0).random(picture.shape)
    for suffix in (".jpg", ".webp"):
        low = saving.write(tmp_path / f"low{suffix}", noise, quality=20, metadata={})
        high = saving.write(tmp_path / f"high{suffix}", noise, quality=98, metadata={})
        assert low.stat().st_size < high.stat().st_size / 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, picture, bad):
    picture[3, 4, 1] = bad
    with pytest.raises(UserError, match="1 of its 4608 values are not finite"):
        saving.write(tmp_path / "a.png", picture, metadata={})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.gif", "a", "a.tiff"])
def test_an_unknown_suffix(tmp_path, picture, name):
    with pytest.raises(UserError, match=r"name it \.png"):
        saving.write(tmp_path / name, picture, metadata={})


@pytest.mark.parametrize("quality", [0, 101])
def test_an_impossible_quality(tmp_path, picture, quality):
    with pytest.raises(UserError, match="quality"):
        saving.write(tmp_path / "a.jpg", picture, quality=quality, metadata={})


def test_no_folder_is_made_and_none_replaced(tmp_path, picture):
    with pytest.raises(UserError, match="there is no folder"):
        saving.write(tmp_path / "new" / "a.png", picture, metadata={})
    (tmp_path / "b.png").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        saving.write(tmp_path / "b.png", picture, metadata={})
    assert [entry.name for entry in tmp_path.iterdir()] == ["b.png"]


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path):
    path = atomic.write_text(tmp_path / "a.txt", "old")

    def failing():
        with atomic.draft(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    written = atomic.write_text(tmp_path / "a.txt", "text")
    assert written.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_sidecar_lies_beside(tmp_path):
    path = saving.sidecar(tmp_path / "result.png", {"seed": 3, "place": tmp_path, "title": "Käthe"})
    assert path == tmp_path / "result.json"
    assert json.loads(path.read_text("utf-8")) == {"seed": 3, "place": str(tmp_path), "title": "Käthe"}


WRITER = """
import sys, numpy as np
from nst_jax.shell.io import atomic, saving
noise = np.random.default_rng(0).random((256, 256, 3))
print("ready", flush=True)
for i in range(10**6):
    saving.write(f"{sys.argv[1]}/{i % 3}.png", noise, metadata={"step": str(i)})
    atomic.write_text(f"{sys.argv[1]}/{i % 3}.txt", "x" * 1_000_000 + "end")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("seconds", [0.05, 0.11, 0.17, 0.31])
def test_killed_while_writing_every_final_name_is_whole(tmp_path, seconds):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        writer.kill()
    for path in tmp_path.glob("[0-9].png"):
        assert files.read(path).image.shape == (256, 256, 3)
    for path in tmp_path.glob("[0-9].txt"):
        assert path.read_text().endswith("end")
    assert all(path.suffix == ".part" for path in tmp_path.iterdir() if path.name.startswith("."))
