"""The training of `distilled` as it runs: steps, progress, checkpoints, and the file at the end."""

import dataclasses
import json
import logging
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from nst_jax.extractors.distilled import WIDTHS
from nst_jax.methods.distillation import training
from nst_jax.methods.distillation.pruning import prune
from nst_jax.methods.distillation.student import blank
from nst_jax.methods.distillation.training import State
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.training import loop, sheet
from nst_jax.shell.training.config import Config, check
from nst_jax.shell.training.loop import Training
from nst_jax.shell.training.materials import Made, fresh, make, sample
from nst_jax.shell.training.result import finish

LOG = logging.getLogger(__name__)


def run(config: Config, stop: Stop) -> Path:
    """Train, or go on from the checkpoint, and write the weights. Returns their path.

    Raises:
      UserError: a wrong setting, or no pictures.
      Ended: a signal has stopped it. The checkpoint holds all steps so far.
    """
    check(config)
    folder = Path(config.folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    made = make(config)
    LOG.info(
        "%d pictures, %d of them held out; %d with their smaller copies (%.0f s)",
        made.pictures.different,
        sum(map(len, made.pictures.held.values())),
        len(made.pictures.train),
        time.monotonic() - started,
    )
    stop.check()
    task = describe(made, folder)
    state, before = begin(made, task, stop)
    seen = [fresh(config, made.pictures, number=n).pictures for n in range(18)]
    sheet.write(folder / "sheet.jpg", np.concatenate(seen))
    state, seconds = loop.train(task, state, stop, before=before)
    return finish(made, state, folder, seconds=seconds)


def settings(config: Config) -> training.Settings:
    """The static settings of a step."""
    return training.Settings(config.gram, config.learning_rate, config.warmup, config.steps, config.decay, config.turns)


def fingerprint(made: Made) -> str:
    """The identity of a checkpoint: the settings, the teacher, the number of pictures."""
    facts = {**dataclasses.asdict(made.config), "teacher": made.source.sha256, "pictures": made.pictures.different}
    for free in ("folder", "checkpoint", "report"):
        facts.pop(free)
    return json.dumps(facts, sort_keys=True, default=str)


def begin(made: Made, task: Training, stop: Stop) -> tuple[State, float]:
    """The checkpoint's state, or the first one, and the seconds that it took."""

    def after_layer(_: str) -> None:
        bar.update()
        stop.check()

    config = made.config
    start = partial(training.begin, settings=settings(config), fresh=fresh(config, made.pictures, number=0))
    if (known := loop.restore(task, lambda: start(blank()))) is not None:
        return known
    began = time.monotonic()
    with tqdm(total=len(WIDTHS), unit="layer", dynamic_ncols=True, disable=None) as bar:
        batches = sample(config, made.pictures, count=config.fitted)
        params = prune(made.teacher, batches, after_layer)
    LOG.info("%d layers pruned and fitted (%.0f s)", len(WIDTHS), time.monotonic() - began)
    return start(params), time.monotonic() - began


def describe(made: Made, folder: Path) -> Training:
    """The training, as the loop takes it."""
    config, chosen = made.config, settings(made.config)
    network, params, sizes = made.teacher

    def advance(state: State, number: int) -> tuple[State, training.Errors]:
        given = fresh(config, made.pictures, number=number)
        return training.step(state, given, params, sizes, network=network, settings=chosen)

    return Training(
        folder=folder,
        fingerprint=fingerprint(made),
        steps=config.steps,
        pictures=config.batch,
        checkpoint=config.checkpoint,
        report=config.report,
        log="log.jsonl",
        advance=advance,
        summarise=lambda errors: summary(errors, pictures=config.batch),
        words=in_words,
    )


def summary(errors: training.Errors, *, pictures: int) -> dict[str, float]:
    """The mean errors of a step: of pictures and transfers, embedding and Gram."""
    found = jax.device_get(errors)
    means = {}
    for kind, values in found._asdict().items():
        for name, each in values.items():
            means[f"{kind}/{name}"] = float(np.mean(each[:pictures]))
        means[f"transfers/{kind}"] = float(np.mean([np.mean(each[pictures:]) for each in values.values()]))
    return means


def in_words(means: Mapping[str, float]) -> str:
    """The mean errors, for the progress bar."""
    embedding, gram = (np.mean([v for k, v in means.items() if k.startswith(kind)]) for kind in ("embedding", "gram"))
    return f"embedding {embedding:.3f} gram {gram:.3f} of transfers {means['transfers/embedding']:.3f}"
