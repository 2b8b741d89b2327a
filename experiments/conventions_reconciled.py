"""Every Gram convention on one pair of pictures: with its published weights, and with weights of one meaning.

Source: docs/conventions.md. Expected: the pictures of the upper row differ, from hardly touched to hardly
recognisable; those of the lower are one picture, since all have the objective of gatys_released. Smoothness is
left out, and the style picture is cut to the image's shape. First, experiments.canonical_table.
Cost: two runs for each of the 19 conventions that differ; minutes on a CPU at size=128 steps=40.

    python -m experiments.conventions_reconciled content=photo.jpg style=painting.jpg size=256 steps=100
"""

import sys
from pathlib import Path

import jax.numpy as jnp
import matplotlib.pyplot as plt
from jax import tree

from experiments import canonical_table
from experiments.canonical_table import settings, weights
from nst_jax import transfer, translate
from nst_jax.conventions import CONVENTIONS, GRAM
from nst_jax.image import cover
from nst_jax.optimise import lbfgs
from nst_jax.shell import prepare
from nst_jax.transfer import Problem, Spec

DIFFERENT = {convention: name for name, convention in reversed(GRAM.items()) if name != "laplacian"}  # without aliases
LBFGS = (lbfgs, (("memory", 20), ("evaluations", 20)))
AS_THEY_ARE = {"content_weight": 1.0, "style_weight": 1.0, "tv_weight": 0.0}


def main(*words: str) -> Path:
    """Prints the table and what each run ends with, and writes the pictures side by side; the path of that."""
    canonical_table.main()
    c = settings("convention=gatys_released", *words)
    net = prepare.network(c)
    content, style = prepare.sized(c, {name: prepare.picture(c, name, print) for name in ("content", "style")}, print)
    size = {"height": content.shape[0], "width": content.shape[1]}
    params = tree.map(jnp.asarray, prepare.load(c, net, print).params)
    taps = {"content_layers": tuple(c.layers.content), "style_layers": tuple(c.layers.style)}
    targets = transfer.targets(net, params, content, cover(style, **size), **taps)
    shapes = translate.shapes(net, **size)
    figure, axes = plt.subplots(2, len(DIFFERENT), figsize=(2 * len(DIFFERENT), 4), squeeze=False)
    for column, (convention, name) in zip(axes.T, sorted(DIFFERENT.items(), key=lambda item: item[1]), strict=True):
        own = weights(settings(f"convention={name}", *words))
        one, _ = translate.translate(CONVENTIONS["gatys_released"], convention, weights(c), shapes, **size)
        spec = Spec(net, convention, *LBFGS)
        for axis, w in zip(column, (own, one), strict=True):
            form = translate.canonical(convention, w, shapes, **size)
            k = next(iter(form.style.values()))  # the scale of the whole is nothing to L-BFGS, but much to float32
            w = tree.map(lambda weight, k=k: weight / k, w)
            pull = transfer.weights(convention, targets, **AS_THEY_ARE, content_layers=w.content, style_layers=w.style)
            problem = Problem(params, targets, pull, {})
            begun = transfer.begin(spec, problem, content)
            state, _ = transfer.advance(spec, problem, begun, steps=c.steps, room=c.steps)
            ratio = next(iter(translate.ratios(form).values()))
            print(f"{name:20} s/c {ratio:9.3g}  loss {float(state.lowest):9.3g}", flush=True)
            axis.imshow(state.best.clip(0, 1))
            axis.set_title(f"{name}\ns/c {ratio:.2g}", fontsize=7)
            axis.axis("off")
    path = Path(c.output.folder) / "conventions_reconciled.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, bbox_inches="tight")
    return path


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
