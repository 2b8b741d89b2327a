"""`strokes.style=fine.jpg`: the style in the brush strokes of another picture."""

import csv
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nst_jax
from nst_jax import pictures
from nst_jax.shell.running import single, strokes

INK, BRUSH = pictures.path("ink"), pictures.path("brush")
LINE = (f"content={pictures.path('landscape')}", f"style={INK}", "network=distilled", "size=24", "steps=3")
FINE = (f"strokes.style={BRUSH}", "strokes.steps=3")


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image, np.float32) / 255


@pytest.fixture
def paint(run_line):
    """Run a line: the folder, the record, and what was printed."""

    def run(*words):
        done = run_line(*LINE, *words)
        return done.folder, done.record, done.text

    return run


def table():
    (path,) = Path("runs").rglob("results.csv")
    with path.open() as file:
        return list(csv.DictReader(file))


def test_without_a_picture_the_other_settings_change_nothing(paint):
    plain, _, _ = paint()
    other, record, text = paint("strokes.to=relu4_1", "strokes.steps=7", "strokes.scale=2", "strokes.mix=layers")
    np.testing.assert_array_equal(pixels(plain / "result.png"), pixels(other / "result.png"))
    assert "strokes" not in record["files"]
    assert "strokes" not in text
    assert not list(other.glob("strokes*"))


def test_the_repainted_style_is_the_style_of_an_ordinary_transfer(paint):
    folder, record, text = paint(*FINE)
    assert "strokes: 3 steps at 24 x 24 pixels, by relu1_1, relu2_1" in text
    assert "the loss falls from" in text
    assert record["files"]["strokes"]["path"] == str(BRUSH)
    assert len(record["files"]["strokes"]["sha256"]) == 64
    net = nst_jax.load("distilled")
    style = nst_jax.repaint(net, "ink", "brush", size=24, steps=3, progress=False)
    np.testing.assert_allclose(pixels(folder / "strokes.png"), np.clip(style, 0, 1), atol=2 / 255)
    wanted = nst_jax.stylise(net, "landscape", style, size=24, steps=3, progress=False, convention="gatys_released")
    np.testing.assert_allclose(pixels(folder / "result.png"), np.clip(wanted.image, 0, 1), atol=3 / 255)
    plain, _, _ = paint()
    assert np.abs(pixels(folder / "result.png") - pixels(plain / "result.png")).max() > 0.05


def test_the_picture_of_the_style_itself_paints_what_the_style_paints(paint):
    plain, _, _ = paint()
    folder, _, _ = paint(f"strokes.style={INK}")
    np.testing.assert_allclose(pixels(folder / "result.png"), pixels(plain / "result.png"), atol=2 / 255)
    folder, record, text = paint(f"strokes.style={INK}", "strokes.mix=layers")
    np.testing.assert_allclose(pixels(folder / "result.png"), pixels(plain / "result.png"), atol=2 / 255)
    assert {"content", "style", "strokes"} <= record["terms"]["weighted"].keys()
    assert "the aims of relu1_1, relu2_1 are those of" in text
    assert not list(folder.glob("strokes*"))


def test_each_of_several_styles_is_painted(paint):
    folder, _, text = paint(f"style=[{INK},{pictures.path('mosaic')}]", *FINE)
    assert text.count("strokes: 3 steps") == 2
    assert sorted(path.name for path in folder.glob("strokes*")) == ["strokes_1.png", "strokes_2.png"]
    folder, _, text = paint(f"style=[{INK},{INK}]", *FINE)
    np.testing.assert_array_equal(pixels(folder / "strokes_1.png"), pixels(folder / "strokes_2.png"))


def test_several_styles_above_the_layers_of_the_strokes(paint):
    both = f"style=[{INK},{pictures.path('mosaic')}]"
    _, record, _ = paint(both, *FINE, "strokes.mix=layers", "style_mix=terms")
    assert {"style_1", "style_2", "strokes"} <= record["terms"]["weighted"].keys()
    assert sum(name.startswith("style_1/") for name in record["terms"]["terms"]) == 3


def test_the_strokes_get_the_colours_that_the_styles_get(paint):
    folder, _, _ = paint(*FINE, "colour=luminance")
    image = pixels(folder / "strokes.png")
    assert np.ptp(image, axis=2).max() <= 1 / 255
    plain, _, _ = paint(*FINE)
    matched, _, _ = paint(*FINE, "colour=match")
    assert np.abs(pixels(plain / "strokes.png") - pixels(matched / "strokes.png")).mean() > 0.02


def test_jobs_of_a_sweep_share_the_painted_style_and_one_program(nst):
    code, text = nst("-m", *LINE, f"strokes.style=null,{BRUSH}", "strokes.steps=3", "style_weight=1e2,1e4", "seed=0,1")
    assert code == 0, text
    rows = table()
    assert len(rows) == 4
    assert {row["lanes"] for row in rows} == {"4"}
    logs = [path.read_text() for path in Path("runs").rglob("nst.log") if "sweeps" in str(path)]
    assert sum(log.count("strokes: 3 steps") for log in logs) == 1
    painted = [pixels(path) for path in Path("runs/sweeps").rglob("strokes.png")]
    assert len(painted) == 2
    np.testing.assert_array_equal(painted[0], painted[1])


