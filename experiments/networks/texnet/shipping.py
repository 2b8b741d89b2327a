"""The file: parameters as float16, and where they come from."""

import datetime
import hashlib
import json
import platform
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save_file

from experiments.networks.texnet import data
from experiments.networks.texnet.config import Config
from experiments.networks.texnet.folding import flat, fold, normalise
from experiments.networks.texnet.training import State, network
from nst_jax.types import Params


def finish(config: Config, state: State, sample: data.Data) -> Params:
    """Folded, and normalised over a sample of the pictures that it was trained with."""
    params = fold({"params": state.params, "batch_stats": state.batch_stats})
    chosen = np.random.default_rng(config.seed).integers(len(sample.labels), size=config.measured)
    images = jnp.asarray(sample.pictures[chosen], jnp.float32) / 255
    return normalise(params, images, blocks=network(config).blocks, floor=config.floor)


def provenance(config: Config, figures: dict[str, float], *, seconds: float) -> dict[str, str]:
    """What the file says about itself."""
    script = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return {
        "seed": str(config.seed),
        "command": " ".join(["python -m experiments.networks.train_texnet", *sys.argv[1:]]),
        "config": json.dumps(vars(config)),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
        "training_sha256": hashlib.sha256(script).hexdigest(),
        "seconds": f"{seconds:.0f}",
        "device": f"{platform.machine()} CPU",
        "held_out": json.dumps(figures),
        "licence": "Apache-2.0",
    }


def commit() -> str:
    """The commit that the script stands at; empty outside a repository."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def write(path: Path, params: Params, notes: dict[str, str]) -> None:
    """One safetensors file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(flat(params)), path, metadata=notes)
    path.chmod(0o644)  # safetensors leaves it readable by its owner alone
