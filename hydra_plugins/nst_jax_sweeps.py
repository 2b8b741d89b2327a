"""What Hydra finds by its plugin namespace: the launcher and the sweepers of nst. Nothing heavy is imported here."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher as HydraLauncher
from hydra.plugins.sweeper import Sweeper as HydraSweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class Launcher(HydraLauncher):
    """hydra/launcher=lanes | pool | ray | dask | slurm: jobs of one Spec are lanes of one program."""

    def __init__(self, engine: str, **options: Any) -> None:
        self.engine, self.options = engine, options
        self.swept: Sequence[str] | None = None  # keys; a sweeper that knows them says so
        self.failed = self.stopped = 0

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context, self.config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from nst_jax.shell.sweeps.launching import launched

        return launched(self, job_overrides)


class Sweeper(HydraSweeper):
    """hydra/sweeper=nst: all combinations, and pairs where `sweep.zip` says so."""

    def __init__(self, params: dict[str, Any] | None = None) -> None:
        self.params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from hydra.core.plugins import Plugins

        self.context, self.config = hydra_context, config
        self.launcher: Any = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        from nst_jax.shell.sweeps.sweeping import swept

        return swept(self, arguments)


class Search(Sweeper):
    """hydra/sweeper=optuna: values chosen by what the ones before gave."""

    def __init__(self, params: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(params)
        self.options = options

    def sweep(self, arguments: list[str]) -> Any:
        from nst_jax.shell.sweeps.search import searched

        return searched(self, arguments)
