"""The training of a feed-forward network as it runs, from the settings to its file."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from nst_jax.losses import term
from nst_jax.methods.feedforward import training
from nst_jax.methods.feedforward.training import Batch, State
from nst_jax.parallel import layout
from nst_jax.parallel.compiler import with_options
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import models
from nst_jax.shell.io.lock import alone
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.training import loop, sheet
from nst_jax.shell.training.corpus import middle
from nst_jax.shell.training.feed import ahead
from nst_jax.shell.training.feedforward.config import Config, check, names_in
from nst_jax.shell.training.feedforward.materials import Made, everywhere, fingerprint, fresh, make
from nst_jax.shell.training.feedforward.result import write
from nst_jax.shell.training.loop import Means, Training

LOG = logging.getLogger(__name__)
SHOWN = 8  # styles of a contact sheet, at most
ROWS = 8  # pictures of it, at most


def run(method: str, config: Config, stop: Stop) -> list[Path]:
    """Train, or go on from the checkpoint, and write the model. Returns its path; of several levels, their paths.

    Raises:
      UserError: a wrong setting, no pictures, or steps that are not finite.
      Ended: a signal has stopped it. The checkpoint holds all steps so far.
    """
    if not isinstance(config.level, list):
        return [run_one(method, config, stop)]
    folders = {level: str(Path(config.folder) / level) for level in names_in(config.level)}
    return [
        run_one(method, Config(**{**vars(config), "level": level, "folder": folder}), stop)
        for level, folder in folders.items()
    ]


def run_one(method: str, config: Config, stop: Stop) -> Path:
    """Train one network."""
    check(config)
    folder = Path(config.folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder, "a training", keep=True):
        made = make(method, config)
        stop.check()
        state, seconds = take_steps(made, folder, stop)
        return write(made, state, folder, seconds=seconds)


def take_steps(made: Made, folder: Path, stop: Stop) -> tuple[State, float]:
    """Go on from the checkpoint, or begin, and take the steps that are left. Returns the last state and the seconds."""
    config = made.config
    with ahead(partial(fresh, made), last=config.steps, threads=config.threads) as feed:
        task = describe(made, folder, feed)
        first = partial(training.begin, jax.random.key(config.seed), made.settings, fresh(made, 0), made.goal)
        with layout.within(made.mesh):
            state, before = loop.restore(task, first) or (begin_at(config.start, first()), 0.0)
            return loop.train(task, everywhere(made.mesh, state), stop, before=before)


def begin_at(path: str | None, state: State) -> State:
    """The state before the first step: with the parameters of a model, if there is one. Raises UserError."""
    if path is None:
        return state
    model = models.load(path)
    try:
        state = training.restart(state, model.variables)
    except ValueError as error:
        raise UserError(f"start={path}: it is another network: {error}") from error
    LOG.info("beginning with the parameters of %s", path)
    return state


def describe(made: Made, folder: Path, feed: Callable[[int], Batch]) -> Training:
    """The training, as the loop takes it."""
    config, goal = made.config, everywhere(made.mesh, made.goal)
    rows, step = held_out(made), with_options(training.step, static="settings", donated="state")

    def advance(state: State, number: int) -> tuple[State, training.Metrics]:
        state, metrics = step(made.settings, state, feed(number), goal)
        return state, jax.device_get(metrics)

    return Training(
        folder=folder,
        fingerprint=fingerprint(made, asdict(config)),
        steps=config.steps,
        pictures=config.batch,
        checkpoint=config.checkpoint,
        report=config.report,
        log="metrics.jsonl",
        advance=advance,
        summarise=summary,
        words=partial(in_words, weigh={name: float(weight) for name, weight in made.goal.weights.items()}),
        wrong=training.wrong_terms,
        patience=config.patience,
        show=partial(show, made, rows, folder) if rows else None,
        every=config.sheet,
    )


def summary(metrics: training.Metrics) -> Means:
    """The report of a step. Of one that is not finite the numbers do not count."""
    numbers = {name: float(value) for name, value in metrics.values.items()}
    numbers |= {"loss": float(metrics.total), "gradient": float(metrics.slope), "learning_rate": float(metrics.rate)}
    return numbers | {"clipped": float(metrics.clipped), "not_finite": float(not metrics.finite)}


def in_words(means: Means, *, weigh: dict[str, float]) -> str:
    """The loss and its weighted parts, for the progress bar."""
    parts = term.sum_parts({name: weigh[name] * means[name] for name in weigh})
    text = " ".join(f"{part} {value:.3g}" for part, value in parts.items())
    lost = f" ({means['not_finite']:.0%} of the steps not finite)" if means["not_finite"] else ""
    return f"loss {means['loss']:.4g}: {text}{lost}"


class Row(NamedTuple):
    """A held-out picture in the styles that a contact sheet shows."""

    image: np.ndarray
    labels: np.ndarray
    styles: np.ndarray | None


def held_out(made: Made) -> list[Row]:
    """The pictures that the contact sheets show: none of them is trained on."""
    side = made.config.side
    images = [middle(picture, side=side) for picture in made.contents.held[:ROWS]]
    if made.paintings is None:
        labels = np.arange(min(SHOWN, max(1, len(made.styles))), dtype=np.int32)
        return [Row(image, labels, None) for image in images]
    held = made.paintings.held[:SHOWN]
    if not held:
        return []
    styles = np.stack([middle(picture, side=side) for picture in held])
    return [Row(image, np.zeros(len(styles), np.int32), styles) for image in images]


def show(made: Made, rows: list[Row], folder: Path, state: State, step: int) -> Means:
    """Write a contact sheet of held-out pictures, and return the mean value of each term of them."""
    pieces, found = [], []
    head = rows[0].styles
    if head is not None:
        pieces += [np.ones((1, *rows[0].image.shape), np.float32), head / np.float32(255)]
    for row in rows:
        images = np.broadcast_to(row.image, (len(row.labels), *row.image.shape))
        batch = jax.tree.map(jax.numpy.asarray, Batch(images, row.labels, row.styles))  # pyright: ignore
        painted, values = jax.device_get(training.paint(made.settings, state.ema, batch, made.goal))
        pieces += [row.image[None] / np.float32(255), np.nan_to_num(painted)]
        found.append(values)
    several = head is not None or len(rows[0].labels) > 1
    columns = 1 + len(rows[0].labels) if several else 2 * min(4, len(rows))
    place = folder / "sheets"
    place.mkdir(exist_ok=True)
    sheet.write(
        place / f"step_{step:06d}.jpg",
        np.concatenate(pieces),
        columns=columns,
    )
    return {f"held_out/{name}": float(np.mean([values[name] for values in found])) for name in found[0]}
