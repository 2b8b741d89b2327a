"""The command `nst-convert`: the weights of one convention that give the objective of another.

Exit code 2 for a name or a size that is none. jax is imported after the arguments are read.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf

if TYPE_CHECKING:
    from nst_jax.translate import Weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        print("\n".join(converted(options)))
    except UserError as error:
        print(f"nst-convert: {error}", file=sys.stderr)
        return 2
    return 0


def converted(options: argparse.Namespace) -> Iterable[str]:
    """What to print. Raises UserError for a name that is none."""
    one, other = (_settings("convention", name) for name in (options.one, options.other))
    layers, network = _settings("layers", options.layers), _settings("network", options.network)
    height, width = size(options.size)
    from nst_jax import translate
    from nst_jax.conventions import CONVENTIONS

    pull = {part: one[f"{part}_weight"] if (given := getattr(options, part)) is None else given for part in PARTS}
    weights = translate.Weights(
        {layer: pull["content"] * factor for layer, factor in layers["content"].items()},
        {layer: pull["style"] * factor for layer, factor in layers["style"].items()},
        pull["tv"],
    )
    shapes = _shapes(network, (*layers["content"], *layers["style"]), height, width)
    pair = CONVENTIONS[one["name"]], CONVENTIONS[other["name"]]
    found, remarks = translate.translate(*pair, weights, shapes, height=height, width=width)
    same = {"height": height, "width": width}
    form = translate.canonical(pair[0], weights, shapes, **same)
    yield f"# {options.one} with content {pull['content']:g}, style {pull['style']:g}, smoothness {pull['tv']:g}"
    yield f"# for pictures of {width} x {height}, layers={options.layers}, network={options.network}"
    yield from (f"# {line}" for line in (*told(form, translate.ratios(form)), *remarks))
    yield " ".join(["nst", f"convention={options.other}", f"layers={options.layers}", *overrides(found, layers)])


PARTS = ("content", "style", "tv")


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


def told(form: "Weights", ratios: dict[str, float]) -> Iterable[str]:
    """The canonical form in words, as far as there is one."""
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
    if not all(side.isdecimal() and int(side) >= 16 for side in sides) or len(sides) > 2:
        raise UserError(f"--size {text}: say a side in pixels, 512, or width and height, 640x480; 16 at least")
    return int(sides[-1]), int(sides[0])


def _shapes(network: dict[str, Any], taps: Iterable[str], height: int, width: int) -> dict[str, tuple[int, int, int]]:
    from nst_jax import translate
    from nst_jax.extractors import BLOCKS
    from nst_jax.vgg import VGG

    kind = dict(network.get("network", network))  # a network may bring its own layers and convention along
    shape = {key: kind[key] for key in ("pool", "rounding", "padding")}  # how it is convolved changes no shape
    net = VGG(tuple(dict.fromkeys(taps)), blocks=BLOCKS[kind["name"]], **shape)
    try:
        return translate.shapes(net, height=height, width=width)
    except ValueError as error:
        raise UserError(f"--layers: {error}") from None


def _settings(group: str, name: str) -> dict[str, Any]:
    """The settings of that name in conf/. Raises UserError with the nearest name, and all of them."""
    names = sorted(path.stem for path in (conf() / group).glob("*.yaml"))
    if name not in names:
        from difflib import get_close_matches

        close = get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise UserError(f"there is no {group} {name}.{hint} The names: {', '.join(names)}")
    from omegaconf import OmegaConf

    return dict(OmegaConf.to_container(OmegaConf.load(conf() / group / f"{name}.yaml")))  # pyright: ignore


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
