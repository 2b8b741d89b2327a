"""Runs of one network on one pair of pictures, kept on disk, and the style weight that gives a wanted SSIM."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import nst_jax as nst
from nst_jax.analysis.metrics import style_distances

REFERENCE = 100.0  # the style weight that the tuning starts from; the wanted SSIM is the first network's at it
STEP = 10.0  # the ratio of the next weight, until two weights enclose the wanted SSIM
TRIES, NOISE = 6, 0.02  # runs of a tuning; standard deviation of the start's noise, for a seed over 0
SOLVER = nst.lbfgs(memory=20)
Row = dict[str, Any]


class Bench(NamedTuple):
    """A network on a pair of pictures, and the networks that measure the results."""

    name: str
    net: nst.Network
    judges: Mapping[str, nst.Network]  # by the end of the names of their columns
    content: nst.types.Image
    style: nst.types.Image
    steps: int
    folder: Path  # of the runs
    tv: float | None = None  # None: the convention's own


def run(bench: Bench, weight: float, seed: int) -> Row:
    """One run, from the folder if it is there: its SSIM, Gram distances, seconds and picture."""
    net = bench.net
    loss = f"{net.convention}_{'own' if bench.tv is None else f'{bench.tv:g}'}_{len(net.style_layers)}"
    name = f"{bench.name}_{loss}_{fingerprint(net.params)}_{weight:.4g}_{seed}_{bench.steps}"
    path = bench.folder / name.replace(" ", "-")
    if not Path(f"{path}.json").exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        image, seconds = stylise(bench, weight, seed)
        np.save(Path(f"{path}.npy"), np.asarray(image))
        row = {"weight": weight, "seed": seed, **measure(bench, image), "seconds": seconds}
        Path(f"{path}.json").write_text(json.dumps(row), encoding="utf-8")
    row = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    return {"network": bench.name, **row, "picture": f"{path}.npy"}


def fingerprint(params: Any) -> str:
    """A hash of the parameters: other ones are other runs."""
    leaves = [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(params)]
    return hashlib.sha256(b"".join(leaves)).hexdigest()[:8]


def stylise(bench: Bench, weight: float, seed: int) -> tuple[nst.types.Image, float]:
    """The best image of a run from the content picture, in [0, 1], and its seconds without compilation."""
    start = bench.content + NOISE * (seed > 0) * jax.random.normal(jax.random.key(seed), bench.content.shape)
    return optimise(bench, weight, start)


def optimise(bench: Bench, weight: float, start: nst.types.Image) -> tuple[nst.types.Image, float]:
    """The best image of a run from an image, in [0, 1], and its seconds without compilation."""
    weights = {"content_weight": 1.0, "style_weight": weight, "tv_weight": bench.tv}
    task = nst.problem(bench.net, bench.content, bench.style, **weights)
    spec, problem = nst.split(task, SOLVER)
    advance = partial(nst.advance, spec, problem, room=bench.steps)
    jax.block_until_ready(advance(nst.begin(spec, problem, start), steps=0))  # compiles
    began = time.perf_counter()
    state, _ = jax.block_until_ready(advance(nst.begin(spec, problem, start), steps=bench.steps))
    return jnp.clip(state.best, 0, 1), time.perf_counter() - began


def measure(bench: Bench, image: nst.types.Image) -> dict[str, float]:
    """How much of the photograph and of the style a picture has.

    SSIM hardly sees whether a house is still a house, so each judge measures the content as well.

    Returns:
      ssim: with the content picture.
      distance...: of each judge, |G - A|^2 / |A|^2, the mean over its layers.
      content error...: of each judge, |F - P|^2 / |P|^2 at its deepest layer, P of the content picture.
    """
    told = {"ssim": float(nst.ssim(image, bench.content))}
    for whose, judge in bench.judges.items():
        shown, style, content = (see(judge.extractor, judge.params, x) for x in (image, bench.style, bench.content))
        found, wanted = ({layer: nst.moments(f) for layer, f in each.items()} for each in (shown, style))
        told[f"distance{whose}"] = float(np.mean([float(d) ** 2 for d in style_distances(found, wanted).values()]))
        deepest = judge.extractor.taps[-1]
        error = jnp.sum((shown[deepest] - content[deepest]) ** 2) / jnp.sum(content[deepest] ** 2)
        told[f"content error{whose}"] = float(error)
    return told


@partial(jax.jit, static_argnums=0)
def see(network: nst.Extractor, params: Any, image: nst.types.Image) -> Any:
    """The activations of every tapped layer."""
    return nst.features(network, params, image)


def tune(bench: Bench, goal: float | None, *, seeds: int) -> tuple[list[Row], float]:
    """Find the style weight that gives an SSIM, and run it from several starts.

    Args:
      bench: what runs.
      goal: the wanted SSIM; None: the network's own at the weight REFERENCE.
      seeds: starts, the first from the content picture itself.

    Returns:
      The rows, of `kind` tuning or tuned, and the goal.
    """
    rows = [run(bench, REFERENCE, 0)]
    wanted = rows[0]["ssim"] if goal is None else goal
    while len(rows) < TRIES and (weight := propose(rows, wanted)) is not None:
        rows.append(run(bench, weight, 0))
    best = min(rows, key=lambda row: abs(row["ssim"] - wanted))
    again = [run(bench, best["weight"], seed) for seed in range(1, seeds)]
    return [row | {"kind": "tuning"} for row in rows] + [row | {"kind": "tuned"} for row in (best, *again)], wanted


def propose(rows: Sequence[Row], goal: float) -> float | None:
    """A weight between the neighbours whose SSIMs enclose the goal, or beyond all; None where one is near enough."""
    if min(abs(row["ssim"] - goal) for row in rows) < 0.003:
        return None
    ordered = sorted(rows, key=lambda row: row["weight"])
    for low, high in pairwise(ordered):
        if (low["ssim"] - goal) * (high["ssim"] - goal) < 0:
            share = float(np.clip((low["ssim"] - goal) / (low["ssim"] - high["ssim"]), 0.15, 0.85))
            return low["weight"] * (high["weight"] / low["weight"]) ** share
    return ordered[-1]["weight"] * STEP if ordered[-1]["ssim"] > goal else ordered[0]["weight"] / STEP
