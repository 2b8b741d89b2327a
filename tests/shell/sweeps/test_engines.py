"""Sweeps beyond one process: the real engines, real workers, and one of them killed."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from sweep_lines import ADAM, start, sweep_folder, table, until

from nst_jax.shell.sweeps.engines import split
from nst_jax.shell.sweeps.parts import environment

FOUR = ("style_weight=1e2,1e4", "seed=0,1")
ENGINES = {
    "pool": ("hydra/launcher=pool", "hydra.launcher.workers=2"),
    "ray": ("hydra/launcher=ray", "hydra.launcher.workers=2"),
    "dask": ("hydra/launcher=dask", "hydra.launcher.workers=2"),
    "slurm": ("hydra/launcher=slurm", "hydra.launcher.cluster=local", "hydra.launcher.workers=2"),
}
NEEDS = {"pool": "nst_jax", "ray": "ray", "dask": "distributed", "slurm": "submitit"}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_the_real_engine(tmp_path, engine):
    pytest.importorskip(NEEDS[engine])
    process = start(tmp_path, *ADAM, *ENGINES[engine], *FOUR)
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 0, text
    assert "4 done" in text
    assert len(re.findall(r"part \d/2: 2 of 2 jobs done", text)) == 2
    rows = table(tmp_path / sweep_folder(text))
    assert len(rows) == 4
    assert {r["lanes"] for r in rows} == {"2"}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["pool", "ray"])
def test_a_killed_worker_loses_nothing(tmp_path, engine):
    """SIGKILL in mid-sweep: the part goes on in another process, from its checkpoint."""
    pytest.importorskip(NEEDS[engine])
    long = ("steps=1000", "output.every=50", "sweep.checkpoint=0.2", "sweep.folder=here")
    process = start(tmp_path, *ADAM, *ENGINES[engine], *FOUR, *long)
    until(lambda: len(list(tmp_path.glob("here/*/checkpoint.npz"))) == 4, process)
    victims = [p for p in workers(process.pid) if p != process.pid]
    assert victims, "no worker was found"
    os.kill(victims[0], signal.SIGKILL)
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 0, text
    assert "4 done" in text
    logs = [(tmp_path / "here" / r["path"] / "nst.log").read_text() for r in table(tmp_path / "here")]
    assert sum("continued after step" in log for log in logs) == 2
    assert {r["step"] for r in table(tmp_path / "here")} == {"1000"}


def workers(root):
    """The processes below `root` that compute a part of the sweep, by their threads' doing."""
    parents, names = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            names[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
    below, edge = set(), {root}
    while edge:
        edge = {p for p, parent in parents.items() if parent in edge} - below
        below |= edge
    return [p for p in sorted(below) if re.search(r"sweeps\.worker|ray::run", names[p])]


def test_a_part_that_dies_every_time_is_a_failure(tmp_path, monkeypatch):
    """A worker that cannot start: reported, with where its output is; the table has a row for each job."""
    monkeypatch.setenv("JAX_PLATFORMS", "no_such_device")
    process = start(tmp_path, *ADAM, *ENGINES["pool"], "hydra.launcher.retries=1", "seed=0,1", "steps=1")
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 1, text
    assert "2 failed" in text


@pytest.mark.slow
def test_workers_end_when_the_command_is_killed(tmp_path):
    process = start(tmp_path, *ADAM, *ENGINES["pool"], *FOUR, "steps=1000000", "sweep.folder=here")
    until(lambda: len(list(tmp_path.glob("here/*/snapshots/*.png"))) > 8, process)
    left = workers(process.pid)
    process.kill()
    process.communicate()
    assert left
    deadline = time.monotonic() + 60
    while any(alive(p) for p in left) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(p) for p in left)
    assert len(list(tmp_path.glob("here/*/checkpoint.npz"))) == 4


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_ctrl_c_reaches_the_workers(tmp_path):
    process = start(tmp_path, *ADAM, *ENGINES["pool"], *FOUR, "steps=1000000", "sweep.folder=here")
    until(lambda: len(list(tmp_path.glob("here/*/snapshots/*.png"))) > 8, process)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 130, text
    assert len(list(tmp_path.glob("here/*/checkpoint.npz"))) == 4


def test_the_sbatch_file(tmp_path, monkeypatch):
    """What SLURM would be given, by a `sbatch` that only says a number."""
    pytest.importorskip("submitit")
    from nst_jax.shell.sweeps.engines.slurm import executor_of

    fake = tmp_path / "bin" / "sbatch"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho Submitted batch job 17\n")
    fake.chmod(0o755)
    (tmp_path / "bin" / "srun").symlink_to(fake)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    executor = executor_of(tmp_path, "slurm", 4, 0.9, {"timeout_min": 30, "mem_gb": 8, "slurm_partition": "gpu"})
    with executor.batch():
        tasks = [executor.submit(print, n) for n in range(3)]
    assert [task.job_id for task in tasks] == ["17_0", "17_1", "17_2"]
    text = (tmp_path / ".slurm" / "17" / "17_submission.sh").read_text()
    for line in ("--array=0-2", "--cpus-per-task=4", "--time=30", "--mem=8GB", "--partition=gpu", "--job-name=nst"):
        assert f"#SBATCH {line}" in text, text
    assert "export NPROC=4" in text
    assert text.index("export NPROC=4") < text.index("srun")
    assert sys.executable in text


def test_split_gives_every_worker_something():
    parts = split([list(range(10)), list(range(2))], 4)
    assert [len(p) for p in parts] == [3, 3, 3, 1, 2] or max(map(len, parts)) <= 3
    assert sum(map(len, parts)) == 12
    assert [len(p) for p in split([list(range(5))], 1)] == [5]


def test_the_environment_of_a_gpu_worker(tmp_path):
    known = environment(threads=2, gpu=3, gpu_memory=0.5, cache=tmp_path)
    assert known["CUDA_VISIBLE_DEVICES"] == "3"
    assert known["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.5"
    assert known["NPROC"] == "2"
    assert "CUDA_VISIBLE_DEVICES" not in environment(threads=2, gpu=None, gpu_memory=0.5, cache=tmp_path)
