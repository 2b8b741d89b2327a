"""What Hydra finds by its plugin namespace: the launcher and the sweepers of nst. Nothing heavy is imported here."""

import sys
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher as HydraLauncher
from hydra.plugins.sweeper import Sweeper as HydraSweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class Launcher(HydraLauncher):
    """hydra/launcher=lanes | pool | ray | dask | slurm: jobs of one Spec are lanes of one program."""

    keys: Sequence[str] | None = None  # that are swept; a sweeper that knows them sets it

    def __init__(self, engine: str, **options: Any) -> None:
        self.engine, self.options = engine, options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Hydra calls this before `launch`."""
        from nst_jax.shell.sweeps.composing import Composer

        self.config, self.composer = config, Composer(hydra_context.config_loader, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; each one's return value is its row of the table."""
        from hydra.core.utils import configure_log

        from nst_jax.shell.settings.config import sweep_settings
        from nst_jax.shell.sweeps import launching

        configure_log(self.config.hydra.job_logging, self.config.hydra.verbose)
        how = sweep_settings(self.config)
        wanted = launching.Launcher(self.composer, how, self.engine, self.options, sys.argv[1:])
        return [job_return(done.words, done.row) for done in launching.launch(wanted, job_overrides, self.keys)]


def job_return(words: Sequence[str], row: Any) -> JobReturn:
    """What came of a job, as Hydra hands it over."""
    job = JobReturn(overrides=words, task_name="nst", status=JobStatus.COMPLETED)
    job.return_value = row
    return job


class Sweeper(HydraSweeper):
    """hydra/sweeper=nst: all combinations, and pairs where `sweep.zip` says so."""

    def __init__(self, params: dict[str, Any] | None = None) -> None:
        self.params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Hydra calls this before `sweep`."""
        from hydra.core.plugins import Plugins

        from nst_jax.shell.sweeps.composing import Composer

        self.settings, self.composer = config, Composer(hydra_context.config_loader, config)
        self.launcher: Any = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def launch(self, jobs: Sequence[Sequence[str]], keys: Sequence[str]) -> list[Any]:
        """Run jobs by the launcher that was chosen. Hydra's own keep no table."""
        from nst_jax.shell.sweeps.line import Done

        if isinstance(self.launcher, Launcher):
            self.launcher.keys = keys
        done = self.launcher.launch(jobs, 0)
        rows = [job.return_value if isinstance(job.return_value, dict) else None for job in done]
        return [Done(tuple(job.overrides or ()), row, None) for job, row in zip(done, rows, strict=True)]

    def sweep(self, arguments: list[str]) -> Any:
        """Run the jobs of a line."""
        from nst_jax.shell.sweeps import line

        zipped = self.settings.sweep.zip
        return [line.sweep(self.composer.loader, self.launch, self.params, zipped, arguments)]


class Search(Sweeper):
    """hydra/sweeper=optuna: values chosen by the results of earlier ones."""

    def __init__(self, params: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(params)
        self.options = options

    def sweep(self, arguments: list[str]) -> Any:
        """Run the trials of a line."""
        from nst_jax.shell.settings.config import sweep_settings
        from nst_jax.shell.sweeps.search import search

        how = sweep_settings(self.settings)
        return search(self.composer, self.launch, self.params, how, self.options, arguments)
