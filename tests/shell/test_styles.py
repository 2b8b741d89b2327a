"""`style=[a,b] style_blend= style_mix= style_scale=`: several paintings in one picture."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nst_jax
from nst_jax import pictures

BRUSH, MOSAIC = pictures.path("brush"), pictures.path("mosaic")
LINE = (f"content={pictures.path('landscape')}", "network=distilled", "size=24", "steps=3")
BOTH = f"style=[{BRUSH},{MOSAIC}]"


@pytest.fixture
def paint(run_line):
    """Run a line: the picture, its record, and what was printed."""
    return lambda *words: run_line(*LINE, *words)[:3]


def table():
    """The rows of the one sweep that was run."""
    with next(iter(Path("runs").rglob("results.csv"))).open() as file:
        return list(csv.DictReader(file))


def test_a_share_of_all_is_that_style_alone(paint):
    alone, record, _ = paint(f"style={MOSAIC}")
    image, mixed, _ = paint(BOTH, "style_blend=[0,1]")
    np.testing.assert_allclose(image, alone, atol=3 / 255)
    assert mixed["files"]["style_2"]["sha256"] == record["files"]["style"]["sha256"]


def test_the_distances_of_a_blend_are_to_the_blend(nst):
    code, text = nst("-m", *LINE, f"style=[{BRUSH},{MOSAIC}],{MOSAIC}", "style_blend=null")
    assert code == 0, text
    one, other = table()
    assert float(one["style_distance"]) != float(other["style_distance"])
    code, text = nst("-m", *LINE, f"style=[{MOSAIC},{MOSAIC}]", "style_mix=targets,terms", "sweep.folder=runs/same")
    assert code == 0, text
    (same,) = [row for row in (one, other) if "brush" not in row["style"]]
    with Path("runs/same/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("style_distance", "judge_distance"):
            assert float(row[column]) == pytest.approx(float(same[column]), rel=0.02)


def test_a_term_for_each_style_paints_the_same_where_gram_matrices_are_squared(paint):
    words = (BOTH, "style_blend=[0.25,0.75]", "convention=gatys_2016", "optimiser=adam")
    blended, _, _ = paint(*words)
    summed, record, _ = paint(*words, "style_mix=terms")
    np.testing.assert_allclose(summed, blended, atol=3 / 255)
    assert {"content", "style_1", "style_2"} <= record["terms"]["weighted"].keys()


def test_shares_are_divided_by_their_sum_which_is_said(paint):
    image, _, _ = paint(BOTH, "style_blend=[0.5,0.5]")
    again, _, text = paint(BOTH, "style_blend=[3,3]")
    np.testing.assert_array_equal(image, again)
    assert "sums to 6; taken as 0.5, 0.5" in text
    equal, _, text = paint(BOTH)
    np.testing.assert_array_equal(image, equal)
    assert "sums to" not in text


def test_each_style_has_a_scale_of_its_own(paint):
    _, _, text = paint(BOTH, "style_scale=[1,2]")
    sizes = re.findall(r"style_\d: .*?(\d+) x (\d+)$", text, re.MULTILINE)
    assert [max(map(int, pair)) for pair in sizes] == [24, 48]


def test_the_way_from_one_style_to_another_is_lanes_of_one_program(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rows = nst_jax.sweep(*LINE, BOTH, "style_blend=[1,0],[0.5,0.5],[0,1]")
    assert {int(row["lanes"]) for row in rows} == {3}
    assert [row["style_blend"] for row in rows] == ["[1,0]", "[0.5,0.5]", "[0,1]"]
    ends = [np.asarray(Image.open(Path(row["folder"]) / "result.png"), float) for row in rows]
    apart = [np.abs(end - ends[1]).mean() for end in (ends[0], ends[2])]
    assert np.abs(ends[0] - ends[2]).mean() > max(apart)
    assert min(apart) > 0


def test_names_in_a_list_may_have_spaces_and_signs(nst, tmp_path):
    for name in ("my photo (1).jpg", "it & that.jpg"):
        (tmp_path / name).write_bytes(Path(BRUSH).read_bytes())
    code, text = nst(*LINE, "style=[my photo (1).jpg, it & that.jpg]")
    assert code == 0, text


def test_colours_of_the_photograph_go_to_each_style(paint):
    plain, _, _ = paint(BOTH)
    matched, _, _ = paint(BOTH, "colour=match")
    assert np.abs(plain - matched).max() > 0.01


def test_a_convention_without_moments_asks_for_terms(nst, paint):
    code, text = nst(*LINE, BOTH, "convention=strotss", "network=distilled")
    assert code == 2
    assert "style_mix=terms" in text
    paint(BOTH, "convention=strotss", "style_mix=terms", "steps=1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("style_blend=[1,0,0]",), "3 shares for 2 styles"),
        (("style_blend=[1]",), "1 shares for 2 styles"),
        (("style_blend=[0,0]",), "one of them above 0"),
        (("style_blend=[2,-1]",), "0 or more"),
        (("style_blend=0.5",), "must be a list of numbers"),
        (("style_scale=[1]",), "1 numbers for 2 styles"),
        (("style_scale=[1,abc]",), "must be a number"),
        (("style_scale=[1,0]",), "style_scale must be at least"),
        (("style_mix=sum",), "must be one of targets, terms"),
        (("style=[]",), "a list of pictures"),
        (("style=[nowhere.jpg]",), "no file nowhere.jpg"),
    ],
)
def test_mistakes_are_said(nst, words, said):
    code, text = nst(*LINE, BOTH, *words)
    assert code in (1, 2)
    assert said in text, text
    assert "Traceback" not in text
