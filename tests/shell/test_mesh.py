"""`device.mesh`: a picture by rows, and lanes beside rows, on four devices that the machine pretends to have."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from on_hosts import DEVICES, finish, picture, result, start

from nst_jax import pictures
from nst_jax.shell.errors import UserError
from nst_jax.shell.running import device

HERE = Path(__file__).parent
PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}", "network=distilled")
SMALL = ("network.convolution=direct", "size=48")
MULTI = ("scale=multi", "scale.from=32", "steps=4", "average=0.5")  # 32, 45, 64
SKY = f"regions.sky={{content: {pictures.path('landscape_sky')}, style: {pictures.path('mosaic')}}}"


def command(tmp_path, *words, devices=4):
    """The exit code of a command, and what it says."""
    return finish(start(tmp_path, *words, devices=devices))


def alike(a, b):
    """Equal up to a level of 8 bits here and there: sums are taken in another order."""
    return a.shape == b.shape and np.abs(a - b).max() <= 2 and (a != b).mean() < 0.02


def compare(tmp_path, *words):
    """The record of a run by rows, whose picture is that of one device, and what it says."""
    code, said = command(tmp_path, *PAIR, *SMALL, *words, "device.mesh=rows")
    assert code == 0, said
    assert "mesh: each image over 4 devices, by rows" in said
    code, text = command(tmp_path, *PAIR, *SMALL, *words)
    assert code == 0, text
    assert "mesh:" not in text
    (by_rows, record), (one, other) = result(tmp_path, said), result(tmp_path, text)
    assert alike(by_rows, one)
    assert record["mesh"] == {"lanes": 1, "rows": 4}
    assert "mesh" not in other
    assert record["terms"]["total"] == pytest.approx(other["terms"]["total"], rel=1e-3)
    return record, said


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("optimiser=adam", "steps=5"),
        ("optimiser=lbfgs", "steps=5", "size=70", "output.every=2", "colour=luminance", "output.film=film.webp"),
        ("optimiser=lbfgs", "steps=4", "size=65", "canvas=noise"),
        ("optimiser=adam", "steps=3", "size=64", SKY),
        ("optimiser=lbfgs", "steps=3", "size=64", "convention=strotss", "tv_weight=0", "canvas=noise"),
    ],
    ids=["36 rows", "52 rows, 5 at the deepest layer", "49 rows", "regions", "strotss"],
)
def test_a_picture_by_rows_is_that_of_one_device(tmp_path, words):
    compare(tmp_path, *words)


@pytest.mark.slow
def test_all_sizes_of_a_run_are_cut_by_rows(tmp_path):
    record, _ = compare(tmp_path, "size=64", *MULTI, "optimiser=adam")
    assert record["scale"] == {"number": 3, "of": 3}
    assert record["steps"] == 8


@pytest.mark.slow
def test_a_texture_by_rows(tmp_path):
    words = (f"texture={pictures.path('brick')}", "network=distilled", *SMALL, "steps=3", "size=64")
    code, text = command(tmp_path, *words, "device.mesh=rows")
    assert code == 0, text
    by_rows = result(tmp_path, text)[0]
    code, text = command(tmp_path, *words)
    assert code == 0, text
    assert alike(by_rows, result(tmp_path, text)[0])


@pytest.mark.slow
@pytest.mark.parametrize("words", [("optimiser=lbfgs",), ("optimiser=adam", *MULTI)], ids=["lbfgs", "sizes"])
def test_killed_and_continued_by_rows(tmp_path, words):
    words = (*PAIR, *SMALL, *words, "steps=120", "device.mesh=rows", "output.every=20")
    process = start(tmp_path, *words, "output.checkpoint=0.02", devices=4)
    while not (found := list(tmp_path.glob("runs/*/*/checkpoint.npz"))):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.kill()
    process.communicate()
    folder = found[0].parent
    assert not (folder / "result.png").exists()
    code, text = command(tmp_path, f"resume={folder}")
    assert code == 0, text
    assert "mesh: each image over 4 devices, by rows" in text
    assert re.search(r"continued after step \d+", (folder / "nst.log").read_text())
    code, text = command(tmp_path, *words)
    assert code == 0, text
    whole, record = result(tmp_path, text)
    assert np.array_equal(picture(folder / "result.png"), whole)
    assert record["finished"]


@pytest.mark.slow
@pytest.mark.parametrize("mesh", ["rows", "2x2"])
def test_a_sweep_by_rows(tmp_path, mesh):
    words = ("-m", *PAIR, *SMALL, "steps=5", "optimiser=lbfgs", "style_weight=1,10,100", "sweep.folder=all")
    code, text = command(tmp_path, *words, f"device.mesh={mesh}")
    assert code == 0, text
    assert [row["status"] for row in table(tmp_path)] == ["done"] * 3
    known = "lanes over 2 devices, each image over 2 devices" if mesh == "2x2" else "each image over 4 devices, by rows"
    assert all(known in log.read_text() for log in jobs(tmp_path, "nst.log"))
    found = [picture(path) for path in jobs(tmp_path, "result.png")]
    before = [float(row["judge_distance"]) for row in table(tmp_path)]
    code, text = command(tmp_path, *words)
    assert code == 0, text
    assert "3 of them there already" in text  # on other devices they are the same jobs
    code, text = command(tmp_path, *words, "sweep.redo=all")
    assert code == 0, text
    again = [picture(path) for path in jobs(tmp_path, "result.png")]
    assert all(alike(a, b) for a, b in zip(found, again, strict=True))
    assert [float(row["judge_distance"]) for row in table(tmp_path)] == pytest.approx(before, rel=1e-2)


@pytest.mark.slow
def test_a_sweep_over_sizes_by_lanes_and_rows(tmp_path):
    words = ("-m", *PAIR, *SMALL, "size=64", *MULTI, "optimiser=adam", "style_weight=1,100", "sweep.folder=all")
    code, text = command(tmp_path, *words, "device.mesh=2x2")
    assert code == 0, text
    found = [picture(path) for path in jobs(tmp_path, "result.png")]
    code, text = command(tmp_path, *words, "sweep.redo=all")
    assert code == 0, text
    again = [picture(path) for path in jobs(tmp_path, "result.png")]
    assert all(alike(a, b) for a, b in zip(found, again, strict=True))


def jobs(tmp_path, name):
    return sorted(tmp_path.glob(f"all/*/{name}"))


def table(tmp_path):
    with (tmp_path / "all/results.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_dry_run_by_rows_needs_less_memory(tmp_path):
    words = (*PAIR, "network.convolution=direct", "size=512", "dry_run=true")
    texts = [command(tmp_path, *words, f"device.mesh={mesh}") for mesh in ("lanes", "rows")]
    assert [code for code, _ in texts] == [0, 0], texts
    one, four = (int(re.search(r"working memory: (\d+) MiB", text).group(1)) for _, text in texts)
    assert four < 0.4 * one
    assert re.search(r"plan: whole, about \d+ MiB of .* free, on each of 4 devices", texts[1][1])


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("words", [("size=128", "optimiser=lbfgs"), ("size=136", "optimiser=adam")])
def test_the_commands_program_gathers_no_activation(words):
    """Of 102 rows, which 4 devices do not divide, what is as large as the image is gathered and no more."""
    line = [sys.executable, str(HERE / "on_mesh.py"), *PAIR, "network.convolution=direct", *words, "device.mesh=rows"]
    own = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {DEVICES}=4"}
    paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    own["PYTHONPATH"] = os.pathsep.join([*paths, str(HERE.parents[1])])
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | own)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["collective-permute"] >= 20
    assert found["all-reduce"] >= 2
    assert max(found["gathered"], default=0) <= (0 if "size=128" in words else found["image_size"] * 104 // 102)


@pytest.mark.parametrize(
    ("mesh", "devices", "sides"),
    [("lanes", 1, (1, 1)), ("lanes", 4, (4, 1)), ("rows", 4, (1, 4)), ("2x2", 4, (2, 2)), ("1x2", 4, (1, 2))],
)
def test_the_sides_of_a_mesh(mesh, devices, sides):
    assert device.mesh_sides(mesh, devices=devices) == sides


@pytest.mark.parametrize(
    ("mesh", "devices", "words"),
    [("rows", 1, "device.mesh=rows: there is one device here"), ("2x4", 4, "needs 8 devices; there are 4 here")],
)
def test_devices_that_are_not_there(mesh, devices, words):
    with pytest.raises(UserError, match=words):
        device.mesh_sides(mesh, devices=devices)


def test_one_device_is_said_before_any_work(nst):
    code, text = nst(*PAIR, "device.mesh=rows")
    assert code == 2
    assert "device.mesh=rows: there is one device here" in text
    assert not Path("runs").exists()


def test_convolutions_by_rows_are_direct():
    assert device.convolution("auto", "rows") == "direct"
    assert device.convolution("auto", "2x2") == "direct"
    assert device.convolution("auto", "4x1") == "auto"
    assert device.convolution("auto") == "auto"
