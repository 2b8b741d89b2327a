"""The settings of the training. All values stand in train.yaml, beside this file."""

from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf


@dataclass
class Config:
    """See train.yaml for the meaning and the unit of each."""

    seed: int
    blocks: list[list[int]]
    variants: int
    pictures: int
    held_out: int
    scenes: int
    size: int
    side: int
    batch: int
    zoom: float
    contrast: float
    colour: float
    faulty: float
    classes: float
    deep: bool
    finishes: float
    pairs: float
    temperature: float
    embedding: int
    sketch: int
    steps: int
    warmup: int
    learning_rate: float
    weight_decay: float
    floor: float
    measured: int
    cache: str
    weights: str
    workers: int
    report: int
    checkpoint: int


def read(arguments: list[str]) -> Config:
    """train.yaml with `key=value` arguments over it. Raises ConfigKeyError for a key that does not exist."""
    written = OmegaConf.load(Path(__file__).with_name("train.yaml"))
    merged = OmegaConf.merge(OmegaConf.structured(Config), written, OmegaConf.from_cli(arguments))
    return OmegaConf.to_object(merged)  # pyright: ignore[reportReturnType]
