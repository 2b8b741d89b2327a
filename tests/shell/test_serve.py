"""nst-serve without a browser: orders as lines, the pictures, who is answered, a run from start to end."""

import http.client
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import hydra
import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from nst_jax import pictures
from nst_jax.extractors import MODULES
from nst_jax.images.colour import MODES
from nst_jax.published import LOOKS
from nst_jax.published.looks import NETWORKS
from nst_jax.shell.cli import serve as command
from nst_jax.shell.cli import words
from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.serving import choices, order, past
from nst_jax.shell.serving.requests import ROUTES
from nst_jax.shell.serving.server import Server
from nst_jax.shell.serving.shelf import LARGEST, MAX_PIXELS, Shelf, clean
from nst_jax.shell.serving.studio import Studio
from nst_jax.shell.settings import config as settings

ODD = "Ana's, [1] {x} ${y} = z"  # a folder
SMALL = {"size": 64, "steps": 4}
LONGEST = 240  # seconds until something must have happened


def png(width=40, height=30, colour=(200, 100, 50)):
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, format="PNG")
    return file.getvalue()


def compose(line):
    """The settings of a line, as the command has them."""
    read = words.read(shlex.split(line)[1:])
    with hydra.initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        return settings.read(hydra.compose("config", overrides=read.hydra()))


def test_the_words_of_the_page_are_those_of_the_records():
    assert {name: look.about for name, look in LOOKS.items()} | {"plain": choices.LOOKS["plain"]} == choices.LOOKS
    assert choices.LOOK_NETWORKS == NETWORKS
    assert set(choices.COLOURS) == set(MODES)
    assert set(choices.NETWORKS) <= set(MODULES)
    assert OmegaConf.select(OmegaConf.load(conf() / "config.yaml"), "max_pixels") == MAX_PIXELS
    assert OmegaConf.select(OmegaConf.load(conf() / "output" / "default.yaml"), "folder") == order.DEFAULT


# ---- orders


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (None, "no order"),
        ([], "no order"),
        ({"sise": 64}, "no sise"),
        ({"size": "64"}, "size is a whole number from 64 to 2048; got 64"),
        ({"size": 10**9}, "size is a whole number"),
        ({"steps": True}, "steps is a whole number"),
        ({"steps": 0}, "steps is a whole number from 1"),
        ({"look": "storng"}, "look is one of gentle"),
        ({"look": ["strong"]}, "look is one of gentle"),
        ({"network": "texnet"}, "take plain"),
        ({"network": "my_module:NET"}, "network is one of"),
        ({"colour": "keep size=9"}, "colour is one of"),
        ({"method": "magic"}, "method is one of optimise, instant"),
        ({"strength": float("nan")}, "strength is a number from 0 to 1"),
        ({"photo": "own/../../secret.png"}, "no picture"),
        ({"photo": "/etc/passwd"}, "no picture"),
        ({"painting": None}, "no picture None"),
        ({"keep": "own/none.png"}, "no picture"),
    ],
)
def test_a_wrong_order_is_a_sentence(tmp_path, asked, message):
    with pytest.raises(UserError, match=re.escape(message)):
        order.read(asked, Shelf(tmp_path).find)


ORDERS = [
    {},
    {"look": "painterly", "steps": 7, "size": 96, "colour": "keep"},
    {"look": "plain", "network": "texnet", "colour": "luminance"},
    {"method": "instant", "strength": 0.5, "colour": "match", "size": 128},
]


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("asked", ORDERS)
def test_the_line_composes_what_was_asked_for(tmp_path, asked, mask):
    """Also where the folder's name has every letter that a shell or Hydra takes for something else."""
    root = tmp_path / ODD
    shelf = Shelf(root)
    photo = shelf.add("my photo, [2].png", png())["name"]
    keep = shelf.add_mask(photo, png(colour=(255, 255, 255)))["name"] if mask else None
    read = order.read({**asked, "photo": photo, "keep": keep}, shelf.find)
    config = compose(shlex.join(["nst", *order.words(read, root)]))
    wanted = {**choices.BEGIN, **asked}
    assert config.content == str(root / "pictures" / "my_photo_2.png")
    assert config.style == str(pictures.path("brush"))
    assert config.output.folder == str(root)
    assert (config.size, config.colour["name"]) == (wanted["size"], wanted["colour"])
    assert config.regions == ({"keep": {"content": str(shelf.find(keep)), "style": None}} if keep else {})
    if wanted["method"] == "instant":
        assert (config.model, config.alpha) == ("any_style", wanted["strength"])
    else:
        assert (config.model, config.steps) == (None, wanted["steps"])
        assert (config.network.name, config.look) == (wanted["network"], wanted["look"])
        assert config.canvas["start"] == ("blend" if wanted["look"] == "painterly" else "content")


