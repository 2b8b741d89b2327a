"""Six optimisers, each at its best learning rate: Gatys et al. 2016 (CVPR) found L-BFGS to work best (section 2).

Expected: L-BFGS ends lowest for the same number of evaluations, Adam comes next, plain gradient descent needs its rate
hit exactly. RATES are tried; L-BFGS with a line search has none. The best rate has the lowest median of the last loss
over the first. Seconds are a program's, divided by its lanes: sweep.lanes=1 measures each run alone.
Cost: 150 runs in 12 programs; at size=512 steps=500 days on a CPU, an hour or two on a GPU.

    python -m experiments.papers.optimisers content=a.jpg,b.jpg style=c.jpg,d.jpg
    python -m experiments.papers.optimisers network=distilled optimiser=adam,lbfgs size=96 steps=100
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from experiments.common import figures, study
from experiments.common.reading import descent, quartiles, values, where
from experiments.common.study import Row

RATE = "optimiser.learning_rate"
RATES = {
    "adam": "0.01,0.03,0.1,0.3,1",
    "sgd": "1e-14,1e-13,1e-12,1e-11,1e-10,1e-9,1e-8,1e-6,1e-4,1e-2",
    "adagrad": "0.03,0.1,0.3,1",
    "rmsprop": "0.001,0.003,0.01,0.03",
    "lbfgs": "",
    "lbfgs_torch": "0.01,0.03,0.1,0.3,1,3",
}


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing and draw the figure: loss against evaluations, against seconds, and against the rate."""
    given = [word.partition("=")[2] for word in words if word.startswith("optimiser=")]
    names = given[-1].split(",") if given else list(RATES)
    others = study.without(words, "optimiser")
    rates = {name: (f"{RATE}={RATES[name]}",) if RATES[name] else () for name in names}
    parts = [study.sweep("optimisers", f"optimiser={n}", *rates[n], *others, home=home) for n in names]
    rows = [row for part in parts for row in part.rows]
    table = [summarise(part.rows, rate) for part in parts for rate in values(part.rows, RATE)]
    figure = figures.plot(lambda *axes: draw(axes, rows, table, names), columns=3, width=3.2)
    best = {name: at_best_rate(rows, table, name) for name in names}
    spent = min(descent(row)[0][-1] for found in best.values() for row in found)
    losses = {name: quartiles(np.interp(spent, *descent(row)) for row in found) for name, found in best.items()}
    listed = "; ".join(f"{name} {loss}{describe_rate(table, name)}" for name, loss in losses.items())
    answer = (
        f"Loss over the first after {spent:.0f} evaluations, median and quartiles over seeds and pictures: {listed}."
    )
    runs = study.Study("papers.optimisers", words, rows, parts[0].home)
    return study.record(runs, figure, table, answer, vector=True)


def summarise(rows: list[Row], rate: float | None) -> Row:
    """A row of the table: one rate of one optimiser."""
    rows = where(rows, optimiser__learning_rate=rate)
    low, median, high = np.percentile([descent(row)[1][-1] for row in rows], (25, 50, 75))
    return {
        "optimiser": rows[0]["optimiser"],
        "rate": rate,
        "runs": len(rows),
        "loss": median,
        "low": low,
        "high": high,
        "evaluations": float(np.median([row["evaluations"] for row in rows])),
        "seconds": float(np.median([row["seconds"] / row["lanes"] for row in rows])),
    }


def best_row(table: list[Row], name: str) -> Row:
    """The row of an optimiser's best rate: of the rates that most runs finished with, the lowest median loss."""
    return min(where(table, optimiser=name), key=lambda row: (-row["runs"], row["loss"]))


def at_best_rate(rows: list[Row], table: list[Row], name: str) -> list[Row]:
    """The runs of an optimiser at its best rate."""
    return where(rows, optimiser=name, optimiser__learning_rate=best_row(table, name)["rate"])


def describe_rate(table: list[Row], name: str) -> str:
    """The best rate in words, and whether a better one may lie outside RATES."""
    rates, best = [row["rate"] for row in where(table, optimiser=name)], best_row(table, name)["rate"]
    edge = len(rates) > 1 and best in (rates[0], rates[-1])
    return "" if best is None else f" at {best:g}{' (the last one tried)' if edge else ''}"


def draw(axes: tuple[Any, ...], rows: list[Row], table: list[Row], names: list[str]) -> None:
    """Draw medians and quartiles at the best rates, and the last loss by rate."""
    for number, name in enumerate(names):
        colour, best, lines = f"C{number}", at_best_rate(rows, table, name), where(table, optimiser=name)
        curves = [descent(row) for row in best]
        second = np.median([row["seconds"] / row["lanes"] / row["evaluations"] for row in best])
        spent = np.linspace(0, min(x[-1] for x, _ in curves), 200)
        low, median, high = np.percentile([np.interp(spent, x, y) for x, y in curves], (25, 50, 75), axis=0)
        for axis, unit in zip(axes[:2], (1, second), strict=True):
            axis.semilogy(spent * unit, median, color=colour, label=name)
            axis.fill_between(spent * unit, low, high, color=colour, alpha=0.2, lw=0)
        if lines[0]["rate"] is None:
            axes[2].axhline(lines[0]["loss"], color=colour, ls="--")
        else:
            axes[2].loglog([line["rate"] for line in lines], [line["loss"] for line in lines], ".-", color=colour)
    for axis, label in zip(axes, ("evaluations", "seconds", "learning rate"), strict=True):
        axis.set_xlabel(label)
    axes[0].set_ylabel("loss / first loss")
    axes[0].legend(fontsize=7)


if __name__ == "__main__":
    main(*sys.argv[1:])
