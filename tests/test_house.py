"""The house: imports point downward, the core is pure, numbers are keyword-only, functions are short and well named."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nst_jax

PACKAGE = Path(nst_jax.__file__).parent
ROOMS = ("nn", "images", "extractors", "losses", "published", "optim", "methods", "parallel", "analysis")
CORE = [PACKAGE / "types.py", *sorted(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py"))]
EVERY = sorted(PACKAGE.rglob("*.py"))
FOREIGN = ("hydra", "omegaconf", "PIL", "h5py", "safetensors", "tqdm", "matplotlib", "scipy.io", "platformdirs")


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def named(path):
    return str(path.relative_to(PACKAGE))


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=named)


def test_the_rooms_are_there():
    """Without this, a room that was renamed would be tested no more."""
    assert all((PACKAGE / room / "__init__.py").exists() for room in ROOMS)
    assert len(CORE) > 30


def test_imports_point_downward():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@each(CORE)
def test_the_core_has_no_default_numbers(path):
    for f in functions(path):
        defaults = [*f.args.defaults, *(d for d in f.args.kw_defaults if d)]
        numbers = [d for d in defaults if isinstance(d, ast.Constant) and type(d.value) in (int, float)]
        assert not numbers, f"{named(path)}: {f.name} has a default number; defaults are in conf/ and in api/"


SHARES = ("fifth", "fifth_mean", "inverse_square", "mean", "one")  # Convention.share is called by position


@each(CORE)
def test_numbers_are_keyword_only(path):
    for f in functions(path):
        if f.name.startswith("_") or f.name in ("frozen", *SHARES):  # custom_vjp takes its arguments by position
            continue
        plain = [a.arg for a in f.args.args if a.annotation and ast.unparse(a.annotation) in ("int", "float")]
        assert not plain, f"{named(path)}: {f.name}({', '.join(plain)}) takes numbers by position"


def public(body, prefix=""):
    """The public functions, classes and methods of a module, with their names."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


@each(CORE)
def test_what_is_public_in_the_core_has_a_docstring(path):
    tree = parse(path)
    assert ast.get_docstring(tree), f"{named(path)} has no docstring"
    for name, node in public(tree.body):
        assert ast.get_docstring(node), f"{named(path)}: {name} has no docstring"


# Functions are verbs in the imperative or nouns for what they return. These end as a participle does and are none:
WORDS = {
    *("embed", "feed", "need", "seed", "shed", "speed", "exceed", "shred", "red", "bed"),
    *(
        "frozen",
        "padding",
        "rounding",
        "setting",
        "spacing",
        "string",
        "thing",
        "warning",
        "whitening",
        "ring",
        "bring",
        "unrolled",  # nst.unrolled: the run, as jax's users call one without a loop's exit
    ),
}
IRREGULAR = "begun built done drawn found given held kept known laid left lost made seen shown spent taken told worn"
IRREGULAR = {*IRREGULAR.split(), "written", "chosen", "driven", "hidden", "broken", "gone", "thrown", "sworn"}
PARTICIPLE = re.compile(r"(ed|ing)$")


def is_participle(name):
    """Whether a function's name is a participle and no more: `squared_steps` is a noun, `mark_done` a verb."""
    word = name.strip("_")
    return "_" not in word and word not in WORDS and (word in IRREGULAR or bool(PARTICIPLE.search(word)))


@pytest.mark.parametrize("name", ["begun", "turned", "told", "prepared", "_named", "rendering"])
def test_a_participle_is_known_for_one(name):
    assert is_participle(name)


@pytest.mark.parametrize(
    "name", ["seed", "is_over", "spread", "whitening", "restore", "gram", "mark_done", "squared_steps"]
)
def test_a_verb_or_a_noun_is_none(name):
    assert not is_participle(name)


@each(EVERY)
def test_functions_are_not_named_by_participles(path):
    wrong = [f.name for f in functions(path) if is_participle(f.name)]
    assert not wrong, f"{named(path)}: {', '.join(wrong)}"


@each(EVERY)
def test_functions_are_short(path):
    for f in functions(path):
        body = f.body[1:] if ast.get_docstring(f) and len(f.body) > 1 else f.body
        length = (body[-1].end_lineno or 0) - body[0].lineno
        assert length < 45, f"{named(path)}: {f.name} has grown large"


@each(CORE)
def test_the_core_knows_no_shell(path):
    """Not within a function either, where the contract on layers would see it and a lazy import would hide."""
    for node in ast.walk(parse(path)):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{a.name}" for a in node.names] + [node.module or ""]
        for name in names:
            assert not name.startswith(("nst_jax.shell", "nst_jax.api", *FOREIGN)), f"{named(path)} imports {name}"


def test_help_does_not_load_jax():
    """Nor does it load Hydra: the answer comes at once."""
    code = "import sys; sys.argv = ['nst', '--help']; from nst_jax.shell.cli.nst import main; main(); "
    code += "sys.exit(any(m in sys.modules for m in ('jax', 'hydra', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_core_imports_with_only_its_own_packages():
    """No shell, no Hydra, no pictures: a notebook or a cluster job can use the core alone."""
    modules = [".".join(("nst_jax", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in CORE]
    code = "import sys, importlib, nst_jax; [getattr(nst_jax, n) for n in nst_jax.__all__]; "
    code += f"[importlib.import_module(m.removesuffix('.__init__')) for m in {modules}]; "
    code += f"sys.exit(', '.join(m for m in sys.modules if m in {FOREIGN} or m.startswith('nst_jax.shell')) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_module_hides_a_function():
    """Importing nst_jax.x sets nst_jax.x, which would take the place of a function that is handed out as x."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert not [name for name in nst_jax.__all__ if name in modules and name not in nst_jax._MODULES]