def test_the_folder_of_a_line_without_one(tmp_path):
    read = order.read({}, Shelf(tmp_path).find)
    assert compose(shlex.join(["nst", *order.words(read, Path("runs"))])).output.folder == "runs"


# ---- pictures


def test_pictures_are_kept_under_names_of_their_own(tmp_path):
    shelf = Shelf(tmp_path)
    first = shelf.add("beach.png", png())
    assert (first["name"], first["width"], first["height"]) == ("own/beach.png", 40, 30)
    assert shelf.add("beach.png", png())["name"] == "own/beach.png"  # the same bytes
    assert shelf.add("beach.png", png(colour=(0, 0, 0)))["name"] == "own/beach_2.png"
    assert sorted(shelf.names()["own"]) == ["own/beach.png", "own/beach_2.png"]
    assert Image.open(io.BytesIO(shelf.show(shelf.find("own/beach.png")))).format == "WEBP"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x.png is empty"),
        (b"hello", "holds text"),
        (png()[:80], "damaged"),
        (png(8, 8), "too small"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "HEIC"),
    ],
)
def test_what_is_no_picture_is_not_kept(tmp_path, data, message):
    shelf = Shelf(tmp_path)
    with pytest.raises(UserError, match=message) as error:
        shelf.add("x.png", data)
    assert str(tmp_path) not in str(error.value)
    assert shelf.names()["own"] == []


@pytest.mark.parametrize(
    "name", ["../../x.png", "..", ".hidden", "a/b\\c.jpg", "-o.png", "", "x" * 300 + ".jpg", "año 'n'.jpeg", "\0.png"]
)
def test_a_name_is_made_harmless(tmp_path, name):
    kept = Shelf(tmp_path).add(name, png())["name"].removeprefix("own/")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == [kept]
    assert re.fullmatch(r"\w[\w.-]*\.(png|jpg|jpeg)", kept)
    assert len(kept) < 100
    assert clean(kept) == kept


def test_a_mask_without_paint_is_refused(tmp_path):
    with pytest.raises(UserError, match="nothing is painted"):
        Shelf(tmp_path).add_mask("bundled/landscape", png(colour=(0, 0, 0)))


# ---- who is answered

SLEEPER = 'import sys; print(\'{"kind": "ready", "networks": ["distilled"]}\', flush=True); sys.stdin.readline()'


