"""Downloads from a real server on this machine: whole and verified, or not there."""

import os
import signal
import subprocess
import sys
import time

import pytest
from local_server import CONTENT, at, running

from nst_jax.shell.errors import UserError
from nst_jax.shell.io import fetch


@pytest.fixture
def server():
    with running() as web:
        yield web


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path))
    monkeypatch.delenv("NST_JAX_MIRROR", raising=False)
    return tmp_path


def get(files, *, mirror=None):
    return fetch.fetch(files, mirror=mirror, log=lambda _: None)


def test_a_failure_is_told_only_where_another_address_helps(server):
    """Where none does, the error has all of them."""
    good, gone = at(server, "good")[0], at(server, "missing")[0]
    said = []
    fetch.fetch((gone, good), mirror=None, log=said.append)
    assert [line.split()[0] for line in said] == ["downloading", "downloading", f"{gone.urls[0]}:"]
    said = []
    with pytest.raises(UserError, match="could not be downloaded") as caught:
        fetch.fetch((gone._replace(file="b.h5"),), mirror=None, log=said.append)
    assert [line.split()[0] for line in said] == ["downloading"]
    assert str(caught.value).count(gone.urls[0]) == 1


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_download_is_whole_and_alone(server, place):
    assert get(at(server, "good")).read_bytes() == CONTENT
    assert names(place) == ["a.h5"]


def test_a_server_that_never_has_the_range_is_asked_twice(server):
    with pytest.raises(UserError, match="Range Not Satisfiable"):
        get(at(server, "never"))
    assert len(server.seen) == 2


def test_mirrors_are_tried_in_turn(server, place):
    assert get(at(server, "missing", "html", "wrong", "good")).read_bytes() == CONTENT
    assert [how for how, _ in server.seen] == ["missing", "html", "wrong", "good"]
    assert names(place) == ["a.h5"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("missing", "Not Found"),
        ("html", "web page"),
        ("wrong", "wrong content: 1,048,576 bytes"),
        ("short", "cut short, 524,288 of 1,048,576 bytes"),
    ],
)
def test_a_bad_answer_leaves_no_file_and_says_why(server, place, how, reason):
    with pytest.raises(UserError) as caught:
        get(at(server, how))
    assert reason in str(caught.value)
    assert f"/{how}/a.h5" in str(caught.value)
    assert not (place / "a.h5").exists()
    if how != "short":  # what came over a broken line is kept, to be continued
        assert names(place) == []


def test_a_total_failure_names_every_address_and_the_ways_on(server):
    with pytest.raises(UserError) as caught:
        get(at(server, "missing", "html"), mirror="http://127.0.0.1:9/mine")
    message = str(caught.value)
    for part in ("/missing/a.h5: ", "/html/a.h5: ", "http://127.0.0.1:9/mine/a.h5: Connection refused"):
        assert part.replace("Connection refused", "") in message
    for way in ("weights=file weights.path=", "weights.mirror=URL", "NST_JAX_MIRROR", "weights=random"):
        assert way in message


@pytest.mark.parametrize("ending", ["", "/", "/a.h5"])
def test_the_users_mirror_comes_first(server, monkeypatch, ending):
    files = at(server, "good")
    mirror = files[0].urls[0].replace("/good/a.h5", f"/mine{ending}")
    assert get(files, mirror=mirror).read_bytes() == CONTENT
    monkeypatch.setenv("NST_JAX_MIRROR", mirror)
    get(files)
    assert [how for how, _ in server.seen] == ["mine", "mine"]


@pytest.mark.parametrize("address", ["nonsense", "http://", "ftp//x"])
def test_a_mirror_that_is_no_address(server, address):
    assert get(at(server, "good"), mirror=address).read_bytes() == CONTENT


def test_a_broken_line_is_continued_elsewhere(server, place):
    assert get(at(server, "short", "good")).read_bytes() == CONTENT
    assert server.seen == [("short", None), ("good", "bytes=524288-")]
    assert names(place) == ["a.h5"]


def test_a_server_without_ranges_begins_anew(server):
    assert get(at(server, "short", "plain")).read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"rubbish", CONTENT, CONTENT + b"more", CONTENT[:1000]])
def test_whatever_a_killed_run_left_does_no_harm(server, place, left):
    old = place / "a.h5.x.part"
    old.write_bytes(left)
    os.utime(old, (0, 0))
    assert get(at(server, "good")).read_bytes() == CONTENT
    assert names(place) == ["a.h5"]


def test_the_draft_of_a_living_run_is_left_alone(server, place):
    (place / "a.h5.other.part").write_bytes(b"being written")
    assert get(at(server, "good")).read_bytes() == CONTENT
    assert names(place) == ["a.h5", "a.h5.other.part"]


def killed(code, ready, place):
    """Run `code`, and kill it with SIGKILL as soon as `ready()`."""
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"NST_JAX_CACHE": str(place)})
    deadline = time.monotonic() + 30
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_killed_in_the_middle_of_a_download(server, place):
    files = at(server, "slow")
    code = f"""if True:
        from nst_jax.shell.io.fetch import fetch
        from nst_jax.extractors.addresses import Published
        fetch(({files[0]!r},), mirror=None, log=print)"""
    killed(code, lambda: any(p.stat().st_size for p in place.glob("*.part")), place)
    left = list(place.iterdir())
    assert [p.suffix for p in left] == [".part"]
    os.utime(left[0], (0, 0))
    assert get(at(server, "good")).read_bytes() == CONTENT
    assert server.seen[-1][1] is not None  # continued, not begun anew
    assert names(place) == ["a.h5"]


def test_killed_in_the_middle_of_writing(place):
    code = f"""if True:
        import pathlib, time
        from nst_jax.shell.io import atomic
        with atomic.draft(pathlib.Path({str(place / "out.safetensors")!r})) as part:
            part.write_bytes(b"half")
            time.sleep(60)"""
    killed(code, lambda: any(p.stat().st_size for p in place.glob("*.part")), place)
    assert not (place / "out.safetensors").exists()
