"""device.deterministic, and the width that a sweep keeps when it goes on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sweep_lines import ADAM, ONE_LAYER, PAIR, start, until

from nst_jax.methods.transfer import Problem, Spec
from nst_jax.shell.errors import UserError
from nst_jax.shell.running import device, program
from nst_jax.shell.running.cost import Way
from nst_jax.shell.running.job import Job
from nst_jax.shell.running.plan import Choice

LINE = (*PAIR, *ONE_LAYER, "network=distilled", "size=48", "steps=12", "canvas=noise", "output.every=0")


def pictures_by_seed(folder):
    found = {}
    for path in folder.rglob("result.png"):
        with Image.open(path) as image:
            found[json.loads(path.with_suffix(".json").read_text())["seed"]] = np.asarray(image)
    return found


def run(place, threads, *words):
    code = "from nst_jax.shell.cli.nst import main; main()"
    line = [sys.executable, "-c", code, *words, f"output.folder={place}"]
    done = subprocess.run(line, env={**os.environ, "NPROC": threads}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return pictures_by_seed(place)


@pytest.mark.slow
@pytest.mark.optimised
def test_the_same_bits_with_any_threads_and_lanes(tmp_path):
    words = (*LINE, "optimiser=lbfgs", "device.deterministic=true")
    one = run(tmp_path / "one", "1", *words)[0]
    two = run(tmp_path / "two", "2", *words)[0]
    lanes = run(tmp_path / "lanes", "2", "-m", *words, "seed=0,1")
    assert (one == two).all()
    assert (one == lanes[0]).all()
    told = json.loads(next(Path(tmp_path / "lanes").rglob("result.json")).read_text())
    assert (told["threads"], told["width"]) == (4, 1)


def test_a_process_that_has_computed_already_says_so():
    """The tests' own has: XLA reads its flags once."""
    with pytest.raises(UserError, match="has computed with the other value"):
        device.fix_order(True)
    device.fix_order(False)


def test_a_sweep_that_is_continued_keeps_its_width(tmp_path, nst):
    """Killed with three lanes; one of them alone goes on in a program of three, to the bits of the three."""
    words = (*ADAM, "steps=600", "output.every=0", "sweep.checkpoint=0.05")
    process = start(tmp_path, *words, "seed=0,1,2", "sweep.folder=here")
    until(lambda: len(list(tmp_path.glob("here/*/checkpoint.npz"))) == 3, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    code, text = nst("-m", *words, "seed=1", "sweep.folder=here")
    assert code == 0, text
    (path,) = tmp_path.glob("here/*/result.json")
    told = json.loads(path.read_text())
    assert (told["lanes"], told["width"]) == (1, 3)
    assert not (path.parent / "width.json").exists()
    assert "continued after step" in (path.parent / "nst.log").read_text()


def test_the_width_that_a_program_is_asked_for(monkeypatch):
    """A narrower one only where the memory is short."""
    made = []

    def compiles(spec, job, axes, width, mesh):
        made.append((width, axes))
        return width, width

    monkeypatch.setattr(program, "lower_and_compile", compiles)
    monkeypatch.setattr(program, "bytes_of", lambda width: 10 * width)
    monkeypatch.setattr(program, "free_memory", lambda: 1000)
    blank: Any = dict.fromkeys(Job._fields)
    no: Any = None
    way = Way(no, None, False, 0.0, 1.0)
    known: Any = {"spec": Spec(no, no, no, no), "choice": Choice(way, no, lambda way: None)}
    jobs = [Job(**blank | known | {"problem": Problem(1.0, {}, {}, {})}) for _ in range(5)]
    assert program.compile_program(jobs, most=None, share=1.0, log=print).width == 5
    assert program.compile_program(jobs, most=2, share=1.0, log=print).width == 2
    assert program.compile_program(jobs[:1], most=None, share=1.0, log=print, width=3).width == 3
    assert program.compile_program(jobs, most=None, share=1.0, log=print, width=1).width == 1
    assert program.compile_program(jobs, most=None, share=0.02, log=print, width=4).width == 2