class Client:
    """Asks a server."""

    def __init__(self, server):
        self.server, self.port = server, server.server_port

    def ask(self, path, data=None, *, token=True, **headers):
        """(status, type, bytes)."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        whole = f"/{self.server.token}/{path}" if token else path
        link.request("GET" if data is None else "POST", whole, data, headers)
        answer = link.getresponse()
        body = answer.read()
        link.close()
        return answer.status, answer.headers, body

    def json(self, path, value=None):
        status, _, body = self.ask(path, None if value is None else json.dumps(value).encode())
        return status, json.loads(body)

    def wait(self, *phases):
        """The state once it is in one of these phases."""
        end = time.monotonic() + LONGEST
        while (state := self.json("state")[1])["phase"] not in phases:
            assert time.monotonic() < end, state
            time.sleep(0.05)
        return state


def serve(root, *worker):
    server = Server(0, root, worker or (sys.executable, "-c", SLEEPER), ROUTES)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def close(server):
    server.studio.close()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def idle(tmp_path_factory):
    server = serve(tmp_path_factory.mktemp("idle") / "runs")
    yield Client(server)
    close(server)


def test_nobody_is_answered_without_the_token(idle):
    for path in ("/", "/state", f"/{idle.server.token[:-1]}x/state", f"/{idle.server.token}", "//state"):
        status, _, body = idle.ask(path, token=False)
        assert status == 404, path
        assert b"whole address" in body


def test_a_name_that_was_made_to_lead_here_is_refused(idle):
    """DNS rebinding: the page of evil.example asks evil.example, whose address is now 127.0.0.1."""
    wrong = (
        f"evil.example:{idle.port}",
        "",
        "127.0.0.1.evil.example",
        "[::1]",
        "[",
        "localhost:1:2",
        "127.0.0.1@evil.example",
    )
    for host in wrong:
        assert idle.ask("state", Host=host)[0] == 403, host
    for host in (f"127.0.0.1:{idle.port}", f"localhost:{idle.port}", "localhost:9999"):  # 9999: through a tunnel
        assert idle.ask("state", Host=host)[0] == 200, host


def test_another_page_may_not_ask(idle):
    assert idle.ask("stop", b"{}", Origin="http://evil.example")[0] == 403
    assert idle.ask("stop", b"{}", Origin=f"http://127.0.0.1:{idle.port}")[0] == 200


OUTSIDE = ("runs/../../etc/passwd", "runs/%2e%2e/%2e%2e/etc/passwd", "small/../x", "before/../..")
NOTHING = ("page.css/x", "server.py", "index.html/..", "nothing", "picture/bundled/none", "result")


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_file_outside_of_the_runs_is_sent(idle, path):
    (idle.server.root.parent / "x").write_text("secret")
    status, _, body = idle.ask(path)
    assert status in (400, 404)
    assert b"secret" not in body
    assert b"root:" not in body


@pytest.mark.parametrize("path", NOTHING)
def test_what_is_not_there(idle, path):
    status, _, body = idle.ask(path)
    assert status in (400, 404)
    assert json.loads(body)["error"]


def test_the_page_loads_nothing_from_elsewhere(idle):
    for path in ("", "page.css", "page.js", "icon.svg"):
        status, headers, body = idle.ask(path)
        assert status == 200
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)|//cdn|@import", body), path


def test_what_is_sent_has_limits(idle):
    link = http.client.HTTPConnection("127.0.0.1", idle.port, timeout=60)
    link.putrequest("POST", f"/{idle.server.token}/picture?name=x.png")
    link.putheader("Content-Length", str(LARGEST + 1))
    link.endheaders()
    answer = link.getresponse()
    assert answer.status == 400
    assert b"the limit is 67 MB" in answer.read()
    link.close()
    for body in (b"{", b"[" * 9999):
        assert idle.ask("start", body)[0] == 400


def test_a_picture_through_the_door(idle):
    status, _, body = idle.ask(f"picture?name={quote('Straße & co.png')}", png())
    kept = json.loads(body)
    assert (status, kept["name"]) == (200, "own/Straße_co.png")
    assert idle.ask(f"picture/{quote(kept['name'])}")[1]["Content-Type"] == "image/webp"
    assert kept["name"] in idle.json("choices")[1]["pictures"]["own"]


# ---- the process that paints


def test_one_picture_at_a_time(tmp_path):
    server = serve(tmp_path, sys.executable, "-c", SLEEPER + "; sys.stdin.readline()")
    client = Client(server)
    assert client.json("start", SMALL)[1]["phase"] == "starting"
    status, told = client.json("start", SMALL)
    assert (status, told["error"]) == (400, "a picture is being painted: wait for it, or stop it first")
    assert client.json("stop", {})[1]["phase"] == "stopping"
    assert "exit code 0" in client.wait("failed")["error"]  # this one says nothing of its end
    assert client.json("start", SMALL)[1]["phase"] == "starting"  # and there is a next one
    close(server)


def test_a_process_that_dies_is_a_sentence(tmp_path):
    studio = Studio((sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(7)"))
    for _ in range(2):
        studio.start(["content=a"], {})
        end = time.monotonic() + 60
        while studio.state["phase"] != "failed" and time.monotonic() < end:
            time.sleep(0.02)
        assert studio.state["error"].endswith("try a smaller size (exit code 7)")
    studio.close()


def test_events_come_as_they_happen(idle):
    link = http.client.HTTPConnection("127.0.0.1", idle.port, timeout=60)
    link.request("GET", f"/{idle.server.token}/events")
    answer = link.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert json.loads(answer.readline().removeprefix(b"data: "))["phase"] == "idle"
    with idle.server.studio.changed:
        idle.server.studio._update({"note": "hello"})
    answer.readline()
    while json.loads(answer.readline().removeprefix(b"data: "))["note"] != "hello":
        answer.readline()
    answer.close()
    link.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A server with the process that really paints, in a folder with an odd name."""
    server = serve(tmp_path_factory.mktemp("real") / ODD, *command.WORKER)
    yield Client(server)
    close(server)


@pytest.mark.slow
def test_a_run_and_the_same_picture_by_its_command(real, nst):
    shelf = real.server.shelf
    keep = shelf.add_mask("bundled/landscape", half())["name"]
    began = real.json("start", {**SMALL, "keep": keep})[1]
    done = real.wait("done", "failed")
    assert (done["phase"], done["step"], done["size"]) == ("done", 4, [64, 48]), done
    assert done["preview"] > began["preview"]
    assert "distilled" in done["networks"]
    with Image.open(io.BytesIO(real.ask("live")[2])) as live:
        assert live.size == (64, 48)
    _, headers, body = real.ask("result?name=a%20picture.png")
    assert "a%20picture.png" in headers["Content-Disposition"]
    assert body == Path(done["result"]).read_bytes()
    code, text = nst(*shlex.split(done["command"])[1:])
    assert code == 0, text
    again = Path(re.search(r"^result:  (.*)$", text, re.MULTILINE)[1])
    assert again != Path(done["result"])
    assert np.array_equal(np.asarray(Image.open(again)), np.asarray(Image.open(done["result"])))
    records = [json.loads(path.with_suffix(".json").read_text())["config"] for path in (again, Path(done["result"]))]
    assert records[0] == records[1]


