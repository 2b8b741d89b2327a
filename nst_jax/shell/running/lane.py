"""One run: its curve and records while it runs, and the files that it leaves in its folder."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from nst_jax.analysis.metrics import ssim, style_distances
from nst_jax.images.colour import with_chroma
from nst_jax.losses.moments import Moments
from nst_jax.losses.term import part, sum_parts, taps
from nst_jax.methods.transfer import compose
from nst_jax.optim.minimise import State, outcome
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.saving import sidecar, write
from nst_jax.shell.reports import curves
from nst_jax.shell.reports.film import film
from nst_jax.shell.running import checkpoint, folder, judge, provenance
from nst_jax.shell.running.checkpoint import Checkpoint
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.program import ROOM

LOG = logging.getLogger("nst_jax")
CURVE = ("total", "grad_norm", "evaluations")
TILES = "tiles.png"  # of a texture: laid side by side, so that a seam is seen
RECORDS = 1 << 18  # bytes for what is written beside the picture: its record, curve and plot
Record = dict[str, Any]


@dataclass
class Lane:
    """One job while it runs. It fills a folder of its own, whether it runs alone or beside others."""

    job: Job
    folder: Path
    number: int = 0  # among the lanes of its program
    silent: bool = False  # another process writes the run's folder
    metrics: bool = True  # whether to measure the result: SSIM with the content, distances to the style
    records: list[Record] = field(default_factory=list)  # one for each snapshot, the last for the end
    chunks: list[dict[str, np.ndarray]] = field(default_factory=list)  # of the curve
    before: float = 0.0  # seconds of optimisation before this session
    compiling: float = 0.0  # seconds, of all sessions
    stage: int = 0  # which of the run's sizes it has reached
    known: Checkpoint | None = None  # that it is to go on from
    seconds: float = 0.0  # of optimisation
    done: int = 0  # iterations
    ended: bool = False
    finite: bool = True
    climbed: bool = False  # whether the objective ends above its start
    error: BaseException | None = None  # what ended it, if it was an error
    story: dict[str, Any] = field(default_factory=dict)  # what the result came from
    unwritten: set[str] = field(default_factory=set)  # what could not be written
    results: dict[str, float] = field(default_factory=dict)  # numbers of the end, by name

    def reserve(self) -> None:
        """Reserve the room that the picture and its record may take. Raises UserError if there is too little."""
        height, width = self.job.start.shape[:2]
        folder.reserve(self.folder, 4 * height * width + RECORDS)

    def write_made(self) -> None:
        """Write the pictures that were made for the run before it begins."""
        for name, image in self.job.made.items():
            self.attempt(partial(write, self.folder / name, np.asarray(image), metadata={"Software": "nst_jax"}), name)

    def next_steps(self) -> int:
        """How many iterations the next chunk may take: never over a snapshot or the end."""
        every, left = self.job.plan.every, self.job.plan.stage.until - self.done
        return 0 if self.ended else max(0, min(ROOM, left, every - self.done % every if every else left))

    def extend(self, infos: Mapping[str, np.ndarray], done: int, elapsed: float) -> None:
        """Add a chunk to the curve. done: iterations so far; elapsed: seconds since this process began the run."""
        self.chunks.append({k: v[: done - self.done] for k, v in infos.items()})
        self.done, self.seconds = done, self.before + elapsed

    def is_over(self, finite: bool) -> bool:
        """Whether no iteration is left, at any size."""
        stage = self.job.plan.stage
        return not finite or (stage.number + 1 == stage.many and self.done >= stage.until)

    def is_due(self, finite: bool) -> bool:
        """Whether the terms must be measured now: at a snapshot or at the end."""
        every = self.job.plan.every
        opens = not self.own_records()  # the start at this size
        fresh = opens or self.records[-1]["step"] != self.done
        regular = opens or (self.done % every == 0 if every else self.done == 0)
        return not self.ended and ((fresh and regular) or self.is_over(finite))

    def own_records(self) -> list[Record]:
        """The records of the size that the lane is at."""
        return [record for record in self.records if record.get("scale", 1) == self.job.plan.stage.number + 1]

    def is_idle(self) -> bool:
        """Whether the lane waits for the other lanes: its checkpoint is of a larger size."""
        return self.stage > self.job.plan.stage.number

    def is_above_start(self, total: float) -> bool:
        """Whether the objective is higher than at the start, at this size."""
        own = self.own_records()
        return bool(own) and total > own[0]["total"]

    def keep_best(self, total: float) -> None:
        """Note that the result is the best image, because the objective ends, with `total`, above its start."""
        self.climbed = True
        start = self.own_records()[0]["total"]
        self.say(f"step {self.done}: the objective is {total:.6g}, {start:.6g} at the start; kept: the best image")

    def record(self, values: Mapping[str, Any], weights: Mapping[str, Any], state: State) -> None:
        """Add a record of where the lane is, and write it and a snapshot."""
        if (own := self.own_records()) and own[-1]["step"] == self.done and bool(state.finite):
            return
        counts = {"step": self.done, "evaluations": int(state.evaluations), "seconds": round(self.seconds, 3)}
        stage = self.job.plan.stage
        counts |= {"scale": stage.number + 1} if stage.many > 1 else {}
        self.records.append({**counts, **summarise(values, weights)})
        self.attempt(partial(folder.note, self.folder, self.records[-1]), "metrics.jsonl")
        if self.job.plan.every and bool(np.isfinite(pixels(state)).all()):
            self.attempt(partial(self.write_snapshot, self.picture(state)), "a snapshot")

    def image(self, state: State) -> np.ndarray:
        """The image in [0, 1], with the kept parts of the photograph."""
        return np.asarray(compose(self.job.problem, jnp.asarray(pixels(state))))

    def picture(self, state: State) -> np.ndarray:
        """The picture as it is delivered: with the photograph's colours where the settings ask for them."""
        image, colours = self.image(state), self.job.colours
        return image if colours is None else np.asarray(with_chroma(jnp.asarray(image), colours))

    def write_snapshot(self, image: np.ndarray) -> None:
        """Write the image as the snapshot of this step."""
        metadata = {"step": str(self.done), "Software": "nst_jax"}
        path = write(folder.snapshot(self.folder, self.done), image, metadata=metadata)
        folder.show_latest(self.folder, path)

    def attempt(self, work: Callable[[], object], what: str) -> None:
        """Write an optional output of the run. If that fails, the run warns once and goes on."""
        if self.silent:
            return
        try:
            work()
        except (UserError, OSError) as error:
            self.say(f"{what} is not written: {error}")
            if what not in self.unwritten:
                LOG.warning("%s is not written, and the run goes on: %s", what, error)
            self.unwritten.add(what)

    def curve(self) -> dict[str, np.ndarray]:
        """The values of every iteration: an array for each name of CURVE, and for each part of the total."""
        names = dict.fromkeys((*CURVE, *(part(term.name) for term in self.job.spec.terms)))
        whole = {k: np.concatenate([c[k] for c in self.chunks]) if self.chunks else np.zeros(0) for k in names}
        return whole | {"evaluations": whole["evaluations"].astype(np.int64)}  # an empty part is of floats

    def finish(self, state: State, *, lanes: int, facts: Mapping[str, Any]) -> None:
        """Write the picture and its provenance, the curves, and the film if one is asked for.

        Args:
          state: without the optimiser's part.
          lanes: of the program.
          facts: what else the provenance says.
        """
        last, measures = self.records[-1], measure(self.job, self.image(state)) if self.metrics else {}
        self.finite = bool(state.finite)
        self.story = self.origin(state, lanes=lanes) | dict(facts)
        self.story |= {"metrics": measures} if self.metrics else {}
        folder.release(self.folder)
        self.write(self.picture(state))
        self.results = {"step": last["step"], "evaluations": last["evaluations"], **columns(last), **measures}
        self.results |= {"seconds": round(self.seconds, 3), "lane": self.number, "lanes": lanes}

    def origin(self, state: State, *, lanes: int) -> dict[str, Any]:
        """The origin of the result. lanes: of the program."""
        last, x = self.records[-1], np.asarray(outcome(state))
        return self.job.facts | {
            "versions": provenance.versions(),
            "git_commit": provenance.commit(),
            "device": provenance.device(),
            "threads": provenance.threads(),
            "steps": last["step"],
            "evaluations": last["evaluations"],
            "seconds": {"compile": self.compiling, "optimise": self.seconds},
            "finished": last["step"] == self.job.plan.steps and self.finite,
            "finite": self.finite,
            "kept": "best" if self.climbed or not self.finite else "last",
            "outside_range": float(np.mean((x < 0) | (x > 1))),
            "terms": {k: last[k] for k in ("total", "weighted", "terms")},
            "lane": self.number,
            "lanes": lanes,
        }

    def write(self, picture: np.ndarray) -> None:
        """Write the picture, and what stands beside it. The picture comes first: a full disk must not cost it."""
        output, story = self.job.output, self.story
        path = self.folder / output.file
        write(path, picture, alpha=self.job.alpha, quality=output.quality, metadata=provenance.text_chunks(story))
        self.attempt(partial(sidecar, path, story), path.with_suffix(".json").name)
        self.attempt(partial(folder.curve, self.folder, self.curve()), "curve.csv")
        plot = partial(curves.plot, self.folder / "loss.png", self.curve(), self.records)
        self.attempt(plot, "loss.png")
        if output.film:
            self.attempt(self.write_film, output.film)
        if output.tiles:
            laid = np.tile(picture, (*output.tiles, 1))
            self.attempt(partial(write, self.folder / TILES, laid, metadata={"Software": "nst_jax"}), TILES)

    def write_film(self) -> None:
        """Write the film of the snapshots."""
        output = self.job.output
        height, width = self.job.start.shape[:2]
        frames = [frame(p, height=height, width=width) for p in sorted((self.folder / "snapshots").glob("*.png"))]
        film(self.folder / str(output.film), frames, milliseconds=output.film_ms, quality=80)

    def say(self, text: str) -> None:
        """Add a line to the run's own log."""
        folder.say(self.folder, text)

    def save(self, leaves: list[np.ndarray]) -> None:
        """Write a checkpoint."""
        stage = self.job.plan.stage.number
        checkpoint.save(self.folder, Checkpoint(leaves, self.curve(), self.records, self.seconds, stage))

    def find_checkpoint(self) -> None:
        """Go back to where the folder's checkpoint is, if there is one."""
        self.known = known = checkpoint.load(self.folder)
        if known is None:
            self._begin_anew()
            return
        self.records, self.seconds, self.chunks = known.records, known.seconds, [known.curve]
        self.done, self.stage = len(known.curve["total"]), known.stage

    def _begin_anew(self) -> None:
        """Forget the folder's checkpoint."""
        if checkpoint.exists(self.folder):
            self.say("the checkpoint cannot be used (damaged, or of another program): the run begins anew")
        (self.folder / "metrics.jsonl").unlink(missing_ok=True)
        self.known, self.records, self.chunks, self.seconds, self.done = None, [], [], 0.0, 0

    def restore(self, shapes: list[tuple[int, ...]]) -> list[np.ndarray] | None:
        """The leaves of the state in the checkpoint, if it is of this size and they fit; otherwise None.

        Raises UserError where the checkpoint is of a later size, and of another program.
        """
        known = self.known
        if known is None or self.is_idle():
            return None
        self.known = None
        if not checkpoint.fits(known, shapes):
            if known.stage:
                raise UserError(
                    f"the checkpoint is of another program: to begin anew, remove {self.folder / checkpoint.NAME}"
                )
            self._begin_anew()
            return None
        self.say(f"continued after step {self.done}")
        return known.leaves


