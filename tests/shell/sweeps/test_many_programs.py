"""A sweep of many programs in one process: its memory and its memory maps level off."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaign import times
from sweep_lines import ONE_LAYER, PAIR

PROGRAMS = min(200, max(16, times(60)))
HALF = PROGRAMS // 2


def look(process):
    """(memory maps, resident bytes) of a process that runs."""
    maps = Path(f"/proc/{process.pid}/maps").read_text().count("\n")
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return maps, pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells the memory maps of a process")
def test_memory_is_flat(tmp_path):
    """Each size is a program. What they compute is small: what one leaves behind is not."""
    small = (*ONE_LAYER, "network=texnet", "optimiser=adam", "steps=1")
    line = ("-m", *PAIR, *small, f"size=range(16,{16 + PROGRAMS})", "output.every=0", "sweep.folder=jobs")
    code = "from nst_jax.shell.cli.nst import main; main()"
    seen: dict[int, tuple[int, int]] = {}  # by the number of jobs that are done: the most
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-c", code, *line], cwd=tmp_path, stdout=log, stderr=log)
        while process.poll() is None:
            done = len(list(tmp_path.glob("jobs/*/mark.json")))
            try:
                seen[done] = max(seen.get(done, (0, 0)), look(process))
            except (OSError, IndexError):  # it has just ended
                break
            time.sleep(0.1)
    assert process.wait() == 0, (tmp_path / "log").read_text()
    assert len(list(tmp_path.glob("jobs/*/mark.json"))) == PROGRAMS
    for kind, most in ((0, 1.1), (1, 1.15)):
        early = [v[kind] for done, v in seen.items() if done < HALF]
        late = [v[kind] for done, v in seen.items() if HALF <= done < PROGRAMS]
        assert max(late) < most * max(early), seen
