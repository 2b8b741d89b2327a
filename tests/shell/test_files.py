"""Every conversion on the way in: the values, and that it is said."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from nst_jax.shell.io import pictures as files


def read(path, **options):
    said = []
    picture = files.read(path, log=said.append, **options)
    assert said == [f"{path.name}: {note}" for note in picture.notes]
    assert picture.image.dtype == np.float32
    assert picture.image.shape[2] == 3
    assert 0 <= picture.image.min() <= picture.image.max() <= 1
    return picture


@pytest.fixture
def colours():
    """20 x 30 pixels, smooth in red and green."""
    red, green = np.meshgrid(np.linspace(20, 230, 30), np.linspace(40, 200, 20))
    return np.stack([red, green, np.full_like(red, 90)], 2).astype(np.uint8)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def png16(path, array):
    """Pillow writes no 16-bit colour, so the file is put together here."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[array.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 16, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("a.png", 0), ("a.bmp", 0), ("a.tif", 0), ("a.jpg", 0.02), ("a.webp", 0.02), ("a.gif", 0.08)],
)
def test_each_format(tmp_path, colours, name, tolerance):
    options = {"quality": 98} if name in ("a.jpg", "a.webp") else {}
    picture = read(save(tmp_path / name, colours, **options))
    assert np.abs(picture.image - colours / 255).mean() <= tolerance + 1e-6
    assert picture.alpha is None
    assert picture.notes == (("palette to RGB",) if name == "a.gif" else ())


def test_the_content_tells_the_format_and_not_the_suffix(tmp_path, colours):
    png = save(tmp_path / "a.png", colours)
    np.testing.assert_array_equal(read(png.rename(tmp_path / "a.jpg")).image, colours.astype("f4") / 255)


def test_the_first_frame_of_several(tmp_path, colours):
    frames = [Image.fromarray(colours), Image.fromarray(255 - colours)]
    for name in ("a.gif", "a.webp", "a.tif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        picture = read(tmp_path / name)
        assert "the first of 2 frames or pages" in picture.notes
        assert np.abs(picture.image - colours / 255).mean() < 0.08


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, colours, orientation):
    undo = [
        lambda a: a,
        lambda a: a[:, ::-1],
        lambda a: a[::-1, ::-1],
        lambda a: a[::-1],
        lambda a: a.transpose(1, 0, 2),
        lambda a: np.rot90(a, 1),
        lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        lambda a: np.rot90(a, -1),
    ][orientation - 1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read(save(tmp_path / "a.png", np.ascontiguousarray(undo(colours)), exif=exif))
    np.testing.assert_array_equal(picture.image, colours.astype("f4") / 255)
    assert any("upright" in note for note in picture.notes) == (orientation > 1)


def test_rgba_hides_the_colour_under_transparent_places(tmp_path, colours):
    alpha = np.zeros((20, 30, 1), np.uint8)
    alpha[:, 10:20] = 255
    alpha[:, 20:] = 51
    path = save(tmp_path / "a.png", np.concatenate([colours, alpha], 2))
    picture = read(path, background="#0000ff")
    np.testing.assert_array_equal(picture.image[:, :10], np.broadcast_to(np.array([0, 0, 1], np.float32), (20, 10, 3)))
    np.testing.assert_allclose(picture.image[:, 10:20], colours[:, 10:20] / 255, atol=1e-6)
    mixed = 0.2 * colours[:, 20:] / 255 + 0.8 * np.array([0, 0, 1])
    np.testing.assert_allclose(picture.image[:, 20:], mixed, atol=1e-6)
    assert picture.alpha is not None
    np.testing.assert_allclose(picture.alpha, alpha[..., 0] / 255, atol=1e-6)
    assert "transparency laid over #0000ff" in picture.notes
    assert read(path).image[0, 0].tolist() == [1, 1, 1]


def test_opaque_alpha_is_none(tmp_path, colours):
    full = np.full((20, 30, 1), 255, np.uint8)
    assert read(save(tmp_path / "a.png", np.concatenate([colours, full], 2))).alpha is None


def test_gray_with_alpha(tmp_path):
    pair = np.stack([np.full((20, 20), 100), np.tile(np.arange(20) * 13, (20, 1))], 2).astype(np.uint8)
    picture = read(save(tmp_path / "a.png", pair))
    assert picture.alpha is not None
    np.testing.assert_allclose(picture.alpha, pair[..., 1] / 255, atol=1e-6)
    np.testing.assert_allclose(picture.image[0, -1], (100 * 247 / 255 + 8) / 255, atol=1e-3)
    assert picture.notes == ("gray to RGB", "transparency laid over white")


def test_palette_with_and_without_transparency(tmp_path):
    indexed = Image.fromarray(np.tile(np.arange(20, dtype=np.uint8) % 2, (20, 1))).convert("P")
    indexed.putpalette([200, 0, 0, 0, 0, 200])
    indexed.save(tmp_path / "plain.png")
    picture = read(tmp_path / "plain.png")
    np.testing.assert_allclose(picture.image[0, :2] * 255, [[200, 0, 0], [0, 0, 200]], atol=1e-3)
    assert picture.notes == ("palette to RGB",)
    for name in ("clear.png", "clear.gif"):
        indexed.save(tmp_path / name, transparency=1)
        picture = read(tmp_path / name)
        np.testing.assert_allclose(picture.image[0, :2] * 255, [[200, 0, 0], [255, 255, 255]], atol=1e-3)
        assert picture.alpha[0, :2].tolist() == [1, 0]
        assert picture.notes == ("palette to RGB", "transparency laid over white")


@pytest.mark.parametrize("mode", ["1", "L", "CMYK"])
def test_other_modes_without_a_profile(tmp_path, colours, mode):
    converted = Image.fromarray(colours).convert(mode)
    converted.save(tmp_path / "a.tif")
    picture = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.image, np.asarray(converted.convert("RGB"), np.float32) / 255)
    words = {"1": "black and white to RGB", "L": "gray to RGB", "CMYK": "CMYK to RGB without a profile"}
    assert picture.notes == (words[mode],)


