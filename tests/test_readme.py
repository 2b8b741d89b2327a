"""What the README says is so."""

import doctest
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import readable
from PIL import Image

import nst_jax
from nst_jax.shell.settings.options import files

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
PAGES = readable.of_repository()
TABLES = ("docs/how_to/settings.md", "docs/how_to/weights.md", "docs/explanations/conventions.md")


def test_its_python_runs(tmp_path, monkeypatch):
    """Both blocks, one after the other, as a reader types them."""
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(code, "README.md", "exec"), names)
    curve = names["result"].curve["total"]
    assert names["result"].image.shape == (48, 64, 3)
    assert curve[-1] < 0.5 * curve[0]
    distances = [float(np.abs(image - names["content"]).mean()) for image in names["results"].image]
    assert len(distances) == 8
    assert distances[0] < distances[-1]  # more style, less of the photograph
    for name, image in (("result", names["result"].image), ("strongest", names["results"].image[7])):
        with Image.open(tmp_path / f"{name}.png") as saved:
            np.testing.assert_allclose(np.asarray(saved) / 255, np.clip(image, 0, 1), atol=1 / 255)


def test_the_first_block_is_five_lines():
    code = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[0]
    assert code.count("\n") == 5


def test_the_packages_own_example():
    failed, tried = doctest.testmod(nst_jax)
    assert tried > 5
    assert failed == 0


@pytest.mark.slow
def test_the_wheel_holds_settings_and_pictures(tmp_path):
    """An installed package finds conf/ within itself, and the bundled pictures."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, README.parent]
    subprocess.run(build, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "installed")
    code = (
        "import nst_jax; from nst_jax.shell.cli.manual import page; "
        "assert 'installed' in nst_jax.__file__; print(page([]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert "gatys_released" in done.stdout, done.stderr
    pictures = {path.name for path in (tmp_path / "installed/nst_jax/pictures").iterdir()}
    assert pictures == {
        "__init__.py",
        *(nst_jax.pictures.path(name).name for name in nst_jax.pictures.NAMES + nst_jax.pictures.MASKS),
    }  # not what draws them
    assert not (tmp_path / "installed/tools").exists()


def links(page):
    """The targets of a page's links, without what follows a hash."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"\]\((?!http|#|`)([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"`[^`\n]*`", "`", text))
    return sorted(set(found))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", TEXT))))
def test_pictures_and_links_are_there(path):
    assert (README.parent / path).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_the_pages_lead_somewhere(page):
    assert [path for path in links(page) if not (page.parent / path).exists()] == []


def test_it_is_short():
    assert TEXT.count("\n") <= 120


def test_every_group_and_option_is_named():
    """In the pages of settings and weights, or, of the many conventions and their layers, in that of conventions."""
    pages = "".join((README.parent / page).read_text(encoding="utf-8") for page in TABLES)
    for group in (
        "convention",
        "preset",
        "layers",
        "network",
        "weights",
        "optimiser",
        "canvas",
        "colour",
        "output",
        "device",
    ):
        for name in files(group):
            assert f"`{name}`" in pages or f"`.{name}`" in pages, f"{group}={name} is on neither page"
