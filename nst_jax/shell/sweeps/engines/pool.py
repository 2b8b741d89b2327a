"""Local processes, each with one part of the lanes at a time. One that is killed is started again."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nst_jax.shell.running.stop import Stop
from nst_jax.shell.settings.schema import Sweep
from nst_jax.shell.sweeps import parts, worker
from nst_jax.shell.sweeps.cells import Cell
from nst_jax.shell.sweeps.engines import split


def run(
    found: Sequence[Sequence[Cell]],
    how: Sweep,
    stop: Stop,
    *,
    folder: Path,
    workers: int | None,
    threads: int,
    gpus: Sequence[int] | None,
    gpu_memory: float,
    retries: int,
) -> None:
    """Run the groups. The results of each job are in its folder."""
    devices = list(visible() if gpus is None else gpus)
    many = workers or len(devices) or max(1, (os.cpu_count() or 1) // threads)
    pool = Pool(split(found, many), how, folder, retries)
    pool.slots = [devices[i % len(devices)] if devices else None for i in range(many)]
    pool.settings = {"threads": threads, "gpu_memory": gpu_memory, "cache": folder / ".cache"}
    pool.run(stop)


def visible() -> list[int]:
    """The numbers of this machine's GPUs. jax is not asked: it would take their memory."""
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False).stdout
    return list(range(listed.count("GPU ")))


class Pool:
    """Parts that wait, and processes that work on parts."""

    slots: list[int | None]  # a GPU for each process at a time, None: the CPU
    settings: dict[str, Any]

    def __init__(self, found: Sequence[Sequence[Cell]], how: Sweep, folder: Path, retries: int) -> None:
        self.found, self.how, self.folder, self.retries = found, how, folder, retries
        self.waiting, self.tries = list(range(len(found))), [0] * len(found)
        self.running: dict[int, tuple[int, subprocess.Popen[bytes]]] = {}  # slot -> part, process

    def run(self, stop: Stop) -> None:
        """Run until every part has ended, or a signal asks for the end."""
        parts.wait_for_others(self.folder / ".parts", stop)
        while self.waiting or self.running:
            if stop.asked:
                self.end(stop)
                return
            for slot in range(len(self.slots)):
                if slot not in self.running and self.waiting:
                    self.start(slot, self.waiting.pop(0))
            time.sleep(parts.POLL)
            for slot in [s for s, (_, process) in self.running.items() if process.poll() is not None]:
                self.collect(slot)
            if any(parts.halt(stop, part, self.how.stop_on_error) for part in self.found):
                self.waiting = []

    def start(self, slot: int, part: int) -> None:
        """Start a process for a part."""
        path = self.folder / ".parts" / f"{part:04d}.json"
        parts.write(path, json.dumps(worker.pack([self.found[part]], self.how)))
        known = parts.environment(gpu=self.slots[slot], **self.settings)
        with path.with_suffix(".log").open("ab") as log:
            command = [sys.executable, "-m", "nst_jax.shell.sweeps.worker", str(path), str(os.getpid())]
            # a process group of its own: `end` passes Ctrl-C on, once
            process = subprocess.Popen(command, env=os.environ | known, stderr=log, start_new_session=True)
        parts.write(path.with_suffix(".pid"), str(process.pid))
        self.running[slot] = part, process

    def collect(self, slot: int) -> None:
        """Take note of a process that has ended. If its part has not, try it again."""
        part, process = self.running.pop(slot)
        if not parts.is_unfinished(self.found[part]):
            parts.report(self.found[part], part, len(self.found))
        elif self.tries[part] < self.retries:
            self.tries[part] += 1
            told = part + 1, len(self.found), process.returncode
            parts.LOG.warning("part %d/%d: its process ended with %d; again", *told)
            self.waiting.append(part)
        elif not self.how.stop_on_error:
            log = self.folder / ".parts" / f"{part:04d}.log"
            parts.give_up(self.found[part], f"the process ended with {process.returncode}; its output is in {log}")

    def end(self, stop: Stop) -> None:
        """Pass the signal on; the workers write their checkpoints."""
        if os.name == "posix":  # on Windows they hear Ctrl-C from the console that they share
            for _, process in self.running.values():
                process.send_signal(stop.asked or 15)
        for _, process in self.running.values():
            process.wait()
