"""ICC profiles on the way in, with profiles put together here."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from nst_jax.shell.io import pictures as files


def read(path, **options):
    lines = []
    picture = files.read(path, log=lines.append, **options)
    assert lines == [f"{path.name}: {note}" for note in picture.notes]
    return picture


@pytest.fixture
def colours():
    """20 x 30 pixels, smooth in red and green."""
    red, green = np.meshgrid(np.linspace(20, 230, 30), np.linspace(40, 200, 20))
    return np.stack([red, green, np.full_like(red, 90)], 2).astype(np.uint8)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile():
    """An sRGB profile whose red and green primaries are exchanged: plain to see in the result."""
    icc = srgb()
    table = {icc[i : i + 4]: icc[i + 4 : i + 12] for i in range(132, 132 + 12 * 32, 12)}
    changed = icc.replace(b"rXYZ" + table[b"rXYZ"], b"rXYZ" + table[b"gXYZ"])
    changed = changed.replace(b"gXYZ" + table[b"gXYZ"], b"gXYZ" + table[b"rXYZ"])
    # the description must not begin with sRGB, or it would rightly be left alone
    return changed.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))


def test_an_srgb_profile_changes_nothing(tmp_path, colours):
    picture = read(save(tmp_path / "a.png", colours, icc_profile=srgb()))
    np.testing.assert_array_equal(picture.image, colours.astype("f4") / 255)
    assert picture.notes == ()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_another_rgb_profile_is_converted(tmp_path, colours, name):
    options = {"quality": 98} if name in ("a.jpg", "a.webp") else {}
    picture = read(save(tmp_path / name, colours, icc_profile=swapped_profile(), **options))
    assert np.abs(picture.image - colours[..., [1, 0, 2]] / 255).mean() < 0.02
    assert "to sRGB" in picture.notes[0]


def test_alpha_and_a_profile_together(tmp_path, colours):
    alpha = np.full((20, 30, 1), 255, np.uint8)
    alpha[0] = 0
    path = save(tmp_path / "a.png", np.concatenate([colours, alpha], 2), icc_profile=swapped_profile())
    picture = read(path)
    assert np.abs(picture.image[1:] - colours[1:, :, [1, 0, 2]] / 255).mean() < 0.02
    assert picture.image[0].min() == 1
    assert "ICC profile" in picture.notes[0]


def gray_profile(gamma):
    """The least that LittleCMS takes as a gray profile: white point, description, one curve."""
    text = "Gray".encode("utf-16-be")
    tags = {
        b"desc": b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text,
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2),
    }
    start, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"", 0x04200000, b"mntr", b"GRAY", b"XYZ ",
                         struct.pack(">6H", 2020, 1, 1, 0, 0, 0), b"acsp")  # fmt: skip
    header += bytes(28) + struct.pack(">iii", 63190, 65536, 54061) + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


def srgb_of_light(light):
    return np.where(light < 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_gray_profile(tmp_path, depth):
    ramp = np.linspace(0, 1, 64)
    levels = np.tile(ramp * (2**depth - 1), (20, 1)).astype(f"u{depth // 8}")
    picture = read(save(tmp_path / "a.png", levels, icc_profile=gray_profile(1.5)))
    assert np.abs(picture.image[0, :, 0] - srgb_of_light(ramp**1.5)).max() < 0.02
    assert "GRAY by ICC profile" in picture.notes[-1]


@pytest.mark.parametrize("icc", [b"no profile at all", swapped_profile()[:200], gray_profile(1.8)[:150]])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_broken_profile_is_ignored_and_noted(tmp_path, colours, icc, mode):
    converted = Image.fromarray(colours).convert(mode)
    converted.save(tmp_path / "a.tif", icc_profile=icc)
    picture = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.image, np.asarray(converted.convert("RGB"), np.float32) / 255)
    assert "ICC profile ignored" in picture.notes[0]


def test_a_profile_of_another_colour_space_is_ignored_and_noted(tmp_path, colours):
    Image.fromarray(colours).convert("CMYK").save(tmp_path / "a.jpg", icc_profile=swapped_profile())
    assert "unfitting ICC profile ignored" in read(tmp_path / "a.jpg").notes[0]


def test_bytes_of_a_profile_survive_the_test_tools():
    for icc in (swapped_profile(), gray_profile(2.2)):
        ImageCms.ImageCmsProfile(io.BytesIO(icc))
