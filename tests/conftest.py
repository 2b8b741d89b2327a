"""Shapes in annotations are checked under pytest, and only there."""

import gc
import os
import sys
from pathlib import Path

import absl.logging
import jax
import pytest
from jaxtyping import install_import_hook

# Hydra sets logging up anew, which makes absl close the stream it found when flax imported it: pytest's own
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__

install_import_hook("nst_jax", "beartype.beartype")

# most of the time of the tests is compilation, of programs that run once; those of subprocesses and notebooks, too
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("NPROC", "1")  # each worker has a core: two that compute with all of them take 8 % longer
OPTIMISED = ("test_golden", "test_conv", "test_optimise", "test_transfer")  # compiled as users' programs are


@pytest.fixture(scope="module", autouse=True)
def compiler(request):
    """Set as the file wants it. Compiled programs are let go after it: a thousand in one process crash the compiler."""
    wanted = os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "1" and request.module.__name__ not in OPTIMISED
    jax.config.update("jax_disable_most_optimizations", wanted)
    yield
    jax.clear_caches()
    gc.collect()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real weights, real pictures and golden numbers; tests that want it skip without it."""
    folder = os.environ.get("NST_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set NST_TEST_DATA to the folder of real weights and pictures to run this test")
    return Path(folder)
