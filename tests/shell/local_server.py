"""A web server on this machine that behaves as badly as the first part of the path says."""

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nst_jax.extractors.addresses import Published

CONTENT = bytes(range(256)) * 4096  # 1 MiB
HASH = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Server(ThreadingHTTPServer):
    """What it serves, and who asked how."""

    content = CONTENT

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        assert isinstance(server, Server)
        how = self.path.split("/")[1]
        server.seen.append((how, self.headers.get("Range")))
        body = server.content
        if how in ("missing", "html"):
            page = b"<html><body>Please sign in</body></html>"
            return self._send(404 if how == "missing" else 200, page, len(page))
        if how == "wrong":
            return self._send(200, body[::-1], len(body))
        if how == "never":
            return self._send(416, b"", 0)
        if how == "short":
            return self._send(200, body[: len(body) // 2], len(body))
        if how == "plain" or not (asked := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))):
            return self._send(200, body, len(body), slow=how == "slow")
        start = int(asked[1])
        if start >= len(body):
            return self._send(416, b"", 0)
        return self._send(206, body[start:], len(body) - start, f"bytes {start}-{len(body) - 1}/{len(body)}")

    def _send(self, code, body, length, content_range="", *, slow=False):
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        try:
            for i in range(0, len(body), 1 << 16):
                self.wfile.write(body[i : i + (1 << 16)])
                time.sleep(0.1 if slow else 0)
        except OSError:  # the other side was killed, as it should be
            self.close_connection = True

    def log_message(self, format, *args):
        pass


@contextmanager
def running() -> Iterator[Server]:
    web = Server()
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def at(server, *hows, digest=HASH):
    base = f"http://127.0.0.1:{server.server_address[1]}"
    return (Published("a.h5", tuple(f"{base}/{how}/a.h5" for how in hows), digest, 0),)
