"""The options by which a run's programs are compiled: nst_jax.parallel.compiler."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nst_jax.parallel import compiler
from nst_jax.parallel.compiler import LIBRARY, WITHOUT_CONVOLUTIONS, compiler_options


def convolve(x, kernel):
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=numbers)


def test_a_convolution_is_not_the_library_s():
    """XLA's text names what YNNPACK computes. Where it is not there without options, they have no use any more."""
    x, kernel = jnp.ones((1, 32, 32, 32)), jnp.ones((3, 3, 32, 32)) / 288
    lowered = jax.jit(convolve).lower(x, kernel)
    plain, ours = lowered.compile(), lowered.compile(compiler_options=compiler_options())
    if jax.default_backend() == "cpu" and jax.__version__ == "0.10.2":
        assert "ynn" in str(plain.as_text())
    assert "ynn" not in str(ours.as_text()) or not compiler_options()
    np.testing.assert_allclose(plain(x, kernel), ours(x, kernel), rtol=1e-5)


def test_an_unknown_option_is_left_out(monkeypatch: pytest.MonkeyPatch):
    assert compiler_options() in ({}, {LIBRARY: WITHOUT_CONVOLUTIONS})
    monkeypatch.setattr(compiler, "LIBRARY", "xla_cpu_experimental_of_another_year")
    assert compiler_options() == {}


def test_a_choice_of_the_environment_stays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLA_FLAGS", f"--{LIBRARY}=")
    assert compiler_options() == {}


def test_another_device_has_no_options(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert compiler_options() == {}
