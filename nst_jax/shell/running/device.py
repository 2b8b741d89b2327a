"""The device: settings that jax reads when it is imported, the cache of compiled programs, memory that runs out.

XLA_PYTHON_CLIENT_PREALLOCATE and XLA_PYTHON_CLIENT_MEM_FRACTION: docs.jax.dev, "GPU memory allocation". A
variable that is already set in the environment is left as it is. The meaning of the settings on a GPU and a TPU:
docs/how_to/devices.md.
"""

import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache
from nst_jax.shell.running import hosts, memory
from nst_jax.shell.running.checked_cache import check_entries
from nst_jax.shell.settings.devices import by_rows
from nst_jax.shell.settings.schema import Device

LOG = logging.getLogger("nst_jax")

# jax's own names: highest leaves float32 exact, also on hardware that defaults to TF32
PRECISION = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": "highest"}
DTYPE = {"float32": "float32", "tf32": "float32", "bfloat16": "bfloat16"}
# A CPU's sums are split by the threads of XLA's pool: so many on any machine. A GPU's kernels: without atomic
# additions, and not chosen by their time.
THREADS = 4
FIXED_ORDER = "--xla_gpu_deterministic_ops=true"
# The share of a GPU's memory: jaxlib's name, and the one that is to replace it. Beside each other jaxlib refuses them
# (xla_client.generate_pjrt_gpu_plugin_options), and jax then goes on without the GPU.
SHARE, NEW_SHARE = "XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION"
KEPT = 8  # programs of a sweep that are held at most
ENDED = count(1)  # programs of this process
ADDRESSES = 2 * 10**9  # bytes of addresses that jax reserves when it starts, on two cores; little of it is memory
LEVERS = "device.tiles=512, a smaller size, device.precision=bfloat16, or network.convolution=direct"


def set_up(device: Device) -> None:
    """Set jax up by the settings, before anything is computed: jax reads the memory settings when it is imported."""
    check_limit()
    claim_memory(device)
    fix_order(device.deterministic)
    import jax

    if device.distributed:
        hosts.join()
    try:
        devices = jax.devices()
    except (RuntimeError, AssertionError) as error:  # jax asserts that there is a device
        wanted, why = os.environ.get("JAX_PLATFORMS", ""), (str(error).splitlines() or ["no such device is here"])[0]
        raise UserError(f"JAX_PLATFORMS={wanted}: {why}. JAX_PLATFORMS=cpu computes on the CPU") from None
    mesh_sides(device.mesh, devices=len(devices))
    jax.config.update("jax_default_matmul_precision", PRECISION[device.precision])
    if device.cache and not jax.config.jax_compilation_cache_dir:  # pyright: ignore
        keep_programs()


def claim_memory(device: Device) -> None:
    """Say how jax is to take a GPU's memory, unless the environment says it already."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", str(device.preallocate).lower())
    os.environ.setdefault(share_variable(), f"{device.memory_fraction:.2f}")


def share_variable() -> str:
    """The variable of the share of a GPU's memory that jax takes: the new name where the environment has it."""
    return NEW_SHARE if NEW_SHARE in os.environ else SHARE


def check_limit() -> None:
    """Refuse a limit of addresses within which jax aborts: what C++ then says helps nobody."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit
    except ImportError:  # Windows has no such limit
        return
    limit = getrlimit(RLIMIT_AS)[0]
    if limit != RLIM_INFINITY and limit < ADDRESSES:
        raise UserError(
            f"this process may have {limit / 1e9:.2g} GB of addresses (ulimit -v), and jax needs "
            f"{ADDRESSES / 1e9:.2g} GB to start: say ulimit -v unlimited, or ask for more memory for the job"
        )


def fix_order(wanted: bool) -> None:
    """Let XLA add in one order, whatever the number of cores, or as it likes. It decides once in a process.

    The flag and the number of threads are ours where both are set. A flag alone is the user's, and stays.

    Raises:
      UserError: this process has begun with the other choice.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if wanted == (FIXED_ORDER in flags and os.environ.get("NPROC") == str(THREADS)):
        return
    if "jax" in sys.modules and sys.modules["jax._src.xla_bridge"].backends_are_initialized():
        raise UserError(
            f"device.deterministic={str(wanted).lower()}: this process has computed with the other value already. Give "
            "each value a command of its own"
        )
    if wanted:
        flags = flags if FIXED_ORDER in flags else f"{flags} {FIXED_ORDER}".strip()
        os.environ |= {"XLA_FLAGS": flags, "NPROC": str(THREADS)}
    else:
        os.environ["XLA_FLAGS"] = flags.replace(FIXED_ORDER, "").strip()
        os.environ.pop("NPROC", None)


def keep_programs() -> None:
    """Keep every compiled program in the cache folder, if there is one. A damaged one is compiled again."""
    import jax

    try:
        place = cache.folder()
    except UserError as error:
        LOG.warning("compiled programs are not kept: %s", error)
        return
    check_entries(str(place / "programs"))
    jax.config.update("jax_compilation_cache_dir", str(place / "programs"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    jax.config.update("jax_raise_persistent_cache_errors", False)


def mesh_sides(mesh: str, *, devices: int) -> tuple[int, int]:
    """How many devices share the lanes, and how many the rows of an image.

    Args:
      mesh: lanes, rows, or LANESxROWS.
      devices: that there are.

    Raises:
      UserError: there are not so many.
    """
    if mesh == "lanes":
        return devices, 1
    if devices == 1:
        raise UserError(f"device.mesh={mesh}: there is one device here. Leave device.mesh out")
    if mesh == "rows":
        return 1, devices
    along, rows = map(int, mesh.split("x"))
    if along * rows > devices:
        raise UserError(f"device.mesh={mesh} needs {along * rows} devices; there are {devices} here")
    return along, rows


def convolution(wanted: str, mesh: str = "lanes") -> str:
    """The kind of convolution: `auto` stays so on a CPU, where Winograd pays in some layers; elsewhere it is direct.

    So it is by rows over several devices, too: XLA would gather Winograd's tiles.
    """
    import jax

    return "direct" if wanted == "auto" and (jax.default_backend() != "cpu" or by_rows(mesh)) else wanted


def release_programs() -> None:
    """Let go of all compiled programs after every KEPT programs of a sweep.

    Each holds some 600 of the 65,530 memory maps that Linux grants a process, and 40 MB. The next program gets the
    shared parts back from the cache.
    """
    if next(ENDED) % KEPT:
        return
    import jax

    jax.clear_caches()
    gc.collect()


def free_memory() -> int:
    """Free bytes of the device; of the machine, where the device does not say."""
    import jax

    known = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in known:
        return known["bytes_limit"] - known.get("bytes_in_use", 0)
    return memory.free()


@contextmanager
def enough_memory() -> Iterator[None]:
    """Within, an error for memory that runs out names the settings that need less."""
    try:
        yield
    except MemoryError as error:
        raise UserError(f"out of memory: try {LEVERS}") from error
    except RuntimeError as error:  # jax.errors.JaxRuntimeError is one
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise UserError(f"out of memory ({str(error).splitlines()[0]}): try {LEVERS}") from error
