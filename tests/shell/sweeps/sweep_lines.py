"""Lines that are done in seconds, and what they leave."""

import csv
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nst_jax import pictures

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
ONE_LAYER = ("layers=nested_1_of_3", "~layers.content.relu3_3", "+layers.content.relu1_1=1")
SMALL = (*ONE_LAYER, "weights=random", "size=16", "steps=4", "output.every=2")
TINY = (*PAIR, *SMALL, "canvas=noise")
ADAM = (*TINY, "optimiser=adam")


def sweep_folder(text):
    return Path(re.search(r"^table:   (.*)/results.csv$", text, re.MULTILINE).group(1))


def table(folder):
    with (folder / "results.csv").open() as file:
        return list(csv.DictReader(file))


def start(tmp_path, *words):
    """The command in a process of its own."""
    command = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", "-m", *words]
    environment = {**os.environ, "RAY_worker_niceness": "0"}  # Ray's 15 starves on a busy machine
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def until(condition, process):
    for _ in range(4800):
        if condition():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.kill()
    pytest.fail("it did not come to that")
