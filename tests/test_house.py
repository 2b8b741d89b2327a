"""The house: imports point downward, the core is pure, numbers are keyword-only, files and functions are small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nst_jax

PACKAGE = Path(nst_jax.__file__).parent
CORE = sorted(PACKAGE.glob("*.py"))
EVERY = sorted(p for p in PACKAGE.rglob("*.py"))


def functions(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_point_downward():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", CORE, ids=lambda p: p.name)
def test_core_has_no_default_numbers(path):
    for f in functions(path):
        defaults = [*f.args.defaults, *(d for d in f.args.kw_defaults if d)]
        numbers = [d for d in defaults if isinstance(d, ast.Constant) and isinstance(d.value, int | float)]
        assert not numbers, f"{path.name}: {f.name} has a default number; defaults live in conf/"


@pytest.mark.parametrize("path", CORE, ids=lambda p: p.name)
def test_numbers_are_keyword_only(path):
    for f in functions(path):
        if f.name.startswith("_"):
            continue
        plain = [
            a.arg for a in f.args.args if isinstance(a.annotation, ast.Name) and a.annotation.id in ("int", "float")
        ]
        assert not plain or f.name in ("frozen",), (
            f"{path.name}: {f.name}({', '.join(plain)}) takes numbers by position"
        )


@pytest.mark.parametrize("path", EVERY, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 220, f"{path.name} has grown large"
    for f in functions(path):
        assert f.end_lineno is not None
        assert f.end_lineno - f.lineno < 45, f"{path.name}: {f.name} has grown large"


def test_help_does_not_load_jax():
    """Nor does it load Hydra: the answer comes at once."""
    code = "import sys; sys.argv = ['nst', '--help']; from nst_jax.shell.main import main; main(); "
    code += "sys.exit(any(m in sys.modules for m in ('jax', 'hydra', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_core_imports_with_only_its_own_packages():
    """No shell, no Hydra, no pictures: a notebook or a cluster job can use the core alone."""
    code = "import sys; import nst_jax; [getattr(nst_jax, n) for n in nst_jax.__all__]; "
    code += "sys.exit(any(m in sys.modules for m in ('hydra', 'omegaconf', 'PIL', 'h5py', 'safetensors', 'tqdm')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_no_module_hides_a_function():
    """Importing nst_jax.x sets nst_jax.x, which would take the place of a function that is handed out as x."""
    modules = {path.stem for path in CORE} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert not [name for name in nst_jax.__all__ if name in modules and name not in nst_jax._MODULES]
