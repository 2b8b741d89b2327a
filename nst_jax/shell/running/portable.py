"""`nst-export MODEL jax`: a trained network as one file that runs without this package."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, export

from nst_jax.methods.feedforward.instant import Model
from nst_jax.shell import extras
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import draft
from nst_jax.shell.names import look_up
from nst_jax.shell.running import trained

PLATFORMS = ("cpu", "cuda")
WIDEST = 4  # pixels beyond the border that a layer needs: a kernel of 9


class Function(NamedTuple):
    """A network as a function of arrays alone."""

    call: Callable[..., Array]
    names: tuple[str, ...]  # of what it takes
    shapes: tuple[str, ...]  # of each, with symbols
    least: int  # what a symbol of a side stands for at least


def run(given: Any, kind: str, *, to: str | None = None, size: str | None = None) -> Path:
    """Write a trained network in another format, and return the file.

    Args:
      given: as the setting `model` has it.
      kind: jax or onnx.
      to: the file; None: beside the model, with the format's suffix.
      size: WIDTHxHEIGHT of the pictures, for onnx.

    Raises:
      UserError: no such model, or a format that cannot hold it.
    """
    write, suffix = look_up(KINDS, kind, "format")
    model = trained.load(given, log=lambda line: None, convolution="direct")
    path = Path(to).expanduser() if to else Path(trained.paths_of(given)[0]).with_suffix(suffix)
    write(as_function(model), model, path, size)
    return path


def as_function(model: Model) -> Function:
    """The network as a function of its pictures and numbers. Its parameters are constants of it."""
    apply, params, multiple = model.apply, model.params, multiple_of(model)
    images = f"b, {multiple}*h, {multiple}*w, 3"
    mirrored = max(getattr(model.record, "start", 0), WIDEST)  # pixels beyond the border: a picture has more of them
    least = max(2, -(-(mirrored + 1) // multiple))
    if apply.styles == 0:
        return Function(lambda images: apply(params, images), ("images",), (images,), least)
    if apply.styles:
        mix = lambda images, shares: apply(params, images, shares=shares)
        return Function(mix, ("images", "shares"), (images, str(apply.styles)), least)

    def paint(images: Array, style: Array, alpha: Array) -> Array:
        return apply(params, images, [apply.study(params, style)], alpha=alpha)

    return Function(paint, ("images", "style", "alpha"), (images, f"{multiple}*p, {multiple}*q, 3", ""), least)


def sides(function: Function) -> list[str]:
    """The symbols of sides."""
    return [symbol for symbol in "hwpq" if any(f"*{symbol}" in shape for shape in function.shapes)]


def multiple_of(model: Model) -> int:
    """A side of a picture is a multiple of so many pixels."""
    records = [record for _, record in model.record] if model.method == "wct" else [model.record]
    return max(record.multiple for record in records)


def to_jax(function: Function, model: Model, path: Path, size: str | None) -> None:
    """Write what jax.export.deserialize reads: StableHLO for CPU and CUDA, for pictures of any size."""
    if size is not None:
        raise UserError(f"size={size}: jax takes pictures of any size; leave it out")
    extras.load("flatbuffers", "export")  # jax writes with it, and does not bring it
    scope = export.SymbolicScope([f"{side} >= {function.least}" for side in sides(function)])
    shapes = [
        jax.ShapeDtypeStruct(export.symbolic_shape(shape, scope=scope) if shape else (), jnp.float32)
        for shape in function.shapes
    ]
    made = export.export(jax.jit(function.call), platforms=PLATFORMS)(*shapes)
    with draft(path) as part:
        part.write_bytes(made.serialize())


def to_onnx(function: Function, model: Model, path: Path, size: str | None) -> None:
    """Write ONNX, by jax2onnx, for one picture of one size: it has no sizes with a least one, which mirroring needs."""
    if model.apply.styles is None:
        raise UserError(
            f"a model of {model.method} has no ONNX: jax2onnx 0.17 lacks what its encoder is made of. Take jax"
        )
    height, width = read_size(size, multiple=multiple_of(model), least=function.least)
    convert = extras.load("jax2onnx", "onnx").to_onnx
    shapes: list[tuple[int, ...]] = [(1, height, width, 3), (model.apply.styles,)][: len(function.names)]
    given = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    with draft(path) as part:
        convert(function.call, given, return_mode="file", output_path=str(part), input_names=list(function.names))


def read_size(size: str | None, *, multiple: int, least: int) -> tuple[int, int]:
    """Height and width of WIDTHxHEIGHT. Raises UserError for another form or a size that the network refuses."""
    if size is None or not (known := re.fullmatch(r"(\d+)x(\d+)", size)):
        raise UserError(f"size={size}: ONNX is for pictures of one size: say size=WIDTHxHEIGHT, such as size=640x480")
    width, height = int(known.group(1)), int(known.group(2))
    if width % multiple or height % multiple or min(width, height) < multiple * least:
        raise UserError(
            f"size={size}: this network takes sides that are multiples of {multiple}, {multiple * least} at least"
        )
    return height, width


Write = Callable[[Function, Model, Path, str | None], None]
KINDS: dict[str, tuple[Write, str]] = {"jax": (to_jax, ".stablehlo"), "onnx": (to_onnx, ".onnx")}
