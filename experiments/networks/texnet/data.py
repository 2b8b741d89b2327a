"""The pictures of a training: drawn once, by several processes, into a cache."""

import hashlib
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.networks.texnet.config import Config
from experiments.networks.texnet.scenes import scene
from experiments.networks.texnet.textures import FAMILIES, pictures

GENERATOR = ("fields", "palettes", "noise", "lines", "tilings", "strokes", "textures", "scenes")
SCENE = -1  # the label of what has no class


class Data(NamedTuple):
    """Bytes (n, size, size, 3) and the class of each, SCENE for none."""

    pictures: np.ndarray
    labels: np.ndarray


def load(config: Config) -> Data:
    """The pictures of these settings, from the cache if this generator has drawn them before."""
    path = Path(config.cache) / f"pictures-{fingerprint(config)}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        data = draw(config)
        unfinished = path.with_suffix(".partial.npz")
        np.savez(unfinished, **data._asdict())
        unfinished.replace(path)
    with np.load(path) as stored:
        return Data(stored["pictures"], stored["labels"])


def draw(config: Config) -> Data:
    """All classes in order, then the scenes."""
    names = [(family, variant) for family in FAMILIES for variant in range(config.variants)]
    seeds = range(config.seed + 1, config.seed + 1 + config.scenes)
    with get_context("spawn").Pool(config.workers) as pool:
        textures = pool.map(partial(of_class, config=config), names, chunksize=4)
        scenes = pool.map(partial(of_scene, config=config), seeds, chunksize=50)
    labels = np.repeat(np.arange(len(names)), config.pictures)
    empty = np.zeros((0, config.size, config.size, 3), np.uint8)
    everything = np.concatenate([*textures, np.stack(scenes) if scenes else empty])
    return Data(everything, np.concatenate([labels, np.full(config.scenes, SCENE)]).astype(np.int32))


def of_class(name: tuple[str, int], *, config: Config) -> np.ndarray:
    """The pictures of one class, as bytes."""
    family, variant = name
    seed = 1000 * config.seed
    return as_bytes(pictures(family, variant=variant, seed=seed, count=config.pictures, size=config.size))


def of_scene(seed: int, *, config: Config) -> np.ndarray:
    """One scene, as bytes."""
    return as_bytes(scene(seed=seed, size=config.size, variants=config.variants))


def as_bytes(values: np.ndarray) -> np.ndarray:
    """[0, 1] to 0..255, rounded."""
    return np.round(values * 255).astype(np.uint8)


def split(data: Data, config: Config) -> tuple[Data, Data]:
    """What is trained on, and the last `held_out` pictures of every class."""
    count = len(FAMILIES) * config.variants * config.pictures
    held = np.arange(len(data.labels)) % config.pictures >= config.pictures - config.held_out
    held &= np.arange(len(data.labels)) < count
    return Data(data.pictures[~held], data.labels[~held]), Data(data.pictures[held], data.labels[held])


def fingerprint(config: Config) -> str:
    """Of the generator's source and the settings that it depends on."""
    told = (config.seed, config.variants, config.pictures, config.scenes, config.size)
    return hashlib.sha256(repr(told).encode() + source()).hexdigest()[:12]


def source() -> bytes:
    """The source of the generator."""
    return b"".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in GENERATOR)
