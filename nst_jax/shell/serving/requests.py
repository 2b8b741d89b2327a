"""The requests of the page, one function each: its files, its pictures, the run and its state."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nst_jax.shell.errors import UserError
from nst_jax.shell.serving import choices, order, past
from nst_jax.shell.serving.server import LARGEST_ORDER, Handler, Routes
from nst_jax.shell.serving.shelf import LARGEST, LARGEST_MASK

PAGE = Path(__file__).with_name("page")
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
# the page of a sweep is one file: its style and its script are in it
SWEEP = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'"


def send_page(handler: Handler, name: str) -> None:
    """Send a file of the page."""
    path = PAGE / (name or "index.html")
    handler.send(path.read_bytes(), TYPES[path.suffix])


def send_events(handler: Handler, _: str) -> None:
    """Send the state, and again whenever it changes, until the page is closed."""
    handler.close_connection = True
    handler.begin("text/event-stream", {"Connection": "close"})
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
    more = {"Content-Security-Policy": SWEEP} if path.suffix == ".html" else {}
    more |= {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"} if name else {}
    with path.open("rb") as file:
        handler.begin(kind, {**more, "Content-Length": str(path.stat().st_size)})
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


ROUTES = Routes(
    get={
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
    },
    below={"picture": send_picture, "small": send_small, "before": send_before, "runs": send_run},
    post={
        "picture": take_picture,
        "mask": take_mask,
        "command": tell_command,
        "start": start,
        "stop": stop,
        "go-on": go_on,
    },
)
