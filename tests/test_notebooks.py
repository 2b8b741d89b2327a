"""The notebooks run from a clean kernel, write nothing beside them, and are kept small with their pictures in them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

import nst_jax

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 400_000  # bytes of a file, its pictures included
PICTURES = {"image/png", "image/jpeg"}
SIZES = {"01": 48, "02": 64, "03": 48, "04": 48}  # 02 looks at a pixel that a smaller one lacks
STEPS = {"03": 4, "05": 12}  # 03 differentiates through whole runs, 05 looks at the last ten steps
LONG = "03"  # programs compiled as the tests' are take three times as long for it
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook):
    """How many pictures there are among the outputs."""
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    return sum(bool(PICTURES & output.get("data", {}).keys()) for output in outputs)


def executed(path, folder, **settings):
    """The notebook after a short run in a kernel of its own. settings: other values for the names in its first cell."""
    from nbclient import NotebookClient

    steps = STEPS.get(path.stem[:2], 6)
    notebook = nbformat.read(path, as_version=4)
    first = code(notebook)[0]
    for name, value in settings.items():
        lines = first.source.splitlines()
        assert any(line.startswith(f"{name} = ") for line in lines)
        first.source = "\n".join(f"{name} = {value!r}" if line.startswith(f"{name} = ") else line for line in lines)
    for cell in code(notebook):
        # every line of it, in less time
        cell.source = re.sub(r"\b(steps=|STEPS = |turns=)\d+", rf"\g<1>{steps}", cell.source)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return notebook


def test_there_are_five():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@each
def test_stored_outputs_are_there_and_small(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < LARGEST
    assert shown(notebook) >= 3
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    kinds = {output.output_type for cell in code(notebook) for output in cell.outputs}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert not [o for cell in code(notebook) for o in cell.outputs if o.get("name") == "stderr"]


@each
def test_only_public_names(path):
    lines = [line.strip() for cell in code(nbformat.read(path, as_version=4)) for line in cell.source.splitlines()]
    imports = {line for line in lines if "nst_jax" in line and line.startswith(("import ", "from "))}
    assert imports == {"import nst_jax as nst"}


def names_of_modules():
    """Each nst.room.module.name of the notebooks, once."""
    cells = [cell for path in NOTEBOOKS for cell in code(nbformat.read(path, as_version=4))]
    names = {name for cell in cells for name in re.findall(r"\bnst\.[a-z_]+\.[a-z_]+", cell.source)}
    return sorted(name for name in names if name.split(".")[1] in nst_jax._MODULES)


@pytest.mark.parametrize("name", names_of_modules())
def test_a_name_is_there_after_one_import(name):
    """In a process where nothing else has loaded the module."""
    done = [sys.executable, "-c", f"import nst_jax as nst; {name}"]
    assert subprocess.run(done, check=False, capture_output=True).returncode == 0


@pytest.mark.slow
@each
def test_runs_from_a_clean_kernel(path, tmp_path, monkeypatch):
    """One variable at the top, and another network looks: the first one has VGG-19, where there is a file of it."""
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(variable, str(tmp_path / "settings"))
    folder, number = tmp_path / "empty", path.stem[:2]
    if number == LONG:
        monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "0")
        monkeypatch.delenv("XLA_FLAGS")
    folder.mkdir()
    settings: dict[str, Any] = {"SIZE": SIZES[number]} if number in SIZES else {}
    if number == "01" and (data := os.environ.get("NST_TEST_DATA")):
        settings["WEIGHTS"] = str(Path(data).resolve() / "weights/vgg19_blocks1-3.safetensors")
    notebook = executed(path, folder, **settings)
    assert shown(notebook) == shown(nbformat.read(path, as_version=4))
    assert not list(folder.iterdir())
