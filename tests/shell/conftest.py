"""The commands, run in a folder of their own."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from nst_jax.shell.cli import nst as main


@pytest.fixture
def nst(called, monkeypatch, tmp_path):
    """Run `nst` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: called(main.main, "nst", *words)


class Painting(NamedTuple):
    """What a run of the command left."""

    image: np.ndarray  # (height, width, 3) in [0, 1]
    record: dict[str, Any]  # what stands beside the picture
    text: str  # what was printed
    folder: Path


@pytest.fixture
def run_line(nst):
    """Run a line that gives one picture."""

    def run(*words):
        code, text = nst(*words)
        assert code == 0, text
        path = Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1))
        with Image.open(path) as picture:
            image = np.asarray(picture.convert("RGB"), np.float32) / 255
        return Painting(image, json.loads(path.with_suffix(".json").read_text()), text, path.parent)

    return run
