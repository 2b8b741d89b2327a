"""`scale=multi`: the sizes of a run as one run, with its snapshots, film, checkpoints and sweeps."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.places import conf
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.scale import stages

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
LINE = (*PAIR, "network=distilled", "size=64", "steps=4", "optimiser=adam")
MULTI = ("scale=multi", "scale.from=32")  # 32, 45, 64


def records(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def image_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.int32)


@pytest.mark.parametrize(
    ("then", "ends"), [(None, [4, 6, 8]), (3, [4, 7, 10]), ([3, 1], [4, 7, 8]), ([5, 0, 9], [4, 9, 9])]
)
def test_the_steps_at_each_size(then, ends):
    scale = {"name": "multi", "from": 32, "factor": 2**0.5, "then": then, "kernel": "cubic"}
    words = ["content=a", "style=b", "size=64", "steps=4"]
    with initialize_config_dir(str(conf()), **settings.VERSION_BASE):
        config = settings.read(compose("config", overrides=words))
    found = stages(replace(config, scale=scale))
    assert [stage.until for stage in found] == ends
    assert [stage.first for stage in found] == [0, *ends[:-1]]
    assert [round(64 * stage.scale) for stage in found] == [32, 45, 64]


def test_one_run_over_all_sizes(run_line):
    found = run_line(*LINE, *MULTI, "output.every=2", "output.film=film.webp", "average=0.5")
    assert found.image.shape == (48, 64, 3)
    assert found.record["steps"] == 8
    assert found.record["finished"] is True
    assert found.record["scale"] == {"number": 3, "of": 3}
    assert found.record["size"] == [64, 48]
    assert "scales: 32 x 24, 4 steps; 45 x 34, 2 steps; 64 x 48, 2 steps" in found.text
    known = [(record["step"], record["scale"]) for record in records(found.folder)]
    assert known == [(0, 1), (2, 1), (4, 1), (4, 2), (6, 2), (6, 3), (8, 3)]
    assert len((found.folder / "curve.csv").read_text().splitlines()) == 9
    with Image.open(found.folder / "film.webp") as film:
        assert film.size == (64, 48)
        assert getattr(film, "n_frames", 1) >= 4
    with Image.open(found.folder / "snapshots" / "step_000002.png") as first:
        assert first.size == (32, 24)


def test_one_size_is_the_plain_run(run_line):
    plain, one = run_line(*LINE), run_line(*LINE, "scale=multi", "scale.from=64")
    assert (plain.image == one.image).all()
    assert "scale" not in one.record


def test_large_strokes_come_from_the_small_sizes(run_line):
    """The result differs from a run at one size more than a few steps differ."""
    plain, multi = run_line(*LINE, "steps=12"), run_line(*LINE, *MULTI, "steps=12")
    assert np.abs(plain.image - multi.image).mean() > 0.01


@pytest.mark.parametrize("optimiser", ["lbfgs", "lbfgs_torch", "sgd optimiser.learning_rate=1e-7"])
def test_any_optimiser(run_line, optimiser):
    line = [word for word in LINE if not word.startswith("optimiser")]
    found = run_line(*line, *MULTI, *f"optimiser={optimiser}".split(), "steps=2")
    assert found.record["steps"] == 4


@pytest.mark.parametrize("rule", ["original", "area", "short"])
def test_any_size_rule(run_line, rule):
    found = run_line(*LINE, *MULTI, f"size_rule={rule}", "steps=1", *(["scale.from=400"] if rule == "original" else []))
    expected = {"original": (384, 512), "area": (55, 74), "short": (64, 85)}[rule]
    assert found.image.shape[:2] == expected


def test_regions_strokes_and_a_texture(run_line):
    sky = f"regions.sky={{content: {pictures.path('landscape_sky')}, style: {pictures.path('mosaic')}}}"
    found = run_line(*LINE, *MULTI, sky, "colour=luminance", "steps=2")
    assert "weighted" in found.record["terms"]
    brushed = run_line(*LINE, *MULTI, f"strokes.style={pictures.path('mosaic')}", "strokes.steps=1", "steps=1")
    assert image_of(brushed.folder / "strokes.png").shape == (64, 64, 3)
    brick = pictures.path("brick")
    more = run_line(f"texture={brick}", "network=distilled", "size=64", "steps=2", *MULTI)
    assert more.image.shape[1] >= 64


def test_a_style_that_is_never_enlarged(run_line):
    found = run_line(*LINE, *MULTI, "scale.style=shrink", "style_scale=30", "steps=1")
    assert "kept: scale.style=shrink enlarges none" in found.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scale=multi", "scale.from=4"], "scale.from must be a number of pixels, at least 16; got 4"),
        (["scale=multi", "scale.factor=1"], "scale.factor must be a number from 1.01 to 1000"),
        (["scale=multi", "scale.then=[]"], "scale.then must be a number of steps, or a list of them"),
        (["scale=multi", "scale.then=-1"], "scale.then must be a number of steps, or a list of them"),
        (["scale=multi", "scale.kernel=box"], "scale.kernel must be one of cubic, lanczos, linear, torch; got box"),
        (["scale=multi", "scale.moments=x"], "scale.moments must be one of rescale, resize, forget; got x"),
        (["scale=multi", "scale.style=x"], "scale.style must be one of follow, shrink; got x"),
        (["scale.from=64"], "the scale in use has no from; scale=multi has it"),
        (["average=1"], "average must be in [0, 1)"),
        (["scale=mutli"], "scale has no option mutli. Did you mean multi?"),
        (["scale=multi", "size=99000"], "choose a smaller size, or raise max_pixels"),
    ],
)
def test_a_scale_that_cannot_be_is_refused_before_any_work(nst, words, said):
    code, text = nst(*LINE, *words)
    assert code in (1, 2)
    assert said in text
    assert "Traceback" not in text


def test_a_dry_run_counts_all_sizes(nst):
    code, text = nst(*LINE, *MULTI, "dry_run=true")
    assert code == 0, text
    assert "3 sizes: 8 steps, which take as long as 4 at the last one" in text  # 4 / 4 + 2 x 0.49 + 2


# Killed and continued


def begin(folder, *words):
    line = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *LINE, *MULTI, *words]
    environment = {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(line, cwd=folder, env=environment, **pipes)


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("average", [0, 0.9])
def test_killed_in_the_third_size_it_goes_on_there(tmp_path, nst, average):
    words = ("steps=40", "scale.then=[40,400]", "output.every=20", "output.checkpoint=0.05", f"average={average}")
    process, found = begin(tmp_path, *words), []
    for _ in range(2400):
        found = list(tmp_path.glob("runs/*/2*/metrics.jsonl"))
        if found and any(r["scale"] == 3 and r["step"] >= 120 for r in records(found[0].parent)):
            break
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    folder = found[0].parent
    assert not (folder / "result.png").exists()
    code, text = nst(f"resume={folder}")
    assert code == 0, text
    continued = re.search(r"continued after step (\d+)", (folder / "nst.log").read_text())
    assert int(continued.group(1)) >= 80
    assert "scale 2 of 3" not in (folder / "nst.log").read_text().split("continued after")[1]
    steps = [(r["step"], r["scale"]) for r in records(folder)]
    assert steps == sorted(set(steps))
    assert steps[-1] == (480, 3)
    code, text = nst(*LINE, *MULTI, *words)  # undisturbed
    assert code == 0, text
    whole = re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)
    assert (image_of(folder / "result.png") == image_of(whole)).all()


def test_steps_of_several_sizes_cannot_change_on_the_way(nst, run_line):
    found = run_line(*LINE, *MULTI)
    (found.folder / "result.png").unlink()
    code, text = nst(f"resume={found.folder}", "steps=9")
    assert code == 2
    assert "scale=multi has its steps at each size" in text


def test_a_stopped_run_says_which_size_its_picture_has(tmp_path):
    process = begin(tmp_path, "steps=100000", "output.checkpoint=0.05")
    for _ in range(2400):
        if list(tmp_path.glob("runs/*/2*/checkpoint.npz")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    text = process.communicate()[0]
    assert "the picture has the size of scale 1 of 3: 32 x 24" in text
    assert process.returncode == 130


# Sweeps


def test_lanes_of_a_sweep_are_the_single_runs(nst, run_line, tmp_path):
    code, text = nst("-m", *LINE, *MULTI, "style_weight=1e2,1e4", "sweep.folder=here", "output.every=4")
    assert code == 0, text
    for folder in sorted((tmp_path / "here").glob("*/config.yaml")):
        weight = re.search(r"^style_weight: (.*)$", folder.read_text(), re.MULTILINE).group(1)
        alone = run_line(*LINE, *MULTI, f"style_weight={weight}", "output.every=4")
        assert np.abs(image_of(folder.parent / "result.png") / 255 - alone.image).max() <= 2.01 / 255
        shown = [(r["step"], r["scale"]) for r in records(folder.parent)]
        assert shown == [(r["step"], r["scale"]) for r in records(alone.folder)]


def test_sizes_and_steps_may_be_swept(nst, tmp_path):
    code, text = nst("-m", *LINE, "scale=single,multi", "steps=2,3", "sweep.folder=here")
    assert code == 0, text
    rows = (tmp_path / "here" / "results.csv").read_text().splitlines()
    assert len(rows) == 5
    assert all("done" in row for row in rows[1:])


@pytest.mark.slow
def test_a_killed_sweep_goes_on_at_the_size_where_it_was(tmp_path, nst):
    words = (
        "steps=20",
        "scale.then=[20,300]",
        "sweep.checkpoint=0.05",
        "seed=0,1",
        "canvas=noise",
        "sweep.folder=here",
    )
    line = (*LINE, *MULTI, *words)
    code = "from nst_jax.shell.cli.nst import main; main()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code, "-m", *line], cwd=tmp_path, **pipes)
    for _ in range(2400):
        known = list(tmp_path.glob("here/*/metrics.jsonl"))
        if len(known) == 2 and all(any(r["scale"] == 3 for r in records(p.parent)) for p in known):
            break
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    code, text = nst("-m", *line)
    assert code == 0, text
    for path in tmp_path.glob("here/*/nst.log"):
        found = re.search(r"continued after step (\d+)", path.read_text())
        assert int(found.group(1)) >= 40
        assert records(path.parent)[-1]["step"] == 340
