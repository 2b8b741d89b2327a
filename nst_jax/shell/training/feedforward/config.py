"""The settings of the training of a feed-forward network: conf/train/METHOD.yaml says what each means."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nst_jax.methods.feedforward.training import PARTS, SCHEDULES
from nst_jax.shell.errors import UserError
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
class Network:
    """conf/network/: the network that sees."""

    name: str
    pool: str
    rounding: str
    padding: str
    convolution: str


@dataclass
class Layers:
    """conf/layers/: the layers, each with its factor."""

    content: dict[str, float]
    style: dict[str, float]


@dataclass
class Convention:
    """conf/convention/: the terms. The weights of its source are not taken: the method has its own."""

    name: str
    content_weight: float
    style_weight: float
    tv_weight: float


@dataclass
class Config:
    """The settings. A setting that a method does not take is null, and its file leaves it out."""

    data: Any
    record: str
    network: Network
    weights: Weights
    convention: Convention
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
    start: str | None = None  # of johnson, cin and adain
    learns: str = "all"  # the same
    style: Any = None  # of johnson
    styles: Any = None  # of cin and adain
    style_size: int | None = None  # of johnson and cin
    layers: Layers | None = None  # of all but wct
    style_weight: float = 0.0
    tv_weight: float = 0.0
    pixel_weight: float = 0.0  # of wct
    level: Any = None  # of adain and wct
    form: str = ""  # of adain
    mix: str = ""  # of adain
    more: int = 0  # of adain and wct
    draw: str = "torch"  # of adain and wct
    normalise: bool = False  # of adain and wct


def check(config: Config) -> None:
    """Raise UserError for settings that make no training."""
    for problem in problems(config):
        raise UserError(problem)


def problems(c: Config) -> Iterator[str]:
    """The mistakes in the values, in words."""
    least: dict[str, float] = {"steps": 1, "batch": 1, "side": 16, "report": 1, "threads": 1, "largest": c.side}
    counts = ("seed", "held_out", "warmup", "every", "sheet", "patience", "devices", "more")
    weights = ("content_weight", "style_weight", "tv_weight", "pixel_weight")
    least |= dict.fromkeys((*counts, *weights, "memory", "clip", "decay", "learning_rate", "checkpoint"), 0)
    for key, low in least.items():
        if not low <= getattr(c, key) < float("inf"):
            yield f"{key}={getattr(c, key):g}: it must be {low:g} or more"
    choices = (("learns", PARTS), ("schedule", SCHEDULES), ("precision", ("float16", "float32")))
    wrong = ((key, known) for key, known in choices if getattr(c, key) not in known)
    yield from (f"{key}={getattr(c, key)}: it is one of {', '.join(known)}" for key, known in wrong)
    if c.start is not None and not Path(c.start).expanduser().is_file():
        yield f"start={c.start}: there is no such file; give a model that nst-train wrote"
    if c.learns == "norms" and c.start is None:
        yield "learns=norms: the normalisations of an untrained network are no use alone; give start=MODEL.safetensors"
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
    for side, layers in (("content", content_of(c)), ("style", style_of(c))):
        wrong = {layer: factor for layer, factor in layers.items() if not 0 <= factor < float("inf")}
        yield from (f"layers.{side}.{layer}={f:g}: give a number, 0 or more" for layer, f in wrong.items())


def content_of(config: Config) -> dict[str, float]:
    """The content layers with their weights. Those of a reconstruction are the picture itself and the level."""
    if config.layers is None:
        return {IMAGE: config.pixel_weight, str(config.level): config.content_weight}
    return {layer: config.content_weight * factor for layer, factor in config.layers.content.items()}


def style_of(config: Config) -> dict[str, float]:
    """The style layers with their factors."""
    return {} if config.layers is None else dict(config.layers.style)


def names_in(given: Any) -> list[str]:
    """One name, or several, as a list."""
    return [str(name) for name in (given if isinstance(given, list) else [given])]