def test_layers_of_the_strokes_shape_the_program(nst):
    code, text = nst("-m", *LINE, *FINE, "strokes.mix=layers", "strokes.to=relu1_1,relu3_1", "style_weight=1e2,1e3")
    assert code == 0, text
    assert [row["lanes"] for row in table()] == ["2"] * 4
    assert len({row["style_distance_relu4_1"] for row in table()}) == 4


def test_without_a_picture_jobs_that_differ_in_the_other_settings_are_one(nst):
    code, text = nst("-m", *LINE, "strokes.to=relu1_1,relu3_1", "steps=1")
    assert code == 0, text
    assert "1 of 2 jobs equal another one whatever their strokes.to" in text


def test_a_dry_run_paints_nothing(nst):
    code, text = nst(*LINE, f"strokes.style={BRUSH}", "strokes.steps=100000", "dry_run=true")
    assert code == 0, text
    assert "100000 steps for each style picture, of which none is taken now" in text
    assert "before them, the strokes: at most" in text
    assert not Path("runs").exists()
    code, text = nst(*LINE, f"strokes.style={BRUSH}", "strokes.mix=layers", "dry_run=true")
    assert code == 0, text
    assert "before them" not in text


def test_a_run_that_goes_on_has_the_same_style(nst, paint, monkeypatch):
    words = (*FINE, "steps=30", "output.every=5", "optimiser=adam")

    def interrupt(bar, session):
        if session.lanes[0].done >= 10:
            session.stop.asked = signal.SIGINT

    with monkeypatch.context() as patch:
        patch.setattr(single.Bar, "__call__", interrupt)
        code, text = nst(*LINE, *words)
    assert code == 130, text
    (folder,) = (path.parent for path in Path("runs").rglob("checkpoint.npz"))
    code, text = nst(f"resume={folder}")
    assert code == 0, text
    whole, _, _ = paint(*words)
    np.testing.assert_allclose(pixels(folder / "result.png"), pixels(whole / "result.png"), atol=1.5 / 255)
    np.testing.assert_array_equal(pixels(folder / "strokes.png"), pixels(whole / "strokes.png"))


def test_a_signal_ends_the_painting(nst, monkeypatch):
    step_through, chunks = strokes.step_through, []

    def with_signal(spec, posed, start, steps, pause, **bar):
        def interrupt():
            chunks.append(steps)
            if len(chunks) > 1:
                os.kill(os.getpid(), signal.SIGINT)
            pause()

        chunks.clear()
        return step_through(spec, posed, start, steps, interrupt, **bar)

    monkeypatch.setattr(strokes, "step_through", with_signal)
    code, text = nst(*LINE, f"strokes.style={BRUSH}", "strokes.steps=100000")
    assert code == 130, text
    assert "nothing to save" in text
    assert len(chunks) > 1
    code, text = nst("-m", *LINE, f"strokes.style={BRUSH}", "strokes.steps=100000", "style_weight=1,2")
    assert code == 130, text
    assert "2 left" in text


def test_the_name_of_the_picture_may_have_spaces_and_signs(nst, tmp_path):
    (tmp_path / "my strokes (1), two.jpg").write_bytes(Path(BRUSH).read_bytes())
    code, text = nst(*LINE, "strokes.style=my strokes (1), two.jpg", "strokes.steps=1", "steps=1")
    assert code == 0, text


def test_a_weight_of_nothing_needs_no_strokes(paint):
    _, _, text = paint(*FINE, "style_weight=0")
    assert "has no effect: style_weight is 0" in text
    assert "3 steps at" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("strokes.style=nowhere.jpg",), "no file nowhere.jpg"),
        (
            (*FINE, "strokes.to=relu9_1"),
            "there is no layer relu9_1; the style layers here: relu1_1",
        ),
        ((*FINE, "strokes.to=conv1_1"), "no style layer is up to conv1_1"),
        ((*FINE, "strokes.mix=sum"), "strokes.mix must be one of repaint, layers"),
        ((*FINE, "strokes.steps=-1"), "strokes.steps must be at least 0"),
        ((*FINE, "strokes.scale=0"), "strokes.scale must be at least 0.001"),
        ((*FINE, "strokes.scale=0.05"), "vanishes on the way to relu2_1: raise strokes.scale"),
        ((*FINE, "output.file=strokes.png"), "the run writes another file of that name"),
    ],
)
def test_mistakes_are_said(nst, words, said):
    code, text = nst(*LINE, *words)
    assert code == 2, text
    assert said in text
    assert "Traceback" not in text
