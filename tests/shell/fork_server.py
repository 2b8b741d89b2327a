"""Run `nst` many times in forks of one process that has imported everything: a start takes 0.1 s instead of 3.

Reads lines {"words", "folder", "screen", "signal", "after", "files", "many"}, and writes a line {"code", "seconds"} for
each. The signal is sent after so many seconds, and when there are so many files of that pattern.
"""

import gc
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import nst_jax.shell.running.single
import nst_jax.shell.sweeps.group  # noqa: F401  what a run imports
from nst_jax.shell.cli import nst

LONGEST = 60  # seconds to wait for the files


def child(wanted):
    """Become the command: its words, its folder, its screen."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.setsid()
    os.chdir(wanted["folder"])
    screen = os.open(wanted["screen"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(screen, stream)
    sys.argv[:] = ["nst", *wanted["words"]]
    try:
        nst.main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def count(pattern):
    """How many files there are of a pattern."""
    folder = Path(pattern).parent.parent
    return sum(1 for _ in folder.glob("/".join(Path(pattern).parts[-2:])))


def parent(pid, wanted):
    """Send the signal when it is time, and wait for the end."""
    began = time.monotonic()
    if wanted["signal"]:
        time.sleep(wanted["after"])
        while wanted["many"] and wanted["many"] > count(wanted["files"]) and time.monotonic() < began + LONGEST:
            time.sleep(0.001)
        os.kill(pid, wanted["signal"])
    _, status = os.waitpid(pid, 0)
    return {"code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - began}


def main():
    """Serve until the end of the input."""
    gc.freeze()
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if not pid:
            child(wanted)
        print(json.dumps(parent(pid, wanted)), flush=True)


if __name__ == "__main__":
    main()
