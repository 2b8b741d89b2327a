"""The inputs of one run, as values: nothing below `prepare` knows the settings."""

from typing import Any, NamedTuple

import numpy as np

from nst_jax.losses.term import Blend
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.shell.running.plan import Choice
from nst_jax.shell.settings.scale import Stage
from nst_jax.types import Image


class Plan(NamedTuple):
    """How long a run is, and when it is looked at."""

    steps: int  # iterations, at all sizes
    every: int  # steps between snapshots; 0: none
    seed: int
    stage: Stage  # which of the run's sizes it is


class Output(NamedTuple):
    """The files of a run, by name within its folder."""

    file: str  # the picture; its suffix is its format
    quality: int  # of a JPEG or WebP, 1 to 100
    film: str | None
    film_ms: int  # milliseconds a frame
    tiles: tuple[int, int] | None  # how often a texture is laid down and to the right in tiles.png; None: no such file


class Job(NamedTuple):
    """Everything that one run computes with, and the facts that its result records."""

    spec: Spec
    choice: Choice  # how the program computes, and how it may where that needs too much memory
    problem: Problem
    start: Image
    content: Image  # at the result's size; the style picture where there is no content
    style: Blend  # the style pictures at their own sizes; the content picture where there is no style
    alpha: np.ndarray | None  # of the photograph, at the result's size
    colours: Image | None  # of the photograph, at the result's size, if the result gets them; None: it keeps its own
    plan: Plan
    output: Output
    facts: dict[str, Any]  # settings, seed, weights and their hash, precision, size, conversions of the pictures
    made: dict[str, Image]  # pictures that were made for the run before it begins, by file name
