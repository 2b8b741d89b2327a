"""The device: what is set before jax is imported, the cache of compiled programs, and memory that runs out.

XLA_PYTHON_CLIENT_PREALLOCATE and XLA_PYTHON_CLIENT_MEM_FRACTION: docs.jax.dev, "GPU memory allocation". A
variable that is already in the environment is the user's own, and stays.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from nst_jax.shell import cache
from nst_jax.shell.errors import UserError
from nst_jax.shell.schema import Device

# jax's own names: highest leaves float32 exact, also where the hardware would rather have TF32
PRECISION = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": "highest"}
DTYPE = {"float32": "float32", "tf32": "float32", "bfloat16": "bfloat16"}
LEVERS = "a smaller size, device.checkpoint=true, device.precision=bfloat16, or network.convolution=direct"


def ready(device: Device) -> None:
    """Set everything up. To be called before anything is computed; what jax reads once, before it is imported."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", str(device.preallocate).lower())
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", f"{device.memory_fraction:.2f}")
    import jax

    jax.config.update("jax_default_matmul_precision", PRECISION[device.precision])
    if device.cache and not jax.config.jax_compilation_cache_dir:  # pyright: ignore
        remember_programs()


def remember_programs() -> None:
    """Every compiled program is kept in the cache folder. A damaged one is compiled again, with a warning."""
    import jax

    jax.config.update("jax_compilation_cache_dir", str(cache.folder() / "programs"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    jax.config.update("jax_raise_persistent_cache_errors", False)


def convolution(wanted: str) -> str:
    """`auto` means Winograd where it pays on a CPU; a GPU's own library chooses for itself."""
    import jax

    return "direct" if wanted == "auto" and jax.default_backend() != "cpu" else wanted


@contextmanager
def enough_memory() -> Iterator[None]:
    """Within, memory that runs out is told with what to do about it."""
    try:
        yield
    except MemoryError as error:
        raise UserError(f"out of memory: try {LEVERS}") from error
    except RuntimeError as error:  # jax.errors.JaxRuntimeError is one
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise UserError(f"out of memory ({str(error).splitlines()[0]}): try {LEVERS}") from error
