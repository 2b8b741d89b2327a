"""The command `nst-convert`: the weights of one convention that give the objective of another.

Exit code 2 for an unknown name or a wrong size. jax is imported after the arguments are read.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings.options import network_settings, settings

if TYPE_CHECKING:
    from nst_jax.analysis.translate import Weights
    from nst_jax.extractors.base import Shape

LARGEST = 20_000  # pixels of a side
PARTS = ("content", "style", "tv")


@command("nst-convert")
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        print("\n".join(convert(options)))
    except UserError as error:
        print(f"nst-convert: {error}", file=sys.stderr)
        return 2
    return 0


def convert(options: argparse.Namespace) -> Iterable[str]:
    """The lines to print: what the weights mean, and the words for `nst`. Raises UserError for an unknown name."""
    one, other = (settings("convention", name) for name in (options.one, options.other))
    layers = settings("layers", options.layers)
    height, width = size(options.size)
    from nst_jax.analysis import translate
    from nst_jax.published import CONVENTIONS

    given = {part: getattr(options, part) for part in PARTS}
    whole = {part: one[f"{part}_weight"] if weight is None else weight for part, weight in given.items()}
    weights = translate.Weights(
        {layer: whole["content"] * factor for layer, factor in layers["content"].items()},
        {layer: whole["style"] * factor for layer, factor in layers["style"].items()},
        whole["tv"],
    )
    shapes = _shapes(options.network, (*layers["content"], *layers["style"]), height, width)
    pair = CONVENTIONS[one["name"]], CONVENTIONS[other["name"]]
    found, remarks = translate.translate(*pair, weights, shapes, height=height, width=width)
    form = translate.canonical(pair[0], weights, shapes, height=height, width=width)
    yield f"# {options.one} with content {whole['content']:g}, style {whole['style']:g}, smoothness {whole['tv']:g}"
    yield f"# for pictures of {width} x {height}, layers={options.layers}, network={options.network}"
    yield from (f"# {line}" for line in (*describe(form, translate.ratios(form)), *remarks))
    if not any(map(math.isnan, found.style.values())):
        yield "# these weights hold for each of several styles, and in regions"
    network = [] if options.network == "vgg19" else [f"network={options.network}"]  # vgg19 is the default of nst
    words = ["nst", *network, f"convention={options.other}", f"layers={options.layers}", *overrides(found, layers)]
    yield " ".join(words)


def overrides(found: "Weights", layers: dict[str, dict[str, float]]) -> Iterable[str]:
    """The weights as words for `nst`: one for each part, and the factors of layers that are not those of the file."""
    for part, weights in (("content", found.content), ("style", found.style)):
        known = {layer: w / layers[part][layer] for layer, w in weights.items() if not math.isnan(w)}
        whole = next((w for w in known.values() if w), 0.0)
        if known:
            yield f"{part}_weight={whole:.6g}"
        for layer, w in known.items():
            if not math.isclose(w, whole, rel_tol=1e-5):
                yield f"layers.{part}.{layer}={layers[part][layer] * w / whole:.6g}"
    if not math.isnan(found.smooth):
        yield f"tv_weight={found.smooth:.6g}"


def describe(form: "Weights", ratios: dict[str, float]) -> Iterable[str]:
    """The canonical form in words; which part has none."""
    if any(map(math.isnan, (*form.content.values(), *form.style.values()))):
        yield f"{'content' if any(map(math.isnan, form.content.values())) else 'style'} has no canonical form"
        return
    yield "the same as sum c mean(dF^2) + sum s mean((dG/M)^2) with"
    yield "  c " + ", ".join(f"{layer} {c:.4g}" for layer, c in form.content.items())
    yield "  s " + ", ".join(f"{layer} {s:.4g}" for layer, s in form.style.items())
    yield "  s/c " + ", ".join(f"{layer} {r:.4g}" for layer, r in ratios.items())


def size(text: str) -> tuple[int, int]:
    """Height and width of 512 or of 640x480. Raises UserError."""
    sides = text.lower().split("x")
    if not all(is_side(side) for side in sides) or len(sides) > 2:
        raise UserError(f"--size {text}: say a side in pixels, 512, or width and height, 640x480; 16 to {LARGEST:,}")
    return int(sides[-1]), int(sides[0])


def is_side(text: str) -> bool:
    """Whether the text is a number of pixels that can be a side."""
    return text.isascii() and text.isdecimal() and len(text) <= 9 and 16 <= int(text) <= LARGEST


def _shapes(network: str, taps: Iterable[str], height: int, width: int) -> dict[str, "Shape"]:
    """The shape of each tap of the network, for pictures of that size. Raises UserError for a layer it lacks."""
    from nst_jax.extractors import architecture

    chosen = network_settings(network)
    kind = architecture(chosen["name"])
    shape = {key: chosen[key] for key in ("pool", "rounding", "padding")}  # how it is convolved changes no shape
    try:
        return kind.shapes(kind.tap(tuple(taps), **shape), height=height, width=width)
    except ValueError as error:
        raise UserError(f"--layers: {error}") from None


def _parser() -> argparse.ArgumentParser:
    text = "The weights of one convention that give the same objective as those of another, as words for nst."
    parser = argparse.ArgumentParser(prog="nst-convert", description=text)
    parser.add_argument("--from", dest="one", required=True, metavar="NAME", help="the convention you have weights for")
    parser.add_argument("--to", dest="other", required=True, metavar="NAME", help="the convention you want them for")
    parser.add_argument("--size", default="512", help="of the pictures, in pixels: 512, or 640x480 (512)")
    parser.add_argument("--layers", default="gatys", metavar="NAME", help="of conf/layers/ (gatys)")
    parser.add_argument("--network", default="vgg19", metavar="NAME", help="of conf/network/ (vgg19)")
    for part in PARTS:
        parser.add_argument(
            f"--{part}", type=float, metavar="WEIGHT", help=f"{part}_weight; the published one if left out"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
