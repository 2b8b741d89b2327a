"""The server of the page. It listens on this machine alone, and answers to those who know the token in its address."""

import json
import re
import secrets
import shlex
import shutil
import socketserver
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from nst_jax.shell.errors import UserError
from nst_jax.shell.serving import choices, order, past
from nst_jax.shell.serving.shelf import LARGEST, LARGEST_MASK, Shelf
from nst_jax.shell.serving.studio import Studio

ADDRESS = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost")  # in the header Host; another name is another page's that was made to lead here
PAGE = Path(__file__).with_name("page")
LARGEST_ORDER = 1 << 16  # bytes
BUG = "something went wrong that should not; the terminal of nst-serve says what"
BEAT = 10.0  # seconds after which a silent stream of events says that it is there
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".mp4": "video/mp4",
}
PLAIN = "text/plain; charset=utf-8"
OWN = "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# the page of a sweep is one file: its style and its script are in it
SWEEP = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Server(ThreadingHTTPServer):
    """The server and what its requests share.

    Attributes:
      token: without which no request is answered.
      root: the folder of the runs.
    """

    daemon_threads, block_on_close = True, False

    def __init__(self, port: int, root: Path, worker: Sequence[str]) -> None:
        """Listen, and start the process that paints.

        Args:
          port: 0 for any that is free.
          root: the folder of the runs.
          worker: the command of the process that paints.

        Raises:
          OSError: the port is taken.
        """
        super().__init__((ADDRESS, port), Handler)
        self.token, self.root, self.shelf, self.studio = secrets.token_urlsafe(18), root, Shelf(root), Studio(worker)

    def server_bind(self) -> None:
        """Take the address. HTTPServer looks its name up, which may wait for a network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version, timeout = "HTTP/1.1", 60
    server_version, sys_version = "nst-serve", ""

    def do_GET(self) -> None:
        """Answer a request for a page, a picture or a state."""
        self.answer({**GET, **GET_BELOW})

    def do_POST(self) -> None:
        """Answer a request that changes something."""
        self.answer(POST)

    def answer(self, table: dict[str, Callable[["Handler", str], None]]) -> None:
        """Answer by the function of the first part of the path. A UserError is answered with its sentence."""
        if (path := self.path_within()) is None:
            return
        name, _, rest = path.partition("/")
        work = table.get(name)
        if work is None or (rest and name not in GET_BELOW):
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing of that name here")
            return
        try:
            work(self, rest)
        except UserError as error:
            self.refuse(HTTPStatus.BAD_REQUEST, str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except OSError as error:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"a file cannot be read or written: {error}")
        except Exception:  # a bug: the page goes on
            traceback.print_exc()
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, BUG)

    def path_within(self) -> str | None:
        """The path below the token. None, and a refusal, for a request that must not be answered."""
        host = self.headers.get("Host", "")
        if host.rpartition(":")[0] not in NAMES and host not in NAMES:
            self.refuse(HTTPStatus.FORBIDDEN, f"this page answers to {' and '.join(NAMES)} only")
            return None
        if (origin := self.headers.get("Origin")) not in (None, f"http://{host}"):
            self.refuse(HTTPStatus.FORBIDDEN, f"a page of {origin} may not ask here")
            return None
        token, slash, rest = urlsplit(self.path).path.removeprefix("/").partition("/")
        if not slash or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here: open the whole address that nst-serve printed")
            return None
        return unquote(rest)

    def query(self, key: str) -> str:
        """A field of the address's query; "" where it is not there."""
        return parse_qs(urlsplit(self.path).query).get(key, [""])[0]

    def body(self, most: int) -> bytes:
        """The body of the request. Raises UserError if it is longer than `most` bytes, or its length is not given."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise UserError("this request does not say how long it is")
        if int(length) > most:
            raise UserError(f"this file has {int(length) / 1e6:.0f} MB, and the limit is {most / 1e6:.0f} MB")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise ConnectionError("the rest did not come")
        return data

    def json_body(self) -> Any:
        """The body of the request, parsed from JSON. Raises UserError for invalid JSON."""
        try:
            return json.loads(self.body(LARGEST_ORDER) or b"null")
        except (ValueError, RecursionError):
            raise UserError("the page sent no JSON") from None

    def send(self, data: bytes, kind: str, status: int = 200, **headers: str) -> None:
        """Send an answer."""
        self.send_response(status)
        own = {"Content-Security-Policy": OWN} | {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {**HEADERS, **own, "Content-Type": kind, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(data)

    def send_json(self, value: Any, status: int = 200) -> None:
        """Send JSON."""
        self.send(json.dumps(value, default=str).encode(), TYPES[".json"], status)

    def refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Send a sentence with the reason of the refusal. The rest of the request is not read."""
        self.close_connection = True
        with suppress(ConnectionError):
            self.send_json({"error": sentence}, status)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the token would be on the screen again with each request."""


def send_page(handler: Handler, name: str) -> None:
    """Send a file of the page."""
    path = PAGE / (name or "index.html")
    handler.send(path.read_bytes(), TYPES[path.suffix])


def send_events(handler: Handler, _: str) -> None:
    """Send the state, and again whenever it changes, until the page is closed."""
    handler.close_connection = True
    handler.send_response(200)
    for name, value in {**HEADERS, "Content-Type": "text/event-stream", "Connection": "close"}.items():
        handler.send_header(name, value)
    handler.end_headers()
    version = -1
    while handler.server.studio.open:
        before = version
        version, state = handler.server.studio.wait(version, seconds=BEAT)
        text = ": here\n\n" if version == before else f"data: {json.dumps(state, default=str)}\n\n"
        handler.wfile.write(text.encode())
        handler.wfile.flush()


def send_state(handler: Handler, _: str) -> None:
    """Send the state as it is."""
    handler.send_json(handler.server.studio.wait(-1, seconds=0.0)[1])


def send_choices(handler: Handler, _: str) -> None:
    """Send what the page offers, and the pictures."""
    handler.send_json({**choices.describe(), "pictures": handler.server.shelf.names(), "folder": str(Path.cwd())})


def send_picture(handler: Handler, name: str) -> None:
    """Send a picture of the shelf."""
    shelf = handler.server.shelf
    handler.send(shelf.show(shelf.find(name)), TYPES[".webp"])


def send_live(handler: Handler, _: str) -> None:
    """Send the picture as it is now."""
    handler.send(handler.server.studio.picture, TYPES[".jpg"])


def send_result(handler: Handler, _: str) -> None:
    """Send the result of the last run, to look at or, with ?name=, to keep."""
    path = handler.server.studio.state["result"]
    if path is None or not Path(path).is_file():
        raise UserError("there is no picture yet")
    send_file(handler, Path(path), name=handler.query("name"))


def send_file(handler: Handler, path: Path, *, name: str = "") -> None:
    """Send a file in pieces. name: the browser saves it under this name."""
    kind = TYPES.get(path.suffix.lower(), PLAIN)
    policy = {"Content-Security-Policy": SWEEP if path.suffix == ".html" else OWN}
    kept = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"} if name else {}
    with path.open("rb") as file:
        handler.send_response(200)
        sizes = {"Content-Type": kind, "Content-Length": str(path.stat().st_size)}
        for header, value in {**HEADERS, **policy, **kept, **sizes}.items():
            handler.send_header(header, value)
        handler.end_headers()
        shutil.copyfileobj(file, handler.wfile)


def send_past(handler: Handler, _: str) -> None:
    """Send what the folder has already."""
    root = handler.server.root
    handler.send_json({"runs": past.runs(root), "sweeps": past.sweeps(root)})


def send_small(handler: Handler, name: str) -> None:
    """Send a small copy of a picture of a run."""
    handler.send(past.thumbnail(past.find(handler.server.root, name)), TYPES[".webp"])


def send_before(handler: Handler, run: str) -> None:
    """Send the photograph of a run."""
    handler.send(handler.server.shelf.show(past.photo_of(handler.server.root, run)), TYPES[".webp"])


def send_run(handler: Handler, name: str) -> None:
    """Send a file of a run, the page of a sweep, or the names in a folder."""
    root = handler.server.root
    path = past.find(root, name)
    if path.is_file():
        send_file(handler, path, name=handler.query("name"))
    elif name.strip("/").startswith(f"{past.SWEEPS}/") and name.count("/") == 2 and name.endswith("/"):
        send_file(handler, past.page(root, name))
    else:
        handler.send("\n".join(sorted(inner.name for inner in path.iterdir())).encode(), PLAIN)


def take_picture(handler: Handler, _: str) -> None:
    """Keep a picture."""
    handler.send_json(handler.server.shelf.add(handler.query("name"), handler.body(LARGEST)))


def take_mask(handler: Handler, _: str) -> None:
    """Keep a mask."""
    handler.send_json(handler.server.shelf.add_mask(handler.query("photo"), handler.body(LARGEST_MASK)))


def line_of(handler: Handler, asked: Any) -> list[str]:
    """The words of the line that makes the picture which the page asks for."""
    return order.words(order.read(asked, handler.server.shelf.find), handler.server.root)


def tell_command(handler: Handler, _: str) -> None:
    """Send the line for an order."""
    handler.send_json({"command": shlex.join(["nst", *line_of(handler, handler.json_body())])})


def start(handler: Handler, _: str) -> None:
    """Begin a picture."""
    asked = handler.json_body()
    words = line_of(handler, asked)
    photo = asked.get("photo", choices.BEGIN["photo"])
    facts = {"command": shlex.join(["nst", *words]), "photo": photo, "steps": asked.get("steps", 0)}
    handler.server.studio.start(words, facts)
    send_state(handler, "")


def stop(handler: Handler, _: str) -> None:
    """Stop the run. Its results so far are kept."""
    handler.body(LARGEST_ORDER)
    handler.server.studio.stop()
    send_state(handler, "")


def go_on(handler: Handler, _: str) -> None:
    """Go on with a run that was stopped: {"run": its folder}."""
    asked, root = handler.json_body(), handler.server.root
    folder = past.find(root, str(asked.get("run", "")) if isinstance(asked, dict) else "")
    if not (folder / past.CHECKPOINT).is_file():
        raise UserError("this run has ended: there is nothing to go on with")
    command = folder / past.COMMAND
    before, line = handler.server.studio.state, command.read_text(encoding="utf-8") if command.is_file() else ""
    photo = before["photo"] if before["folder"] == str(folder) else None
    facts = {"command": line.strip(), "folder": str(folder), "photo": photo}
    handler.server.studio.start([f"resume={folder}"], facts)
    send_state(handler, "")


GET = {
    "": send_page,
    "page.css": lambda handler, _: send_page(handler, "page.css"),
    "page.js": lambda handler, _: send_page(handler, "page.js"),
    "icon.svg": lambda handler, _: send_page(handler, "icon.svg"),
    "events": send_events,
    "state": send_state,
    "choices": send_choices,
    "live": send_live,
    "result": send_result,
    "past": send_past,
}
GET_BELOW = {"picture": send_picture, "small": send_small, "before": send_before, "runs": send_run}
POST = {
    "picture": take_picture,
    "mask": take_mask,
    "command": tell_command,
    "start": start,
    "stop": stop,
    "go-on": go_on,
}
