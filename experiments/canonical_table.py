"""The canonical table, recomputed: s / c of each style layer at 512 x 512, beside what docs/canonical.csv says.

Source: docs/conventions.md. Expected: the same numbers, to the digits given. Cost: seconds; no pictures, no weights.

    python -m experiments.canonical_table
"""

import csv
from pathlib import Path

from hydra import compose, initialize_config_dir

from nst_jax import translate
from nst_jax.conventions import CONVENTIONS
from nst_jax.shell import config
from nst_jax.shell.places import conf
from nst_jax.shell.schema import Config
from nst_jax.translate import Weights
from nst_jax.vgg import VGG, VGG19

TABLE = Path(__file__).parents[1] / "docs/canonical.csv"


def settings(*words: str) -> Config:
    """The settings that a command line gives."""
    with initialize_config_dir(str(conf()), version_base=config.HYDRA):
        return config.read(compose("config", overrides=list(words)))


def weights(c: Config) -> Weights:
    """The weights of the settings, layer by layer, without smoothness."""
    content = {layer: c.content_weight * factor for layer, factor in c.layers.content.items()}
    return Weights(content, {layer: c.style_weight * factor for layer, factor in c.layers.style.items()}, 0.0)


def main() -> None:
    """Prints a line for each row of the table."""
    for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()):
        words = [f"{key}={row[key]}" for key in ("convention", "layers", "content_weight", "style_weight")]
        w = weights(settings("content=a", "style=b", *words))
        net = VGG((*w.content, *w.style), VGG19, "max", "floor", "zero")
        shapes = translate.shapes(net, height=512, width=512)
        form = translate.canonical(CONVENTIONS[row["convention"]], w, shapes, height=512, width=512)
        computed = " ".join(f"{ratio:.3g}" for ratio in translate.ratios(form).values())
        print(f"{row['name']:38} known {row['ratio']:40} computed {computed}", flush=True)


if __name__ == "__main__":
    main()
