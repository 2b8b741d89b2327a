"""A part of a sweep in a process of its own: `python -m nst_jax.shell.sweeps.worker PART.json PARENT`."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from nst_jax.shell.io.marks import FAILED, MISSING
from nst_jax.shell.running.stop import EXIT, Stop, catch_signals
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.schema import Sweep
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.cells import Cell


def pack(groups: Sequence[Sequence[Cell]], how: Sweep) -> dict[str, Any]:
    """Groups of jobs as plain data."""
    parts = [[(settings.plain(c.config), c.words, c.swept, str(c.folder.absolute())) for c in g] for g in groups]
    return {"groups": parts, "how": vars(how)}


def unpack(part: Mapping[str, Any]) -> list[list[Cell]]:
    """The groups of jobs in plain data."""
    return [
        [Cell(settings.from_plain(config), tuple(words), swept, Path(folder)) for config, words, swept, folder in group]
        for group in part["groups"]
    ]


def run(part: Mapping[str, Any]) -> int:
    """Run the jobs of a part that have not ended. Returns the exit code."""
    with catch_signals() as stop:
        work([[c for c in g if cells.status(c) == MISSING] for g in unpack(part)], Sweep(**part["how"]), stop)
        return EXIT[stop.asked] if stop.asked else 0


def work(groups: Sequence[Sequence[Cell]], how: Sweep, stop: Stop) -> None:
    """Run groups one after the other in this process."""
    from nst_jax.shell.running import device
    from nst_jax.shell.running.inputs import sizes_of_run
    from nst_jax.shell.sweeps import group as one_program
    from nst_jax.shell.sweeps.progress import Progress

    groups = [group for group in groups if group]
    progress = Progress([sum(sizes_of_run(cell.config)[-1].until for cell in group) for group in groups])
    for group in groups:
        if stop.asked or (how.stop_on_error and any_failed(groups)):
            break
        progress.next()
        one_program.run(group, how, stop, progress.update)
        device.release_programs()
    progress.close()


def any_failed(groups: Sequence[Sequence[Cell]]) -> bool:
    """Whether a job has failed by now."""
    return any(cells.status(cell) == FAILED for group in groups for cell in group)


def main(part: Path, parent: int) -> int:
    """Run a part, alone: the lock tells a later run that this process is at work. Returns the exit code."""
    with FileLock(part.with_suffix(".lock")):
        if os.name == "posix":  # Windows keeps the number of a parent that is gone, and may start a process by another
            if os.getppid() != parent:  # it was killed before this process could watch it
                return EXIT[signal.SIGTERM]
            threading.Thread(target=watch_parent, args=(parent,), daemon=True).start()
        return run(json.loads(part.read_text(encoding="utf-8")))


def watch_parent(parent: int) -> None:
    """Send SIGTERM to this process when its parent is gone: else two processes would work on one folder."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
