"""Convert what Pillow opened, in any mode and profile, to sRGB in [0, 1], with a note for each conversion."""

import io
import struct
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps

_ORIENTATION = 0x0112  # EXIF
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")  # more than 8 bits, one channel
_WORDS = {
    "1": "black and white",
    "L": "gray",
    "CMYK": "CMYK",
    "LAB": "CIELAB",
    "YCbCr": "YCbCr",
    "HSV": "HSV",
}

Notes = tuple[str, ...]  # each conversion, in words


class Unpacked(NamedTuple):
    """A picture with its alpha apart: the colour is not blended yet."""

    image: np.ndarray  # (height, width, 3) float32 sRGB in [0, 1]
    alpha: np.ndarray | None  # (height, width) float32 in [0, 1]; None where all is opaque
    notes: Notes


def losses(picture: Image.Image) -> Notes:
    """The parts of this file that Pillow leaves out. Call it before the pixels are loaded."""
    return _frames(picture) + _depth(picture)


def unpack(picture: Image.Image) -> Unpacked:
    """Upright sRGB and alpha of a picture that Pillow has loaded, in any mode and with any profile."""
    upright, rotation = _upright(picture)
    colour, alpha, split = _split(upright)
    image, converted = _srgb(colour, picture.info.get("icc_profile"))
    return Unpacked(image, alpha, rotation + split + converted)


def blend(image: np.ndarray, alpha: np.ndarray, background: tuple[int, ...]) -> np.ndarray:
    """Blend the picture with one colour (0..255) behind it. As in browsers, it blends sRGB values, not linear light."""
    colour = np.asarray(background[:3], np.float32) / 255
    opacity = alpha[..., None]
    return image * opacity + colour * (1 - opacity)


def _frames(picture: Image.Image) -> Notes:
    # a phone's JPEG (MPO) has a preview or a depth map as a second picture: it is no film
    count = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    return (f"the first of {count} frames or pages",) if count > 1 else ()


def _depth(picture: Image.Image) -> Notes:
    """Pillow has no 16-bit colour: it keeps the upper 8 bits and does not say so."""
    coding = " ".join(str(tile.args) for tile in getattr(picture, "tile", ()))
    lost = ";16" in coding and picture.mode not in _DEEP
    return ("16 bits a channel reduced to 8 (Pillow reads no deeper colour)",) if lost else ()


def _upright(picture: Image.Image) -> tuple[Image.Image, Notes]:
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, LookupError, struct.error) as error:
        return picture, (f"broken EXIF data ignored ({error})",)
    if orientation not in range(2, 9):
        return picture, ()
    try:
        return ImageOps.exif_transpose(picture), (f"turned upright (EXIF orientation {orientation})",)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error) as error:
        return picture, (f"broken EXIF data ignored ({error}): not turned",)


def _split(picture: Image.Image) -> tuple[Image.Image, np.ndarray | None, Notes]:
    """Colour and alpha apart. A palette becomes RGB on the way, and LA gray."""
    if picture.mode in _DEEP:
        return picture, None, ()
    notes = ("palette to RGB",) if picture.mode in ("P", "PA") else ()
    if not picture.has_transparency_data:
        return (picture.convert("RGB") if notes else picture), None, notes
    gray = picture.mode in ("LA", "La")
    full = picture.convert("LA" if gray else "RGBA")
    alpha = np.asarray(full.getchannel("A"), np.float32) / 255
    return full.convert("L" if gray else "RGB"), (None if alpha.min() == 1 else alpha), notes


def _srgb(colour: Image.Image, icc: bytes | None) -> tuple[np.ndarray, Notes]:
    if colour.mode in _DEEP:
        return _from_deep(colour, icc)
    if icc is None:
        return _plain(colour)
    try:
        return _convert_by_profile(colour, icc)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        image, notes = _plain(colour)
        return image, (f"broken or unfitting ICC profile ignored ({error}): taken as sRGB", *notes)


def _from_deep(colour: Image.Image, icc: bytes | None) -> tuple[np.ndarray, Notes]:
    """Gray of 16 or 32 bits. convert("RGB") would clip everything above 255 to white."""
    values = np.nan_to_num(np.asarray(colour, np.float64))
    full = 1.0 if colour.mode == "F" else 65535.0
    if values.max() > full:  # 32 bits: the file does not say where white is
        full = float(values.max())
    gray = np.clip(values / full, 0, 1)
    notes = (f"deep gray (mode {colour.mode}) divided by {full:g}, to RGB",)
    if icc is None:
        return _repeat_gray(gray), notes
    ramp, ramp_notes = _srgb(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), icc)
    curve = np.interp(gray, np.linspace(0, 1, 256), ramp[0, :, 0])  # LittleCMS has no mode I;16
    return _repeat_gray(curve), (*notes, *(note for note in ramp_notes if "ICC" in note))


def _repeat_gray(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None].astype(np.float32), 3, axis=2)


def _plain(colour: Image.Image) -> tuple[np.ndarray, Notes]:
    """Convert the mode without a profile, by Pillow's own arithmetic."""
    if colour.mode == "RGB":
        return _floats(colour), ()
    if colour.mode == "LAB":  # Pillow's convert cannot read it, LittleCMS can
        lab = ImageCms.createProfile("LAB")
        return _floats(_transform(colour, ImageCms.ImageCmsProfile(lab))), ("CIELAB to sRGB",)
    word = _WORDS.get(colour.mode, colour.mode)
    exact = colour.mode in ("1", "L")
    return _floats(colour.convert("RGB")), (f"{word} to RGB" + ("" if exact else " without a profile"),)


def _convert_by_profile(colour: Image.Image, icc: bytes) -> tuple[np.ndarray, Notes]:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    name = ImageCms.getProfileDescription(profile).strip() or "unnamed"
    described: Any = profile.profile  # Pillow's stubs take it for a file
    space = described.xcolor_space.strip()
    if space == "RGB" and name.startswith("sRGB"):
        return _plain(colour)
    if space == "RGB" and colour.mode in ("1", "L"):  # a gray picture tagged with a monitor's profile
        colour = colour.convert("RGB")
    if space == "GRAY":
        colour = colour.convert("L")
    return _floats(_transform(colour, profile)), (f"{space} by ICC profile {name!r} to sRGB",)


def _transform(colour: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """Relative colorimetric with black point compensation: the usual choice for photographs."""
    converted = ImageCms.profileToProfile(
        colour,
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # None only in place
    return converted


def _floats(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float32) / 255
