"""A search with Optuna: batches of trials are lanes of one program, and a named study goes on where it ended."""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override, RangeSweep

from nst_jax.shell import extras
from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.io.marks import DONE
from nst_jax.shell.reports import gallery
from nst_jax.shell.settings.schema import Sweep
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.composing import Composer
from nst_jax.shell.sweeps.line import Launch, Row, parse, words

LOG = logging.getLogger("nst_jax")


def search(
    composer: Composer,
    launch: Launch,
    params: Mapping[str, Any],
    how: Sweep,
    options: Mapping[str, Any],
    arguments: Sequence[str],
) -> None:
    """Run trials until the study has as many as were asked for, and report the best.

    Args:
      composer: composes a job's settings.
      launch: runs jobs.
      params: of a saved sweep.
      how: the settings of the sweep.
      options: of the sweeper: trials, batch, study, storage, sampler, seed.
      arguments: the line's overrides.

    Raises:
      Ended: a trial has failed, or a signal has stopped the search.
    """
    optuna = extras.load("optuna", "optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    overrides = parse(composer.loader, params, arguments)
    space = {o.key_or_group: (o, distribution(optuna, o)) for o in overrides if o.is_sweep_override()}
    fixed = [word for o in overrides if not o.is_sweep_override() for word in words(o)]
    names, ways = as_list(how.objective), as_list(how.direction)
    ways = ways * len(names) if len(ways) == 1 else ways
    failed = 0
    folder = study_folder(composer, fixed, list(space))
    write_text(folder / gallery.SEARCH, json.dumps({"objectives": names, "directions": ways}))
    with open_study(optuna, folder, options, ways) as study:
        while (left := options["trials"] - count(study)) > 0:
            trials = [study.ask({k: d for k, (_, d) in space.items()}) for _ in range(min(left, options["batch"]))]
            jobs = [[*fixed, *(word(space[k][0], v) for k, v in trial.params.items())] for trial in trials]
            rows = {done.words: done.row for done in launch(jobs, list(space))}
            for trial, job in zip(trials, jobs, strict=True):
                failed += not tell(optuna, study, trial, rows.get(cells.own_words(job)) or {}, names)
        report(study, names)
    if failed:
        raise Ended(1)


def as_list(value: Any) -> list[str]:
    """A name, or several, as a list."""
    return [value] if isinstance(value, str) else [str(v) for v in value]


def study_folder(composer: Composer, fixed: Sequence[str], keys: Sequence[str]) -> Path:
    """The sweep's folder, which does not depend on the values."""
    config = composer.read(fixed)
    if isinstance(config, UserError):
        raise config
    folder = cells.sweep_folder(config, fixed, keys)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def distribution(optuna: Any, override: Override) -> Any:
    """A key's values in Hydra's grammar, as Optuna's distribution; tag(log, interval(1, 10)) is logarithmic."""
    value: Any = override.value()
    log = "log" in value.tags
    d = optuna.distributions
    if override.is_interval_sweep():
        whole = isinstance(value.start, int) and isinstance(value.end, int) and "int" in value.tags
        return (d.IntDistribution if whole else d.FloatDistribution)(value.start, value.end, log=log)
    if isinstance(value, RangeSweep) and not value.shuffle:
        steps = list(value.range())
        if all(isinstance(v, int) for v in steps):
            return d.IntDistribution(int(steps[0]), int(steps[-1]), log=log, step=1 if log else int(value.step))
    return d.CategoricalDistribution([str(v) for v in override.sweep_string_iterator()])


def word(override: Override, value: Any) -> str:
    """A trial's value as an override."""
    return f"{override.get_key_element()}={value}"


@contextmanager
def open_study(optuna: Any, folder: Path, options: Mapping[str, Any], ways: Sequence[str]) -> Iterator[Any]:
    """The study, new or continued. Its database is closed at the end."""
    storage = optuna.storages.RDBStorage(options["storage"] or f"sqlite:///{folder.absolute() / 'study.db'}")
    sampler, known = samplers(optuna, options["sampler"], options["seed"]), {"load_if_exists": True}
    try:
        study = optuna.create_study(
            study_name=options["study"], storage=storage, sampler=sampler, directions=list(ways), **known
        )
        for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):  # of a search that was cut short
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def samplers(optuna: Any, name: str, seed: int) -> Any:
    """Optuna's sampler by its short name."""
    s = optuna.samplers
    known = {"tpe": s.TPESampler, "random": s.RandomSampler, "cmaes": s.CmaEsSampler, "gp": s.GPSampler}
    known |= {"nsgaii": s.NSGAIISampler}
    if name not in known:
        raise UserError(f"hydra.sweeper.sampler={name}: one of {', '.join(known)}")
    return known[name](seed=seed)


def count(study: Any) -> int:
    """Trials that have ended: a failed one is not tried for ever."""
    return len(study.get_trials(deepcopy=False))


def tell(optuna: Any, study: Any, trial: Any, row: Row, names: Sequence[str]) -> bool:
    """Tell the sampler what came of a trial. Only finite numbers of a job that is done reach it."""
    if row and row["status"] == DONE and (absent := [name for name in names if name not in row]):
        numbers = [k for k, v in row.items() if isinstance(v, int | float)]
        raise UserError(f"sweep.objective: there is no {absent[0]}; the columns: {', '.join(numbers)}")
    values = [row.get(name, math.nan) for name in names]
    good = row.get("status") == DONE and all(math.isfinite(v) for v in values)
    if good:
        study.tell(trial, values)
    else:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return good


def report(study: Any, names: Sequence[str]) -> None:
    """The best trial; with two objectives, those that no other beats in both."""
    for trial in study.best_trials[:10]:
        values = ", ".join(f"{name} {value:.6g}" for name, value in zip(names, trial.values, strict=True))
        LOG.info("best: %s  (%s)", "  ".join(f"{k}={v}" for k, v in trial.params.items()), values)
