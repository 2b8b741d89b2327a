"""Keys and values of a sweep in a reader's words, for pages and figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAMES = {
    "content_weight": "content weight (alpha)",
    "style_weight": "style weight (beta)",
    "tv_weight": "smoothness weight",
    "content": "photograph",
    "style": "painting",
    "style_scale": "scale of the style",
    "size": "size, pixels",
    "steps": "iterations",
    "canvas": "start",
    "canvas.start": "start",
    "canvas.sigma": "noise at the start",
    "canvas.ratio": "share of noise at the start",
    "optimiser.learning_rate": "learning rate",
    "network.pool": "pooling",
    "convention.resolution": "resolution",
    "device.precision": "precision",
}


def name(key: str) -> str:
    """A key in words: the setting's own name where there are no better ones."""
    return NAMES.get(key, key)


def value(key: str, given: Any, config: Mapping[str, Any]) -> str:
    """A value in words: of a profile of layers, the layers; of a path, the file's name.

    Args:
      key: of the setting.
      given: the value that the sweep gave it.
      config: the settings of a job that has it.
    """
    if key == "layers":
        layers = config.get("layers") or {}
        style, content = (sorted(layers.get(side) or {}) for side in ("style", "content"))
        if config.get("style_weight") == 0 or not style:
            return span(content) or str(given)
        return span(style)
    if isinstance(given, float):
        return f"{given:g}"
    text = str(given).strip("'\"")
    return Path(text).stem if "/" in text or key in ("content", "style") else text


def span(layers: list[str]) -> str:
    """The first and the last of several layers: "relu1_1 ... relu3_1"."""
    return f"{layers[0]} ... {layers[-1]}" if len(layers) > 1 else "".join(layers)
