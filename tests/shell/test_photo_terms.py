"""`photo.laplacian` and `photo.matting` from the command line and from Python."""

import json
import re
from pathlib import Path

import jax
import pytest

import nst_jax
from nst_jax import pictures

LINE = (f"content={pictures.path('landscape')}", f"style={pictures.path('mosaic')}", "network=distilled", "size=24")


def record(text):
    return json.loads(
        (Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)).with_suffix(".json")).read_text()
    )


def test_they_are_terms_like_the_others_and_hold_the_picture_back(nst):
    words = ("steps=6", "canvas=style")
    code, text = nst(*LINE, *words, "photo.matting=1e4", "photo.laplacian=10", "photo.pool=2")
    assert code == 0, text
    terms = record(text)["terms"]
    assert {"matting", "laplacian"} <= terms["weighted"].keys()
    assert terms["weighted"]["matting"] == pytest.approx(1e4 * terms["terms"]["matting"])
    code, text = nst(*LINE, *words, "photo.matting=1", "photo.laplacian=1e-3", "photo.pool=2")
    assert code == 0, text
    free = record(text)["terms"]["terms"]
    assert terms["terms"]["matting"] < 0.5 * free["matting"]
    assert terms["terms"]["laplacian"] < 0.5 * free["laplacian"]


def test_their_weights_are_lanes_of_one_program(nst):
    code, text = nst("-m", *LINE, "steps=2", "photo.matting=1,10,100", "--json")
    assert code == 0, text
    (table,) = Path("runs").rglob("results.csv")
    head, *rows = (line.split(",") for line in table.read_text().splitlines())
    assert {row[head.index("lanes")] for row in rows} == {"3"}
    assert {"photo.matting", "weighted_matting", "matting"} <= set(head)


def test_a_weight_of_nothing_is_a_program_of_its_own(nst):
    code, text = nst("-m", *LINE, "steps=1", "photo.matting=0,1", "photo.laplacian=0,1")
    assert code == 0, text
    (table,) = Path("runs").rglob("results.csv")
    assert len(table.read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("photo.matting=-1",), "photo.matting must be a finite number, 0 or more"),
        (("photo.pool=0",), "photo.pool must be at least 1"),
        (("photo.laplacian=1", "photo.pool=9"), "leaves less than 3 x 3 pixels"),
        (("photo.matting=1", "content=null", "content_weight=0", "canvas=noise"), "content is null"),
    ],
)
def test_mistakes_are_said(nst, words, said):
    code, text = nst(*LINE, "steps=1", *words)
    assert code in (1, 2)
    assert said in text
    assert "Traceback" not in text


def test_they_are_added_to_a_problem_in_python():
    net, photo, painting = (
        nst_jax.load("distilled"),
        *(nst_jax.picture(name, size=24) for name in ("landscape", "mosaic")),
    )
    start = jax.random.uniform(jax.random.key(0), photo.shape)
    found = []
    for weight in (0.0, 1e6):
        problem = nst_jax.add(nst_jax.problem(net, photo, painting), nst_jax.matting_term(), weight=weight)
        found.append(float(nst_jax.run(problem, start, nst_jax.adam(0.02), steps=5, progress=False).terms["matting"]))
    assert 0 < found[1] < 0.8 * found[0]