def pixels(state: State) -> np.ndarray:
    """The image in [0, 1], where the state is, or the best one before a value that was not finite.

    An unclamped optimiser leaves that range a little.
    """
    return np.clip(np.asarray(outcome(state)), 0, 1)


def frame(path: Path, *, height: int, width: int) -> np.ndarray:
    """A snapshot as a frame of the film. One of a smaller size is enlarged."""
    image = Image.open(path)
    return np.asarray(
        image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)
    )


def summarise(values: Mapping[str, Any], weights: Mapping[str, Any]) -> Record:
    """The terms as plain numbers: each one's value, what each part adds to the total, and the total."""
    terms = {name: float(value) for name, value in values.items()}
    weighted = sum_parts({name: value * float(weights[name]) for name, value in terms.items()})
    return {"total": sum(weighted.values()), "weighted": weighted, "terms": terms}


def columns(record: Record) -> dict[str, float]:
    """The last terms, as columns of the table: a slash of a name becomes _."""
    weighted = {f"weighted_{part}": v for part, v in record["weighted"].items()}
    return {"total": record["total"]} | {k.replace("/", "_"): v for k, v in (weighted | record["terms"]).items()}


def measure(job: Job, image: np.ndarray) -> dict[str, float]:
    """The metrics of a result: SSIM with the content, each style layer's distance, and that of `judge`.

    image: (height, width, 3) in [0, 1].
    """
    shown = jnp.asarray(image)
    painted = [t for t in job.spec.terms if t.of not in ("", "content")]
    layers, net, tiles = taps(painted), job.spec.network.clone(taps=taps(painted)), job.choice.way.tiles
    known = {t.tap: job.problem.aims[t.name].whole for t in painted}
    one = {t.of for t in painted} == {"style"} and not any(job.problem.aims[t.name].local is not None for t in painted)
    if layers and not (one and all(isinstance(aim, Moments) for aim in known.values())):  # they aim at something else
        known = _moments_of_blend(net, job.problem.params, job.style, tiles)
    distances = style_distances(_moments(net, job.problem.params, shown, tiles), known) if layers else {}
    plain = {f"style_distance_{k}": float(v) for k, v in distances.items()}
    mean = {"style_distance": float(np.mean(list(plain.values())))} if plain else {}
    both = layers and judge.sees(shown, *job.style.pictures)
    seen = {"judge_distance": judge.distance(shown, job.style)} if both else {}
    like = {} if job.output.tiles else {"ssim_content": float(ssim(shown, jnp.asarray(job.content)))}
    return {**like, **seen, **mean, **plain}


_moments = jax.jit(judge.moments_of, static_argnums=(0, 3))
_moments_of_blend = jax.jit(judge.moments_of_blend, static_argnums=(0, 3))
