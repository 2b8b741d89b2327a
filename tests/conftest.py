"""Shapes in annotations are checked under pytest, and only there."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("nst_jax", "beartype.beartype")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real weights, real pictures and golden numbers; tests that want it skip without it."""
    folder = os.environ.get("NST_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set NST_TEST_DATA to the folder of real weights and pictures to run this test")
    return Path(folder)
