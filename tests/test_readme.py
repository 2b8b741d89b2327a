"""What the README says is so."""

import doctest
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import nst_jax

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_ten_lines_of_python():
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL).group(1)
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    infos = names["result"].infos.value
    assert names["result"].image.shape == (48, 64, 3)
    assert infos[-1] < 0.5 * infos[0]


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
        "import nst_jax; from nst_jax.shell import main; assert 'installed' in nst_jax.__file__; print(main.manual())"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert "gatys_released" in done.stdout, done.stderr
    assert len(list((tmp_path / "installed/nst_jax/pictures").glob("*.jpg"))) == 5


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", TEXT))))
def test_pictures_and_links_are_there(path):
    assert (README.parent / path).is_file()


def test_every_group_and_option_is_named():
    """In the README, or, of the many conventions and their layers, in the page on conventions."""
    conf = README.parent / "conf"
    pages = TEXT + (README.parent / "docs/conventions.md").read_text(encoding="utf-8")
    for group in ("convention", "preset", "layers", "network", "weights", "optimiser", "canvas", "output", "device"):
        for file in (conf / group).glob("*.yaml"):
            assert f"`{file.stem}`" in pages or f"`.{file.stem}`" in pages, f"{group}={file.stem} is on neither page"
