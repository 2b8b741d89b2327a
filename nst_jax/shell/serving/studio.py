"""The one picture that is being painted, and what the page shows of it."""

import base64
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from nst_jax.shell.errors import UserError
from nst_jax.shell.serving.painter import Message, Painter

BUSY = ("starting", "painting", "stopping")
PATIENCE = 120.0  # seconds in which a run saves what is there
NOTHING: dict[str, Any] = {
    "phase": "idle",  # idle, one of BUSY, done, stopped or failed
    "step": 0,
    "steps": 0,
    "left": None,  # seconds, by the pace so far
    "loss": None,
    "size": None,  # width and height
    "preview": 0,  # how often the picture has changed
    "note": "",  # a sentence of the run
    "error": "",  # a sentence: why there is no picture
    "folder": None,
    "result": None,
    "command": "",
    "photo": None,  # the photograph's name on the page
}


class Studio:
    """One run at a time, in a process of its own; the next process waits beside it.

    Attributes:
      state: what the page shows.
      picture: how the picture looks now, JPEG.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """command: of the process that paints."""
        self.command, self.state, self.picture = command, dict(NOTHING), b""
        self.networks: list[str] = []  # that are at hand; empty until the process has said so
        self.changed, self.version, self.open = threading.Condition(), 0, True
        self.painter = Painter(command, self.hear)

    def start(self, words: Sequence[str], facts: Mapping[str, Any]) -> None:
        """Begin a picture.

        Args:
          words: the line of `nst`.
          facts: what the page shows from the beginning.

        Raises:
          UserError: another one is being painted.
        """
        with self.changed:
            if self.state["phase"] in BUSY:
                raise UserError("a picture is being painted: wait for it, or stop it first")
            if self.painter.process.poll() is not None:
                self.painter = Painter(self.command, self.hear)
            self.picture = b""
            self._update({**NOTHING, "preview": self.state["preview"], "phase": "starting", **facts})
            self.painter.paint(words)

    def stop(self) -> None:
        """Stop the run. Its results so far are kept."""
        with self.changed:
            if self.state["phase"] in ("starting", "painting"):
                self._update({"phase": "stopping"})
                self.painter.stop()

    def close(self) -> str | None:
        """Stop the run and end the process; returns the folder of a run that was stopped."""
        with self.changed:
            self.open, busy = False, self.state["phase"] in BUSY
            self.changed.notify_all()
        self.painter.end(patience=PATIENCE if busy else 5.0)
        return self.state["folder"] if busy else None

    def wait(self, version: int, *, seconds: float) -> tuple[int, dict[str, Any]]:
        """The state and its version, once it is another than this one; after so many seconds in any case."""
        with self.changed:
            self.changed.wait_for(lambda: self.version != version or not self.open, seconds)
            return self.version, {**self.state, "networks": self.networks}

    def hear(self, painter: Painter, message: Message) -> None:
        """Take a message of a process."""
        with self.changed:
            if painter is not self.painter:
                return
            kind = message.get("kind")
            if kind == "ready":
                self.networks = message["networks"]
                self._update({})
            elif kind == "step":
                self._look(message)
            elif kind in ("note", "made"):
                self._update({key: message[key] for key in ("note", "result", "folder") if key in message})
            elif kind == "end":
                self._update({key: message[key] for key in ("phase", "error") if key in message})
                self.painter = Painter(self.command, self.hear)
            elif kind == "gone":
                self._say_why(message["code"])

    def _look(self, message: Message) -> None:
        """Show how far the run is."""
        if "picture" in message:
            self.picture = base64.b64decode(message.pop("picture"))
            message["preview"] = self.state["preview"] + 1
        stopping = self.state["phase"] == "stopping"
        self._update({**message, "phase": "stopping" if stopping else "painting"})

    def _say_why(self, code: int) -> None:
        """Say that the process has gone, which did not say so itself. code: its exit code."""
        if self.state["phase"] in BUSY:
            why = "the process that painted has ended, perhaps for want of memory: try a smaller size"
            self._update({"phase": "failed", "error": f"{why} (exit code {code})"})

    def _update(self, changes: Mapping[str, Any]) -> None:
        self.state.update({key: value for key, value in changes.items() if key in NOTHING})
        self.version += 1
        self.changed.notify_all()
