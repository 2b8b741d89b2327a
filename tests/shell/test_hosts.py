"""`device.distributed`: one picture over the devices of two processes, which stand for two hosts."""

import json
import re
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from on_hosts import finish, picture, result, start, start_all

from nst_jax import pictures
from nst_jax.shell.running import session
from nst_jax.shell.running.bar import last_of_curve
from nst_jax.shell.running.stop import Stop

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}", "network=distilled")
SMALL = ("network.convolution=direct", "size=48", "optimiser=adam")


def run_all(tmp_path, *words, **settings):
    """The exit codes and the words of both processes."""
    return [finish(process) for process in start_all(tmp_path, *words, **settings)]


def alike(a, b):
    """Equal up to a level of 8 bits here and there: sums are taken in another order."""
    return a.shape == b.shape and np.abs(a - b).max() <= 2 and (a != b).mean() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("steps=5", "output.every=2", "output.film=film.webp"),
        ("steps=4", "optimiser=lbfgs", "size=50"),
        ("steps=3", "scale=multi", "scale.from=32", "average=0.5"),
    ],
    ids=["adam, 36 rows", "lbfgs, 38 rows", "sizes"],
)
def test_two_processes_make_the_picture_of_one(tmp_path, words):
    (code, text), (other, silence) = run_all(tmp_path, *PAIR, *SMALL, *words)
    assert code == 0, text
    assert other == 0, silence
    assert "mesh: each image over 4 devices, by rows, of 2 processes" in text
    assert "nst" not in silence
    assert "result:" not in silence
    assert len(list(tmp_path.glob("runs/*/*/result.png"))) == 1
    both, record = result(tmp_path, text)
    assert (record["mesh"], record["processes"]) == ({"lanes": 1, "rows": 4}, 2)
    code, text = finish(start(tmp_path, *PAIR, *SMALL, *words, devices=1))
    assert code == 0, text
    one, other = result(tmp_path, text)
    assert alike(both, one)
    assert record["terms"]["total"] == pytest.approx(other["terms"]["total"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_a_signal_to_one_process_stops_both_and_they_go_on(tmp_path, number):
    words = (*PAIR, *SMALL, "steps=100000", "output.checkpoint=1")
    processes = start_all(tmp_path, *words)
    while not (found := list(tmp_path.glob("runs/*/*/checkpoint.npz"))):
        assert all(process.poll() is None for process in processes), [p.communicate()[0] for p in processes]
        time.sleep(0.1)
    processes[number].send_signal(signal.SIGTERM)
    (code, text), (other, silence) = [finish(process) for process in processes]
    assert (code, other) == (143, 143), (text, silence)
    step = int(re.search(r"stopped after step (\d+) of 100000", text).group(1))
    folder = found[0].parent
    (code, text), (other, silence) = run_all(tmp_path, f"resume={folder}", f"steps={step + 3}", settings=())
    assert code == 0, text
    assert other == 0, silence
    assert f"continued after step {step}" in (folder / "nst.log").read_text()
    record = json.loads((folder / "result.json").read_text())
    assert record["steps"] == step + 3
    assert record["finished"]
    assert picture(folder / "result.png").shape == (36, 48, 3)


@pytest.mark.slow
def test_what_one_process_lacks_is_said_and_ends_both(tmp_path):
    photo = tmp_path / "here.jpg"
    photo.write_bytes(pictures.path("landscape").read_bytes())
    processes = start_all(tmp_path, "content=here.jpg", *PAIR[1:], *SMALL, "steps=3", folders=("", "elsewhere"))
    (code, text), (other, said) = [finish(process) for process in processes]
    assert (code, other) == (2, 2), (text, said)
    assert "here.jpg" in said
    assert "process 1 of 2, counted from 0, cannot begin; it says why" in text
    assert not list(tmp_path.glob("runs/*/*/result.png"))


@pytest.mark.slow
def test_processes_that_cannot_meet(tmp_path):
    words = (*PAIR, *SMALL, "device.mesh=rows", "device.distributed=true")
    code, text = finish(start(tmp_path, *words, devices=2, JAX_PLATFORMS="cpu"))
    assert code == 2, text
    assert "JAX_COORDINATOR_ADDRESS=HOST:PORT" in text
    code, text = finish(start(tmp_path, *words, devices=2, JAX_PROCESS_ID="first"))
    assert code == 2, text
    assert "JAX_PROCESS_ID=first is no whole number" in text


def test_a_sweep_over_hosts_is_refused(nst):
    words = ("device.mesh=rows", "device.distributed=true", "style_weight=1,10")
    code, text = nst("-m", *PAIR, *SMALL, *words)
    assert code == 2
    assert "device.distributed=true is for one picture" in text
    assert not Path("runs/sweeps").exists()


def decide(monkeypatch, *others, turns=5):
    """What a session decides, whose process is one of several."""
    monkeypatch.setattr(session.hosts, "gather", lambda numbers: np.array(others))
    pace, rules = SimpleNamespace(turns=lambda: turns), SimpleNamespace(checkpoint=0)
    known = SimpleNamespace(rules=rules, pace=pace, across=True, stop=Stop(), due=0.0)
    session.Session._decide(known)  # pyright: ignore[reportArgumentType]
    return known


def test_processes_decide_by_the_first_ones_clock(monkeypatch):
    found = decide(monkeypatch, [0, 7, 1], [0, 5, 0])
    assert (found.turns, found.saves, found.stop.asked) == (7, True, None)


@pytest.mark.parametrize("rows", [([15, 1, 0], [0, 1, 0]), ([0, 1, 0], [15, 1, 0])])
def test_a_signal_to_any_process_is_heard_by_all(monkeypatch, rows):
    assert decide(monkeypatch, *rows).stop.asked == signal.SIGTERM


def test_the_bar_of_several_processes_shows_the_curve():
    """It measures nothing: that would be a program which the others do not call."""
    names = ("total", "grad_norm", "evaluations", "content", "style")
    curve = {name: np.array([9.0, float(i)]) for i, name in enumerate(names)}
    assert last_of_curve(curve) == {"total": 0.0, "weighted": {"content": 3.0, "style": 4.0}}


def test_a_signal_waits_for_the_others():
    stop = Stop()
    stop.share(with_others=True)
    stop.hear(signal.SIGINT)
    assert (stop.came, stop.asked) == (signal.SIGINT, None)
    alone = Stop()
    alone.share(with_others=False)
    alone.hear(signal.SIGINT)
    assert alone.asked == signal.SIGINT
