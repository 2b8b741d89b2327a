"""Six optimisers, each at its best learning rate: Gatys et al. 2016 (CVPR) found L-BFGS to work best (section 2).

Expected: L-BFGS ends lowest for the same number of evaluations, Adam comes next, plain gradient descent needs its rate
hit exactly. Rates are tried in RATES; L-BFGS with a line search has none. The best has the lowest median of the last
loss over the first. Seconds are a program's, divided by its lanes: sweep.lanes=1 measures each run alone.
Cost: 150 runs in 12 programs; at size=512 steps=500 days on a CPU, an hour or two on a GPU.

    python experiments/optimisers.py content=a.jpg,b.jpg style=c.jpg,d.jpg
    python experiments/optimisers.py network=texnet optimiser=adam,lbfgs size=96 steps=100
"""

import sys
from pathlib import Path

import numpy as np

from experiments import figures, study
from experiments.rates import RATE, RATES, at, chosen, draw, told
from experiments.reading import descent, spread, values, where


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing and draws the figure: loss against evaluations, against seconds, and against the rate."""
    asked = [word.partition("=")[2] for word in words if word.startswith("optimiser=")]
    names = asked[-1].split(",") if asked else list(RATES)
    others = study.without(words, "optimiser")
    tried = [[f"optimiser={n}", *([f"optimiser.learning_rate={RATES[n]}"] if RATES[n] else []), *others] for n in names]
    parts = [study.sweep("optimisers", *line, home=home) for line in tried]
    done = study.Study("optimisers", words, [row for part in parts for row in part.rows], parts[0].home)
    table = [told(part.rows, rate) for part in parts for rate in values(part.rows, RATE)]
    figure = figures.plot(lambda *axes: draw(axes, done.rows, table, names), columns=3, width=3.2)
    best = {
        name: where(done.rows, optimiser=name, optimiser__learning_rate=chosen(table, name)["rate"]) for name in names
    }
    spent = min(descent(row)[0][-1] for rows in best.values() for row in rows)
    ends = {name: spread(np.interp(spent, *descent(row)) for row in rows) for name, rows in best.items()}
    found = "; ".join(f"{name} {end}{at(table, name)}" for name, end in ends.items())
    seen = f"Loss over the first after {spent:.0f} evaluations, median and quartiles over seeds and pictures: {found}."
    return study.record(done, figure, table, seen, plots=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
