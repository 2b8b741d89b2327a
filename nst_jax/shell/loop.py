"""The run itself: one compiled program, called in chunks of about a second, with news between them."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from nst_jax import transfer
from nst_jax.losses import Terms
from nst_jax.optimise import State
from nst_jax.shell.prepare import Job
from nst_jax.shell.stop import Stop

ROOM = 256  # steps in a chunk at most; what the program returns of each is a few numbers
SECONDS = 1.0  # a chunk's length: short enough for Ctrl-C, long enough to cost nothing
SHARE = 20  # the terms are looked at for the progress bar at most every 20 times as long as it takes

Record = dict[str, Any]
Keep = Callable[[State, Record], None]


class Outcome(NamedTuple):
    """How it ended."""

    state: State
    curve: dict[str, np.ndarray]  # an entry for each iteration
    records: list[Record]  # one for each snapshot, the last for the end
    seconds: dict[str, float]  # compile, optimise


def run(job: Job, *, steps: int, every: int, keep: Keep, stop: Stop) -> Outcome:
    """Optimise for `steps` iterations; `keep` is called at the start, after `every` so many, and at the end."""
    state = transfer.begin(job.spec, job.problem, job.start)
    began = time.perf_counter()
    program, teller = compiled(job, state), Teller(job, keep)
    compiling = time.perf_counter() - began
    curves: list[dict[str, np.ndarray]] = []
    with tqdm(total=steps, unit="step", dynamic_ncols=True, disable=steps == 0) as bar:
        began, pace = time.perf_counter(), Pace()
        teller.snapshot(state, 0.0)
        while int(state.steps) < steps and bool(state.finite) and not stop.asked:
            done = int(state.steps)
            asked = min(steps - done, every - done % every if every else steps)
            state, seen = chunk(program, job, state, asked, pace)
            curves.append(seen)
            bar.update(int(state.steps) - done)
            elapsed = time.perf_counter() - began
            if len(seen["total"]):  # else the second has passed within an iteration
                if every and int(state.steps) % every == 0:
                    teller.snapshot(state, elapsed)
                bar.set_postfix_str(teller.line(state, float(seen["total"][-1])), refresh=False)
        elapsed = time.perf_counter() - began
    if int(state.steps) != teller.records[-1]["step"] or not bool(state.finite):
        teller.snapshot(state, elapsed)
    names = ("total", "grad_norm", "evaluations")
    whole = {k: np.concatenate([c[k] for c in curves]) if curves else np.zeros(0) for k in names}
    return Outcome(state, whole, teller.records, {"compile": compiling, "optimise": elapsed})


def compiled(job: Job, state: State) -> Callable[..., Any]:
    """The one program of the run, whatever the length of its chunks."""
    one = jnp.int32(1)
    lowered = transfer.advance.lower(job.spec, job.problem, state, steps=one, turns=one, room=ROOM)
    return lowered.compile()


def chunk(
    program: Callable[..., Any], job: Job, state: State, steps: int, pace: "Pace"
) -> tuple[State, dict[str, np.ndarray]]:
    """Up to `steps` iterations, as far as they go in about a second, and what each of them saw."""
    began, steps_before, before = time.perf_counter(), int(state.steps), int(state.evaluations)
    limits = {"steps": jnp.int32(steps), "turns": jnp.int32(pace.turns())}
    state, infos = jax.block_until_ready(program(job.problem, state, **limits))
    pace.seen(int(state.evaluations) - before, time.perf_counter() - began)
    taken = int(state.steps) - steps_before
    seen = {"total": infos.value, "grad_norm": infos.grad_norm, "evaluations": infos.evaluations}
    return state, {k: np.asarray(v)[:taken] for k, v in seen.items()}


class Pace:
    """How many evaluations fit into a chunk, by the last one's speed."""

    def __init__(self) -> None:
        self.second = 1.0 / SECONDS

    def turns(self) -> int:
        return max(1, min(ROOM, round(self.second * SECONDS)))

    def seen(self, turns: int, seconds: float) -> None:
        self.second = turns / max(seconds, 1e-6)


class Teller:
    """Measures the terms of the state: for each snapshot, and for the progress bar now and then."""

    def __init__(self, job: Job, keep: Keep) -> None:
        self.job, self.keep = job, keep
        self.measure = transfer.measured.lower(job.spec, job.problem, job.start).compile()
        self.records: list[Record] = []
        self.shown: Record = {}
        self.due = 0.0

    def snapshot(self, state: State, seconds: float) -> None:
        self.records.append(self.record(state, seconds))
        self.keep(state, self.records[-1])

    def line(self, state: State, total: float) -> str:
        if time.perf_counter() > self.due:
            self.record(state, 0.0)
        weighted = self.shown["weighted"]
        return f"total {total:.4g}, content {weighted['content']:.3g}, style {weighted['style']:.3g}"

    def record(self, state: State, seconds: float) -> Record:
        began = time.perf_counter()
        values = jax.device_get(self.measure(self.job.problem, image_of(state)))
        now = time.perf_counter()
        self.due = now + SHARE * (now - began)
        counts = {"step": int(state.steps), "evaluations": int(state.evaluations), "seconds": round(seconds, 3)}
        self.shown = {**counts, **summary(values, jax.device_get(self.job.problem.weights))}
        return self.shown


def image_of(state: State) -> jax.Array:
    """Where the state is; the best point before it, once a value was not finite."""
    return state.x if bool(state.finite) else state.best


def summary(values: Terms, weights: Terms) -> Record:
    """The terms as plain numbers: each layer's, and what each part adds to the total."""
    content = {k: float(v) for k, v in values.content.items()}
    style = {k: float(v) for k, v in values.style.items()}
    weighted = {
        "content": sum(v * float(weights.content[k]) for k, v in content.items()),
        "style": sum(v * float(weights.style[k]) for k, v in style.items()),
        "tv": float(values.smooth) * float(weights.smooth),
    }
    total = sum(weighted.values())
    return {"total": total, "weighted": weighted, "content": content, "style": style, "tv": float(values.smooth)}
