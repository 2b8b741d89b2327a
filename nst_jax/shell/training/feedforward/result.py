"""The end of a training: the file with the network, and all that it came from."""

import datetime
import json
import logging
from dataclasses import asdict
from pathlib import Path

import jax
import numpy as np

from nst_jax.methods.feedforward.training import State
from nst_jax.shell.io import models
from nst_jax.shell.running import provenance
from nst_jax.shell.training.corpus import Corpus
from nst_jax.shell.training.feedforward.config import names_in
from nst_jax.shell.training.feedforward.materials import Made

LOG = logging.getLogger(__name__)
FILE = "model.safetensors"


def write(made: Made, state: State, folder: Path, *, seconds: float) -> Path:
    """Write the mean of the parameters, and return the file's path."""
    dtype = np.dtype(made.config.precision)
    variables = jax.tree.map(lambda a: np.asarray(a).astype(dtype), jax.device_get(state.ema))
    method = "wct" if made.config.mix == "covariances" else made.method  # in use it is a level of wct
    model = models.Model(method, made.record, variables, notes(made, steps=int(state.step), seconds=seconds))
    path = folder / FILE
    models.save(model, path)
    numbers = sum(a.size for a in jax.tree.leaves(variables))
    LOG.info("%s: %d numbers, %.2f MB", path, numbers, path.stat().st_size / 1e6)
    return path


def notes(made: Made, *, steps: int, seconds: float) -> dict[str, str]:
    """The notes in the file's header."""
    config = asdict(made.config)
    del config["folder"]
    for key in ("data", "style", "styles", "start"):  # whose machine it was is nobody's affair
        config[key] = config[key] and [Path(name).name for name in names_in(config[key])]
    config["weights"]["path"] = config["weights"]["path"] and Path(config["weights"]["path"]).name
    corpora = {"data": made.contents, "styles": made.paintings}
    styles = [{"name": style.name, "sha256": style.sha256} for style in made.styles]
    return {
        "input": "RGB in [0, 1]",
        "encoder": made.source.source,
        "encoder_sha256": made.source.sha256,
        "styles": json.dumps(styles),
        "pictures": json.dumps({key: describe(found) for key, found in corpora.items() if found is not None}),
        "command": f"nst-train {made.method}",
        "config": json.dumps(config),
        "steps": str(steps),
        "seconds": f"{seconds:.0f}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": json.dumps(provenance.versions()),
        "device": provenance.device(),
        "licence": made.config.licence or licence(made),
    }


def describe(corpus: Corpus) -> dict[str, str | int]:
    """The pictures, without their names."""
    of = "the files' hashes" if corpus.kept is not None else "the files' names and sizes"
    return {"number": corpus.number, "held_out": len(corpus.held), "sha256": corpus.sha256, "sha256_of": of}


def licence(made: Made) -> str:
    """The licence in the file where none is given: its sources."""
    styles = ", ".join(style.name for style in made.styles)
    made_of = f"{made.config.network.name} ({made.source.source})" + (f", the styles {styles}" if styles else "")
    return f"not given. It was learnt from {made_of} and {made.contents.number} pictures, whose licences may bind it"
