"""The settings of the training of a feed-forward network: conf/train/METHOD.yaml says what each means."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nst_jax.methods.feedforward.training import SCHEDULES
from nst_jax.shell.errors import UserError
from nst_jax.shell.names import look_up
from nst_jax.shell.settings.config import PADDINGS
from nst_jax.shell.training.config import Weights

METHODS = ("johnson", "cin", "adain", "wct")
IMAGE = "image"  # as a content layer: the picture itself
NEEDS = {
    "johnson": ("style", "data"),
    "cin": ("styles", "data"),
    "adain": ("styles", "data"),
    "wct": ("data",),
}  # what has no default
SAY = {
    "style": "style=PAINTING.jpg is missing: the painting whose style is learnt",
    "styles": "styles=FOLDER is missing: the paintings",
    "data": "data=FOLDER is missing: a folder of pictures, or several, data=[FOLDER,FOLDER]",
}


@dataclass
class Config:
    """The settings. What a method does not take is null, and not in its file."""

    data: Any
    record: str
    network: str
    pool: str
    rounding: str
    padding: str
    weights: Weights
    convention: str
    content_layers: Any
    content_weight: float
    folder: str
    seed: int
    held_out: int
    largest: int
    memory: float
    threads: int
    side: int
    crop: Any
    flip: bool
    batch: int
    steps: int
    learning_rate: float
    schedule: str
    decay: float
    every: int
    warmup: int
    clip: float
    ema: float
    devices: int
    checkpoint: float
    report: int
    sheet: int
    patience: int
    precision: str
    licence: str | None
    width: float = 1.0  # of johnson and cin
    style: Any = None  # of johnson
    styles: Any = None  # of cin and adain
    style_size: int | None = None  # of johnson and cin
    style_layers: Any = None  # of all but wct
    style_weight: float = 0.0
    tv_weight: float = 0.0
    level: Any = None  # of adain and wct


def check(config: Config) -> None:
    """Raise UserError for settings that make no training."""
    for problem in problems(config):
        raise UserError(problem)


def problems(c: Config) -> Iterator[str]:
    """What is wrong with the values, in words."""
    least: dict[str, float] = {"steps": 1, "batch": 1, "side": 16, "report": 1, "threads": 1, "largest": c.side}
    least |= dict.fromkeys(("seed", "held_out", "memory", "warmup", "every", "clip", "sheet", "patience", "devices"), 0)
    least |= dict.fromkeys(("content_weight", "style_weight", "tv_weight", "decay", "learning_rate", "checkpoint"), 0)
    for key, low in least.items():
        if not low <= getattr(c, key) < float("inf"):
            yield f"{key}={getattr(c, key):g}: it must be {low:g} or more"
    choices = (("schedule", SCHEDULES), ("precision", ("float16", "float32")), ("padding", PADDINGS))
    choices += (("pool", ("max", "avg", "l2")), ("rounding", ("floor", "ceil")))
    wrong = ((key, known) for key, known in choices if getattr(c, key) not in known)
    yield from (f"{key}={getattr(c, key)}: it is one of {', '.join(known)}" for key, known in wrong)
    if c.schedule == "steps" and c.every < 1:
        yield f"every={c.every}: with schedule=steps it must be 1 or more"
    if not 0 <= c.ema < 1:
        yield f"ema={c.ema:g}: give a number from 0 to below 1"
    if not 0 < c.width <= 4:
        yield f"width={c.width:g}: give a number above 0, 4 at most"
    if c.style_size is not None and c.style_size < 16:
        yield f"style_size={c.style_size}: it must be 16 or more, or null for the picture's own size"
    crop = c.crop if isinstance(c.crop, list) and len(c.crop) == 2 else [0, 0]
    if not all(isinstance(part, int | float) for part in crop) or not 0 < crop[0] <= crop[1] <= 1:
        yield f"crop={c.crop}: give two numbers above 0 and at most 1, the smaller one first: crop=[0.5,1]"
    for key in ("content_layers", "style_layers"):
        layers = getattr(c, key)
        if isinstance(layers, dict) and not all(isinstance(f, int | float) and f >= 0 for f in layers.values()):
            yield f"{key}={layers}: give a number, 0 or more, for each layer: {key}={{relu3_3: 1.0}}"
        elif layers is not None and not isinstance(layers, list | dict):
            yield f"{key}={layers}: give a list of layers, [relu1_1,relu2_1], or layers with factors, {{relu1_1: 0.5}}"


def check_method(method: str) -> str:
    """The method. Raises UserError for another word."""
    return look_up({name: name for name in METHODS}, method, "nst-train")


def layers_of(given: Any) -> dict[str, float]:
    """Layers with their factors, 1 where none is said."""
    if isinstance(given, dict):
        return {str(layer): float(factor) for layer, factor in given.items()}
    return {str(layer): 1.0 for layer in given or ()}


def content_of(config: Config) -> dict[str, float]:
    """The content layers. null: the encoder's level, and for a reconstruction the picture too."""
    if config.content_layers is not None or config.level is None:
        return layers_of(config.content_layers)
    return {config.level: 1.0} if config.styles is not None else {IMAGE: 1.0, config.level: 1.0}


def listed(given: Any) -> list[str]:
    """One name, or several, as a list."""
    return [str(name) for name in (given if isinstance(given, list) else [given])]
