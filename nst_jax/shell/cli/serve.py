"""The command `nst-serve`."""

import sys
import threading
import time
import webbrowser
from pathlib import Path

from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import UserError
from nst_jax.shell.running.stop import catch_signals

USAGE = """\
nst-serve: a page on this computer, to paint pictures by hand

  nst-serve                  opens the page in a browser; Ctrl-C ends it
  nst-serve --no-browser     prints the address only
  nst-serve port=8765        this port; without it, one that is free
  nst-serve folder=pictures  the folder of the results, as output.folder of nst; without it, runs

The page answers this computer alone, and loads nothing from the network.
"""
WORKER = (sys.executable, "-m", "nst_jax.shell.cli.serve_worker")
PORTS = 65535


@command("nst-serve")
def main() -> None:
    """The command. Exit code 2 for a mistake in the line, or a port that is taken."""
    words = sys.argv[1:]
    if {"-h", "--help", "help"} & set(words):
        print(USAGE)
        return
    try:
        port, folder, browser = read(words)
        serve(port, folder, browser=browser)
    except UserError as error:
        print(f"nst-serve: {error}", file=sys.stderr)
        sys.exit(2)


def read(words: list[str]) -> tuple[int, Path, bool]:
    """The port, the folder and whether to open a browser. Raises UserError for another word."""
    port, folder, browser = 0, Path("runs"), True
    rest = iter(words)
    for word in rest:
        key, equals, value = word.removeprefix("--").partition("=")
        if word in ("--no-browser", "--browser", "--open"):
            browser = word != "--no-browser"
            continue
        if key not in ("port", "folder"):
            raise UserError(f"there is no option {word}; nst-serve --help lists the options")
        value = value if equals else next(rest, "")
        if key == "folder":
            folder = Path(value).expanduser()
        elif value.isdecimal() and int(value) <= PORTS:
            port = int(value)
        else:
            raise UserError(f"port={value}: a number up to {PORTS}; 0 is any that is free")
    return port, folder, browser


def serve(port: int, folder: Path, *, browser: bool) -> None:
    """Serve the page until Ctrl-C. A run that is under way is stopped, and what is there is kept."""
    from nst_jax.shell.serving.requests import ROUTES
    from nst_jax.shell.serving.server import Server

    try:
        folder.mkdir(parents=True, exist_ok=True)
        server = Server(port, folder, WORKER, ROUTES)
    except OSError as error:
        raise UserError(f"port={port}, folder={folder}: {error.strerror or error}") from None
    with catch_signals() as stop:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"nst-serve: open {server.address}\nThe pictures go to {folder.absolute()}. Ctrl-C ends.", flush=True)
        if browser:
            webbrowser.open(server.address)
        while not stop.asked:
            time.sleep(0.1)
        print("\nnst-serve: ending", flush=True)
        if kept := server.studio.close():
            print(f"nst-serve: the run was stopped; what is there is in {kept}")
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
