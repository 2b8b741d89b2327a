"""The loop of every training: steps, progress, checkpoints, and what a signal does."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization
from tqdm import tqdm

from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.io.atomic import draft, write_text
from nst_jax.shell.running.stop import EXIT, Stop

LOG = logging.getLogger(__name__)
CHECKPOINT = "checkpoint.msgpack"

Means = dict[str, float]


class Training(NamedTuple):
    """A training, for the loop. A state has a field `step`, the number of steps so far."""

    folder: Path
    fingerprint: str  # the settings and pictures that a checkpoint belongs to
    steps: int
    pictures: int  # of a step
    checkpoint: float  # seconds between checkpoints; 0: only when it stops
    report: int  # steps between lines of the log
    log: str  # its file
    advance: Callable[[Any, int], tuple[Any, Any]]  # (state, number of the step) -> the next state, what it tells
    summarise: Callable[[Any], Means]  # what a step tells, as numbers by name
    words: Callable[[Means], str]  # the mean numbers, for the progress bar
    wrong: Callable[[Any], tuple[str, ...]] = lambda metrics: ()  # what of a step is not finite
    patience: int = 0  # steps in a row that are not finite, after which it stops; 0: it does not look
    show: Callable[[Any, int], Means] | None = None  # (state, steps so far) -> what else is measured
    every: int = 0  # steps between calls of `show`


def restore(training: Training, begin: Callable[[], Any]) -> tuple[Any, float] | None:
    """The state of the checkpoint and the seconds of its steps, or None if it does not exist.

    Args:
      training: the training.
      begin: returns a state, whose values do not count.

    Raises:
      UserError: it is of another training, or damaged.
    """
    path = training.folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        checkpoint: Any = serialization.msgpack_restore(path.read_bytes())
        if checkpoint["settings"] != training.fingerprint:
            raise UserError(
                f"{path} is of other settings or pictures: take another folder=FOLDER, or remove it to begin anew"
            )
        state = jax.tree.map(jnp.asarray, serialization.from_state_dict(begin(), checkpoint["state"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}): remove it to begin anew") from error
    LOG.info("going on from step %d", int(state.step))
    forget(training.folder / training.log, step=int(state.step))
    return state, float(checkpoint["seconds"])


def forget(log: Path, *, step: int) -> None:
    """Take the lines of steps after this one out of the log: they are taken again."""
    if not log.exists():
        return
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if _step(line) <= step]
    write_text(log, "".join(f"{line}\n" for line in lines))


def _step(line: str) -> float:
    """The step of a line of the log; infinity for one that a crash has cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def save(training: Training, state: Any, *, seconds: float) -> None:
    """Write the checkpoint, whole or not at all."""
    checkpoint = {
        "settings": training.fingerprint,
        "seconds": seconds,
        "state": serialization.to_state_dict(jax.device_get(state)),
    }
    with draft(training.folder / CHECKPOINT) as part:
        part.write_bytes(serialization.msgpack_serialize(checkpoint))


def train(training: Training, state: Any, stop: Stop, *, before: float) -> tuple[Any, float]:
    """Take the steps that are left. Returns the last state, and the seconds of all steps.

    before: seconds of the steps so far.

    Raises:
      Ended: a signal has stopped it. The checkpoint holds all steps so far.
      UserError: so many steps in a row were not finite that nothing more is to be hoped.
    """
    first, began = int(state.step), time.monotonic()
    clock = lambda: before + time.monotonic() - began
    saved, mark, seen, wrong = clock(), Mark(first, clock()), [], 0
    with tqdm(total=training.steps, initial=first, unit="step", dynamic_ncols=True, disable=None) as bar:
        for number in range(first, training.steps):
            state, metrics = training.advance(state, number)
            seen.append(training.summarise(metrics))
            wrong = wrong + 1 if training.wrong(metrics) else 0
            bar.update()
            now, last = Mark(number + 1, clock()), number + 1 == training.steps
            more = training.show(state, now.step) if training.show and (last or _due(now.step, training.every)) else {}
            if last or more or _due(now.step, training.report):
                report(training, seen, more, now=now, mark=mark, bar=bar)
                seen, mark = [], Mark(now.step, clock())
            hopeless = bool(training.patience) and wrong >= training.patience
            if stop.asked or hopeless or now.seconds - saved > training.checkpoint > 0:
                save(training, state, seconds=clock())
                saved = clock()
            if hopeless:
                raise UserError(_hopeless(training, metrics, step=now.step))
            if stop.asked:
                LOG.info("stopped after step %d; the same line goes on from there", now.step)
                raise Ended(EXIT[stop.asked])
    seconds = clock()
    save(training, state, seconds=seconds)
    return state, seconds


class Mark(NamedTuple):
    """A moment of a training."""

    step: int  # steps so far
    seconds: float  # that they took


def report(training: Training, seen: list[Means], more: Means, *, now: Mark, mark: Mark, bar: tqdm) -> None:
    """Write a line of the log: the means since the last one.

    Args:
      training: the training.
      seen: what each step told.
      more: what else was measured.
      now, mark: this moment, and that of the last line.
      bar: of the progress.
    """
    means = {key: _round(float(np.mean([s[key] for s in seen]))) for key in seen[0]}
    pace = max((now.seconds - mark.seconds) / (now.step - mark.step), 1e-9)
    others = {key: _round(value) for key, value in more.items()}
    speed = {"pictures_per_second": _round(training.pictures / pace)}
    line = {"step": now.step, "seconds": round(now.seconds, 1), **speed, **means, **others}
    with (training.folder / training.log).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    text = f"{training.words(means)}, {training.pictures / pace:.3g} pictures/s"
    bar.set_postfix_str(text)
    if bar.disable:
        left = pace * (training.steps - now.step)
        LOG.info("step %d/%d %s, %.0f min, %.0f left", now.step, bar.total, text, now.seconds / 60, left / 60)


def _due(step: int, every: int) -> bool:
    return bool(every) and step % every == 0


def _round(value: float) -> float:
    """Six digits: errors of all sizes are reported."""
    return float(f"{value:.6g}")


def _hopeless(training: Training, metrics: Any, *, step: int) -> str:
    names = ", ".join(training.wrong(metrics))
    return (
        f"step {step}: {names} not finite, as in the {training.patience - 1} steps before. The checkpoint in "
        f"{training.folder} holds the last good parameters. Lower learning_rate, raise warmup, or lower the weight of "
        "that term, in another folder=FOLDER"
    )
