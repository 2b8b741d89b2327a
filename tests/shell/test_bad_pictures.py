"""Bad pictures: one error each, that says what, where and what to do."""

import contextlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import pictures as files


@pytest.fixture
def photo(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    path = tmp_path / "holiday.jpg"
    Image.fromarray(noise).save(path)
    return path


def header_only(path, *, width, height):
    """A PNG of any size in 70 bytes: its header is all that may be looked at."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data))
    chunks += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def complaint(path, **options):
    with pytest.raises(UserError) as caught:
        files.read(path, **options)
    text = str(caught.value)
    assert path.name in text
    assert "\n" not in text
    return text


def test_a_missing_file_and_its_nearest_name(photo):
    assert f"did you mean {photo}?" in complaint(photo.with_name("hollyday.jpg"))
    assert "check the path" in complaint(photo.with_name("zzz.png"))
    assert "there is no folder" in complaint(photo.parent / "nowhere" / "holiday.jpg")


def test_a_folder(tmp_path):
    assert "is a folder" in complaint(tmp_path)


def test_a_text_named_jpg(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("<!DOCTYPE html>\n<title>404</title>")
    assert "holds text (it begins with '<!DOCTYPE html>')" in complaint(path)


def test_an_empty_file(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert "empty (0 bytes)" in complaint(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".gif"])
@pytest.mark.parametrize("kept", [0.05, 0.3, 0.7, 0.95])
def test_a_file_cut_short(photo, suffix, kept):
    whole = photo.with_suffix(suffix)
    Image.open(photo).save(whole)
    data = whole.read_bytes()
    cut = whole.with_name(f"cut{suffix}")
    cut.write_bytes(data[: int(len(data) * kept)])
    text = complaint(cut)
    assert "cut short" in text or "no picture that can be read" in text


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".gif"])
def test_bytes_at_random_never_end_in_a_traceback(photo, suffix):
    whole = photo.with_suffix(suffix)
    Image.open(photo).save(whole)
    rng = np.random.default_rng(3)
    for _ in range(60):
        data = bytearray(whole.read_bytes())
        for place in rng.integers(0, min(len(data), 600), 8):
            data[place] = rng.integers(256)
        broken = whole.with_name(f"broken{suffix}")
        broken.write_bytes(data)
        with contextlib.suppress(UserError):
            files.read(broken, max_pixels=1_000_000, log=len)


def test_a_picture_of_one_pixel(tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    assert "1 x 1 pixels; each side needs at least 16" in complaint(tmp_path / "a.png")


def test_sixteen_pixels_are_enough(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    assert files.read(tmp_path / "a.png").image.shape == (16, 16, 3)


def test_a_bomb_is_refused_by_its_header(tmp_path):
    bomb = header_only(tmp_path / "bomb.png", width=20_000, height=20_000)
    limit = Image.MAX_IMAGE_PIXELS
    text = complaint(bomb)
    assert "20,000 x 20,000 pixels, the limit is 100,000,000" in text
    assert "max_pixels" in text
    assert limit == Image.MAX_IMAGE_PIXELS


def test_the_limit_can_be_raised_above_pillows(tmp_path):
    bomb = header_only(tmp_path / "bomb.png", width=14_000, height=14_000)
    assert "damaged or cut short" in complaint(bomb, max_pixels=200_000_000)


def test_the_limit_can_be_lowered(photo):
    assert "the limit is 1,999" in complaint(photo, max_pixels=1_999)
    files.read(photo, max_pixels=2_000)


def test_an_unknown_background(photo):
    with pytest.raises(UserError, match="no colour 'whyte'"):
        files.read(photo, background="whyte")


def test_a_heic_photo_is_named(tmp_path):
    path = tmp_path / "IMG_1.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    assert "HEIC photo" in complaint(path)


def test_broken_exif_is_no_reason_to_fail(photo):
    Image.open(photo).save(photo, exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff rubbish")
    assert files.read(photo).image.shape == (40, 50, 3)
