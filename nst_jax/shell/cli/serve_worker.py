"""The process that paints one picture for nst-serve: it runs the line of `nst` that the page shows.

Its input is two lines of JSON at most: {"words": [...]}, then {"stop": true}. The end of the input stops it, too. Its
output is a line of JSON for each thing that happens.
"""

import base64
import io
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import hydra
import numpy as np
from PIL import Image

from nst_jax.extractors import architecture
from nst_jax.shell.cli import words
from nst_jax.shell.cli.screen import Forgiving
from nst_jax.shell.errors import Ended, NoWeights, UserError
from nst_jax.shell.io import cache, weights
from nst_jax.shell.places import conf
from nst_jax.shell.running import checkpoint, device, instant, single
from nst_jax.shell.running.bar import last_of_curve
from nst_jax.shell.running.session import Session, bare_state
from nst_jax.shell.running.stop import Stop, catch_signals
from nst_jax.shell.serving import choices
from nst_jax.shell.settings import config as settings

SHOWN = 1024  # pixels of the longer side of what the page shows
SHARE = 20  # to show the picture takes at most this part of the time
QUALITY = 88


class Speaker:
    """Writes messages, a line each. Several threads may."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.lock = stream, threading.Lock()

    def __call__(self, kind: str, **facts: Any) -> None:
        with self.lock, suppress(OSError):  # the server has gone: the run stops, and keeps what is there
            self.stream.write(json.dumps({"kind": kind, **facts}, default=str) + "\n")
            self.stream.flush()


class Notes(logging.Handler):
    """The log of the run, as messages: warnings, and where the picture is."""

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self.say, self.made = say, ""

    def emit(self, record: logging.LogRecord) -> None:
        """Say what the page shows of a record."""
        if known := getattr(record, "record", None):
            self.made = str(known["picture"])
            self.say("made", result=self.made, folder=known["folder"])
        elif record.levelno >= logging.WARNING:
            self.say("note", note=record.getMessage())


class Watcher:
    """Says how far a run is, and how its picture looks."""

    def __init__(self, say: Speaker) -> None:
        self.say, self.due = say, 0.0
        self.folder: Path | None = None

    def __call__(self, session: Session) -> None:
        """After a chunk."""
        lane, began = session.lanes[0], time.perf_counter()
        self.folder = lane.folder
        height, width = lane.job.start.shape[:2]
        record = last_of_curve(lane.curve()) if lane.done else lane.records[-1]
        left = lane.seconds / lane.done * (lane.job.plan.steps - lane.done) if lane.done else None
        facts: dict[str, Any] = {"step": lane.done, "steps": lane.job.plan.steps, "left": left, "size": [width, height]}
        facts |= {"folder": lane.folder.absolute(), "loss": record["total"] if np.isfinite(record["total"]) else None}
        if began > self.due and not lane.ended:
            image = lane.picture(bare_state(session.states, 0))
            facts["picture"] = base64.b64encode(encode(image)).decode()
            self.due = time.perf_counter() + SHARE * (time.perf_counter() - began)
        self.say("step", **facts)


def encode(image: np.ndarray) -> bytes:
    """An image (height, width, 3) in [0, 1] as a JPEG for the page."""
    picture = Image.fromarray(np.round(255 * np.clip(image, 0, 1)).astype(np.uint8))
    picture.thumbnail((SHOWN, SHOWN))
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=QUALITY)
    return file.getvalue()


def main() -> None:
    """Report which networks are available, then paint the picture that the input asks for."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what else is printed is no message
    sys.stderr = Forgiving(sys.stderr)
    sys.stderr.silent = True  # the page shows the progress
    say = Speaker(out)
    say("ready", networks=find_networks())
    with catch_signals() as stop:
        line = sys.stdin.readline()
        if not line:
            return
        threading.Thread(target=listen, args=(stop,), daemon=True).start()
        notes, log = Notes(say), logging.getLogger("nst_jax")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(notes)
        say("end", **paint(json.loads(line)["words"], stop, Watcher(say), notes))


def listen(stop: Stop) -> None:
    """Stop the run when the input says so, or ends."""
    sys.stdin.readline()
    stop.hear(signal.SIGINT)


def find_networks() -> list[str]:
    """The networks of the page whose weights are here."""
    found = []
    for name in choices.NETWORKS:
        known = architecture(name)
        own = next((known.sources[name] for name in weights.ORDER if name in known.sources), ())
        files = [published.file for published in own]
        if known.packaged or any(cache.converted_path(f).is_file() or (cache.folder() / f).is_file() for f in files):
            found.append(name)
    return found


def paint(given: list[str], stop: Stop, watch: Watcher, notes: Notes) -> dict[str, Any]:
    """Run the line and say how it ended: {"phase", "error"}."""
    try:
        run(given, watch)
        if stop.asked and watch.folder and checkpoint.exists(watch.folder):
            return {"phase": "stopped"}
        if notes.made:
            return {"phase": "done"}
        return {"phase": "idle" if stop.asked else "failed", "error": "" if stop.asked else choices.BUG}
    except Ended:
        return {"phase": "idle"}
    except NoWeights as error:
        return {"phase": "failed", "error": f"{error}. The network distilled is always here"}
    except UserError as error:
        return {"phase": "failed", "error": str(error)}
    except Exception as error:
        if settings.is_mistake(error):
            return {"phase": "failed", "error": settings.explain(error)}
        traceback.print_exc()
        return {"phase": "failed", "error": choices.BUG}


def run(given: list[str], watch: Watcher) -> int:
    """Run the line as `nst` does; returns the exit code."""
    if given[0].startswith("resume="):
        folder = Path(given[0].partition("=")[2])
        device.set_up(single.read_record(folder)[0].device)
        return single.resume(folder, None, watch=watch)
    line = words.read(given)
    with hydra.initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        composed = hydra.compose("config", overrides=line.hydra())
    wanted = settings.read(composed)
    device.set_up(wanted.device)
    if wanted.model is None:
        return single.stylise(wanted, given, watch=watch)
    return instant.run(wanted, line.contents, given)


if __name__ == "__main__":
    main()
