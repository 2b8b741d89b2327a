"""What goes wrong around a run: full disks, closed screens, signals before the work, odd files, odd numbers."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.io import cache, fetch, marks
from nst_jax.shell.io import pictures as reading
from nst_jax.shell.running import checkpoint, lane
from nst_jax.shell.running.checkpoint import Checkpoint
from nst_jax.shell.running.stop import catch_signals

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
LINE = (*PAIR, "network=distilled", "size=32", "steps=2", "output.every=1", "optimiser=adam")


def command(*words, name="nst", **options):
    """A command in a process of its own."""
    code = f"from nst_jax.shell.cli.{name} import main; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, **options)


def result_of(text):
    return Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1))


# Full disks and closed screens


def full(*_args, **_words):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("what", ["curves.plot", "folder.curve", "sidecar", "folder.snapshot", "folder.note"])
def test_a_full_disk_does_not_cost_the_picture(nst, monkeypatch, what):
    holder, _, name = what.rpartition(".")
    monkeypatch.setattr(getattr(lane, holder) if holder else lane, name, full)
    code, text = nst(*LINE)
    assert code == 0, text
    assert "is not written, and the run goes on: " in text
    with Image.open(result_of(text)) as image:
        image.load()


def test_a_full_disk_for_the_picture_itself_is_a_line(nst, monkeypatch):
    def write(path, *_args, **_words):
        raise UserError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(lane, "write", write)
    code, text = nst(*LINE)
    assert code == 2, text
    assert "No space left" in text
    assert "Traceback" not in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_screen_that_is_full_or_closed(tmp_path):
    for redirect in ("2>/dev/full", "2>&-", ">/dev/full", ">&-"):
        line = f"{sys.executable} -c 'from nst_jax.shell.cli.nst import main; main()' {' '.join(LINE)} {redirect}"
        done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (redirect, done.stdout, done.stderr)
        assert "Traceback" not in done.stdout + done.stderr
    assert len(list(tmp_path.glob("runs/*/*/result.png"))) == 4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nst", ["--help"]),
        ("weights", ["list"]),
        ("convert", ["--from", "keras", "--to", "gatys_2016"]),
        ("gallery", ["--help"]),
        ("export", ["--help"]),
    ],
)
def test_a_reader_that_leaves(name, words):
    code = f"from nst_jax.shell.cli.{name} import main; main()"
    line = [sys.executable, "-c", code, *words]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()  # before it has written a line
        assert process.stderr.read() == ""
        assert process.wait() == 0


# Signals before there is something to save


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_raises_nothing_where_it_arrives(number):
    """Blocks within blocks have one Stop; the next signal has its usual effect, and so have those after the block."""
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with catch_signals() as outer:
        outer.check()
        os.kill(os.getpid(), number)
        time.sleep(0.05)
        assert outer.asked == number
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    with catch_signals() as outer, catch_signals() as inner:
        assert inner is outer
        os.kill(os.getpid(), number)
        time.sleep(0.05)
        with pytest.raises(Ended):
            inner.check()
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def heed_ctrl_c():
    """Tests that are run in the background inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_at_any_moment_of_the_start(tmp_path):
    for moment in (0.1, 0.3, 0.6, 1.0, 1.5, 2.5):
        line = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *LINE, "steps=100000"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(line, cwd=tmp_path, preexec_fn=heed_ctrl_c, **pipes) as process:
            time.sleep(moment)
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                pytest.fail(f"after {moment} s it was swallowed")
        python = "in main" not in err  # before `main` is entered, Python itself says KeyboardInterrupt
        assert process.returncode in ((130,) if not python or not err else (130, 1, -2)), (moment, out, err)
        assert python or "Traceback" not in err, (moment, err)


# Odd files


def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match="no file but a pipe"):
        reading.read(tmp_path / "pipe.png")


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0b.png"])
def test_a_name_that_no_file_can_have(name):
    with pytest.raises(UserError, match="name"):
        reading.read(f"/tmp/{name}")


