"""What goes wrong in a sweep: copies cut short, lanes in trouble, damaged jobs, workers without a parent."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sweep_lines import ADAM, sweep_folder, table

from nst_jax.shell.cli import gallery as gallery_command
from nst_jax.shell.io import marks, weights
from nst_jax.shell.io.fetch import Unreachable
from nst_jax.shell.reports import gallery
from nst_jax.shell.reports import table as tables
from nst_jax.shell.running import session
from nst_jax.shell.sweeps import launching


def test_a_copy_from_another_sweep_that_is_cut_short_is_no_job_that_is_done(nst, monkeypatch):
    _, text = nst("-m", *ADAM, "seed=0,1")
    first = sweep_folder(text)
    whole = shutil.copytree

    def cut(source, target, *arguments, **options):
        whole(source, target, *arguments, **options)
        (Path(target) / "curve.csv").unlink(missing_ok=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(launching.shutil, "copytree", cut)
    code, _ = nst("-m", *ADAM, "seed=0,1,2", "sweep.folder=runs/sweeps/other")
    assert code == 130
    other = Path("runs/sweeps/other")
    assert not list(other.glob("*/mark.json"))
    monkeypatch.setattr(launching.shutil, "copytree", whole)
    code, text = nst("-m", *ADAM, "seed=0,1,2", "sweep.folder=runs/sweeps/other")
    assert code == 0, text
    for row in table(first):
        names = {path.name for path in (first / row["path"]).iterdir()}
        assert names <= {path.name for path in (other / row["path"]).iterdir()}


@pytest.mark.parametrize("words", [["canvas.sigma=0.1,nan"], ["canvas=blend", "canvas.ratio=0.1,inf"]])
def test_a_lane_that_starts_from_no_numbers_fails_alone(nst, words):
    code, text = nst("-m", *ADAM, *words)
    assert code == 1, text
    assert sorted(row["status"] for row in table(sweep_folder(text))) == ["done", "failed"]


def test_a_lane_whose_folder_is_gone_fails_alone(nst, monkeypatch):
    look = session.Session._look

    def lose(self, **options):
        look(self, **options)
        if self.lanes[0].folder.exists() and not self.lanes[0].ended:
            shutil.rmtree(self.lanes[0].folder)

    monkeypatch.setattr(session.Session, "_look", lose)
    code, text = nst("-m", *ADAM, "seed=0,1", "sweep.checkpoint=0.001")
    assert code == 1, text
    assert sorted(row["status"] for row in table(sweep_folder(text))) == ["done", "failed"]


def test_trouble_of_the_whole_program_leaves_the_checkpoints(nst, monkeypatch):
    words = (*ADAM, "steps=6", "seed=0,1", "sweep.folder=here", "sweep.checkpoint=100")
    with monkeypatch.context() as patch:
        patch.setattr(session.Session, "_must_stop", lambda self: any(one.done >= 2 for one in self.lanes))
        nst("-m", *words)
    assert len(list(Path("here").glob("*/checkpoint.npz"))) == 2

    def fail(self, wanted):
        raise RuntimeError("the device is gone")

    with monkeypatch.context() as patch:
        patch.setattr(session.Session, "_advance", fail)
        code, text = nst("-m", *words)
    assert code == 1
    assert text.count("the device is gone") == 1
    assert "2 jobs failed for one reason" in text
    code, text = nst("-m", *words)
    assert code == 0, text
    for log in Path("here").glob("*/nst.log"):
        assert "continued after step 2" in log.read_text()


def damage(job, what):
    path = job / what
    data = path.read_bytes()
    path.write_bytes(b"5" if what == "mark.json" else data[: len(data) // 2])


@pytest.mark.parametrize("what", ["result.png", "config.yaml", "metrics.jsonl", "mark.json"])
def test_a_damaged_job_is_shown_and_made_again(nst, called, what):
    words = (*ADAM, "seed=0,1", "sweep.folder=here")
    nst("-m", *words)
    job = next(Path("here").glob("*/mark.json")).parent
    damage(job, what)
    code, text = called(gallery_command.main, "nst-gallery", "here")
    assert code == 0, text
    assert {row["status"] for row in table(Path("here"))} == {"done", "damaged"}
    code, text = nst("-m", *words, "sweep.redo=missing")
    assert code == 1
    assert "1 done, 1 damaged" in text
    code, text = nst("-m", *words)
    assert code == 0, text
    assert [row["status"] for row in table(Path("here"))] == ["done", "done"]


def test_a_name_of_a_sweep_is_no_html(tmp_path):
    folder = tmp_path / "<img src=x onerror=alert(3)>"
    job = folder / "a#b?c%d"
    job.mkdir(parents=True)
    (job / "config.yaml").write_text(json.dumps({"output": {"file": "result.png"}, "content": None}))
    from PIL import Image

    Image.new("RGB", (8, 8)).save(job / "result.png")
    marks.write(job, {"row": {"status": "done", "seed": 1}, "swept": ["seed"], "words": []})
    page = gallery.build(folder).read_text()
    assert "<img src=x" not in page
    assert "a%23b%3Fc%25d/result.png" in page


def test_two_photographs_of_one_name_and_size_are_two(tmp_path):
    from PIL import Image

    for shade, folder in ((10, "one"), (200, "two")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (32, 32), (shade,) * 3).save(tmp_path / folder / "photo.bmp")
    sweep = tmp_path / "sweep"
    for folder in ("one", "two"):
        job = sweep / folder
        job.mkdir(parents=True)
        content = str(tmp_path / folder / "photo.bmp")
        (job / "config.yaml").write_text(json.dumps({"output": {"file": "result.bmp"}, "content": content}))
        shutil.copyfile(content, job / "result.bmp")
        marks.write(job, {"row": {"status": "done", "content": content}, "swept": ["content"], "words": []})
    gallery.build(sweep)
    assert len(list((sweep / "thumbs").glob("content_*.webp"))) == 2


def test_a_cell_is_no_formula(tmp_path):
    tables.write(tmp_path, [{"error": "=1+1", "value": -3.5, "other": "+x"}])
    assert (tmp_path / "results.csv").read_text().splitlines()[1] == "'=1+1,-3.5,'+x"


@pytest.mark.parametrize("kind", ["file", "loop", "read-only"])
def test_a_folder_that_cannot_be_used_is_said(nst, tmp_path, kind):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("")
    elif kind == "loop":
        place.symlink_to(place)
    elif os.getuid() == 0:
        pytest.skip("root may write everywhere")
    else:
        place.mkdir(mode=0o500)
    code, text = nst("-m", *ADAM, "seed=0,1", f"sweep.folder={place}/sweep")
    assert code == 2, text
    assert "cannot make the folder" in text


def test_a_worker_whose_parent_is_gone_does_nothing(tmp_path):
    part = tmp_path / "0000.json"
    part.write_text(json.dumps({"groups": [], "how": {}}))
    line = [sys.executable, "-m", "nst_jax.shell.sweeps.worker", str(part), "1"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 143, done.stderr


def test_weights_that_nobody_gives_are_asked_for_once(nst, monkeypatch):
    """All jobs fail, and the reason is said once, with the ways on."""
    asked = []

    def unreachable(*args, **kwargs):
        asked.append(args)
        raise Unreachable("the weights could not be downloaded; tried\n  an address\nThree ways on: weights=file")

    monkeypatch.setattr(weights, "load", unreachable)
    for _ in range(2):  # the second line says it again
        code, text = nst("-m", *ADAM, "seed=0,1,2", "sweep.redo=failed")
        assert code == 1, text
        assert text.count("Three ways on: weights=file") == 1
        assert text.count("failed: ") == 1
        assert "3 jobs failed for one reason; each has it in its nst.log" in text
        for log in sweep_folder(text).glob("*/nst.log"):
            assert "an address" in log.read_text()
    assert len(asked) == 2


def test_weights_that_one_job_lacks_cost_that_job_alone(nst, monkeypatch):
    """Both are lanes of one program."""
    load = weights.load

    def own_are_unreachable(source, **kwargs):
        if source == "own":
            raise Unreachable("the weights could not be downloaded")
        return load(source, **kwargs)

    monkeypatch.setattr(weights, "load", own_are_unreachable)
    code, text = nst("-m", *ADAM, "weights=own,random")
    assert code == 1, text
    assert sorted(row["status"] for row in table(sweep_folder(text))) == ["done", "failed"]
