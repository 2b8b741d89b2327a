"""`nst-train distil`: what it reads, what it writes, and that a stopped training goes on as if nothing had happened."""

import json
import logging
import signal
import sys

import jax
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from nst_jax.extractors import architecture
from nst_jax.methods.distillation.student import Teacher
from nst_jax.shell.cli import train
from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.training import distil, pictures, quality, views

SHORT = [
    "weights=random",
    "fitted=1",
    "side=64",
    "batch=1",
    "transfers=1",
    "turns=1",
    "steps=3",
    "warmup=1",
    "held_out=0.25",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five pictures, of which two are one picture in two sizes, one flat, one small, and a file that is none."""
    place, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    (place / "more").mkdir()
    for number in range(4):
        values = np.clip(rng.normal(128, 60, (3, 4, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(values).resize((160, 120), Image.Resampling.BICUBIC).save(place / "more" / f"{number}.png")
    Image.open(place / "more" / "1.png").resize((320, 240)).save(place / "again.png")
    Image.new("RGB", (100, 100), "red").save(place / "flat.png")
    Image.fromarray(rng.integers(0, 255, (30, 30, 3), dtype=np.uint8)).save(place / "small.png")
    (place / "text.jpg").write_text("no picture")
    return place


def test_pictures_are_read_once_each(folder):
    told = []
    found = pictures.load([str(folder)], side=64, largest=200, held_out=0.25, log=told.append)
    assert found.different == 4  # again.png comes first; more/1.png is the same picture
    assert {kind: len(held) for kind, held in found.held.items()} == {folder.name: 1}
    assert max(max(picture.shape[:2]) for picture in found.train) == 200
    sides = sorted(max(picture.shape[:2]) for picture in found.train)
    assert sides == [100, 100, 125, 160, 160, 200]
    assert len(told) == 1
    assert "text.jpg holds text" in told[0]


def test_no_pictures(folder, tmp_path):
    with pytest.raises(UserError, match="there is no such folder"):
        pictures.load([str(tmp_path / "none")], side=64, largest=200, held_out=0.1, log=print)
    with pytest.raises(UserError, match="0 pictures of 64 pixels and more"):
        pictures.load([str(tmp_path)], side=64, largest=200, held_out=0.1, log=print)


def test_views_are_of_one_seed_and_within_the_range():
    rng = np.random.default_rng(1)
    given = [rng.integers(0, 255, (90, 80, 3), dtype=np.uint8) for _ in range(3)]
    first, again, other = (views.views(np.random.default_rng(seed), given, side=48, count=20) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (20, 48, 48, 3)
    assert first.dtype == np.float32
    assert first.min() >= np.float32(-0.05)
    assert first.max() <= np.float32(1.05)


def test_piece_is_a_piece_of_the_picture():
    picture = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    piece = views.crop(np.random.default_rng(0), [picture], side=20)
    seen = {tuple(c) for row in np.round(piece * 255).astype(int) for c in row}
    assert seen <= {tuple(c) for row in picture.astype(int) for c in row}
    assert len(seen) > 200


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """A training of three steps without a break."""
    place = tmp_path_factory.mktemp("whole")
    config = train.read("distil", [f"data={folder}", f"folder={place}", "report=1", *SHORT])
    return distil.run(config, Stop()), place


def test_training_writes_what_the_package_reads(whole):
    from nst_jax.shell.io import weights

    path, place = whole
    arch = architecture("distilled")
    loaded = weights.load("file", network="distilled", needed=tuple(arch.kernels), path=str(path), log=print)
    assert loaded.source.startswith("distilled from vgg16, untrained: He-normal, seed 0")
    lines = [json.loads(line) for line in (place / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    for name in ("sheet.jpg", "transfers.jpg"):
        with Image.open(place / name) as sheet:
            assert sheet.width >= 64


def test_quality_of_a_student_that_is_its_teacher_and_of_one_that_is_not(monkeypatch):
    monkeypatch.setattr(quality, "STEPS", 2)
    params, rng = architecture("distilled").random(jax.random.key(0)), np.random.default_rng(0)
    teacher = Teacher(quality.STUDENT, params, {name: jax.numpy.float32(1) for name in quality.RELUS})
    held = {kind: [rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)] for kind in ("photographs", "paintings")}
    same = quality.measure(teacher, params, held)
    assert list(same) == ["photographs", "paintings", "own transfers"]
    assert all(told == pytest.approx((1, 1), abs=1e-5) for layers in same.values() for told in layers.values())
    other = {**params, "conv4_1": jax.tree.map(lambda a: 2 * a, params["conv4_1"])}
    for layers in quality.measure(teacher, other, held).values():
        assert layers["relu3_3"] == pytest.approx((1, 1), abs=1e-5)
        assert layers["relu4_1"][0] < 0.9


def test_signal_before_the_first_step_keeps_nothing(folder, tmp_path):
    stop = Stop()
    stop.asked = signal.SIGTERM
    with pytest.raises(Ended) as ended:
        distil.run(train.read("distil", [f"data={folder}", f"folder={tmp_path}", *SHORT]), stop)
    assert (ended.value.code, ended.value.early) == (143, True)
    assert list(tmp_path.iterdir()) == []


def test_stopped_training_goes_on(whole, folder, tmp_path, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "nst_jax")
    config = train.read("distil", [f"data={folder}", f"folder={tmp_path}", "report=1", *SHORT])
    stop, summary = Stop(), distil.summary

    def interrupt(*given, **named):
        stop.asked = signal.SIGINT  # during the first step
        return summary(*given, **named)

    monkeypatch.setattr(distil, "summary", interrupt)
    with pytest.raises(Ended) as ended:
        distil.run(config, stop)
    assert (ended.value.code, ended.value.early) == (130, False)
    assert not (tmp_path / "distilled.safetensors").exists()
    monkeypatch.undo()
    path = distil.run(config, Stop())
    assert "going on from step 1" in caplog.text
    first, second = (load_file(str(p)) for p in (whole[0], path))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)
    other = train.read("distil", [f"data={folder}", f"folder={tmp_path}", *SHORT, "gram=1"])
    with pytest.raises(UserError, match="is of other settings"):
        distil.run(other, Stop())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stepz=3"], "there is no setting stepz"),
        (["steps=0"], "steps=0: it must be 1 or more"),
        (["side=32"], "side=32: it must be 64 or more"),
        (["warmup=9", "steps=4"], "from 0 to below steps=4"),
        (["held_out=0.9"], "a share between 0 and 0.5"),
        (["teacher=vgg19"], "the layers of distilled are those of vgg16"),
        (["steps=many"], "many"),
        (["weights=nowhere"], "weights has no option nowhere"),
    ],
)
def test_mistakes(words, message, folder, tmp_path):
    with pytest.raises(UserError, match=message):
        distil.run(train.read("distil", [f"data={folder}", f"folder={tmp_path}", *words]), Stop())


def test_command_says_what_is_missing(monkeypatch, capsys):
    for words, code, text in (([], 2, "nst-train distil data=FOLDER"), (["--help"], 0, "nst-train distil data=FOLDER")):
        monkeypatch.setattr(sys, "argv", ["nst-train", *words])
        with pytest.raises(SystemExit) as ended:
            train.main()
        assert ended.value.code == code
        assert text in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["nst-train", "distil"])
    with pytest.raises(SystemExit) as ended:
        train.main()
    assert ended.value.code == 2
    assert "nst-train: data=FOLDER is missing" in capsys.readouterr().err
