"""Trained against untrained networks, and trained first blocks with untrained deeper ones.

Source: He, Wang & Hopcroft 2016 (arXiv 1606.04801): an untrained VGG transfers styles too. Expected: colours and fine
texture come with any weights, larger structures with trained deep blocks only. The weights of style are multiples of
the one at which content and style are of one size in each network; a judge that none was optimised for compares.
Cost: 18 runs, 6 programs, and a judge; at size=512 steps=500 a day on a CPU, half an hour on a GPU.

    python -m experiments.papers.random_weights content=photo.jpg style=painting.jpg
    python -m experiments.papers.random_weights network=distilled size=64 optimiser=adam
"""

import sys
from pathlib import Path

from experiments.common import figures, judging, study
from experiments.common.reading import picture, where

KEYS = ("weights.random_from", "style_weight")
TIMES = (1, 100, 10000)  # the balanced weight: style falls by orders of magnitude, content rises


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw a line for each network, a column for each multiple of the balanced weight."""
    name, depths = "random_weights", study.swept_values("random_weights", KEYS[0], words)
    one = study.without(words, *KEYS)
    even = {d: judging.balance(study.job(name, *one, f"{KEYS[0]}={d}", "style_weight=1")) for d in depths}
    pairs = {(depth, times): f"{times * even[depth]:.3g}" for depth in depths for times in TIMES}
    lists = (f"{KEYS[0]}={','.join(d for d, _ in pairs)}", f"{KEYS[1]}={','.join(pairs.values())}")
    runs = study.sweep(name, *one, *lists, f"sweep.zip=[{','.join(KEYS)}]", home=home)._replace(words=words)
    judge = judging.judge(name, words)
    rows = [row | {KEYS[0]: str(row[KEYS[0]])} for row in runs.rows]
    table = [
        {k: row[k] for k in (*KEYS, "ssim_content", "style_distance", "seconds")}
        | {"judge_distance": judging.measure(judge, picture(row))["style_distance"]}
        for row in rows
    ]
    cells = [
        [next(map(picture, where(rows, **{KEYS[0]: d, KEYS[1]: float(pairs[d, t])})), None) for t in TIMES]
        for d in depths
    ]
    answer = (
        f"{judging.match(table, KEYS[0], 'judge_distance')[1]}. One pair, one draw of the untrained layers, one run "
        f"each. The judge, which may favour its like: {judge.facts['weights']['source']}."
    )
    heads = ["trained" if d == "null" else f"untrained from {d}" for d in depths]
    figure = figures.grid(cells, across=TIMES, down=heads, title="style weight over the balanced one")
    return study.record(runs, figure, table, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
