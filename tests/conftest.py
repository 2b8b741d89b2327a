"""How the tests compile: shapes checked, most programs with few optimisations, each program once for all workers.

Shapes in annotations are checked under pytest, and only there.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Most of the time of the tests is compilation. Both variables are also read by the processes that tests start.
REDUCED = "JAX_DISABLE_MOST_OPTIMIZATIONS"
FOLDER = "JAX_COMPILATION_CACHE_DIR"
os.environ.setdefault(REDUCED, "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("NPROC", "1")  # each worker has a core: two that compute with all of them take 8 % longer
elif FOLDER not in os.environ:
    # one cache of compiled programs for this run: xdist's workers inherit its name, and no later run finds it
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="nst_jax_programs_")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    atexit.register(shutil.rmtree, os.environ[FOLDER], ignore_errors=True)
ALWAYS_OPTIMISED = os.environ[REDUCED] in ("0", "false")

import absl.logging  # noqa: E402  jax reads the environment once, at import
import jax  # noqa: E402
import pytest  # noqa: E402
from jax._src import compiler as jax_compiler  # noqa: E402  no public name sets an option for every program
from jax.experimental.compilation_cache import compilation_cache  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

# Hydra sets logging up anew, which makes absl close the stream it found when flax imported it: pytest's own
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__

install_import_hook("nst_jax", "beartype.beartype")
gc.set_threshold(100_000, 50, 100)  # a trace is a million small objects: a twentieth of the tests' time went here

# XLA compiles a third faster by its older emitters, where it still has them (jax 0.10 does, 0.12 does not), and a tenth
# faster without splitting a small program into parts. This process has the options below, its children have the flags.
FLAGS = "XLA_FLAGS"
FASTER = {"xla_cpu_use_fusion_emitters": False, "xla_cpu_parallel_codegen_split_count": 1}
jax.devices()  # XLA reads its flags here, once; what children are told later changes nothing in this process
OWN_FLAGS = os.environ.get(FLAGS, "")


def has_option(name, value):
    """Whether this version of XLA knows an option."""
    try:
        jax.jit(lambda x: x + 1, compiler_options={name: value})(1.0)
    except jax.errors.JaxRuntimeError:
        return False
    return True


KNOWN = {name: value for name, value in FASTER.items() if has_option(name, value)}
AS_FLAGS = " ".join(f"--{name}={str(value).lower()}" for name, value in KNOWN.items())
get_compile_options = jax_compiler.get_compile_options


def compile_options(*args, **kwargs):
    """jax's own, with the faster ways where a test does not compile as users do."""
    options = get_compile_options(*args, **kwargs)
    if jax.config.read("jax_disable_most_optimizations"):
        given = [(name, str(value)) for name, value in KNOWN.items()]
        options.env_option_overrides = [*options.env_option_overrides, *given]
    return options


jax_compiler.get_compile_options = compile_options


def pytest_collection_modifyitems(items):
    """The slow tests first, so that no worker begins one while the others wait; then those compiled as users do."""
    items.sort(key=lambda item: tuple(item.get_closest_marker(mark) is None for mark in ("slow", "optimised")))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Compile as users do for a test with the marker `optimised`, before any of its fixtures computes."""
    reduced = not ALWAYS_OPTIMISED and item.get_closest_marker("optimised") is None
    os.environ[REDUCED] = str(int(reduced))
    os.environ[FLAGS] = f"{OWN_FLAGS} {AS_FLAGS}".strip() if reduced else OWN_FLAGS
    if jax.config.read("jax_disable_most_optimizations") != reduced:
        jax.config.update("jax_disable_most_optimizations", reduced)
        jax.clear_caches()  # the programs in memory are kept by what they compute, not by how they were compiled


@pytest.fixture(scope="module", autouse=True)
def compiler():
    """Release compiled programs after each module: a thousand in one process crash the compiler."""
    yield
    jax.clear_caches()
    gc.collect()


@pytest.fixture
def no_shared_cache(monkeypatch):
    """No cache of compiled programs but the test's own, also for the processes that it starts."""
    monkeypatch.delenv(FOLDER, raising=False)
    before = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()  # it opens its folder once
    yield
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real weights, real pictures and golden numbers; tests that want it skip without it."""
    folder = os.environ.get("NST_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set NST_TEST_DATA to the folder of real weights and pictures to run this test")
    return Path(folder)


@pytest.fixture
def called(monkeypatch, capfd):
    """Run the main function of a command: its exit code, and what it printed."""

    def run(command, name, *words):
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        try:
            command()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, "".join(capfd.readouterr())

    return run
