"""The canonical table, computed again: s / c of each style layer at 512 x 512, beside the file canonical.csv.

Source: docs/explanations/conventions.md. Expected: the same numbers, to the digits given.
Cost: seconds; no pictures, no weights.

    python -m experiments.common.canonical_table
"""

import csv
from pathlib import Path

from nst_jax.analysis import translate
from nst_jax.analysis.translate import Weights
from nst_jax.extractors import architecture
from nst_jax.published import LOSSES, PROFILES

TABLE = Path(__file__).parents[2] / "docs/explanations/canonical.csv"


def main() -> None:
    """Print a line for each row of the table."""
    arch, size = architecture("vgg19"), {"height": 512, "width": 512}
    for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()):
        layers, parts = PROFILES[row["layers"]], (row["content_weight"], row["style_weight"])
        content, style = (
            {layer: float(weight) * factor for layer, factor in factors.items()}
            for factors, weight in zip((layers.content, layers.style), parts, strict=True)
        )
        network = arch.tap((*content, *style), pool="max", rounding="floor", padding="zero")
        convention, shapes = LOSSES[row["convention"]].convention, arch.shapes(network, **size)
        form = translate.canonical(convention, Weights(content, style, 0.0), shapes, **size)
        computed = " ".join(f"{ratio:.3g}" for ratio in translate.ratios(form).values())
        print(f"{row['name']:38} known {row['ratio']:40} computed {computed}", flush=True)


if __name__ == "__main__":
    main()