def test_nobodys_home(monkeypatch):
    with pytest.raises(UserError, match="home"):
        reading.read("~nobody_of_that_name/a.png")


def test_an_orientation_of_a_wrong_type(tmp_path):
    image = Image.fromarray(np.zeros((32, 32, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    data = (tmp_path / "a.jpg").read_bytes()
    place = data.index(b"\x12\x01\x03\x00") if b"\x12\x01\x03\x00" in data else data.index(b"\x01\x12\x00\x03")
    for kind in range(13):  # the type of the entry: byte, ASCII, short, long, rational, ...
        little = data[place : place + 2] == b"\x12\x01"
        broken = bytearray(data)
        broken[place + 2 : place + 4] = bytes((kind, 0) if little else (0, kind))
        (tmp_path / "b.jpg").write_bytes(broken)
        assert reading.read(tmp_path / "b.jpg", log=lambda _: None).image.shape == (32, 32, 3)


def test_a_name_that_is_no_utf_8(tmp_path, nst):
    name = os.fsdecode(b"photo\xff.jpg")
    shutil.copyfile(pictures.path("landscape"), tmp_path / name)
    code, text = nst(f"content={tmp_path / name}", *LINE[1:])
    assert code == 0, text
    assert result_of(text).is_file()


def test_no_cache_folder_is_needed_where_nothing_is_downloaded(nst, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    done = command(*LINE, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "compiled programs are not kept" in done.stderr


# Odd numbers


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["network=null"], "takes the name of one of its options"),
        (["canvas=[1,2]"], "this line cannot be read"),
        (["optimiser.clamp=off"], "optimiser.clamp must be true or false; got 'off'"),
        (["optimiser.clamp=no"], "true or false"),
        (["optimiser=lbfgs", "optimiser.memory=0"], "optimiser.memory must be a whole number from 1 to 10000; got 0"),
        (["optimiser=lbfgs", "optimiser.memory=3000000000"], "optimiser.memory"),
        (["canvas=file", "canvas.path=null"], "canvas.path must be a file; got None"),
        (["canvas=file", "canvas.path=1.5"], "canvas.path must be a file; got 1.5"),
        (["steps=3000000000", "output.every=0"], "steps must be at most"),
        (["size=1000000000"], "size must be at most"),
        (["seed=99999999999999999999"], "seed must fit into 64 bits"),
        (["output.file=loss.png"], "writes another file of that name"),
        (["output.file=result.webp", "output.film=result.webp"], "writes another file of that name"),
        (["output.film=../evil.webp"], "a plain name"),
        (["output.file=Loss.PNG"], "writes another file of that name"),
    ],
)
def test_odd_settings_are_refused_in_a_line(nst, words, message):
    code, text = nst(*LINE, *words)
    assert code == 2, text
    assert message in text
    assert "Traceback" not in text


def test_a_film_that_cannot_be_written_is_refused_before_the_run(nst, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "av", None)
    code, text = nst(*LINE, "output.film=film.mp4")
    assert code == 2, text
    assert "pip install 'av>=14'" in text
    assert not list(tmp_path.glob("runs/*/*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hydra/launcher=pool", "hydra.launcher.workers=-1"], "hydra.launcher.workers must be a whole number"),
        (["hydra/launcher=pool", "hydra.launcher.workers=abc"], "hydra.launcher.workers must be a whole number"),
        (["hydra/launcher=pool", "hydra.launcher.threads=0"], "hydra.launcher.threads must be a whole number"),
        (["sweep.export=[foo]"], "foo"),
    ],
)
def test_odd_settings_of_a_sweep_are_refused_before_it(nst, words, message):
    code, text = nst("-m", *LINE, "seed=0,1", *words)
    assert code == 2, text
    assert message in text
    assert not list(Path().glob("runs/sweeps/*/*/result.png"))


def test_a_size_for_convert_that_is_none():
    from nst_jax.shell.cli import convert

    assert convert.main(["--from", "keras", "--to", "gatys_2016", "--size", "1000000000"]) == 2


