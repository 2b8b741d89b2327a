"""Sweeps by the command: real jobs, small, with real folders and real signals."""

import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sweep_lines import ADAM, PAIR, SMALL, TINY, start, sweep_folder, table, until

import nst_jax
from nst_jax import pictures


def image(path):
    with Image.open(path) as picture:
        return np.asarray(picture, float)


def test_a_sweep_and_what_it_leaves(nst):
    code, text = nst("-m", *ADAM, "style_weight=1e2,1e4", "seed=0,1")
    assert code == 0, text
    assert "program 1/1: 4 lanes" in text
    folder = sweep_folder(text)
    rows = table(folder)
    assert {(float(r["style_weight"]), int(r["seed"])) for r in rows} == {(w, s) for w in (1e2, 1e4) for s in (0, 1)}
    assert {r["status"] for r in rows} == {"done"}
    for row in rows:
        job = folder / row["path"]
        names = {p.name for p in job.iterdir()}
        wanted = {"config.yaml", "metrics.jsonl", "result.png", "result.json", "loss.png", "curve.csv", "nst.log"}
        assert names == wanted | {"snapshots", "latest.png", "command.txt", "mark.json"}
        told = json.loads((job / "result.json").read_text())
        assert told["config"]["style_weight"] == float(row["style_weight"])
        assert told["config"]["seed"] == int(row["seed"])
        assert told["lanes"] == 4
        assert told["finished"] is True
        assert [json.loads(line)["step"] for line in (job / "metrics.jsonl").read_text().splitlines()] == [0, 2, 4]
        assert sorted(p.name for p in (job / "snapshots").iterdir()) == [f"step_00000{n}.png" for n in (0, 2, 4)]
        assert -1 < float(row["ssim_content"]) < 1
    assert sorted(int(r["lane"]) for r in rows) == [0, 1, 2, 3]


@pytest.mark.optimised
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs", "lbfgs_torch"])
def test_a_job_of_a_sweep_is_the_job_alone(nst, optimiser):
    words = (*TINY, f"optimiser={optimiser}")
    _, text = nst("-m", *words, "style_weight=1e2,1e4")
    folder = sweep_folder(text)
    row = table(folder)[1]
    code, text = nst(*words, "style_weight=1e4")
    assert code == 0, text
    alone = Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)).parent
    assert np.abs(image(alone / "result.png") - image(folder / row["path"] / "result.png")).max() <= 2
    one, many = (json.loads((p / "result.json").read_text()) for p in (alone, folder / row["path"]))
    assert one["terms"]["total"] == pytest.approx(many["terms"]["total"], rel=1e-2)
    assert one["config"] == many["config"]
    assert one["evaluations"] == many["evaluations"]
    assert (alone / "config.yaml").read_text() == (folder / row["path"] / "config.yaml").read_text()


@pytest.mark.optimised
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs", "lbfgs_torch"])
def test_a_sweep_of_one_job_is_the_single_run_to_the_bit(nst, optimiser):
    words = (*TINY, f"optimiser={optimiser}", "style_weight=1e4")
    code, text = nst("-m", *words, "seed=range(0,1)")
    assert code == 0, text
    job = sweep_folder(text) / table(sweep_folder(text))[0]["path"]
    code, text = nst(*words)
    assert code == 0, text
    alone = Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)).parent
    assert np.array_equal(image(alone / "result.png"), image(job / "result.png"))
    assert (alone / "curve.csv").read_text() == (job / "curve.csv").read_text()
    one, other = (json.loads((p / "result.json").read_text()) for p in (alone, job))
    assert one["terms"] == other["terms"]
    assert one["evaluations"] == other["evaluations"]


def test_again_more_and_another_key(nst):
    line = ("-m", *ADAM, "style_weight=1e2,1e4")
    folder = sweep_folder(nst(*line)[1])
    code, text = nst(*line)
    assert code == 0
    assert "2 jobs, 2 of them there already" in text
    assert "program" not in text
    code, text = nst("-m", *ADAM, "style_weight=1e2,1e3,1e4")
    assert "3 jobs, 2 of them there already" in text
    assert "1 lanes" in text
    assert sweep_folder(text) == folder
    assert len(table(folder)) == 3
    code, text = nst("-m", *ADAM, "style_weight=1e2,1e4", "seed=0,1")
    assert "4 jobs, 2 of them there already" in text
    assert sweep_folder(text) != folder
    assert {r["status"] for r in table(sweep_folder(text))} == {"done"}
    code, text = nst(*line, "sweep.redo=all")
    assert "sweep: 2 jobs in " in text
    assert "2 lanes" in text


