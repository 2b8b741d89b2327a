"""From one line to the list of its jobs: combinations, and pairs."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.io.marks import DONE

Row = dict[str, Any]
Launch = Callable[[Sequence[Sequence[str]], Sequence[str]], Sequence["Done"]]  # (jobs, swept keys)


class Done(NamedTuple):
    """The result of a job."""

    words: tuple[str, ...]  # its overrides
    row: Row | None  # of the table; None from a launcher that keeps none
    folder: Path | None  # of the job


def sweep(loader: Any, launch: Launch, params: Mapping[str, Any], zipped: Any, arguments: Sequence[str]) -> list[Done]:
    """Run all jobs of a line.

    Args:
      loader: Hydra's.
      launch: runs jobs.
      params: of a saved sweep.
      zipped: the setting sweep.zip.
      arguments: the line's overrides.

    Raises:
      Ended: not all jobs are done.
    """
    overrides = parse(loader, params, arguments)
    columns = {o.get_key_element(): words(o) for o in overrides}
    keys = [o.key_or_group for o in overrides if o.is_sweep_override()]
    done = list(launch(combine(columns, [list(group) for group in groups_of_keys(zipped)]), keys))
    if any(job.row is not None and job.row["status"] != DONE for job in done):
        raise Ended(1)
    return done


def parse(loader: Any, params: Mapping[str, Any], arguments: Sequence[str]) -> list[Override]:
    """The line's overrides, after those of a saved sweep; the last one of a key counts."""
    lines = [f"{key}={value}" for key, value in params.items()] + list(arguments)
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(lines)
    return list({o.key_or_group if not o.is_delete() else o.input_line: o for o in overrides}.values())


def words(override: Override) -> list[str]:
    """The override's values, each as an override of its own."""
    key = override.get_key_element()
    if override.is_delete() and override.input_line:
        return [override.input_line]
    if not override.is_sweep_override():
        return [f"{key}={override.get_value_element_as_str()}"]
    if not override.is_discrete_sweep():
        raise UserError(f"{override.input_line}: an interval has no list of values; search it: hydra/sweeper=optuna")
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def groups_of_keys(zipped: Any) -> Iterable[Sequence[str]]:
    """sweep.zip: one group of keys, or a list of groups."""
    keys = list(zipped)
    return [keys] if keys and all(isinstance(key, str) for key in keys) else [list(group) for group in keys]


def combine(columns: dict[str, list[str]], zipped: Sequence[Sequence[str]]) -> list[list[str]]:
    """Every combination of the columns. The columns of a zipped group advance together."""
    plain = {key.lstrip("+"): key for key in columns}
    for key in [key for group in zipped for key in group if key not in plain]:
        raise UserError(f"sweep.zip names {key}, which this line does not sweep: {', '.join(plain)}")
    axes: list[list[tuple[str, ...]]] = []
    together = {plain[key]: [plain[k] for k in group] for group in zipped for key in group}
    for key, values in columns.items():
        group = together.get(key, [key])
        if key != group[0]:
            continue
        lengths = {k: len(columns[k]) for k in group}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{k} has {n}" for k, n in lengths.items())
            raise UserError(f"sweep.zip needs as many values of each key: {listed}")
        axes.append(list(zip(*(columns[k] for k in group), strict=True)) if len(group) > 1 else [(v,) for v in values])
    return [[word for part in job for word in part] for job in itertools.product(*axes)]
