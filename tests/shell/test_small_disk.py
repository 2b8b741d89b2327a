"""A disk of 2 MB that fills up during a run: the picture is there, what could not be written is said."""

import json
import os
import random
import shutil
import subprocess

import pytest
from campaign import times
from PIL import Image

from nst_jax import pictures

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
LINE = (
    *PAIR,
    "network=distilled",
    "size=64",
    "steps=40",
    "output.every=1",
    "optimiser=adam",
    "output.folder=disk/runs",
)
LEAVE = [350_000, 400_000, 500_000]
LEAVE += [random.Random(number).randint(350_000, 550_000) for number in range(times(3) - len(LEAVE))]
pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path):
    """A disk of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place, *, leave):
    """Write a file that leaves so many bytes of the disk."""
    with (place / "ballast").open("wb", buffering=0) as file:
        while os.statvfs(place).f_bavail * os.statvfs(place).f_bsize > leave:
            file.write(bytes(4096))


def whole(path):
    with Image.open(path) as image:
        image.load()
    return True


@pytest.mark.parametrize("leave", LEAVE)
def test_a_run_fills_it(nst, disk, leave):
    fill(disk, leave=leave)
    code, text = nst(*LINE)
    assert code == 0, text
    assert "is not written, and the run goes on: " in text
    assert "Traceback" not in text
    (result,) = disk.glob("runs/*/*/result.png")
    assert whole(result)
    assert not [path for path in disk.rglob("*") if path.suffix == ".part" or path.name == ".room"]
    for path in disk.rglob("*.png"):
        assert whole(path)
    for line in next(disk.glob("runs/*/*/metrics.jsonl")).read_text().splitlines():
        json.loads(line)


def test_a_sweep_fills_it(nst, disk):
    fill(disk, leave=1_000_000)
    code, text = nst("-m", *LINE, "seed=0,1", "canvas=noise")
    assert "Traceback" not in text
    assert "is not written, and the run goes on: " in text
    done = list(disk.glob("runs/sweeps/*/*/mark.json"))
    assert code == 0, text
    assert len(done) == 2
    assert all(whole(job.parent / "result.png") for job in done)


@pytest.mark.parametrize("leave", [0, 100_000])
def test_a_disk_without_room_for_the_result(nst, disk, leave):
    """It is said before the run, not after it."""
    fill(disk, leave=leave)
    code, text = nst(*LINE, "steps=100000")
    assert code == 2, text
    assert "No space left" in text
    assert "Traceback" not in text
