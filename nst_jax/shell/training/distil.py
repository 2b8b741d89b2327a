"""The training of `distilled` as it runs: steps, progress, checkpoints, and the file at the end."""

import dataclasses
import json
import logging
import time
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization
from tqdm import tqdm

from nst_jax.extractors.distilled import WIDTHS
from nst_jax.methods.distillation import training
from nst_jax.methods.distillation.pruning import prune
from nst_jax.methods.distillation.student import blank
from nst_jax.methods.distillation.training import State
from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.io.atomic import draft
from nst_jax.shell.running.stop import EXIT, Stop
from nst_jax.shell.training import sheet
from nst_jax.shell.training.config import Config, check
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
    state, before = begin(made, folder, stop)
    seen = [fresh(config, made.pictures, number=n).pictures for n in range(18)]
    sheet.write(folder / "sheet.jpg", np.concatenate(seen))
    state, seconds = train(made, state, folder, stop, before=before)
    return finish(made, state, folder, seconds=seconds)


def settings(config: Config) -> training.Settings:
    """What shapes a step."""
    return training.Settings(config.gram, config.learning_rate, config.warmup, config.steps, config.decay, config.turns)


def fingerprint(made: Made) -> str:
    """What a checkpoint belongs to: the settings, the teacher, the number of pictures."""
    told = {**dataclasses.asdict(made.config), "teacher": made.source.sha256, "pictures": made.pictures.different}
    for free in ("folder", "checkpoint", "report"):
        told.pop(free)
    return json.dumps(told, sort_keys=True, default=str)


def begin(made: Made, folder: Path, stop: Stop) -> tuple[State, float]:
    """The checkpoint's state, or the first one, and the seconds that it took."""

    def after_layer(_: str) -> None:
        bar.update()
        stop.check()

    config, path = made.config, folder / "checkpoint.msgpack"
    start = partial(training.begin, settings=settings(config), fresh=fresh(config, made.pictures, number=0))
    if not path.exists():
        began = time.monotonic()
        with tqdm(total=len(WIDTHS), unit="layer", dynamic_ncols=True, disable=None) as bar:
            batches = sample(config, made.pictures, count=config.fitted)
            params = prune(made.teacher, batches, after_layer)
        LOG.info("%d layers pruned and fitted (%.0f s)", len(WIDTHS), time.monotonic() - began)
        return start(params), time.monotonic() - began
    try:
        told: Any = serialization.msgpack_restore(path.read_bytes())
        if told["settings"] != fingerprint(made):
            raise UserError(
                f"{path} is of other settings or pictures: take another folder=FOLDER, or remove it to begin anew"
            )
        state = jax.tree.map(jnp.asarray, serialization.from_state_dict(start(blank()), told["state"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}): remove it to begin anew") from error
    LOG.info("going on from step %d", int(state.step))
    return state, float(told["seconds"])


def save(state: State, folder: Path, made: Made, *, seconds: float) -> None:
    """Write the checkpoint, whole or not at all."""
    told = {
        "settings": fingerprint(made),
        "seconds": seconds,
        "state": serialization.to_state_dict(jax.device_get(state)),
    }
    with draft(folder / "checkpoint.msgpack") as part:
        part.write_bytes(serialization.msgpack_serialize(told))


def train(made: Made, state: State, folder: Path, stop: Stop, *, before: float) -> tuple[State, float]:
    """Take the steps that are left. Returns the last state, and the seconds of all steps."""
    config, chosen, first = made.config, settings(made.config), int(state.step)
    began = saved = time.monotonic()
    seen: list[dict[str, float]] = []
    with tqdm(total=config.steps, initial=first, unit="step", dynamic_ncols=True, disable=None) as bar:
        for number in range(first, config.steps):
            given = fresh(config, made.pictures, number=number)
            network, params, sizes = made.teacher
            state, errors = training.step(state, given, params, sizes, network=network, settings=chosen)
            seen.append(summary(errors, pictures=config.batch))
            bar.update()
            seconds = before + time.monotonic() - began
            if (number + 1) % config.report == 0 or number + 1 == config.steps:
                pace = (seconds - before) / (number + 1 - first)
                report(seen, folder, step=number + 1, seconds=seconds, left=pace * (config.steps - number - 1), bar=bar)
                seen = []
            if stop.asked or time.monotonic() - saved > config.checkpoint > 0:
                save(state, folder, made, seconds=seconds)
                saved = time.monotonic()
            if stop.asked:
                LOG.info("stopped after step %d; the same line goes on from there", number + 1)
                raise Ended(EXIT[stop.asked])
    seconds = before + time.monotonic() - began
    save(state, folder, made, seconds=seconds)
    return state, seconds


def summary(errors: training.Errors, *, pictures: int) -> dict[str, float]:
    """The mean errors of a step: of pictures and transfers, embedding and Gram."""
    found = jax.device_get(errors)
    told = {}
    for kind, values in found._asdict().items():
        for name, each in values.items():
            told[f"{kind}/{name}"] = float(np.mean(each[:pictures]))
        told[f"transfers/{kind}"] = float(np.mean([np.mean(each[pictures:]) for each in values.values()]))
    return told


def report(seen: list[dict[str, float]], folder: Path, *, step: int, seconds: float, left: float, bar: tqdm) -> None:
    """Write a line of the log: the means since the last one."""
    means = {key: round(float(np.mean([s[key] for s in seen])), 5) for key in seen[0]}
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"step": step, "seconds": round(seconds, 1), **means}) + "\n")
    embedding, gram = (np.mean([v for k, v in means.items() if k.startswith(kind)]) for kind in ("embedding", "gram"))
    told = f"embedding {embedding:.3f} gram {gram:.3f} of transfers {means['transfers/embedding']:.3f}"
    bar.set_postfix_str(told)
    if bar.disable:
        LOG.info("step %d/%d %s, %.0f min, %.0f left", step, bar.total, told, seconds / 60, left / 60)