def half():
    """A mask of the left half."""
    mask = np.zeros((48, 64), np.uint8)
    mask[:, :32] = 255
    file = io.BytesIO()
    Image.fromarray(mask).save(file, format="PNG")
    return file.getvalue()


@pytest.mark.slow
def test_stop_keeps_the_picture_and_it_goes_on(real):
    real.json("start", {"size": 64, "steps": 5000})
    while real.wait("painting")["step"] == 0:
        time.sleep(0.05)
    real.json("stop", {})
    stopped = real.wait("stopped", "failed")
    assert stopped["phase"] == "stopped", stopped
    assert 0 < stopped["step"] < 5000
    assert Path(stopped["result"]).is_file()
    found = past.runs(real.server.root)
    assert found[0]["unfinished"]
    assert found[0]["command"] == stopped["command"]
    assert real.ask(f"before/{quote(found[0]['path'])}")[0] == 200
    assert real.ask(f"small/{quote(found[0]['picture'])}")[0] == 200
    assert real.json("go-on", {"run": "nothing"})[0] == 400
    assert real.json("go-on", {"run": found[0]["path"]})[0] == 200
    went = real.wait("painting")
    assert went["step"] >= stopped["step"]
    assert went["command"] == stopped["command"]
    real.json("stop", {})
    real.wait("stopped")


@pytest.mark.slow
def test_one_pass_and_a_picture_that_has_gone(real):
    shelf = real.server.shelf
    photo = shelf.add("gone.png", png())["name"]
    shelf.find(photo).write_bytes(b"")
    real.json("start", {**SMALL, "photo": photo})
    failed = real.wait("failed", "done")
    assert failed["error"].startswith(f"{shelf.find(photo)} is empty")
    real.json("start", {"method": "instant", "size": 64})
    done = real.wait("done", "failed")
    assert done["phase"] == "done", done
    with Image.open(done["result"]) as picture:
        assert picture.size == (64, 48)
    assert real.json("past")[1]["runs"][0]["title"] == "landscape in the style of brush"


# ---- earlier runs and sweeps


def test_sweeps_are_pages_beside_the_runs(tmp_path):
    from sweeps.test_gallery import made

    made(tmp_path / "sweeps" / "one & two", weights=(1.0, 2.0), seeds=(0,))
    server = serve(tmp_path)
    client = Client(server)
    told = client.json("past")[1]
    assert told["sweeps"] == [{"path": "sweeps/one & two", "title": "one & two", "many": 4}]
    status, headers, body = client.ask(f"runs/{quote('sweeps/one & two/')}")
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert b"one &amp; two" in body
    thumb = re.search(rb'"thumb":"([^"]*)"', body)[1].decode()
    assert client.ask(f"runs/{quote('sweeps/one & two/')}{thumb}")[1]["Content-Type"] == "image/webp"
    close(server)


# ---- the command


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], (0, Path("runs"), True)),
        (["--no-browser", "port=8765"], (8765, Path("runs"), False)),
        (["--port", "0", "--folder=my pictures"], (0, Path("my pictures"), True)),
    ],
)
def test_the_options(given, expected):
    assert command.read(given) == expected


@pytest.mark.parametrize("given", [["prot=1"], ["port=x"], ["port=70000"], ["--port"], ["photo.jpg"]])
def test_wrong_options(given, called):
    code, text = called(command.main, "nst-serve", *given)
    assert code == 2
    assert text.startswith("nst-serve: ")
    assert "Traceback" not in text


def test_a_port_that_is_taken(idle, called, tmp_path):
    code, text = called(command.main, "nst-serve", f"port={idle.port}", f"folder={tmp_path / 'x'}", "--no-browser")
    assert code == 2
    assert f"port={idle.port}" in text


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are Unix's")
def test_ctrl_c_ends_it_cleanly(tmp_path):
    line = [sys.executable, "-m", "nst_jax.shell.cli.serve", "--no-browser"]
    process = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    first = process.stdout.readline()
    assert re.fullmatch(r"nst-serve: open http://127\.0\.0\.1:\d+/[\w-]{24}/\n", first)
    assert process.stdout.readline() == f"The pictures go to {tmp_path / 'runs'}. Ctrl-C ends.\n"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert rest.strip() == "nst-serve: ending"
