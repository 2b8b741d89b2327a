"""Every Gram convention on one pair of pictures: with its published weights, and with weights of one meaning.

Source: docs/conventions.md. Expected: the pictures of the upper row differ, from hardly touched to hardly
recognisable; those of the lower are one picture, since all have the objective of gatys_released. Smoothness is left
out, and the style picture is cut to the image's shape, which sums over positions ask for. Beside the pictures:
experiments/canonical_table.py. Cost: two runs for each of 24 conventions; half an hour on a CPU at size=128 steps=40.

    python experiments/conventions_reconciled.py content=photo.jpg style=painting.jpg size=256 steps=100
"""

import sys
from pathlib import Path

from experiments import figures, reading, study
from experiments.reading import picture, where
from experiments.reconciling import NAME, cut, equal

HOW = ("as published", "one meaning")


def main(*words: str, home: Path | None = None) -> Path:
    """Runs what is missing; two rows of pictures, a column for each convention."""
    home = home or study.HOME / NAME
    plain = study.without(words, "convention")
    given = (*study.without(plain, "style"), f"style={cut(study.settings(NAME, *plain), home)}")
    names = study.swept(NAME, "convention", words)
    sweeps = (f"convention={','.join(names)}",), equal(names, given)
    studies = [study.sweep(NAME, *given, *more, home=home) for more in sweeps]
    rows = [[next(iter(where(done.rows, convention=name)), None) for name in names] for done in studies]
    table = [
        {
            "convention": name,
            "weights": how,
            "ssim_content": row["ssim_content"],
            "style_distance": row["style_distance"],
        }
        for how, line in zip(HOW, rows, strict=True)
        for name, row in zip(names, line, strict=True)
        if row
    ]
    ends = [[row["style_distance"] for row in where(table, weights=how)] for how in HOW]
    seen = (
        f"Style distance over {len(names)} conventions, median and quartiles: {reading.spread(ends[0])} with published "
        f"weights, from {min(ends[0]):.3g} to {max(ends[0]):.3g}; {reading.spread(ends[1])} with weights of one "
        f"meaning, from {min(ends[1]):.3g} to {max(ends[1]):.3g}."
    )
    cells = [[picture(row) if row else None for row in line] for line in rows]
    done = study.Study(NAME, words, [row for each in studies for row in each.rows], home)
    return study.record(done, figures.folded(cells, across=names, down=HOW, columns=8), table, seen)


if __name__ == "__main__":
    main(*sys.argv[1:])
