"""Keys, values and columns of a sweep in a reader's words, for pages and figures."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PICTURES = ("content", "style", "strokes.style", "texture")
REGION = re.compile(r"regions\.\w+\.(content|style|style_region)")
NAMES = {
    "content_weight": "content weight (alpha)",
    "style_weight": "style weight (beta)",
    "tv_weight": "smoothness weight",
    "content": "photograph",
    "style": "painting",
    "style_scale": "scale of the style",
    "style_blend": "share of each style",
    "strokes.style": "strokes",
    "masks.carry": "masks at the layers",
    "masks.weigh": "weights of the regions",
    "texture": "exemplar",
    "pattern.shifts": "weight of the shifts",
    "pattern.spectrum": "weight of the spectrum",
    "strokes.mix": "how strokes are mixed in",
    "strokes.to": "deepest layer of the strokes",
    "strokes.scale": "scale of the strokes",
    "size": "size, pixels",
    "steps": "iterations",
    "scale": "sizes",
    "scale.from": "first size, pixels",
    "scale.then": "iterations at each later size",
    "average": "decay of the mean of the iterates",
    "canvas": "start",
    "canvas.start": "start",
    "canvas.sigma": "noise at the start",
    "canvas.model": "network of the start",
    "canvas.alpha": "strength of the start",
    "canvas.ratio": "share of noise at the start",
    "colour": "colours",
    "optimiser.learning_rate": "learning rate",
    "network.pool": "pooling",
    "network.smooth": "softmax of the activations",
    "network.temperature": "temperature of the softmax",
    "convention.resolution": "resolution",
    "device.precision": "precision",
    "device.tiles": "tiles, pixels",
    "device.mesh": "mesh of devices",
    "total": "loss",
    "ssim_content": "SSIM with the photograph",
    "style_distance": "style distance, |G - A| / |A|",
    "judge_distance": "style distance, by the judge",
}


ORDERS = {"look": ("plain", "gentle", "balanced", "strong", "painterly")}  # of words whose order is not the alphabet's


def rank(key: str, value: Any) -> int:
    """The place of a value among the words of its key; 0 where they have no order of their own."""
    order = ORDERS.get(key, ())
    return order.index(value) if value in order else len(order)


def name(key: str) -> str:
    """A key in words: the setting's own name where there are no better ones."""
    return NAMES.get(key, key)


def value(key: str, given: Any) -> str:
    """A value in words: of a path, the file's name."""
    if isinstance(given, float):
        return f"{given:g}"
    if isinstance(given, list):
        return " + ".join(value(key, each) for each in given)
    text = str(given).strip("'\"")
    return Path(text).stem if "/" in text or key in PICTURES or REGION.fullmatch(key) else text


def values(key: str, configs: Mapping[Any, Mapping[str, Any]]) -> dict[Any, str]:
    """The values of a key in words, by value: of a choice of layers, the layers that tell it from the others.

    Args:
      key: of the setting.
      configs: for each of its values the settings of a job that has it.
    """
    if key == "layers":
        content, style = ({v: layers(config, side) for v, config in configs.items()} for side in ("content", "style"))
        both = {v: f"content {content[v] or 'none'}, style {style[v] or 'none'}" for v in configs}
        for said in (style, content, both):
            if all(said.values()) and len(set(said.values())) == len(said):
                return said
    return {v: value(key, v) for v in configs}


def layers(config: Mapping[str, Any], side: str) -> str:
    """The first and the last of a job's layers: "relu1_1 ... relu3_1"; nothing where they do not count."""
    chosen = sorted((config.get("layers") or {}).get(side) or {})
    if not chosen or config.get(f"{side}_weight") == 0:
        return ""
    return f"{chosen[0]} ... {chosen[-1]}" if len(chosen) > 1 else chosen[0]