def test_a_changed_picture_is_another_job(nst, tmp_path):
    photo = tmp_path / "photo.png"
    line = ("-m", *ADAM, f"content={photo}", "seed=0,1")
    for shade in (50, 200):
        Image.new("RGB", (20, 16), (shade, 90, 90)).save(photo)
        code, text = nst(*line)
        assert code == 0, text
        assert "sweep: 2 jobs in " in text


def test_different_specs_are_different_programs(nst):
    code, text = nst("-m", *ADAM, "network.pool=max,avg", "style_weight=1e2,1e4", "steps=0")
    assert code == 0, text
    assert "program 1/2: 2 lanes" in text
    assert "program 2/2: 2 lanes" in text


def test_settings_of_the_program_are_not_those_of_a_neighbour(nst):
    keys = ("convention.resolution=published,invariant", "convention.reference=32")
    code, text = nst("-m", *ADAM, "convention=gatys_2016", *keys, "steps=0")
    assert code == 0, text
    published, invariant = sorted(table(sweep_folder(text)), key=lambda row: float(row["total"]))
    assert float(invariant["weighted_content"]) > 3 * float(published["weighted_content"])
    code, text = nst("-m", *ADAM, "device.precision=float32,bfloat16", "steps=0")
    assert code == 0, text
    assert "program 2/2: 1 lanes" in text
    exact, short = (float(row["total"]) for row in table(sweep_folder(text)))
    assert exact != short


@pytest.mark.parametrize("convention", ["sliced_wasserstein", "style_transfer_pytorch"])
def test_style_distances_of_a_convention_without_moments(nst, convention):
    code, text = nst("-m", *ADAM, "content_weight=1", f"convention={convention},gatys_released", "steps=0")
    assert code == 0, text
    ours, gatys = table(sweep_folder(text))
    assert float(ours["style_distance"]) == pytest.approx(float(gatys["style_distance"]), rel=1e-5)


def test_the_judge_is_the_same_for_all_layers(nst):
    """The same picture, with no step taken: the distances over the run's own layers differ, that of the judge not."""
    own = ("network=texnet", "size=24", "steps=0", "canvas=noise")
    code, text = nst("-m", *PAIR, *own, "layers=texnet,nested_1_of_3")
    assert code == 0, text
    other, one = sorted(table(sweep_folder(text)), key=lambda row: row["style_distance_relu4_1"])
    assert float(one["judge_distance"]) == pytest.approx(float(other["judge_distance"]), rel=1e-6)
    assert float(one["style_distance"]) != pytest.approx(float(other["style_distance"]), rel=0.01)
    own = [float(v) for k, v in one.items() if k.startswith("style_distance_")]
    assert float(one["judge_distance"]) == pytest.approx(sum(own) / len(own), rel=1e-3)  # of texnet, as this run


def test_a_style_picture_that_is_too_small_for_the_judge(nst):
    """Of 6 pixels: the job is done, without that number."""
    code, text = nst("-m", *ADAM, "seed=0,1", "style_scale=0.4", "steps=1")
    assert code == 0, text
    assert all(row["status"] == "done" and not row.get("judge_distance") for row in table(sweep_folder(text)))


def test_lanes_at_most_and_memory(nst):
    code, text = nst("-m", *ADAM, "seed=range(0,3)", "sweep.lanes=2", "output.every=0")
    assert code == 0, text
    assert len(table(sweep_folder(text))) == 3
    code, text = nst("-m", *ADAM, "seed=range(0,3)", "sweep.memory=1e-9", "steps=1")
    assert code == 0, text


def test_a_seed_that_nothing_uses_makes_one_job(tmp_path, monkeypatch):
    """Each line has its row all the same: a search asks for the row of each of its trials."""
    monkeypatch.chdir(tmp_path)
    rows = nst_jax.sweep(*PAIR, *SMALL, "optimiser=adam", "canvas=content", "seed=0,1,2")
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert {row["status"] for row in rows} == {"done"}
    assert len(list(tmp_path.glob("runs/sweeps/*/*/mark.json"))) == 1


