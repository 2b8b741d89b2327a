"""Results measured by a network that they were not optimised for, at weights or distances that can be compared."""

from collections.abc import Iterable, Mapping
from typing import Any

import jax
import numpy as np

import nst_jax as nst
from experiments.common.reading import Row
from experiments.common.study import job
from nst_jax.losses.moments import Moments
from nst_jax.losses.term import sum_parts, taps
from nst_jax.methods import transfer
from nst_jax.shell.running import inputs, lane, once, prepare
from nst_jax.shell.running.job import Job
from nst_jax.shell.settings import config


def judge(name: str, words: Iterable[str], *more: str) -> Job:
    """A job on the same pictures with another network: texnet; for texnet an untrained VGG-19. more: its own words."""
    words = tuple(words)
    kept = [word for word in words if word.partition("=")[0] in inputs.PICTURES]
    own = "network=texnet" in words
    other = ("network=vgg19", "weights=random", "layers=blocks1-3") if own else ("network=texnet",)
    return job(name, *kept, *other, "convention=gatys_released", "content_weight=1", "style_weight=1", *more)


def balance(job: Job) -> float:
    """The style weight at which the photograph's style term is as large as a grey picture's content term.

    It has one meaning in all networks and conventions. job: one with the style weight 1.
    """
    weights = job.problem.weights

    def parts(image: Any) -> Mapping[str, Any]:
        values = transfer.measure(job.spec, job.problem, image)
        return sum_parts({name: weights[name] * value for name, value in values.items()})

    return float(parts(np.full_like(job.content, 0.5))["content"]) / float(parts(job.content)["style"])


def match(table: Iterable[Row], key: str, by: str) -> tuple[list[Row], str]:
    """For each value of `key`, the row nearest to a value of `by` that all of them come near.

    Args:
      table: the rows.
      key: the column to compare.
      by: the column to match: to the middle of the range that all reach.

    Returns:
      The rows, and what they show in words.
    """
    groups: dict[Any, list[Row]] = {}
    for row in table:
        groups.setdefault(row[key], []).append(row)
    ranges = [[row[by] for row in rows] for rows in groups.values()]
    goal = (max(map(min, ranges)) + min(map(max, ranges))) / 2
    best = [min(rows, key=lambda row: abs(row[by] - goal)) for rows in groups.values()]
    error = max(abs(row[by] / goal - 1) for row in best)
    listed = ", ".join(f"{row[key]} {row['ssim_content']:.3f} (at {row[by]:.3f})" for row in best)
    return best, (
        f"SSIM with the content picture of the runs nearest to a {by} of {goal:.3f}: {listed}. The distances are "
        f"matched to {100 * error:.0f} %; a difference of SSIM that this or the spread of seeds can explain says "
        "nothing"
    )


def measure(job: Job, image: np.ndarray) -> dict[str, float]:
    """The metrics of an image by a job's network, layers and pictures. image: (height, width, 3) bytes."""
    return lane.measure(job, image.astype(np.float32) / 255)


def jobs(rows: Iterable[Row]) -> list[Job]:
    """What each row's run computed with. What they have in common is read once."""
    known = once.memory()
    settings = [config.from_plain(config.plain_yaml(row["folder"] / "config.yaml")) for row in rows]
    return [prepare.prepare(each, lambda text: None, known) for each in settings]


def style_moments(job: Job, image: Any, layers: tuple[str, ...] | None = None) -> dict[str, Moments]:
    """The moments of an image at a job's style layers, or at others of its network."""
    network = job.spec.network.clone(taps=layers or taps(job.spec.terms, "style"))
    return _moments(network, job.problem.params, image)


def _all_moments(network: nst.Extractor, params: Any, image: Any) -> dict[str, Moments]:
    return {layer: nst.moments(f) for layer, f in nst.features(network, params, image).items()}


_moments = jax.jit(_all_moments, static_argnums=0)
