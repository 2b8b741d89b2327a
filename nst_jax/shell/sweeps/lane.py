"""The book-keeping of one lane: its folder fills as if the job had run alone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax.losses import Moments, moments
from nst_jax.metrics import ssim, style_distances
from nst_jax.optimise import State
from nst_jax.shell import loop, runs, single
from nst_jax.shell.prepare import Job
from nst_jax.shell.saving import write
from nst_jax.shell.sweeps import cells, checkpoint
from nst_jax.shell.sweeps.cells import Cell
from nst_jax.vgg import features

NAMES = ("total", "grad_norm", "evaluations")


@dataclass
class Lane:
    """One job while it runs."""

    cell: Cell
    job: Job
    records: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, np.ndarray]] = field(default_factory=list)
    before: float = 0.0  # seconds of earlier attempts, that a checkpoint brought along
    seconds: float = 0.0
    done: int = 0
    ended: bool = False
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.cell.folder

    def asked(self) -> int:
        """How many iterations the next chunk may take: never over a snapshot or the end."""
        every, left = self.cell.config.output.every, self.cell.config.steps - self.done
        return 0 if self.ended else max(0, min(loop.ROOM, left, every - self.done % every if every else left))

    def seen(self, infos: dict[str, np.ndarray], done: int, elapsed: float) -> None:
        """Add what a chunk saw."""
        self.curves.append({k: v[: done - self.done] for k, v in infos.items()})
        self.done, self.seconds = done, self.before + elapsed

    def over(self, finite: bool) -> bool:
        return not finite or self.done >= self.cell.config.steps

    def due(self, finite: bool) -> bool:
        """Whether the terms have to be looked at now."""
        every = self.cell.config.output.every
        fresh = not self.records or self.records[-1]["step"] != self.done
        regular = self.done % every == 0 if every else self.done == 0
        return not self.ended and ((fresh and regular) or self.over(finite))

    def keep(self, values: Any, weights: Any, state: State) -> None:
        """A record of where the lane is, and a snapshot."""
        counts = {"step": self.done, "evaluations": int(state.evaluations), "seconds": round(self.seconds, 3)}
        if self.records and self.records[-1]["step"] == self.done and bool(state.finite):
            return
        self.records.append({**counts, **loop.summary(values, weights)})
        runs.note(self.folder, self.records[-1])
        if self.cell.config.output.every:
            told = {"step": str(self.done), "Software": "nst_jax"}
            write(runs.snapshot(self.folder, self.done), single.pixels(state), metadata=told)

    def curve(self) -> dict[str, np.ndarray]:
        return {k: np.concatenate([c[k] for c in self.curves]) if self.curves else np.zeros(0) for k in NAMES}

    def finish(self, state: State, compiling: float, number: int, lanes: int) -> None:
        """The picture, its provenance, the curves, and the mark that all of it is there."""
        seconds = {"compile": compiling, "optimise": self.seconds}
        outcome = loop.Outcome(state, self.curve(), self.records, seconds)
        told = {"lane": number, "lanes": lanes, "sweep": self.folder.parent.name}
        measures = measured(self.job, single.pixels(state))
        single.save(self.cell.config, self.job, self.folder, outcome, **told, metrics=measures)
        last = self.records[-1]
        row = {"step": last["step"], "evaluations": last["evaluations"], **final(last), **measures}
        row |= {"seconds": round(self.seconds, 3), "lane": number, "lanes": lanes}
        self.ended = True
        cells.say(self.folder, f"{last['step']} steps, {last['evaluations']} evaluations; total {last['total']:.6g}")
        if bool(state.finite):
            self.row = cells.mark(self.cell, cells.DONE, **row)
        else:
            self.row = self.stray(row)
        checkpoint.drop(self.folder)

    def broke(self, error: BaseException) -> None:
        """The program has failed under it."""
        self.ended, self.row = True, cells.failed(self.cell, error)

    def stray(self, row: dict[str, Any]) -> dict[str, Any]:
        """The lane met a value that is not finite."""
        text = f"step {self.done}: the loss is not finite; kept: the best image before it"
        cells.say(self.folder, text)
        line = " ".join(f"{k}={v}" for k, v in self.cell.swept.items())
        print(f"\nnst: failed: {line}: {text}\n     {self.folder}", flush=True)
        return cells.mark(self.cell, cells.FAILED, **row, error=text)

    def saved(self, leaves: list[np.ndarray]) -> None:
        """Write a checkpoint."""
        checkpoint.save(self.folder, checkpoint.Saved(leaves, self.curve(), self.records, self.seconds))

    def restored(self, leaves: list[np.ndarray]) -> list[np.ndarray] | None:
        """The leaves of the state that an earlier attempt left behind, if it left any."""
        saved = checkpoint.load(self.folder, [leaf.shape for leaf in leaves])
        if saved is None:
            (self.folder / "metrics.jsonl").unlink(missing_ok=True)
            return None
        self.records, self.before, self.curves = saved.records, saved.seconds, [saved.curve]
        self.seconds, self.done = saved.seconds, len(saved.curve["total"])
        cells.say(self.folder, f"continued after step {self.done}")
        return saved.leaves


def final(record: dict[str, Any]) -> dict[str, float]:
    """The last terms, as columns of the table."""
    weighted = {f"weighted_{k}": v for k, v in record["weighted"].items()}
    layers = {f"{side}_{k}": v for side in ("content", "style") for k, v in record[side].items()}
    return {"total": record["total"], **weighted, **layers, "tv": record["tv"]}


def measured(job: Job, image: np.ndarray) -> dict[str, float]:
    """The metrics of a result: SSIM to the content, and each layer's style distance."""
    shown, aims = jnp.asarray(image), job.problem.targets.style
    net = job.spec.network.clone(taps=tuple(aims))
    known = all(isinstance(aim, Moments) for aim in aims.values())  # else the convention aims at something of its own
    wanted = aims if known else _style_moments(net, job.problem.params, job.style)
    distances = style_distances(_style_moments(net, job.problem.params, shown), wanted)
    plain = {f"style_distance_{k}": float(v) for k, v in distances.items()}
    mean = {"style_distance": float(np.mean(list(plain.values())))} if plain else {}
    return {"ssim_content": float(ssim(shown, jnp.asarray(job.content))), **mean, **plain}


def _style_moments(network: Any, params: Any, image: jax.Array) -> Any:
    if not network.taps:
        return {}
    return _moments(network, params, image)


def _all_moments(network: Any, params: Any, image: jax.Array) -> Any:
    return {k: moments(f) for k, f in features(network, params, image).items()}


_moments = jax.jit(_all_moments, static_argnums=0)