# Checkpoints and marks


def saved(folder):
    curve = {name: np.arange(5.0) for name in ("total", "grad_norm", "evaluations")}
    checkpoint.save(folder, Checkpoint([np.ones((3, 4)), np.zeros(2)], curve, [{"step": 0}], 1.5))
    return (folder / checkpoint.NAME).read_bytes()


def test_a_checkpoint_with_any_damage_is_none(tmp_path):
    data, shapes, rng = saved(tmp_path), [(3, 4), (2,)], np.random.default_rng(3)
    whole = checkpoint.load(tmp_path)
    assert whole is not None
    assert checkpoint.fits(whole, shapes)
    damaged = [data[:-1], data[: len(data) // 2], data[:100], b""]
    for _ in range(60):
        copy = bytearray(data)
        copy[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(copy))
    for each in damaged:
        (tmp_path / checkpoint.NAME).write_bytes(each)
        found = checkpoint.load(tmp_path)  # a flipped bit may leave it whole
        assert found is None or all(isinstance(leaf, np.ndarray) for leaf in found.leaves)
        assert checkpoint.steps(tmp_path) in (0, 5)


def job(folder, **row):
    folder.mkdir()
    (folder / "result.png").write_bytes(b"picture")
    marks.write(folder, {"row": {"status": marks.DONE, **row}, "swept": ["seed"], "words": []})
    return folder


@pytest.mark.parametrize("damage", ["5", "{", '{"row": 3}', '{"row": {}, "swept": []}', "[]", ""])
def test_a_damaged_mark_is_a_damaged_job(tmp_path, damage):
    folder = job(tmp_path / "a", seed=1)
    assert marks.status(folder) == marks.DONE
    (folder / marks.MARK).write_text(damage)
    assert marks.read(folder) is None
    assert marks.row(folder) == {"status": marks.DAMAGED, "path": "a"}


def test_a_job_whose_files_are_not_as_they_were_is_damaged(tmp_path):
    folder = job(tmp_path / "a", seed=1)
    (folder / "nst.log").write_text("a log may grow")
    assert marks.status(folder) == marks.DONE
    (folder / "result.png").write_bytes(b"pic")
    assert marks.row(folder) == {"status": marks.DAMAGED, "seed": 1, "path": "a"}
    (folder / "result.png").unlink()
    assert marks.status(folder) == marks.DAMAGED


# Downloads


def test_a_planted_link_is_not_written_through(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path / "cache"))
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "cache").mkdir()
    link = tmp_path / "cache" / "file.x.part"
    link.symlink_to(target)
    os.utime(target, (0, 0))
    part = cache.begin_download("file")
    assert not part.is_symlink()
    assert link.is_symlink()
    part.unlink()
    part.symlink_to(target)
    with pytest.raises(OSError, match=r"symbolic|links"):
        fetch._transfer(Path(pictures.path("brush")).as_uri(), part, size=0)
    assert target.read_text() == "precious"


def test_what_a_killed_process_left_is_taken_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path))
    code = "from nst_jax.shell.io import cache; cache.begin_download('file').write_bytes(b'half')"
    subprocess.run([sys.executable, "-c", code], check=True)
    mine = cache.begin_download("other")
    assert not cache.is_stale(mine)
    assert cache.begin_download("file").read_bytes() == b"half"


def test_a_body_that_is_longer_than_the_file(tmp_path):
    part = tmp_path / "part"
    part.touch()
    with pytest.raises(fetch.Unusable, match="longer than the 100 bytes"):
        fetch._transfer(Path(pictures.path("brush")).as_uri(), part, size=100)


def test_a_cache_that_others_may_write_to_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path))
    tmp_path.chmod(0o777)
    said = []
    with pytest.raises(fetch.Unreachable):
        fetch.fetch((), mirror=None, log=said.append)
    assert "other users may write" in said[0]


def test_records_are_plain_json(nst):
    _, text = nst(*LINE)
    folder = result_of(text).parent
    assert [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()] == [0, 1, 2]
