"""What each style layer contributes: with all, with each left out, with each alone.

Source: Gatys, Ecker & Bethge 2016 (CVPR), section 3.2 and Figure 5, which compare nested sets only. Expected: a layer's
own distance rises most when it is left out, and neighbours make up for a part of it; one layer alone leaves the others
far from the style. Cost: 11 lanes of one program; at size=512 steps=500 hours on a CPU, minutes on a GPU.

    python -m experiments.papers.layer_weights content=photo.jpg style=painting.jpg
    python -m experiments.papers.layer_weights network=distilled size=64 steps=100 optimiser=adam
"""

import sys
from pathlib import Path

import numpy as np

from experiments.common import figures, reading, study
from experiments.common.reading import picture


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing; draw the pictures, and each layer's distance over that of the run with all layers."""
    layers = list(study.settings("layer_weights", *words).layers.style)
    off = {"all": []} | {f"without {k}": [k] for k in layers}
    off |= {f"only {k}": [other for other in layers if other != k] for k in layers}
    overrides = {case: "{" + ",".join(f"{k}:0" for k in zeros) + "}" for case, zeros in off.items()}
    runs = study.sweep("layer_weights", *words, f"layers.style={','.join(overrides.values())}", home=home)
    runs = runs._replace(words=words)
    rows = {case: next(r for r in runs.rows if r["layers.style"] == text) for case, text in overrides.items()}
    own = [f"style_distance_{k}" for k in layers]
    ratio = np.array([[row[key] / rows["all"][key] for key in own] for row in rows.values()])

    def draw(left, right):
        lines = [np.hstack([picture(rows[f"{how} {k}"]) for k in layers]) for how in ("without", "only")]
        left.imshow(np.vstack(lines))
        height, width = (np.array(lines[0].shape[:2]) / (1, len(layers))).tolist()
        left.set(yticks=[height / 2, height * 3 / 2], xticks=[width * (i + 0.5) for i in range(len(layers))])
        left.set_yticklabels(["without", "only"], fontsize=7)
        left.set_xticklabels(layers, fontsize=7)
        right.imshow(np.log(ratio), cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
        for (i, j), value in np.ndenumerate(ratio):
            right.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=6)
        right.set(xticks=range(len(layers)), yticks=range(len(rows)))
        right.set_title("style distance over that with all layers", fontsize=8)
        right.set_xticklabels(layers, fontsize=7)
        right.set_yticklabels(list(rows), fontsize=6)

    many = len(layers)
    here, out = ratio[1 : many + 1].diagonal(), ~np.eye(many, dtype=bool)
    answer = (
        f"A layer that is left out ends {reading.quartiles(here)} times as far from the style as with all layers "
        f"(median, quartiles over layers), the others {reading.quartiles(ratio[1 : many + 1][out])} times; with one "
        f"layer alone it ends {reading.quartiles(ratio[many + 1 :].diagonal())} times, the others "
        f"{reading.quartiles(ratio[many + 1 :][out])} times as far. One pair, one run each."
    )
    table = [
        {"style": case} | {k: row[k] for k in ("ssim_content", "style_distance", *own)} for case, row in rows.items()
    ]
    return study.record(runs, figures.plot(draw, columns=2, width=5.0), table, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