def test_lanes_with_steps_of_their_own(nst):
    code, text = nst("-m", *ADAM, "steps=1,3,5", "output.every=2")
    assert code == 0, text
    assert "program 1/1: 3 lanes" in text
    folder = sweep_folder(text)
    for row in table(folder):
        told = [json.loads(line)["step"] for line in (folder / row["path"] / "metrics.jsonl").read_text().splitlines()]
        assert told == sorted({*range(0, int(row["steps"]) + 1, 2), int(row["steps"])})


def test_pairs_and_a_saved_sweep(nst):
    code, text = nst("-m", *ADAM, "style_weight=1e2,1e4", "seed=3,4", "sweep.zip=[style_weight,seed]", "steps=1")
    assert code == 0, text
    rows = table(sweep_folder(text))
    assert [(float(r["style_weight"]), int(r["seed"])) for r in rows] == [(1e2, 3), (1e4, 4)]
    code, text = nst("-m", *TINY, "+sweep=rate_with_steps", "steps=1,2,3,4", "size=16")
    assert code == 0, text
    rows = table(sweep_folder(text))
    assert [(float(r["optimiser.learning_rate"]), int(r["steps"])) for r in rows][::-1] == [
        (0.08, 1),
        (0.04, 2),
        (0.02, 3),
        (0.01, 4),
    ]


def test_a_config_group_and_two_pictures_are_swept(nst):
    photo = pictures.path("landscape")
    other = pictures.path("mosaic")
    code, text = nst("-m", *ADAM, f"style={pictures.path('brush')},{other}", "convention=keras,gatys_2016", "steps=1")
    assert code == 0, text
    rows = table(sweep_folder(text))
    assert {r["convention"] for r in rows} == {"keras", "gatys_2016"}
    assert {r["style"] for r in rows} == {str(pictures.path("brush")), str(other)}
    assert photo.exists()


def test_a_failure_is_seen_and_the_others_go_on(nst):
    line = ("-m", *ADAM, "optimiser=sgd", "optimiser.clamp=false", "optimiser.learning_rate=1e-7,1e30,1e-6")
    code, text = nst(*line)
    assert code == 1
    assert re.search(r"failed: optimiser.learning_rate=1e\+?30: step \d+: the loss is not finite", text)
    assert "2 done, 1 failed" in text
    rows = table(sweep_folder(text))
    assert [r["status"] for r in rows] == ["done", "done", "failed"]
    bad = sweep_folder(text) / rows[2]["path"]
    assert "not finite" in (bad / "nst.log").read_text()
    assert (bad / "result.png").exists()
    code, text = nst(*line, "sweep.redo=missing")
    assert code == 1
    assert "3 of them there already" in text
    code, text = nst(*line)
    assert "2 of them there already" in text


def test_the_first_failure_ends_the_sweep_on_request(nst):
    wild = ("optimiser=sgd", "optimiser.clamp=false", "optimiser.learning_rate=1e30,1e-7", "network.pool=max,avg")
    code, text = nst("-m", *ADAM, *wild, "sweep.stop_on_error=true", "steps=1000")
    assert code == 1
    assert "1 failed, 3 left" in text
    assert len(list(sweep_folder(text).glob("*/checkpoint.npz"))) == 1


def test_a_picture_that_cannot_be_read(nst, tmp_path):
    (tmp_path / "notes.jpg").write_text("these are notes")
    line = ("-m", *ADAM, f"style={tmp_path}/notes.jpg,{pictures.path('brush')}", "steps=1")
    code, text = nst(*line)
    assert code == 1
    assert re.search(r"failed: style=\S+notes.jpg: UserError", text)
    assert "1 done, 1 failed" in text
    bad = next(r for r in table(sweep_folder(text)) if r["status"] == "failed")
    assert "notes.jpg" in (sweep_folder(text) / bad["path"] / "nst.log").read_text()


