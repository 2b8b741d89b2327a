"""Pooling by the maximum, the mean and the root of the mean of squares: Gatys et al. 2015 (arXiv 1508.06576), Methods.

They found that average pooling "improves the gradient flow and one obtains slightly more appealing results". Measured
at the start, for each layer's style term: the norm of its gradient in the image; how much of the gradient's norm in
the layer that is (`passed`); and the share of pixels that carry it (`share`, (sum p)^2 / (n sum p^2), p its squares).
Expected: the mean halves a gradient's norm at each pooling and spreads it over more pixels than the maximum does.
Cost: 12 runs, one program for each pooling; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python experiments/pooling.py content=photo.jpg style=painting.jpg
    python experiments/pooling.py network=texnet size=128 steps=200
"""

import sys
from pathlib import Path

import numpy as np

from experiments import figures, judging, study
from experiments.gradients import flow
from experiments.reading import descent, picture, spread, values, where


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing and draws the figure: pictures, losses, and what passes from a layer to the image."""
    done = study.sweep("pooling", *words, home=home)
    table = [
        {"pool": row["network.pool"], "canvas": row["canvas"], "seed": row["seed"], **seen, "loss": descent(row)[1][-1]}
        for row, job in zip(done.rows, judging.jobs(done.rows), strict=True)
        for seen in flow(job)
    ]
    pools, layers = values(table, "pool"), list(dict.fromkeys(row["layer"] for row in table))
    shown = {f"{r['network.pool']}, {r['canvas']}": picture(r) for r in reversed(done.rows)}  # the first seed is left
    figure, (losses, passed, shares) = figures.page(shown, plots=3)
    for colour, pool in zip(("C0", "C1", "C2"), pools, strict=False):
        for row in where(done.rows, network__pool=pool):
            losses.semilogy(*descent(row), color=colour, ls=":" if row["canvas"] == "noise" else "-")
        for axis, key in ((passed, "passed"), (shares, "share")):
            found = [[row[key] for row in where(table, pool=pool, layer=layer)] for layer in layers]
            axis.plot(layers, found, ".", color=colour)
            axis.plot(layers, np.median(found, 1), color=colour, label=pool)
    losses.set_title("loss / first loss, by evaluations (dotted: noise)", fontsize=8)
    passed.set_title("norm of the gradient: in image / in layer", fontsize=8)
    shares.set_title("share of pixels that carry it", fontsize=8)
    shares.legend(fontsize=7)
    return study.record(done, figure, table, compared([row for row in table if row["layer"] == layers[-1]], pools))


def compared(deepest: list[study.Row], pools: list[str]) -> str:
    """What the poolings do to the deepest layer's gradient, start by start, against the maximum."""
    base = "max" if "max" in pools else pools[0]
    told = []
    for pool in (p for p in pools if p != base):
        same = lambda row: where(deepest, pool=base, canvas=row["canvas"], seed=row["seed"])
        pairs = [(row, other) for row in where(deepest, pool=pool) for other in same(row)]
        norm, share, loss = (spread(row[k] / other[k] for row, other in pairs) for k in ("passed", "share", "loss"))
        told += [f"{pool} passes {norm} times as much, to {share} times the pixels, and ends at {loss} times the loss"]
    return (
        f"Against {base} pooling, start by start (the gradient of {deepest[0]['layer']}'s style in the image over that "
        f"in the layer; the last loss over the first): {'; '.join(told)}."
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
