"""Which layers of each network to compare, and at what style weight: a sweep over depths, judged from outside.

Source: ours. Gatys et al. 2016 take one style layer of each stride of VGG, from 1 to 16 pixels, and a content layer
at 8; Wang, Li & Vasconcelos 2021 (arXiv 2104.05623) the last block of each stage of a ResNet. Both choose by stride: a
candidate has the first or the last layer of each stride down to a deepest one, and a content layer at a stride. Each
runs at the style weights of LADDER; what it reaches at an SSIM that all choices reach lies between two of these. Two
networks that take no part, VGG-16 and texnet, measure the distance to the painting and the error of the content. A
candidate's score is the geometric mean of these over pairs: less is better. Expected: docs/explanations/networks.md.
Cost: some 370 runs, 40 minutes on two CPU cores, most of it compilation. The same line again runs only what is missing.

    python -m experiments.networks.layer_choice data=FOLDER size=128 steps=60

FOLDER holds weights/ and images/. networks=[NAME,...]: of NETWORKS. SqueezeNet runs trained and untrained, to show
whether an untrained network ranks its layers as a trained one does.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nst_jax as nst
from experiments.common import figures, study
from experiments.networks.candidates import FILES, deep_judges
from experiments.networks.extractors_compared import picture, read
from experiments.networks.tuning import Bench, Row, run
from nst_jax.images.size import cover
from nst_jax.nn.windows import total_stride

LADDER = (0.3, 1.0, 3.0, 10.0, 100.0)  # style weights
PAIRS = (("tubingen", "starry_night"), ("landscape", "mosaic"))
MEASURED = ("distance", "content error")  # how the names of what a judge measures begin
NETWORKS = {  # in words -> its name, and whether it is trained
    "SqueezeNet": ("squeezenet", True),
    "untrained SqueezeNet": ("squeezenet", False),
    "untrained GoogLeNet": ("googlenet", False),
    "untrained Inception v3": ("inception_v3", False),
    "untrained ResNet-50": ("resnet50", False),
}
DEFAULTS = {"data": "???", "size": 128, "steps": 60, "networks": list(NETWORKS)}
TRIALS = {  # of a candidate: which layer of a stride, the deepest stride of the style, the stride of the content
    "last, to 16; content 8": (-1, 16, 8),
    "first, to 16; content 8": (0, 16, 8),
    "last, to 8; content 8": (-1, 8, 8),
    "first, to 8; content 8": (0, 8, 8),
    "last, to 32; content 8": (-1, 32, 8),
    "last, to 16; content 4": (-1, 16, 4),
    "last, to 16; content 16": (-1, 16, 16),
}


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write table.csv, figure.svg and README.md, and return their folder."""
    c = read(DEFAULTS, words)
    home, data, rows = home or study.HOME / "layer_choice", Path(c.data), []
    judges = deep_judges(data / "weights")
    for name in c.networks:
        for trial, net in choices(name, data / "weights"):
            for pair in PAIRS:
                photo, painting = (crop(picture(data, each, 2 * c.size), size=c.size) for each in pair)
                bench = Bench(f"{name} {trial}", net, judges, photo, painting, c.steps, home / "runs" / "_".join(pair))
                keys = {"choice": trial, "layers": in_words(net), "pair": " / ".join(pair), "lane": 0}
                rows += [run(bench, weight, 0) | keys | {"network": name} for weight in LADDER]
            print(name, trial, flush=True)
    table = compare(rows)
    runs = study.Study("networks.layer_choice", words, rows, home)
    return study.record(runs, figures.plot(lambda axis: draw(axis, table), width=7), table, answer(table), vector=True)


