"""Optimisers at many learning rates: which is each one's best, and their curves."""

from typing import Any

import numpy as np

from experiments.reading import descent, where
from experiments.study import Row

RATE = "optimiser.learning_rate"
RATES = {
    "adam": "0.01,0.03,0.1,0.3,1",
    "sgd": "1e-14,1e-13,1e-12,1e-11,1e-10,1e-9,1e-8,1e-6,1e-4,1e-2",
    "adagrad": "0.03,0.1,0.3,1",
    "rmsprop": "0.001,0.003,0.01,0.03",
    "lbfgs": "",
    "lbfgs_torch": "0.01,0.03,0.1,0.3,1,3",
}


def told(rows: list[Row], rate: float | None) -> Row:
    """A line of the table: one rate of one optimiser."""
    rows = where(rows, optimiser__learning_rate=rate)
    low, middle, high = np.percentile([descent(row)[1][-1] for row in rows], (25, 50, 75))
    line = {
        "optimiser": rows[0]["optimiser"],
        "rate": rate,
        "runs": len(rows),
        "loss": middle,
        "low": low,
        "high": high,
    }
    spent = {"evaluations": [row["evaluations"] for row in rows], "seconds": [r["seconds"] / r["lanes"] for r in rows]}
    return line | {key: float(np.median(each)) for key, each in spent.items()}


def chosen(table: list[Row], name: str) -> Row:
    """An optimiser's best rate: of those with which most runs ended well, the lowest median of the last loss."""
    return min(where(table, optimiser=name), key=lambda line: (-line["runs"], line["loss"]))


def at(table: list[Row], name: str) -> str:
    """Which rate was the best, and whether a better one may lie beyond those that were tried."""
    rates, best = [line["rate"] for line in where(table, optimiser=name)], chosen(table, name)["rate"]
    edge = len(rates) > 1 and best in (rates[0], rates[-1])
    return "" if best is None else f" at {best:g}{' (the last one tried)' if edge else ''}"


def draw(axes: tuple[Any, ...], rows: list[Row], table: list[Row], names: list[str]) -> None:
    """Medians and quartiles of the best rates, and the last loss by rate."""
    for colour, name in enumerate(names):
        best = where(rows, optimiser=name, optimiser__learning_rate=chosen(table, name)["rate"])
        falls, lines = [descent(row) for row in best], where(table, optimiser=name)
        paces = [1, np.median([row["seconds"] / row["lanes"] / row["evaluations"] for row in best])]
        spent = np.linspace(0, min(x[-1] for x, _ in falls), 200)
        low, middle, high = np.percentile([np.interp(spent, x, y) for x, y in falls], (25, 50, 75), axis=0)
        for axis, pace in zip(axes[:2], paces, strict=True):
            axis.semilogy(spent * pace, middle, color=f"C{colour}", label=name)
            axis.fill_between(spent * pace, low, high, color=f"C{colour}", alpha=0.2, lw=0)
        if lines[0]["rate"] is None:
            axes[2].axhline(lines[0]["loss"], color=f"C{colour}", ls="--")
        else:
            axes[2].loglog([line["rate"] for line in lines], [line["loss"] for line in lines], ".-", color=f"C{colour}")
    for axis, label in zip(axes, ("evaluations", "seconds", "learning rate"), strict=True):
        axis.set_xlabel(label)
    axes[0].set_ylabel("loss / first loss")
    axes[0].legend(fontsize=7)
