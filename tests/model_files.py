"""Files of feed-forward networks with drawn values, as the end of a training writes them."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax.methods.feedforward.training import State
from nst_jax.shell.cli import train
from nst_jax.shell.io import weights
from nst_jax.shell.training.corpus import Corpus
from nst_jax.shell.training.feedforward import networks, result
from nst_jax.shell.training.feedforward.materials import Made, Style

LINES: dict[str, tuple[str, ...]] = {
    "johnson": ("style=brush.png", "width=0.125", "record=johnson_instance"),
    "cin": ("styles=paintings", "width=0.125"),
    "adain": ("styles=paintings", "network=distilled", "level=relu2_1"),
    "wct": ("network=distilled", "level=relu2_1"),
}
STYLES = {"johnson": ("brush.png",), "cin": ("brush.png", "mosaic.jpg", "ink.png")}
SIZE = 0.3  # of the drawn values: a painting that is neither black nor clipped


def write(method: str, folder: Path, *words: str, seed: int = 0) -> Path:
    """One file with drawn values; words: more settings of its training. Returns its path."""
    config: Any = train.read(method, ["data=photos", *LINES[method], *words])
    styles = tuple(Style(name, f"hash of {name}", np.zeros((1, 1, 3), np.float32)) for name in STYLES.get(method, ()))
    record, painter = networks.make_painter(method, config, styles=len(styles), divisor=1.0)
    network = config.network.name
    source = weights.NetworkParams({}, "a network that is not needed", "", "")
    channels = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu5_1": 512}
    if painter.code is not None:
        source = weights.load("own", network=network, needed=(), log=print)
    codes = None if painter.code is None else jnp.zeros((1, 8, 8, channels[painter.code.tap]))
    labels, images = jnp.zeros(1, jnp.int32), jnp.zeros((1, 32, 32, 3))
    variables = jax.tree.map(np.asarray, painter.init(jax.random.key(seed), images, codes, labels))
    rng = np.random.default_rng(seed)
    drawn = {k: jax.tree.map(lambda a: a + SIZE * spread(rng, a), v) for k, v in variables.items() if k == "params"}
    contents = Corpus((Path("a.png"),), None, (), "hash of the photographs", 12)
    made = Made(method, config, record, None, None, source, contents, styles, None, None)  # pyright: ignore[reportArgumentType]
    folder.mkdir(parents=True, exist_ok=True)
    return result.write(made, State({}, None, {**variables, **drawn}, jnp.int32(7)), folder, seconds=1.0)


def write_all(folder: Path) -> dict[str, Path]:
    """A file of each method, by its name; of wct the folder of two levels."""
    found = {method: write(method, folder / method) for method in ("johnson", "cin", "adain")}
    for level in ("relu1_1", "relu2_1"):
        write("wct", folder / "wct" / level, f"level={level}", seed=len(level))
    return {**found, "wct": folder / "wct"}


def spread(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Numbers of the size of the values: for a scale or an offset of 0 or 1, too."""
    size = values.std() if values.std() > 0 else 1.0
    return (size * rng.standard_normal(values.shape)).astype(np.float32)
