"""The end of a distillation: the last lifts, the measurements, and the file."""

import dataclasses
import datetime
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors.numpy import save_file

from nst_jax.methods.distillation import result
from nst_jax.methods.distillation.training import State
from nst_jax.shell.io.atomic import draft
from nst_jax.shell.running import provenance
from nst_jax.shell.training import sheet
from nst_jax.shell.training.materials import Made, folders, sample
from nst_jax.shell.training.quality import Quality, measure

LOG = logging.getLogger(__name__)


def finish(made: Made, state: State, folder: Path, *, seconds: float) -> Path:
    """Fit the last lifts, measure the student, and write its file and the contact sheet of its transfers."""
    config = made.config
    params = jax.device_get(result.finish(state.mean, made.teacher, sample(config, made.pictures, count=config.fitted)))
    rounded = {n: {k: a.astype(np.float16) for k, a in layer.items()} for n, layer in params.items() if n != "input"}
    rounded["input"] = {k: a.astype(np.float32) for k, a in params["input"].items()}
    quality = measure(made.teacher, rounded, made.pictures.held)
    for kind, layers in quality.items():
        for layer, told in layers.items():
            LOG.info("%s of %s: %.1f %% explained, cosine of Gram matrices %.4f", layer, kind, 100 * told[0], told[1])
    sheet.write(folder / "transfers.jpg", np.asarray(state.transfers.image))
    path = folder / "distilled.safetensors"
    write(path, rounded, notes(made, quality, seconds=seconds))
    return path


def notes(made: Made, quality: Quality, *, seconds: float) -> dict[str, str]:
    """The notes in the file's header."""
    config = dataclasses.asdict(made.config)
    del config["folder"]
    config["data"] = [Path(folder).name for folder in folders(made.config)]  # whose machine it was is nobody's affair
    config["weights"]["path"] = config["weights"]["path"] and Path(config["weights"]["path"]).name
    return {
        "preprocessing": "input.kernel, input.bias",
        "source": f"distilled from {made.source.source}",
        "teacher": made.config.teacher,
        "teacher_sha256": made.source.sha256,
        "command": "nst-train distil",
        "config": json.dumps(config),
        "pictures": str(made.pictures.different),
        "seconds": f"{seconds:.0f}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": json.dumps(provenance.versions()),
        "device": provenance.device(),
        "held_out": json.dumps(
            {kind: {k: [round(v, 4) for v in pair] for k, pair in q.items()} for kind, q in quality.items()}
        ),
        "licence": "CC BY 4.0: derived from VGG-16 of K. Simonyan and A. Zisserman, Visual Geometry Group, Oxford",
    }


def write(path: Path, params: Mapping[str, Any], notes: dict[str, str]) -> None:
    """Write one safetensors file."""
    flat = {f"{n}.{k}": np.ascontiguousarray(a) for n, layer in params.items() for k, a in layer.items()}
    with draft(path) as part:
        save_file(flat, part, metadata=notes)
