"""The server of the page. It listens on this machine alone, and answers to those who know the token in its address."""

import json
import re
import secrets
import socketserver
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from nst_jax.shell.errors import UserError
from nst_jax.shell.serving.choices import BUG
from nst_jax.shell.serving.shelf import Shelf
from nst_jax.shell.serving.studio import Studio

ADDRESS = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost")  # in the header Host; another name is another page's that was made to lead here
LARGEST_ORDER = 1 << 16  # bytes
OWN = "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
JSON = "application/json"
HEADERS = {
    "Content-Security-Policy": OWN,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


Request = Callable[["Handler", str], None]  # takes the rest of the path


class Routes(NamedTuple):
    """The functions that answer, by the first part of the path."""

    get: Mapping[str, Request]  # of this path alone
    below: Mapping[str, Request]  # of this path and all below it
    post: Mapping[str, Request]


class Server(ThreadingHTTPServer):
    """The server and what its requests share.

    Attributes:
      token: without which no request is answered.
      root: the folder of the runs.
      routes: its answers.
    """

    daemon_threads, block_on_close = True, False

    def __init__(self, port: int, root: Path, worker: Sequence[str], routes: Routes) -> None:
        """Listen, and start the process that paints.

        Args:
          port: 0 for any that is free.
          root: the folder of the runs.
          worker: the command of the process that paints.
          routes: its answers, `requests.ROUTES`.

        Raises:
          OSError: the port is taken.
        """
        super().__init__((ADDRESS, port), Handler)
        self.token, self.root, self.routes = secrets.token_urlsafe(18), root, routes
        self.shelf, self.studio = Shelf(root), Studio(worker)

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
        self.answer({**self.server.routes.get, **self.server.routes.below})

    def do_POST(self) -> None:
        """Answer a request that changes something."""
        self.answer(self.server.routes.post)

    def answer(self, table: Mapping[str, Request]) -> None:
        """Answer by the function of the first part of the path. A UserError is answered with its sentence."""
        if (path := self.path_within()) is None:
            return
        name, _, rest = path.partition("/")
        work = table.get(name)
        if work is None or (rest and name not in self.server.routes.below):
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

    def begin(self, kind: str, headers: Mapping[str, str], status: int = 200) -> None:
        """Send the head of an answer. headers: beside those of every answer, or in their place."""
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, data: bytes, kind: str, status: int = 200) -> None:
        """Send an answer."""
        self.begin(kind, {"Content-Length": str(len(data))}, status)
        with suppress(ConnectionError):
            self.wfile.write(data)

    def send_json(self, value: Any, status: int = 200) -> None:
        """Send JSON."""
        self.send(json.dumps(value, default=str).encode(), JSON, status)

    def refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Send a sentence with the reason of the refusal. The rest of the request is not read."""
        self.close_connection = True
        with suppress(ConnectionError):
            self.send_json({"error": sentence}, status)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the token would be on the screen again with each request."""
