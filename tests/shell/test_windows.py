"""What Windows lacks is not needed: modules, functions of `os`, names of signals.

The run is one on this system, in a process that has lost them. Other packages, which know Windows, are imported before.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nst_jax import pictures
from nst_jax.shell.places import PACKAGE
from nst_jax.shell.running import memory

# docs.python.org/3/library: the modules and functions with "Availability: Unix", or without Windows
MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
FUNCTIONS = (
    *(
        "chroot",
        "confstr",
        "fchmod",
        "fchown",
        "fork",
        "forkpty",
        "getgid",
        "getegid",
        "geteuid",
        "getgroups",
        "getloadavg",
    ),
    *(
        "getpgid",
        "getpgrp",
        "getpriority",
        "getsid",
        "getuid",
        "killpg",
        "lchown",
        "mkfifo",
        "mknod",
        "nice",
        "openpty",
    ),
    *(
        "pathconf",
        "posix_fadvise",
        "posix_fallocate",
        "pread",
        "preadv",
        "pwrite",
        "pwritev",
        "register_at_fork",
        "sched_getaffinity",
    ),
    *("sched_setaffinity", "sched_yield", "setpgid", "setpriority", "setsid", "setuid", "statvfs", "sync"),
    *("sysconf", "tcgetpgrp", "ttyname", "uname", "wait", "wait3", "wait4", "waitid"),
    *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_SYNC", "RTLD_GLOBAL"),
)
SIGNALS = ("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGUSR1", "SIGUSR2")
CALLS = ("alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait")

LOSE = f"""
import os, signal, sys
import concurrent.futures, filelock, flax, h5py, hydra, importlib.metadata, jax, matplotlib.pyplot, optax, PIL.Image
import multiprocessing, platform, safetensors.numpy, scipy.io, subprocess, tqdm, urllib.request, webbrowser, jaxtyping
from multiprocessing import resource_tracker, synchronize
jax.devices()
for name in {MODULES}:
    sys.modules[name] = None
for name in {FUNCTIONS}:
    if hasattr(os, name):
        delattr(os, name)
for name in {SIGNALS + CALLS}:
    if hasattr(signal, name):
        delattr(signal, name)
"""


def run(code, folder):
    return subprocess.run([sys.executable, "-c", LOSE + code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name != "posix", reason="there is nothing to lose")
def test_what_is_lost_was_there():
    """Without this, a misspelt name would be tested no more."""
    known = [name for name in FUNCTIONS if hasattr(os, name)]
    assert len(known) > len(FUNCTIONS) - 4


@pytest.mark.skipif(os.name != "posix", reason="Windows itself is the test there")
def test_every_module_is_imported_without_what_windows_lacks(tmp_path):
    paths = [p.relative_to(PACKAGE).with_suffix("") for p in sorted(PACKAGE.rglob("*.py"))]
    names = [".".join(("nst_jax", *path.parts)).removesuffix(".__init__") for path in paths]
    names = ["hydra_plugins.nst_jax_sweeps", *names]
    assert len(names) > 150
    code = f"import importlib\nfor name in {names}:\n    importlib.import_module(name)\nprint('all')"
    done = run(code, tmp_path)
    assert done.stdout.endswith("all\n"), done.stderr


@pytest.mark.skipif(os.name != "posix", reason="Windows itself is the test there")
def test_a_run_and_a_sweep_without_what_windows_lacks(tmp_path):
    one, two = (str(pictures.path(name)) for name in ("landscape", "brush"))
    words = ["nst", one, two, "network=distilled", "size=24", "steps=2"]
    code = f"""
from nst_jax.shell.cli.nst import main
from nst_jax.shell.running import memory
memory.MEMINFO = memory.Path("nothing")
memory._ask_windows = lambda: 8 << 30
for words in ({[*words, "-o", "out.png"]}, {[*words[:1], "-m", *words[1:], "seed=0,1", "canvas=noise"]}):
    sys.argv = words
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out.png").stat().st_size > 1000
    assert len(list(Path(tmp_path).glob("runs/sweeps/*/*/result.png"))) == 2


def test_windows_is_asked_for_its_memory(monkeypatch):
    """The fields are where Windows writes them: after two numbers of four bytes and one of eight."""

    class Kernel:
        @staticmethod
        def GlobalMemoryStatusEx(pointer):
            status = pointer._obj
            assert status.length == ctypes.sizeof(status) == 64
            ctypes.memmove(ctypes.addressof(status) + 16, (5 << 30).to_bytes(8, "little"), 8)
            return 1

    monkeypatch.setattr(memory, "MEMINFO", Path("nothing"))
    monkeypatch.delattr(os, "sysconf", raising=False)
    monkeypatch.setattr(ctypes, "windll", type("Windll", (), {"kernel32": Kernel}), raising=False)
    assert memory.free() == 5 << 30


def test_the_memory_of_this_machine():
    assert 1 << 24 < memory.free() < 1 << 50
