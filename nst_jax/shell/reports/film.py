"""Write frames as a film: animated WebP, or MP4 with the extra `video`."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst_jax.shell import extras
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import atomic

_CRF = "12"  # constant quality: 38.8 dB on grainy frames; the usual 23 smears the strokes


def film(path: str | Path, frames: Sequence[np.ndarray], *, milliseconds: int, quality: int) -> Path:
    """Write frames as a film; return its path.

    Args:
      path: ends in .webp, which loops without end, or in .mp4 (H.264, yuv444p, crf 12).
      frames: (height, width, 3) uint8, all of one shape.
      milliseconds: of each frame. WebP merges equal frames; the duration stays.
      quality: 1..100, of WebP.

    Raises:
      UserError: no frames, frames of several shapes, an unknown suffix, or the extra `video` is not installed.
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
    with atomic.draft(path) as part:
        first.save(
            part,
            format="WEBP",
            save_all=True,
            append_images=rest,
            duration=milliseconds,
            loop=0,
            quality=quality,
        )


def load_av(name: str) -> Any:
    """The package that writes MP4. Raises UserError where it is not installed."""
    try:
        return extras.load("av", "video")
    except UserError as error:
        raise UserError(f"cannot write {name}: {error}; or name it .webp") from error


def _mp4(path: Path, frames: Sequence[np.ndarray], *, milliseconds: int) -> None:
    av = load_av(path.name)
    height, width, _ = frames[0].shape
    with atomic.draft(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds), options={"crf": _CRF})
        # halved chroma (yuv420p) costs 17 dB on strokes of pure colour, and refuses odd sizes
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
