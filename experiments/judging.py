"""Pictures judged by a network that they were not optimised for, at weights or distances that can be compared."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from experiments.reading import Row
from experiments.study import job
from nst_jax import transfer
from nst_jax.shell import config, prepare
from nst_jax.shell.sweeps import lane


def judge(name: str, words: Iterable[str]) -> prepare.Job:
    """Another network on the same pictures, that nothing was optimised for: texnet; for texnet an untrained VGG-19."""
    words = tuple(words)
    kept = [word for word in words if word.partition("=")[0] in prepare.SIGHT]
    own = any(word == "network=texnet" for word in words)
    other = ("network=vgg19", "weights=random", "layers=blocks1-3") if own else ("network=texnet",)
    return job(name, *kept, *other, "convention=gatys_released", "content_weight=1", "style_weight=1")[1]


def balance(job: prepare.Job) -> float:
    """The style weight at which the photograph's style term is as large as the content term of a grey picture.

    It has one meaning in all networks and conventions. job: one with a style weight of 1.
    """
    weights, gray = job.problem.weights, np.full_like(job.content, 0.5)
    content = transfer.measured(job.spec, job.problem, gray).content
    style = transfer.measured(job.spec, job.problem, job.content).style
    return float(sum(weights.content[k] * v for k, v in content.items())) / float(
        sum(weights.style[k] * v for k, v in style.items())
    )


def matched(table: Iterable[Row], key: str, by: str) -> tuple[list[Row], str]:
    """Of each value of `key` the row nearest to one value of `by`, in the middle of what all reach; both in words."""
    lines: dict[Any, list[Row]] = {}
    for row in table:
        lines.setdefault(row[key], []).append(row)
    ends = [[row[by] for row in line] for line in lines.values()]
    aim = (max(map(min, ends)) + min(map(max, ends))) / 2
    best = [min(line, key=lambda row: abs(row[by] - aim)) for line in lines.values()]
    off = max(abs(row[by] / aim - 1) for row in best)
    told = ", ".join(f"{row[key]} {row['ssim_content']:.3f} (at {row[by]:.3f})" for row in best)
    return best, (
        f"SSIM with the content picture of the runs nearest to a {by} of {aim:.3f}: {told}. The distances are matched "
        f"to {100 * off:.0f} %; a difference of SSIM that this or the spread of seeds can explain says nothing"
    )


def measured(job: prepare.Job, shown: np.ndarray) -> dict[str, float]:
    """The metrics of a picture, (h, w, 3) bytes, as another job sees it: with its network, layers and pictures."""
    return lane.measured(job, shown.astype(np.float32) / 255)


def jobs(rows: Iterable[Row]) -> list[prepare.Job]:
    """What each row's job computed with. What they have in common is read once."""
    known: dict[tuple[Any, ...], Any] = {}

    def once(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in known:
            known[key] = make()
        return known[key]

    settings = [config.from_plain(config.plain_yaml(row["folder"] / "config.yaml")) for row in rows]
    return [prepare.prepare(each, lambda text: None, once) for each in settings]
