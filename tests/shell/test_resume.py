"""A single run goes on after a kill, a signal or an interruption, like a job of a sweep."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from nst_jax import pictures

WORDS = (
    *(f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}", "network=distilled", "size=24"),
    *("output.every=20", "output.checkpoint=0.05"),
)
pytestmark = pytest.mark.optimised  # bits are compared


def begin(tmp_path, *words):
    line = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *WORDS, *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "0"}
    return subprocess.Popen(line, cwd=tmp_path, env=environment, **pipes)


def wait_for(tmp_path, pattern, process, many=1):
    for _ in range(1200):
        if len(found := list(tmp_path.glob(pattern))) >= many:
            return found[0].parent
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.kill()
    pytest.fail(f"{pattern} did not appear")


def recorded_steps(folder):
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def picture(folder):
    with Image.open(folder / "result.png") as image:
        return np.asarray(image)


@pytest.mark.optimised
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_killed_and_continued_to_the_same_bits(tmp_path, nst, optimiser):
    words = (f"optimiser={optimiser}", "steps=260")
    process = begin(tmp_path, *words)
    folder = wait_for(tmp_path, "runs/*/*/checkpoint.npz", process)
    process.kill()
    process.communicate()
    assert not (folder / "result.png").exists()
    code, text = nst(f"resume={folder}")
    assert code == 0, text
    assert re.search(r"continued after step \d+", (folder / "nst.log").read_text())
    assert not (folder / "checkpoint.npz").exists()
    code, text = nst(*WORDS, *words)
    assert code == 0, text
    whole = Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)).parent
    assert np.array_equal(picture(folder), picture(whole))
    assert (folder / "curve.csv").read_text() == (whole / "curve.csv").read_text()
    assert recorded_steps(folder) == recorded_steps(whole)


def test_a_signal_says_how_to_go_on(tmp_path, nst):
    process = begin(tmp_path, "steps=1000000")
    folder = wait_for(tmp_path, "runs/*/*/snapshots/step_*.png", process, many=3).parent
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130, text
    line = re.search(r"^to go on: nst (.*)$", text, re.MULTILINE).group(1)
    assert (folder / "result.png").exists()
    done = json.loads((folder / "result.json").read_text())["steps"]
    code, text = nst(line.replace("resume=", f"resume={tmp_path}/"), "steps=1")
    assert code == 2
    assert f"has taken {done} steps already" in text
    assert (folder / "checkpoint.npz").exists()
    code, text = nst(line.replace("resume=", f"resume={tmp_path}/"), f"steps={done + 20}")
    assert code == 0, text
    record = json.loads((folder / "result.json").read_text())
    assert record["steps"] == done + 20
    assert record["finished"]
    assert f"steps: {done + 20}" in (folder / "config.yaml").read_text()


def test_a_run_holds_its_folder(tmp_path, nst):
    process = begin(tmp_path, "steps=1000000")
    folder = wait_for(tmp_path, "runs/*/*/checkpoint.npz", process)
    code, text = nst(f"resume={folder}")
    process.kill()
    process.communicate()
    assert code == 2
    assert "a run is running in" in text


def test_what_cannot_go_on(tmp_path, nst):
    code, text = nst(f"resume={tmp_path}/nowhere")
    assert code == 2
    assert "no run is here" in text
    code, text = nst(*WORDS, "steps=1")
    folder = Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)).parent
    code, text = nst(f"resume={folder}")
    assert code == 2
    assert "this run has ended" in text
    code, text = nst(f"resume={folder}", "style_weight=3")
    assert code == 2
    assert "it takes no style_weight" in text
    code, text = nst(f"resume={folder}", "steps=many")
    assert code == 2
    assert "whole number" in text


def without(folder, *keys):
    """The run's settings without these keys, as an older version wrote them."""
    path = folder / "config.yaml"
    kept = {key: value for key, value in OmegaConf.load(path).items() if key not in keys}
    path.write_text(OmegaConf.to_yaml(OmegaConf.create(kept)))


def test_settings_that_an_older_run_did_not_have_are_the_defaults(tmp_path, nst):
    process = begin(tmp_path, "steps=260")
    folder = wait_for(tmp_path, "runs/*/*/checkpoint.npz", process)
    process.kill()
    process.communicate()
    without(folder, "look", "strokes", "regions", "texture", "pattern", "masks")
    code, text = nst(f"resume={folder}")
    assert code == 0, text
    said = re.search(r"not in the run's config.yaml, and taken as they are by default: (.*)", text)
    assert said
    assert sorted(said.group(1).split(", ")) == ["look", "masks", "pattern", "regions", "strokes", "texture"]
    assert recorded_steps(folder)[-1] == 260


def test_a_record_that_cannot_be_completed_is_a_mistake(tmp_path, nst):
    code, text = nst(*WORDS, "steps=1")
    assert code == 0, text
    (folder,) = (path.parent for path in tmp_path.glob("runs/*/*/result.png") if path.parent.name != "latest")
    without(folder, "network")
    (folder / "result.png").unlink()
    code, text = nst(f"resume={folder}")
    assert code == 2
    assert "is that of another version" in text
    assert "run its line again" in text
