"""Trains texnet, the feature extractor that comes with the package, on generated pictures alone.

Method and figures: docs/explanations/texnet.md. Settings: texnet/train.yaml, any of them also as key=value. A stopped
run goes on from its last checkpoint. The shipped weights took (two CPU cores):

    python -m experiments.networks.train_texnet weights=nst_jax/trained/texnet.safetensors
"""

import sys
import time
from pathlib import Path

from experiments.networks.texnet import data, shipping, training
from experiments.networks.texnet.config import Config, read


def main(config: Config, *, until: int | None = None) -> dict[str, float]:
    """Draws, trains up to `until` steps (all, unless said), writes the weights; returns the held-out accuracy."""
    started = time.monotonic()
    pictures, held = data.split(data.load(config), config)
    print(f"{len(pictures.labels)} pictures after {time.monotonic() - started:.0f} s", flush=True)
    state = training.train(config, pictures, until=until or config.steps, say=lambda line: print(line, flush=True))
    figures = training.accuracy(config, state, held)
    print(f"held out, right: {figures}")
    notes = shipping.provenance(config, figures, seconds=time.monotonic() - started)
    shipping.write(Path(config.weights), shipping.finish(config, state, pictures), notes)
    return figures


if __name__ == "__main__":
    main(read(sys.argv[1:]))
