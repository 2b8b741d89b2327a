"""How XLA is to compile a run's programs on a CPU."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import jax

# What XLA gives to YNNPACK: no convolutions. At most sizes those keep one core busy, of however many. With Eigen's in
# their place, a value and gradient of a ResNet takes 0.7 to 0.8 of the time on two cores (BENCHMARKS.md).
LIBRARY = "xla_cpu_experimental_ynn_fusion_type"
WITHOUT_CONVOLUTIONS = "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"


def compiler_options() -> dict[str, str | bool]:
    """Options for `compile` of a lowered program, or for the outermost jax.jit.

    None on another device, where XLA_FLAGS has a choice of its own, and where this XLA does not know them: they only
    save time.
    """
    if jax.default_backend() != "cpu" or LIBRARY in os.environ.get("XLA_FLAGS", ""):
        return {}
    options: dict[str, str | bool] = {LIBRARY: WITHOUT_CONVOLUTIONS}
    try:
        jax.jit(lambda x: x).lower(0.0).compile(compiler_options=options)
    except jax.errors.JaxRuntimeError:  # the name has "experimental" in it
        return {}
    return options


@cache
def with_options(function: Callable[..., Any], *, static: str, donated: str | None = None) -> Callable[..., Any]:
    """A function, compiled with these options: one for each function of a process. Not within another jax.jit.

    Args:
      function: jitted or not.
      static: the name of its static argument.
      donated: the name of the argument whose memory it may take.
    """
    names = {"static_argnames": static, "donate_argnames": donated}
    return jax.jit(function, **names, compiler_options=compiler_options())  # pyright: ignore[reportCallIssue]
