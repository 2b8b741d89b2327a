"""Frames to a film: animated WebP with what is there, MP4 with the extra `video`."""

import importlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from nst_jax.shell import saving
from nst_jax.shell.errors import UserError

_CRF = "12"  # constant quality: 38.8 dB on grainy frames, where the usual 23 smears the strokes


def film(path: str | Path, frames: Sequence[np.ndarray], *, milliseconds: int, quality: int) -> Path:
    """Write frames (height, width, 3) uint8, each shown for `milliseconds`, as .webp or .mp4.

    `quality` (1..100) is WebP's; the WebP loops for ever and merges equal frames, its duration kept. MP4
    (H.264, yuv444p, crf 12) needs the extra `video`. Raises UserError for no frames, frames of several
    shapes, an unknown suffix or a missing extra.
    """
    path = Path(path)
    _check(path, frames, milliseconds=milliseconds)
    if path.suffix.lower() == ".webp":
        _webp(path, frames, milliseconds=milliseconds, quality=quality)
    elif path.suffix.lower() == ".mp4":
        _mp4(path, frames, milliseconds=milliseconds)
    else:
        raise UserError(f"cannot write a film {path.name!r}: name it .webp or .mp4")
    return path


def _check(path: Path, frames: Sequence[np.ndarray], *, milliseconds: int) -> None:
    if not frames:
        raise UserError(f"cannot write {path.name}: there are no frames; take more snapshots")
    if milliseconds < 1:
        raise UserError(f"cannot write {path.name}: a frame must last at least 1 ms, not {milliseconds}")
    shapes = {frame.shape for frame in frames}
    if len(shapes) > 1:
        raise UserError(f"cannot write {path.name}: its frames have several shapes: {sorted(shapes)}")


def _webp(path: Path, frames: Sequence[np.ndarray], *, milliseconds: int, quality: int) -> None:
    first, *rest = (Image.fromarray(frame) for frame in frames)
    with saving.replacing(path) as part:
        first.save(
            part,
            format="WEBP",
            save_all=True,
            append_images=rest,
            duration=milliseconds,
            loop=0,
            quality=quality,
        )


def _av() -> ModuleType:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise UserError("an .mp4 film needs PyAV: pip install 'nst-jax[video]', or name it .webp") from error


def _mp4(path: Path, frames: Sequence[np.ndarray], *, milliseconds: int) -> None:
    av = _av()
    height, width, _ = frames[0].shape
    with saving.replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds), options={"crf": _CRF})
        # halved chroma (yuv420p) costs 17 dB on strokes of pure colour, and refuses odd sizes
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
