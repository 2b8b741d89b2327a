"""A sweep from Python: what `nst -m` does, as a function."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from nst_jax.shell.cli import again
from nst_jax.shell.cli.quoting import pictures_of, quote
from nst_jax.shell.cli.screen import log_to_screen
from nst_jax.shell.cli.words import words_of_texture
from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.places import conf
from nst_jax.shell.reports import table
from nst_jax.shell.settings import config as settings
from nst_jax.shell.sweeps import launching, line, search
from nst_jax.shell.sweeps.composing import Composer

OURS = "hydra_plugins.nst_jax_sweeps"
Row = dict[str, Any]


def sweep(words: Sequence[str]) -> list[Row]:
    """Run the jobs of a line of `nst -m`, and return a row of the table for each, with the `folder` of the job.

    Raises:
      UserError: a mistake in the line; a signal has stopped the sweep.
    """
    rest, named, _ = again.take(words)
    origin = again.find(named)
    meant = [] if origin and origin.is_texture() else words_of_texture(rest)
    given = [again.setting(origin)] if origin else []
    try:
        with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE), log_to_screen():
            given += [quote(name_pictures(word)) for word in (*rest, *meant)]
            return run(given, origin.base() if origin else "config")
    except Exception as error:
        if not settings.is_mistake(error):
            raise
        raise UserError(settings.explain(error)) from error


def name_pictures(word: str) -> str:
    """The word, with pictures in the place of folders and patterns."""
    names = pictures_of(word)
    return word if names is None else f"{word.partition('=')[0]}={','.join(names)}"


def run(words: list[str], base: str) -> list[Row]:
    """Run the jobs. Hydra is initialised.

    base: the name of the config that the line overrides: conf/config.yaml, or the settings of a former run.
    """
    loader = GlobalHydra.instance().config_loader()
    given = line.parse(loader, {}, words)
    fixed = [o.input_line or "" for o in given if not o.is_sweep_override()]
    config = compose(base, overrides=fixed, return_hydra_config=True)
    chosen, composer = config.hydra.launcher, Composer(loader, config)
    if not str(chosen._target_).startswith(OURS):
        raise UserError(f"hydra/launcher: {chosen._target_} runs from the command line only")
    container: Any = OmegaConf.to_container(chosen, resolve=True)
    options = {k: v for k, v in container.items() if k not in ("_target_", "engine")}
    how = settings.sweep_settings(config)
    launcher = launching.Launcher(composer, how, chosen.engine, options, ["-m", *words])
    launch = partial(launching.launch, launcher)
    sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    params = sweeper.pop("params", None) or {}
    searching = sweeper.pop("_target_").endswith("Search")
    own = [o.input_line or "" for o in given if not o.is_hydra_override()]  # a job's settings do not include Hydra's
    done: list[line.Done] = []

    def remember(jobs: Any, keys: Any) -> list[line.Done]:
        latest = launch(jobs, keys)
        done.extend(latest)
        return latest

    try:
        if searching:
            search.search(composer, remember, params, how, sweeper, own)
        else:
            line.sweep(loader, remember, params, config.sweep.zip, own)
    except Ended as end:
        if end.code > 1:
            raise UserError("the sweep was stopped; the same line goes on") from None
    if searching:
        return trials(composer, params, own)
    return [{**job.row, "folder": job.folder} for job in done if job.row is not None]


def trials(composer: Composer, params: Mapping[str, Any], words: Sequence[str]) -> list[Row]:
    """A row for each trial of a search, those of earlier calls included."""
    overrides = line.parse(composer.loader, params, words)
    fixed = [word for o in overrides if not o.is_sweep_override() for word in line.words(o)]
    folder = search.study_folder(composer, fixed, [o.key_or_group for o in overrides if o.is_sweep_override()])
    return [{**row, "folder": folder / row["path"]} for row in table.rows(folder)]