def crop(image: nst.types.Image, *, size: int) -> nst.types.Image:
    """The middle of a picture, three by four: pictures of one shape share a compiled program."""
    return cover(image, height=3 * size // 4, width=size)


def choices(name: str, weights: Path) -> Iterator[tuple[str, nst.Network]]:
    """The network with the layers of each trial, each choice once, and with those that it comes with."""
    network, trained = NETWORKS[name]
    given = {"network": network, "preprocessing": "caffe"} if trained else {"weights": "random"}
    net = nst.load(weights / FILES[name] if trained else network, **given)._replace(convention="relative")
    arch, known = nst.architecture(network), set()
    groups = group(arch)
    for trial in ("as it comes", *TRIALS):
        style, content = net.style_layers, net.content_layers
        if trial in TRIALS:
            which, deepest, at = TRIALS[trial]
            style = {found[which]: 1.0 for stride, found in groups.items() if stride <= deepest}
            content = {groups[at][which]: 1.0}
        if (key := (*style, *content)) not in known:
            known.add(key)
            extractor = net.extractor.clone(taps=tuple(layer for layer in arch.layers if layer in key))
            yield trial, net._replace(extractor=extractor, style_layers=style, content_layers=content)


def group(arch: Any) -> dict[int, list[str]]:
    """The layers to choose from by stride in pixels, in order."""
    found: dict[int, list[str]] = {}
    for layer in arch.choices:
        found.setdefault(total_stride(arch.windows(layer, rounding="floor")), []).append(layer)
    return found


def in_words(net: nst.Network) -> str:
    """The layers of a choice: style; content."""
    return f"{' '.join(net.style_layers)}; {' '.join(net.content_layers)}"


def compare(rows: Sequence[Row]) -> list[Row]:
    """A line for each network and choice: what it reaches at an SSIM that all choices of the network reach."""
    table = []
    for name in dict.fromkeys(row["network"] for row in rows):
        found: dict[tuple[str, str], list[dict[str, float]]] = {}
        for pair in dict.fromkeys(row["pair"] for row in rows):
            lines: dict[tuple[str, str], list[Row]] = {}
            for row in rows:
                if (row["network"], row["pair"]) == (name, pair):
                    lines.setdefault((row["choice"], row["layers"]), []).append(row)
            goal = middle([[row["ssim"] for row in line] for line in lines.values()])
            for key, line in lines.items():
                found.setdefault(key, []).append(at(line, goal))
        for (choice, layers), pairs in found.items():
            means = {part: geometric_mean(each[part] for each in pairs) for part in pairs[0]}
            score = geometric_mean(value for part, value in means.items() if part.startswith(MEASURED))
            table.append({"network": name, "choice": choice, "layers": layers, "score": score, **means})
    return table


def middle(ranges: Sequence[Sequence[float]]) -> float:
    """The middle of what all ranges have in common."""
    return (max(map(min, ranges)) + min(map(max, ranges))) / 2


def geometric_mean(values: Iterable[float]) -> float:
    """The mean of numbers above 0 by their logarithms."""
    return float(np.exp(np.mean([np.log(value) for value in values])))


def at(line: Sequence[Row], goal: float) -> dict[str, float]:
    """What a choice reaches at an SSIM, by straight lines between logarithms; NaN where its runs do not enclose it."""
    ordered = sorted(line, key=lambda row: row["ssim"])
    ssims = [row["ssim"] for row in ordered]
    names = ("weight", *(name for name in line[0] if name.startswith(MEASURED)))
    ends = {"left": np.nan, "right": np.nan}
    found = {n: float(np.exp(np.interp(goal, ssims, [np.log(row[n]) for row in ordered], **ends))) for n in names}
    return {"ssim": goal, **found}


def draw(axis: Any, table: Sequence[Row]) -> None:
    """Draw each choice's distance to the painting against its error of the content, both by the judges' mean."""
    for name, mark in zip(NETWORKS, "o^svD", strict=True):
        own = [row for row in table if row["network"] == name]
        points = [[mean(row, part) for row in own] for part in ("content error", "distance")]
        axis.loglog(*points, mark, ms=4, label=name)
    axis.set(xlabel="error of the content, at one SSIM", ylabel="distance to the painting")
    axis.legend(fontsize=6)


def mean(row: Row, part: str) -> float:
    """The geometric mean over the judges of what they measure."""
    return geometric_mean(value for name, value in row.items() if name.startswith(part))


def answer(table: Sequence[Row]) -> str:
    """A line for each network: its best choice, the scores of this and of all others, and the style weight."""
    lines = ["| network | SSIM | best choice | score | style weight | the others |", "|---" * 6 + "|"]
    for name in dict.fromkeys(row["network"] for row in table):
        own = sorted((row for row in table if row["network"] == name), key=lambda row: row["score"])
        best, *others = own
        rest = ", ".join(f"{row['choice']} {row['score']:.3f}" for row in others)
        cells = (f"{best['ssim']:.2f}", f"{best['choice']}: {best['layers']}", f"{best['score']:.3f}")
        lines.append(f"| {name} | {' | '.join(cells)} | {best['weight']:.3g} | {rest} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
