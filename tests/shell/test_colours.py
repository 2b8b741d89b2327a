"""`colour=`: whose colours the result has."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from nst_jax import picture, pictures
from nst_jax.images import colour

LINE = (f"content={pictures.path('landscape')}", f"style={pictures.path('mosaic')}", "network=distilled", "size=24")
SHORT = ("steps=3",)


def read(path):
    return jnp.asarray(Image.open(path), jnp.float32) / 255


@pytest.fixture
def paint(run_line):
    """Run a line: the picture, and its record."""

    def run(*words):
        done = run_line(*LINE, *SHORT, *words)
        return jnp.asarray(done.image), done.record

    return run


def chroma(image):
    return image - colour.luma(image)[..., None]


def photograph():
    return picture("landscape", size=24)


def test_keep_paints_the_same_and_puts_the_photographs_chroma_back(paint):
    plain, record = paint()
    kept, other = paint("colour=keep")
    assert other["terms"] == record["terms"]
    wanted = colour.with_chroma(plain, photograph())
    np.testing.assert_allclose(kept, wanted, atol=3 / 255)  # both were rounded to 8 bits
    assert np.abs(kept - plain).max() > 0.1


def test_luminance_paints_brightness_alone(paint, tmp_path):
    """A style in other colours of the same brightness gives the same picture; its chroma is the photograph's."""
    painted, record = paint("colour=luminance")
    shades = colour.gray(read(pictures.path("mosaic")))
    Image.fromarray((np.asarray(shades) * 255 + 0.5).astype(np.uint8)).save(tmp_path / "shades.png")
    again, _ = paint("colour=luminance", f"style={tmp_path / 'shades.png'}")
    np.testing.assert_allclose(painted, again, atol=3 / 255)
    inside = ((painted > 0.01) & (painted < 0.99)).all(-1)
    np.testing.assert_allclose(chroma(painted)[inside], chroma(photograph())[inside], atol=3 / 255)
    assert inside.mean() > 0.5
    assert record["config"]["colour"] == {"name": "luminance", "spread": True}
    mean, _ = paint("colour=luminance", "colour.spread=false")
    assert np.abs(mean - painted).max() > 0.02


def test_gray_pictures_are_painted_by_luminance_as_without(paint, tmp_path):
    for name in ("landscape", "mosaic"):
        Image.open(pictures.path(name)).convert("L").save(tmp_path / f"{name}.png")
    words = (f"content={tmp_path / 'landscape.png'}", f"style={tmp_path / 'landscape.png'}")
    gray, _ = paint(*words, "colour=luminance", "canvas=noise")
    assert np.ptp(gray, axis=-1).max() < 2 / 255
    at_gray = (*words, "steps=0", "canvas=gray")
    _, plain = paint(*at_gray)
    _, luminance = paint(*at_gray, "colour=luminance")
    for name, value in plain["terms"]["terms"].items():
        assert luminance["terms"]["terms"][name] == pytest.approx(value, rel=1e-3)
        assert value > 0


@pytest.mark.parametrize("by", colour.MAPS)
def test_match_aims_at_the_painting_in_the_photographs_colours(paint, by):
    plain, _ = paint("content_weight=0", "canvas=style", "steps=0")
    matched, _ = paint("content_weight=0", "canvas=style", "steps=0", "colour=match", f"colour.by={by}")
    distance = lambda image: np.linalg.norm(image.mean((0, 1)) - photograph().mean((0, 1)))
    assert distance(matched) < 0.5 * distance(plain)


def test_a_sweep_over_colours_has_a_column_for_them(nst):
    code, text = nst("-m", *LINE, *SHORT, "colour=style,keep,match")
    assert code == 0, text
    (table,) = Path("runs").rglob("results.csv")
    head, *rows = table.read_text().splitlines()
    assert "colour" in head.split(",")
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("colour=kep",), "did you mean keep"),
        (("colour=match", "colour.by=sim"), "did you mean sym"),
        (("colour=luminance", "colour.spread=3"), "true or false"),
        (("colour=keep", "content=null", "content_weight=0", "canvas=noise"), "needs the colours of a photograph"),
        (("colour=keep", "+colour.by=sym"), "takes no settings"),
    ],
)
def test_mistakes_are_said(nst, words, said):
    code, text = nst(*LINE, *SHORT, *words)
    assert code in (1, 2)
    assert said in text.lower() or said in text, text
    assert "Traceback" not in text
