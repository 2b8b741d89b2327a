"""Kills at random moments: the same line, or `resume`, goes on, and what comes out is what an undisturbed run gives."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from campaign import times
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.io import marks

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
ONE_LAYER = ("layers=nested_1_of_3", "~layers.content.relu3_3", "+layers.content.relu1_1=1")
LINE = (*PAIR, *ONE_LAYER, "network=distilled", "size=32", "optimiser=adam", "steps=100", "output.every=50")
JOBS = ("-m", *LINE, "seed=0,1,2", "canvas=noise", "sweep.checkpoint=0.02")
STEPS = [0, 50, 100]
HARD = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    """A function that runs a line in a fork, with a signal after so many seconds: exit code and seconds."""
    script = Path(__file__).with_name("fork_server.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, str(script)], **pipes) as process:

        def ask(folder, words, number=0, after=0.0, files="", many=0):
            wanted = {"words": list(words), "folder": str(folder), "screen": str(folder / "screen.txt")}
            wanted |= {"signal": int(number), "after": after, "files": str(files), "many": many}
            process.stdin.write(json.dumps(wanted) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            return answer["code"], answer["seconds"]

        yield ask
        process.stdin.close()


def screen(folder):
    return (folder / "screen.txt").read_text(errors="replace")


def images(folder):
    """The picture of each seed."""
    found = {}
    for path in sorted(folder.glob("*/result.png")):
        with Image.open(path) as image:
            found[(path.parent / "config.yaml").read_text().split("\nseed: ")[1].split()[0]] = np.asarray(image)
    return found


def recorded(path):
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def equal(one, other):
    return one.keys() == other.keys() and all((one[k] == other[k]).all() for k in one)


def test_single_runs(server, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    code, _ = server(whole, LINE)  # compiles
    assert code == 0, screen(whole)
    _, seconds = server(whole, LINE)
    expected, rng = images(whole / "runs" / "landscape_brush"), random.Random(1)
    for number in range(times(20)):
        folder = tmp_path / str(number)
        folder.mkdir()
        code, _ = server(folder, (*LINE, "output.checkpoint=0.02"), rng.choice(HARD), rng.uniform(0, 1.1 * seconds))
        assert code in (0, -9, -15, -2, 130, 143), screen(folder)
        begun = list(folder.glob("runs/*/*/checkpoint.npz"))
        if begun:
            code, _ = server(folder, [f"resume={begun[0].parent}"])
        elif not list(folder.glob("runs/*/*/result.png")):
            code, _ = server(folder, LINE)
        else:
            code = 0
        assert code == 0, screen(folder)
        assert "Traceback" not in screen(folder)
        (run,) = (path.parent for path in folder.glob("runs/*/*/curve.csv"))
        assert equal(images(run.parent), expected), (number, run)
        assert recorded(run / "metrics.jsonl") == STEPS


def test_lanes(server, tmp_path):
    """Three lanes of one program. The width of the program is kept, so that the bits are."""
    whole = tmp_path / "whole"
    whole.mkdir()
    server(whole, (*JOBS, "sweep.folder=here"))
    code, seconds = server(whole, (*JOBS, "sweep.folder=again"))
    assert code == 0, screen(whole)
    expected, rng = images(whole / "here"), random.Random(2)
    for number in range(times(16)):
        folder = tmp_path / str(number)
        folder.mkdir()
        words = (*JOBS, "sweep.folder=here")
        for _ in range(2):  # killed twice
            server(folder, words, rng.choice(HARD), rng.uniform(0, 1.1 * seconds))
        code, _ = server(folder, words)
        assert code == 0, screen(folder)
        assert "Traceback" not in screen(folder)
        assert equal(images(folder / "here"), expected), number
        for path in folder.glob("here/*/metrics.jsonl"):
            assert recorded(path) == STEPS


def test_adoption(server, tmp_path):
    """Killed while the jobs of another sweep are copied: a job that is done has all its files."""
    words, rng, jobs = [*JOBS, "steps=2", "output.every=1", "size=16"], random.Random(3), 12
    words[words.index("seed=0,1,2")] = f"seed=range(0,{jobs})"
    code, _ = server(tmp_path, (*words, "sweep.folder=sweeps/first"))
    assert code == 0, screen(tmp_path)
    files = {path.name for path in next((tmp_path / "sweeps/first").glob("*/mark.json")).parent.iterdir()}
    for number in range(times(14)):
        folder = tmp_path / "sweeps" / f"cut{number}"
        line = (*words, f"sweep.folder={folder}")
        moment = {"after": rng.uniform(0, 0.01), "files": folder / "*/mark.json", "many": rng.randint(1, jobs - 1)}
        code, _ = server(tmp_path, line, signal.SIGKILL, **moment)
        assert code == -signal.SIGKILL
        done = list(folder.glob("*/mark.json"))
        for mark in done:
            assert files <= {path.name for path in mark.parent.iterdir()}
            assert marks.status(mark.parent) == marks.DONE
        code, _ = server(tmp_path, line)
        assert code == 0, screen(tmp_path)
        assert len(list(folder.glob("*/mark.json"))) == jobs
        for mark in folder.glob("*/mark.json"):
            assert files <= {path.name for path in mark.parent.iterdir()}


def test_pool(server, tmp_path):
    """Killed while two workers are at work: they end, and the same line does what is left, each job once."""
    words = [*JOBS, "hydra/launcher=pool", "hydra.launcher.workers=2", "sweep.folder=here"]
    words[words.index("seed=0,1,2")] = "seed=0,1"
    rng = random.Random(4)
    for number in range(times(4)):
        folder = tmp_path / str(number)
        folder.mkdir()
        server(folder, words, signal.SIGKILL, rng.uniform(0.5, 8))
        code, _ = server(folder, words)
        assert code == 0, screen(folder)
        for path in folder.glob("here/*/metrics.jsonl"):
            assert recorded(path) == STEPS
