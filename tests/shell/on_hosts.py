"""Commands in processes of their own, with as many devices as the machine pretends to have."""

import json
import os
import re
import socket
import subprocess
import sys

import numpy as np
from PIL import Image

LINE = (sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()")
DEVICES = "--xla_force_host_platform_device_count"


def start(tmp_path, *words, devices, **variables):
    """A command on so many devices, begun. variables: of its environment."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    flags = f"{os.environ.get('XLA_FLAGS', '')} {DEVICES}={devices}"
    return subprocess.Popen([*LINE, *words], cwd=tmp_path, env=os.environ | {"XLA_FLAGS": flags} | variables, **pipes)


def start_all(tmp_path, *words, devices=2, folders=("", ""), settings=("device.mesh=rows", "device.distributed=true")):
    """One command in several processes that meet, begun: one in each of the folders."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    meet = {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": str(len(folders)), "JAX_PLATFORMS": "cpu"}
    begun = []
    for number, folder in enumerate(folders):
        (tmp_path / folder).mkdir(exist_ok=True)
        own = {**meet, "JAX_PROCESS_ID": str(number)}
        begun.append(start(tmp_path / folder, *words, *settings, devices=devices, **own))
    return begun


def finish(process):
    """Its exit code and what it says."""
    text = process.communicate(timeout=300)[0]
    return process.returncode, text


def picture(path):
    """The numbers of a picture, 0 to 255."""
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def result(tmp_path, text):
    """The picture that a command says it has made, and its record."""
    path = tmp_path / re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)
    return picture(path), json.loads(path.with_suffix(".json").read_text())
