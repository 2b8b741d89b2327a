"""Runs measured after the fact: `nst-export FOLDER metrics` and `nst-export FOLDER artfid`."""

import csv

import pytest
from PIL import Image
from sweep_lines import ADAM, sweep_folder
from trunk_files import inception_file, trunk_file

from nst_jax.shell.cli import export


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
