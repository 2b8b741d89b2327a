"""The settings of a distillation: conf/train/distil.yaml has all values, and what each means."""

from dataclasses import dataclass
from typing import Any

from nst_jax.shell.errors import UserError


@dataclass
class Weights:
    """Where the teacher's parameters are."""

    source: str
    path: str | None
    mirror: str | None
    seed: int
    preprocessing: str


@dataclass
class Config:
    """The settings: conf/train/distil.yaml says what each means."""

    data: Any
    teacher: str
    weights: Weights
    folder: str
    seed: int
    held_out: float
    largest: int
    side: int
    batch: int
    transfers: int
    turns: int
    steps: int
    warmup: int
    learning_rate: float
    gram: float
    decay: float
    checkpoint: float
    report: int
    fitted: int


def check(config: Config) -> None:
    """Raise UserError for settings that make no training."""
    least = {"steps": 1, "batch": 1, "transfers": 1, "turns": 1, "side": 64, "largest": config.side, "report": 1}
    for key, low in least.items():
        if getattr(config, key) < low:
            raise UserError(f"{key}={getattr(config, key)}: it must be {low} or more")
    if not 0 <= config.warmup < config.steps:
        raise UserError(f"warmup={config.warmup}: give a number of steps from 0 to below steps={config.steps}")
    if not 0 <= config.held_out <= 0.5:
        raise UserError(f"held_out={config.held_out:g}: give a share between 0 and 0.5")
    if config.teacher != "vgg16":
        raise UserError(f"teacher={config.teacher}: the layers of distilled are those of vgg16, its only teacher")
