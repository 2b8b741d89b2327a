"""A process that paints one picture. It is started before it is needed: to load jax takes seconds."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

Message = dict[str, Any]
POSIX, NEW_GROUP = os.name == "posix", 0x00000200  # of Windows: CREATE_NEW_PROCESS_GROUP


class Painter:
    """The process. Orders go in as lines of JSON, and what happens comes out as such lines."""

    def __init__(self, command: Sequence[str], hear: Callable[["Painter", Message], object]) -> None:
        """Start it.

        Args:
          command: the program and its arguments.
          hear: takes each message of the process, in a thread of its own; the last one is {"kind": "gone"}.
        """
        self.hear = hear
        # in a group of its own: a Ctrl-C in the terminal is the server's
        group: dict[str, Any] = {"start_new_session": POSIX, "creationflags": 0 if POSIX else NEW_GROUP}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
        self.process = subprocess.Popen(list(command), **pipes, **group)
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def paint(self, words: Sequence[str]) -> None:
        """Paint what this line of `nst` paints. The process ends with it."""
        self._say({"words": list(words)})

    def stop(self) -> None:
        """Ask for the end: what is there is kept, as after Ctrl-C."""
        self._say({"stop": True})

    def end(self, *, patience: float) -> None:
        """Stop it and wait so many seconds; then kill it."""
        with suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.listener.join()

    def _say(self, message: Message) -> None:
        with suppress(OSError, ValueError):  # it has ended, which it says itself
            if self.process.stdin:
                self.process.stdin.write(json.dumps(message) + "\n")
                self.process.stdin.flush()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            with suppress(ValueError):
                self.hear(self, json.loads(line))
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):  # what was written and not read is lost
                if pipe:
                    pipe.close()
        self.hear(self, {"kind": "gone", "code": code})
