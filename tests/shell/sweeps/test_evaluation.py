"""Runs measured after the fact: `nst-export FOLDER metrics` and `nst-export FOLDER artfid`."""

import csv

import pytest
import yaml
from PIL import Image
from sweep_lines import ADAM, sweep_folder
from trunk_files import inception_file, trunk_file

from nst_jax.shell.cli import export
from nst_jax.shell.errors import UserError
from nst_jax.shell.running import evaluation


@pytest.fixture
def command(called):
    """Run `nst-export`."""
    return lambda *words: called(export.main, "nst-export", *words)


@pytest.fixture
def swept(nst):
    code, text = nst("-m", *(word for word in ADAM if not word.startswith("size=")), "size=64", "style_weight=1,1000")
    assert code == 0, text
    return sweep_folder(text).absolute()


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def test_a_table_of_measures(swept, command, tmp_path):
    names = "ssim,lpips_alex,sifid,judge_distance,judge_frechet"
    words = (f"measures={names}", f"alex={trunk_file(tmp_path, 'alex')}", f"inception={inception_file(tmp_path)}")
    code, text = command(swept, "metrics", *words)
    assert code == 0, text
    assert text.endswith(f"{swept / 'metrics.csv'}\n")
    rows = rows_of(swept / "metrics.csv")
    assert list(rows[0]) == ["run", "style_weight", "width", "height", *names.split(",")]
    table = {row["path"]: row for row in rows_of(swept / "results.csv")}
    assert {row["run"] for row in rows} == set(table)
    for row in rows:  # as the sweep measured it, but for the 8 bits of the picture
        assert float(row["ssim"]) == pytest.approx(float(table[row["run"]]["ssim_content"]), abs=2e-3)
        assert float(row["judge_distance"]) == pytest.approx(float(table[row["run"]]["judge_distance"]), rel=2e-2)
        assert size_of(swept / row["run"] / "result.png") == (int(row["width"]), int(row["height"]))
    by_weight = sorted(rows, key=lambda row: float(row["style_weight"]))
    for name, rises in {"ssim": False, "lpips_alex": True, "judge_distance": False}.items():
        light, heavy = (float(row[name]) for row in by_weight)
        assert (heavy > light) == rises, name
    code, text = command(swept, "metrics", "measures=lpips_squeeze", "squeeze=nowhere.pth")
    assert code == 2
    assert "nowhere.pth" in text


def test_artfid_has_three_folders_of_one_size(swept, command):
    code, text = command(swept, "artfid")
    assert code == 0, text
    names = [sorted(p.name for p in (swept / "artfid" / kind).iterdir()) for kind in ("stylised", "content", "style")]
    assert names[0] == names[1] == names[2]
    assert len(names[0]) == 2
    sizes = {size_of(p) for p in (swept / "artfid").rglob("*.png")}
    side = min(size_of(swept / names[0][0].removesuffix(".png") / "result.png"))
    assert sizes == {(side, side)}
    text = (swept / "artfid/README.md").read_text()
    assert "too few pictures" in text
    assert "--mode art_fid " in text
    assert f"{side} x {side}" in text
    assert "remove it" in command(swept, "artfid")[1]
    assert "an enlarged picture" in command(swept, "artfid", "size=9999", f"to={swept / 'other'}")[1]
    assert not (swept / "other").exists()


SETTINGS = {"content": "photo.png", "style": "painting.png", "style_scale": 0.5, "size": 48, "size_rule": "long"}
SETTINGS |= {"background": "white", "max_pixels": 10**6, "output": {"file": "result.png"}}


def make_run(folder, *, picture=(48, 24), **settings):
    """The folder of a run, as far as it is read. picture: width and height; None: there is none."""
    folder.mkdir(parents=True)
    content = {"content": str(folder.parent / "photo.png"), "style": str(folder.parent / "painting.png")}
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS | content | settings))
    sizes = {
        folder.parent / "photo.png": (64, 32),
        folder.parent / "painting.png": (90, 60),
        folder / "result.png": picture,
    }
    for path, size in sizes.items():
        if size:
            Image.effect_noise(size, 60).convert("RGB").save(path)
    return folder


def test_pictures_have_the_sizes_of_the_run(tmp_path):
    make_run(tmp_path / "texture", texture=str(tmp_path / "painting.png"), style=None)
    make_run(tmp_path / "blend", style=[str(tmp_path / "painting.png")] * 2, style_scale=[1, 1])
    make_run(tmp_path / "plain")
    make_run(tmp_path / "shrink", style_scale=10, scale={"style": "shrink"})
    make_run(tmp_path / "unfinished", picture=None)
    said = []
    runs = {run.name: run for run in evaluation.find_runs(tmp_path, said.append)}
    assert list(runs) == ["blend", "plain", "shrink", "texture"]
    assert said == [f"{tmp_path / 'unfinished'}: left out, there is no result.png"]
    shapes = {name: (evaluation.content_of(run, (24, 48, 3)), evaluation.style_of(run)) for name, run in runs.items()}
    shapes = {name: tuple(None if image is None else image.shape for image in pair) for name, pair in shapes.items()}
    content = (24, 48, 3)
    assert shapes == {
        "blend": (content, None),
        "plain": (content, (16, 24, 3)),  # half of 48 pixels
        "shrink": (content, (60, 90, 3)),
        "texture": (None, (30, 45, 3)),
    }
    row = evaluation.measure(runs["blend"], ("ssim", "judge_distance"), {}, said.append)
    assert row["judge_distance"] is None
    assert -1 <= row["ssim"] <= 1


def test_a_run_alone_and_what_its_picture_is_too_small_for(tmp_path):
    folder = make_run(tmp_path / "plain", picture=(48, 20))
    table = evaluation.tabulate(folder, print, measures=("ssim",), to=None, files={})
    assert [row["run"] for row in rows_of(table)] == ["plain"]
    files = {"alex": trunk_file(tmp_path, "alex")}
    with pytest.raises(UserError, match=r"lpips_alex: an image of 48 x 20 pixels is too small.*leave it out"):
        evaluation.tabulate(folder, print, measures=("lpips_alex",), to=None, files=files)


def test_mistakes(tmp_path, command):
    assert command(tmp_path, "metrics") == (2, f"nst-export: {tmp_path}: no run with a result is here\n")
    for words, part in {
        ("metrics", "measures=sim"): "ssim",
        ("metrics", "size=3"): "metrics takes to=FILE",
        ("artfid", "size=none"): "a number of pixels",
        ("artfid", "measures=ssim"): "artfid takes to=FOLDER",
    }.items():
        code, text = command(tmp_path, *words)
        assert code == 2
        assert part in text
