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


@pytest.fixture(scope="module", autouse=True)
def forgotten():
    """Compiled programs are let go after each file: a thousand in one process crash the compiler."""
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
