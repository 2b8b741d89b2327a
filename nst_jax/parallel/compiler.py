"""How XLA is to compile a run's programs on a CPU."""

import jax

# XLA's convolutions by YNNPACK, and what is left without them. They keep one core busy of several at most sizes: with
# Eigen's, which take their place, a value and gradient takes 0.6 to 0.8 of the time on two cores (BENCHMARKS.md).
LIBRARY = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"}


def compiler_options() -> dict[str, str]:
    """Options for `compile` of a lowered program, or for jax.jit; none where this XLA does not know them."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda x: x).lower(0.0).compile(compiler_options=LIBRARY)
    except jax.errors.JaxRuntimeError:  # the name has "experimental" in it
        return {}
    return LIBRARY
