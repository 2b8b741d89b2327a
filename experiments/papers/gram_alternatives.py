"""What stands in for the Gram matrix, at one distance from the style, as a network sees it that nothing aimed at.

Source: Gatys et al. 2016; Huang & Belongie 2017 (arXiv 1703.06868: means and deviations), Sun & Saenko 2016
(arXiv 1607.01719: covariance), crowsonkb/style-transfer-pytorch (Wasserstein distance of normal distributions), Heitz
et al. 2021 (arXiv 2006.07229: sliced Wasserstein). Each has weights of style from the one at which content and style
are of one size at the start, and the run nearest to a common distance counts. Expected: Gram matrices and means keep
less of local structure than what compares whole distributions, if the distances can be matched at all.
Cost: 25 runs, 5 programs, and a judge; at size=512 steps=500 a day on a CPU, half an hour on a GPU.

    python -m experiments.papers.gram_alternatives content=photo.jpg style=painting.jpg
    python -m experiments.papers.gram_alternatives network=distilled size=64 steps=100 optimiser=adam
"""

import sys
from pathlib import Path

from experiments.common import figures, judging, study
from experiments.common.reading import picture, where

KEYS = ("convention", "style_weight")
TIMES = (1, 10, 100, 1000, 10000)  # the balanced weight: style falls by orders of magnitude, content rises


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw each convention's picture nearest to the common distance."""
    name, kinds = "gram_alternatives", study.swept_values("gram_alternatives", "convention", words)
    one = study.without(words, *KEYS)
    even = {k: judging.balance(study.job(name, *one, f"convention={k}", "style_weight=1")) for k in kinds}
    pairs = [(kind, f"{times * even[kind]:.3g}") for kind in kinds for times in TIMES]
    lists = (f"{key}={','.join(column)}" for key, column in zip(KEYS, zip(*pairs, strict=True), strict=True))
    runs = study.sweep(name, *one, *lists, home=home)._replace(words=words)
    judge = judging.judge(name, words)
    table = [
        {k: row[k] for k in (*KEYS, "ssim_content", "style_distance", "seconds")}
        | {"judge_distance": judging.measure(judge, picture(row))["style_distance"]}
        for row in runs.rows
    ]
    best, parts = judging.match(table, "convention", "judge_distance")
    pictures = [picture(where(runs.rows, **{key: row[key] for key in KEYS})[0]) for row in best]
    answer = f"{parts}. One pair, one run each. The judge: {judge.facts['weights']['source']}."
    heads = [f"{row['convention']}\nSSIM {row['ssim_content']:.2f}, judge {row['judge_distance']:.2f}" for row in best]
    return study.record(runs, figures.grid([pictures], across=heads, down=[""]), table, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