BAD = {
    "style_weight=1,2 seed=1,2,3 sweep.zip=[style_weight,seed]": "as many values",
    "style_weight=1,2 sweep.zip=[style_weight,sead]": "sead",
    "style_weight=interval(1,2)": "optuna",
    "style_waight=1,2": "Did you mean style_weight",
    "size=16,3": "size must be at least 16",
    "sweep.redo=sometimes seed=0,1": "sweep.redo",
    "+sweep=layers_by_ration": "Did you mean layers_by_ratio",
}


@pytest.mark.parametrize("words", BAD)
def test_a_mistake_in_the_line_is_told_before_anything_runs(nst, words):
    code, text = nst("-m", *ADAM, *words.split(" "))
    assert code == 2, text
    last = text.strip().splitlines()[-1]
    assert last.startswith("nst: ")
    assert re.search(BAD[words], last), last
    assert "Traceback" not in text
    assert not list(Path().glob("runs/sweeps/*/*/config.yaml"))


LONG = ("style_weight=1e2,1e4", "steps=400", "output.every=20", "sweep.checkpoint=0.1", "sweep.folder=here")


@pytest.mark.optimised
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_killed_and_continued(tmp_path, nst, optimiser):
    """kill -9 in the middle: the rest goes on from the checkpoint, to the same end."""
    steps = "steps=400" if optimiser == "adam" else "steps=200"
    words = (*TINY, f"optimiser={optimiser}", *LONG, steps, "output.every=10", "sweep.checkpoint=0.02")
    process = start(tmp_path, *words)
    until(lambda: len(list(tmp_path.glob("here/*/checkpoint.npz"))) == 2, process)
    process.kill()
    process.communicate()
    assert not list(tmp_path.glob("here/*/mark.json"))
    code, text = nst("-m", *words)
    assert code == 0, text
    for log in tmp_path.glob("here/*/nst.log"):
        assert re.search(r"continued after step \d+", log.read_text())
    code, text = nst("-m", *words, "sweep.folder=there")
    assert code == 0, text
    for broken, whole in zip(table(Path("here")), table(Path("there")), strict=True):
        assert broken["path"] == whole["path"]
        assert broken["evaluations"] == whole["evaluations"] or optimiser == "lbfgs"
        assert float(broken["total"]) == pytest.approx(float(whole["total"]), rel=2e-2)
        records = [(Path(f) / whole["path"] / "metrics.jsonl").read_text().splitlines() for f in ("here", "there")]
        assert [json.loads(r)["step"] for r in records[0]] == [json.loads(r)["step"] for r in records[1]]
        assert len((Path("here") / whole["path"] / "curve.csv").read_text().splitlines()) == int(whole["step"]) + 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_what_there_is(tmp_path, nst, number, code):
    process = start(tmp_path, *ADAM, *LONG, "steps=1000000", "sweep.checkpoint=1000")
    until(lambda: len(list(tmp_path.glob("here/*/snapshots/*.png"))) > 6, process)
    process.send_signal(number)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == code, text
    assert "2 left" in text
    assert len(list(tmp_path.glob("here/*/checkpoint.npz"))) == 2
    assert "Traceback" not in text


def test_two_of_one_sweep_at_once(tmp_path, nst):
    process = start(tmp_path, *ADAM, *LONG, "steps=1000000")
    until(lambda: list(tmp_path.glob("here/*/config.yaml")), process)
    code, text = nst("-m", *ADAM, *LONG, "steps=1000000")
    process.kill()
    process.communicate()
    assert code == 2
    assert "is running in here already" in text


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_lanes_are_laid_over_all_devices(tmp_path, optimiser, monkeypatch):
    """Four, which the machine pretends to have; three lanes, in more than one chunk, the first of them a second."""
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
    process = start(tmp_path, *TINY, f"optimiser={optimiser}", "steps=300", "output.every=150", "style_weight=1,10,100")
    text = process.communicate(timeout=300)[0]
    assert process.returncode == 0, text
    assert [row["status"] for row in table(tmp_path / sweep_folder(text))] == ["done"] * 3


def test_hydras_basic_launcher_still_works(nst):
    code, text = nst("-m", *ADAM, "hydra/launcher=basic", "hydra/sweeper=basic", "seed=0,1", "steps=1")
    assert code == 0, text
    assert len(re.findall(r"^result:  ", text, re.MULTILINE)) == 2
    code, text = nst("-m", *ADAM, "hydra/launcher=basic", "seed=0,1", "steps=0")
    assert code == 0, text