def test_lab(tmp_path):
    Image.new("LAB", (20, 20), (138, 128, 128)).save(tmp_path / "a.tif")
    picture = read(tmp_path / "a.tif")
    np.testing.assert_allclose(picture.image[0, 0], np.array([129, 129, 129]) / 255, atol=0.02)
    assert picture.notes == ("CIELAB to sRGB",)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_gray_keeps_its_sixteen_bits(tmp_path, name):
    deep = np.tile(np.linspace(0, 65535, 500).astype(np.uint16), (20, 1))
    picture = read(save(tmp_path / name, deep))
    np.testing.assert_allclose(picture.image[..., 1], deep / 65535, atol=1e-7)
    assert len(np.unique(picture.image)) == 500
    assert "divided by 65535" in picture.notes[0]


def test_float_gray(tmp_path):
    ramp = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (20, 1))
    np.testing.assert_allclose(read(save(tmp_path / "a.tif", ramp)).image[..., 0], ramp, atol=1e-7)
    high = read(save(tmp_path / "b.tif", ramp * 8))
    np.testing.assert_allclose(high.image[..., 0], ramp, atol=1e-6)
    assert "divided by 8" in high.notes[0]


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bit_colour_is_reduced_aloud_and_not_clipped(tmp_path, channels):
    deep = np.full((20, 20, channels), 40_000)
    deep[..., channels - 1 if channels != 3 else 0] = 65_535
    picture = read(png16(tmp_path / "a.png", deep))
    assert "16 bits a channel reduced to 8" in picture.notes[0]
    np.testing.assert_allclose(picture.image[0, 0, 1], 40_000 / 65_535, atol=1 / 255)


def test_pillows_own_warnings_become_notes(tmp_path, colours, monkeypatch):
    path = save(tmp_path / "a.png", colours)
    load = Image.Image.load

    def grumble(self):
        warnings.warn("odd tags", UserWarning, stacklevel=1)
        return load(self)

    monkeypatch.setattr(files.colour, "_upright", lambda p: (grumble(p), (p, ()))[1])
    assert read(path).notes == ("Pillow warns: odd tags",)


def test_real_photographs(data):
    for name in ("tubingen.jpg", "starry_night.jpg"):
        picture = read(data / "images" / name)
        with Image.open(data / "images" / name) as plain:
            same = np.asarray(plain.convert("RGB"), np.float32) / 255
        assert picture.image.shape == same.shape
        assert np.abs(picture.image - same).mean() < 0.05
