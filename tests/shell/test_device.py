"""What jax and XLA are told before they start: a GPU's memory, and the order of sums."""

import os

import pytest
from jax._src import xla_bridge
from jaxlib import xla_client

from nst_jax.shell.running import device
from nst_jax.shell.settings.schema import Device
from nst_jax.shell.sweeps import parts

NAMES = (device.SHARE, device.NEW_SHARE)
SETTINGS = Device(
    precision="float32", checkpoint=False, preallocate=False, memory_fraction=0.5, cache=False, deterministic=False
)


@pytest.fixture
def environment(monkeypatch):
    """An environment of the test's own, in a process that has not computed yet."""
    told = ("XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_FLAGS", "NPROC", *NAMES)
    own = {name: value for name, value in os.environ.items() if name not in told}
    monkeypatch.setattr(os, "environ", own)
    monkeypatch.setattr(xla_bridge, "backends_are_initialized", lambda: False)
    return own


def test_jaxlib_reads_the_settings_of_memory(environment):
    device.claim_memory(SETTINGS)
    known = xla_client.generate_pjrt_gpu_plugin_options()
    assert (known["memory_fraction"], known["preallocate"]) == (0.5, False)


@pytest.mark.parametrize("name", NAMES)
def test_a_share_of_memory_in_the_environment_stays(environment, name):
    """Under either name: jaxlib raises where both are set."""
    environment[name] = "0.25"
    device.claim_memory(SETTINGS)
    assert xla_client.generate_pjrt_gpu_plugin_options()["memory_fraction"] == 0.25


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_has_the_share_of_its_launcher(environment, name, tmp_path):
    environment[name] = "0.25"
    environment |= parts.environment(threads=2, gpu=0, gpu_memory=0.5, cache=tmp_path)
    device.claim_memory(SETTINGS)
    assert xla_client.generate_pjrt_gpu_plugin_options()["memory_fraction"] == 0.5


def test_a_fixed_order_is_a_flag_and_a_number_of_threads(environment):
    environment["XLA_FLAGS"] = "--xla_dump_to=here"
    for _ in range(2):
        device.fix_order(True)
        assert environment["XLA_FLAGS"].split() == ["--xla_dump_to=here", device.FIXED_ORDER]
        assert environment["NPROC"] == str(device.THREADS)
    device.fix_order(False)
    assert environment["XLA_FLAGS"] == "--xla_dump_to=here"
    assert "NPROC" not in environment


@pytest.mark.parametrize("threads", [None, "2"])
def test_a_flag_in_the_environment_stays_and_does_not_fix_the_threads(environment, threads):
    """A launcher sets the threads of its workers, which inherit the flag."""
    environment["XLA_FLAGS"] = device.FIXED_ORDER
    environment |= {} if threads is None else {"NPROC": threads}
    device.fix_order(False)
    assert (environment["XLA_FLAGS"], environment.get("NPROC")) == (device.FIXED_ORDER, threads)
    device.fix_order(True)
    assert (environment["XLA_FLAGS"], environment["NPROC"]) == (device.FIXED_ORDER, str(device.THREADS))
