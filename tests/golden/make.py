"""Reference numbers of a small VGG with random weights, by the NumPy twins of tests/plain.py in float64.

    python tests/golden/make.py            # writes numbers.json; draws arrays.npz if it is not there

arrays.npz holds what goes in: the weights (float32), three pictures (8-bit RGB) and four directions (of a picture, in
whole numbers). numbers.json holds what comes out, for each pooling and rounding: statistics of the activations; for
each convention its terms, the weights given to them, their total, and the derivative of the total along each direction.
The network's input: BGR, 0..255, minus the mean. The picture is 38 x 52 pixels, so that a side is odd before the third
block, and rounding matters. The style picture has another size.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import plain  # noqa: E402

BLOCKS = ((4, 2), (6, 2), (8, 3), (8, 2), (8, 2))
VARIANTS = ("max.floor", "avg.floor", "max.ceil", "avg.ceil")
CONTENT_LAYER, STYLE_LAYERS, LAST = "relu4_2", tuple(f"relu{b}_1" for b in range(1, 6)), "relu5_2"
SHAPES = {"content": (38, 52, 3), "image": (38, 52, 3), "style": (31, 44, 3)}
STEP = 1e-4  # of a central difference along a direction: in float64 it is exact to about 1e-7


def per_map(n):
    """1e3 / N^2: Gatys' released weights."""
    return 1e3 / n**2


CONVENTIONS = {  # name -> the weights of content, of a style layer of so many channels, of the total variation
    "gatys_2016": (1.0, lambda n: 1e3 / len(STYLE_LAYERS), 0.0),
    "gatys_released": (1.0, per_map, 0.0),
    "neural_style_pt": (5.0, lambda n: 100.0, 1e-3),
    "keras": (1e-5, lambda n: 1e-3 / len(STYLE_LAYERS), 1e-6),
    "adain": (1.0, lambda n: 10.0, 0.0),
    "style_transfer_pytorch_2022": (100.0, lambda n: 1.0, 2e3),
}


def draw():
    """Weights, pictures and directions."""
    rng, cin, arrays = np.random.default_rng(13), 3, {}
    for block, (width, depth) in enumerate(BLOCKS, 1):
        for i in range(1, depth + 1):
            kernel = rng.standard_normal((3, 3, cin, width)) * np.sqrt(2 / (9 * cin))
            arrays[f"conv{block}_{i}.kernel"] = kernel.astype(np.float32)
            arrays[f"conv{block}_{i}.bias"] = rng.standard_normal(width).astype(np.float32)
            cin = width
    for name, (h, w, _) in SHAPES.items():
        coarse = rng.integers(0, 256, (-(-h // 4), -(-w // 4), 3)).repeat(4, 0).repeat(4, 1)[:h, :w]
        arrays[name] = np.clip(coarse + rng.integers(-30, 31, (h, w, 3)), 0, 255).astype(np.uint8)
    for number in range(4):
        direction = rng.integers(-100, 101, SHAPES["image"])
        if number >= 2:  # the last rows, the last columns: the cells that rounding makes or drops
            direction[: -6 if number == 2 else None, : -6 if number == 3 else None] = 0
        arrays[f"direction{number}"] = direction.astype(np.int8)
    return arrays


def compute(arrays):
    """All numbers."""
    weights = {name: a for name, a in arrays.items() if name.startswith("conv")}
    return {variant: compute_variant(arrays, weights, *variant.split(".")) for variant in VARIANTS}


def compute_variant(arrays, weights, pool, rounding):
    """The numbers of one pooling and rounding."""
    pictures = {name: arrays[name].astype(np.float64) for name in SHAPES}
    ways = [arrays[f"direction{n}"].astype(np.float64) for n in range(4)]
    settings = {"last": LAST, "blocks": BLOCKS, "pool": pool, "rounding": rounding}
    seen = {name: plain.vgg(weights, pictures[name], **settings) for name in ("content", "style")}
    image = plain.vgg(weights, pictures["image"], ways, **settings)
    out: dict[str, Any] = {"activations": {name: summarise(values[0]) for name, values in image.items()}}
    for name, (content_weight, style_weight, tv_weight) in CONVENTIONS.items():
        content, style, smooth, *_ = plain.CONVENTIONS[name]
        pixels = SHAPES["image"][0] * SHAPES["image"][1]

        def terms(at=None, step=0.0, content=content, style=style, smooth=smooth, pixels=pixels):
            moved = lambda values: values[0] + (0 if at is None else step * values[1 + at])
            f = {layer: moved(values) for layer, values in image.items()}
            found = {f"content/{CONTENT_LAYER}": content(f[CONTENT_LAYER], seen["content"][CONTENT_LAYER][0])}
            found |= {f"style/{n}": style(f[n], seen["style"][n][0], pixels) for n in STYLE_LAYERS}
            if smooth is not plain.none:
                found["tv"] = smooth(pictures["image"] + (0 if at is None else step * ways[at]))
            return found

        values, factors = terms(), {f"content/{CONTENT_LAYER}": content_weight, "tv": tv_weight}
        factors |= {f"style/{n}": style_weight(image[n][0].shape[2]) for n in STYLE_LAYERS}
        factors = {key: factors[key] for key in values}
        total = lambda found, factors=factors: float(sum(factors[key] * found[key] for key in factors))
        slopes = [(total(terms(n, STEP)) - total(terms(n, -STEP))) / (2 * STEP) for n in range(len(ways))]
        out[name] = {
            "terms": {key: float(value) for key, value in values.items()},
            "weights": factors,
            "total": total(values),
            "derivatives": slopes,  # per unit of 0..255
        }
    return out


def summarise(a):
    """An activation in a few numbers; `checked` weighs each position differently, so that none may move."""
    ramp = np.cos(np.arange(a.size)).reshape(a.shape)
    return {"shape": list(a.shape), "mean": a.mean(), "std": a.std(), "max": a.max(), "checked": (ramp * a).mean()}


def load():
    """What goes in."""
    with np.load(HERE / "arrays.npz") as file:
        return dict(file)


def main():
    if not (HERE / "arrays.npz").exists():
        np.savez_compressed(HERE / "arrays.npz", **draw())
    (HERE / "numbers.json").write_text(json.dumps(compute(load()), indent=1) + "\n")


if __name__ == "__main__":
    main()
