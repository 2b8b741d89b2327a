"""A part of a sweep in a process of its own: `python -m nst_jax.shell.sweeps.worker PART.json`."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell import config as settings
from nst_jax.shell.schema import Sweep
from nst_jax.shell.stop import EXIT, Stop, listening
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.cells import Cell


def packed(groups: Sequence[Sequence[Cell]], how: Sweep) -> dict[str, Any]:
    """Groups of jobs as plain data, for any way to send it."""
    parts = [[(settings.plain(c.config), c.words, c.swept, str(c.folder.absolute())) for c in g] for g in groups]
    return {"groups": parts, "how": vars(how)}


def unpacked(part: Mapping[str, Any]) -> list[list[Cell]]:
    """The groups again."""
    return [
        [Cell(settings.from_plain(config), tuple(words), swept, Path(folder)) for config, words, swept, folder in group]
        for group in part["groups"]
    ]


def run(part: Mapping[str, Any]) -> int:
    """Run a part, what earlier attempts finished left out. Returns the exit code."""
    with listening() as stop:
        work([[c for c in g if not cells.marked(c.folder)] for g in unpacked(part)], Sweep(**part["how"]), stop)
        return EXIT[stop.asked] if stop.asked else 0


def work(groups: Sequence[Sequence[Cell]], how: Sweep, stop: Stop) -> None:
    """Run groups one after the other in this process."""
    from nst_jax.shell.sweeps import lanes
    from nst_jax.shell.sweeps.progress import Progress

    groups = [group for group in groups if group]
    progress = Progress([sum(cell.config.steps for cell in group) for group in groups])
    for group in groups:
        if stop.asked or (how.stop_on_error and any_failed(groups)):
            break
        progress.next()
        lanes.run(group, how, stop, progress.news)
    progress.close()


def any_failed(groups: Sequence[Sequence[Cell]]) -> bool:
    """Whether a job has failed by now."""
    marks = (cells.marked(cell.folder) for group in groups for cell in group)
    return any(mark and mark["row"]["status"] == cells.FAILED for mark in marks)


def orphaned() -> None:
    """End as by SIGTERM when the process that started this one is gone: else two would work on one folder."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=orphaned, daemon=True).start()
    sys.exit(run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
