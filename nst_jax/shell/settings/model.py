"""The settings of a trained network that paints in one pass: `nst content=photo.jpg model=FILE`."""

from collections.abc import Iterable
from typing import Any

from nst_jax.shell.errors import UserError
from nst_jax.shell.settings.schema import Config

# settings that have a meaning with a model, and the groups whose every setting has one
TAKES = (
    *("content", "style", "style_blend", "style_scale", "model", "alpha", "size", "size_rule", "background"),
    *("max_pixels", "colour", "regions", "masks.grow"),
    *("output.folder", "output.to", "output.file", "output.quality", "output.alpha"),
    *("weights", "weights.source", "weights.path", "weights.mirror", "weights.seed", "weights.preprocessing"),
    *("device.precision", "device.preallocate", "device.memory_fraction", "device.cache", "device.deterministic"),
)
GROUPS = ("colour", "regions")


def refuse(words: Iterable[str]) -> None:
    """Raise UserError for a setting of a line that a model would take no notice of. words: KEY=VALUE."""
    for word in words:
        key = word.partition("=")[0].lstrip("+~").replace("/", ".")
        if key not in TAKES and not key.startswith(tuple(f"{group}." for group in GROUPS)):
            raise UserError(
                f"{word}: a model paints in one pass, and {key} has no meaning for it: leave it out. An optimisation "
                f"that begins from its result: canvas=instant canvas.model=FILE. A model takes {', '.join(TAKES)}"
            )


def wrong_model(c: Config) -> Iterable[str]:
    """The mistakes in the model and its strength, in words."""
    named = c.model if isinstance(c.model, list) else [c.model]
    if not named or not all(isinstance(one, str) for one in named if c.model is not None):
        yield f"model must be a file of nst-train, or a list of files: [one.safetensors,two.safetensors]; got {c.model}"
    if not 0 <= c.alpha < float("inf"):
        yield f"alpha must be a finite number, 0 or more; got {c.alpha:g}"
    if c.model is None and c.alpha != 1:
        yield f"alpha={c.alpha:g} is the strength of a model, and there is none: give model=FILE, or style_weight"
    if c.model is not None and c.device.precision == "bfloat16":
        yield "device.precision=bfloat16: a model computes in float32; leave it out, or take tf32 on a GPU"
    if c.model is not None and c.weights.random_from is not None:
        yield "weights.random_from: a model has an encoder of its own; leave it out"
    if c.canvas.get("start") == "instant":
        yield from wrong_start(c.canvas)


def wrong_start(canvas: dict[str, Any]) -> Iterable[str]:
    """The mistakes in canvas=instant, in words."""
    alpha = canvas.get("alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 <= alpha < float("inf"):
        yield f"canvas.alpha must be a finite number, 0 or more; got {alpha}"
    if not isinstance(canvas.get("model"), str | list):
        yield f"canvas.model must be a file of nst-train; got {canvas.get('model')!r}"
