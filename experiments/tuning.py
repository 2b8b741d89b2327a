"""One extractor on one pair of pictures: runs that are kept, and the weight of style that gives a wanted SSIM."""

import hashlib
import json
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.extractors import Extractor
from nst_jax import transfer
from nst_jax.conventions import CONVENTIONS
from nst_jax.losses import Moments, moments
from nst_jax.metrics import ssim, style_distances
from nst_jax.solvers import lbfgs
from nst_jax.transfer import Problem, Spec
from nst_jax.types import Image, Params
from nst_jax.vgg import features

LADDER = (1.0, 10.0, 100.0, 1000.0)  # weights of style that the tuning starts from
AIM = 100.0  # the first extractor's SSIM at this weight is the wanted one
TRIES, NOISE = 3, 0.02  # runs after the ladder; standard deviation of what sets seeds apart
OPTIONS = (("memory", 20), ("evaluations", 20))
Row = dict[str, Any]


class Bench(NamedTuple):
    """What is compared: an extractor on a pair, judged by another network."""

    name: str
    extractor: Extractor
    judge: Extractor
    content: Image
    style: Image
    steps: int
    folder: Path  # of the runs


def run(bench: Bench, weight: float, seed: int) -> Row:
    """One picture by L-BFGS from the content picture, with noise for a seed over 0; its SSIM and Gram distance."""
    e = bench.extractor
    how = f"{e.convention}_{e.tv:g}_{len(e.style)}_{fingerprint(e.params)}"
    told = f"{bench.name}_{how}_{weight:.4g}_{seed}_{bench.steps}"
    path = bench.folder / told.replace(" ", "-")
    if not Path(f"{path}.json").exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        image, seconds = stylised(bench, weight, seed)
        np.save(Path(f"{path}.npy"), np.asarray(image))
        row = {"weight": weight, "seed": seed, **measured(bench, image), "seconds": seconds}
        Path(f"{path}.json").write_text(json.dumps(row), encoding="utf-8")
    row = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    return {"extractor": bench.name, **row, "picture": str(Path(f"{path}.npy"))}


def fingerprint(params: Params) -> str:
    """Of the weights: other ones are other runs."""
    leaves = [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(params)]
    return hashlib.sha256(b"".join(leaves)).hexdigest()[:8]


def stylised(bench: Bench, weight: float, seed: int) -> tuple[Image, float]:
    """The picture, and the seconds without compilation."""
    e = bench.extractor
    convention, taps = CONVENTIONS[e.convention], {"content_layers": (e.content,), "style_layers": e.style}
    aims = transfer.targets(e.network, e.params, bench.content, bench.style, **taps, convention=convention)
    factors = {"content_layers": {e.content: 1.0}, "style_layers": dict.fromkeys(e.style, 1.0)}
    pull = transfer.weights(convention, aims, content_weight=1.0, style_weight=weight, tv_weight=e.tv, **factors)
    spec, problem = Spec(e.network, convention, lbfgs, OPTIONS), Problem(e.params, aims, pull, {})
    start = bench.content + NOISE * (seed > 0) * jax.random.normal(jax.random.key(seed), bench.content.shape)
    advance = partial(transfer.advance, spec, problem, room=bench.steps)
    jax.block_until_ready(advance(transfer.begin(spec, problem, start), steps=0))
    began = time.perf_counter()
    state, _ = jax.block_until_ready(advance(transfer.begin(spec, problem, start), steps=bench.steps))
    return jnp.clip(state.best, 0, 1), time.perf_counter() - began


def measured(bench: Bench, image: Image) -> dict[str, float]:
    """SSIM with the content picture, and |G - A|^2 / |A|^2 under the judge: the mean over its layers."""
    seen, wanted = (moments_of(bench.judge.network, bench.judge.params, x) for x in (image, bench.style))
    distances = [float(d) ** 2 for d in style_distances(seen, wanted).values()]
    return {"ssim": float(ssim(image, bench.content)), "distance": float(np.mean(distances))}


@partial(jax.jit, static_argnums=0)
def moments_of(network: Any, params: Params, image: Image) -> dict[str, Moments]:
    """Of every tapped layer."""
    return {layer: moments(f) for layer, f in features(network, params, image).items()}


def tuned(bench: Bench, aim: float | None, *, seeds: int) -> tuple[list[Row], float]:
    """All runs of the tuning (`kind` ladder), those at its end from several starts (`kind` tuned), and the aim."""
    rows = [run(bench, weight, 0) for weight in LADDER]
    wanted = aim or next(row["ssim"] for row in rows if row["weight"] == AIM)
    for _ in range(TRIES):
        if (weight := proposed(rows, wanted)) is None:
            break
        rows.append(run(bench, weight, 0))
    best = min(rows, key=lambda row: abs(row["ssim"] - wanted))
    again = [run(bench, best["weight"], seed) for seed in range(1, seeds + 1)]
    return [row | {"kind": "ladder"} for row in rows] + [row | {"kind": "tuned"} for row in (best, *again)], wanted


def proposed(rows: Sequence[Row], aim: float) -> float | None:
    """A weight between the neighbours whose SSIMs enclose the aim; None where one is near enough, or none do."""
    if min(abs(row["ssim"] - aim) for row in rows) < 0.003:
        return None
    ordered = sorted(rows, key=lambda row: row["weight"])
    for low, high in pairwise(ordered):
        if (low["ssim"] - aim) * (high["ssim"] - aim) < 0:
            share = float(np.clip((low["ssim"] - aim) / (low["ssim"] - high["ssim"]), 0.15, 0.85))
            return low["weight"] * (high["weight"] / low["weight"]) ** share
    return None
