"""The command `nst`: real runs, small, with real files and real signals."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.errors import UserError
from nst_jax.shell.running import device

FLAT = (  # two blocks, which compile in half the time
    *("layers=blocks1-3", "~layers.content.relu3_3", "+layers.content.relu2_1=1"),
    *("~layers.style.relu3_1", "~layers.style.relu3_4"),
)
SMALL = ("weights=random", "size=32", "steps=4", "output.every=2", *FLAT)
os.environ.setdefault(
    "NST_JAX_CACHE", tempfile.mkdtemp(prefix="nst_jax_test_")
)  # compiled programs, none of the user's
PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")


def of(path, attribute):
    with Image.open(path) as picture:
        return getattr(picture, attribute)


def folder(text):
    return Path(re.search(r"^result:  (.*)$", text, re.MULTILINE).group(1)).parent


def test_a_run_leaves_everything_behind(nst):
    code, text = nst(*PAIR, *SMALL, "output.film=film.webp")
    assert code == 0, text
    made = folder(text)
    names = {p.name for p in made.iterdir()}
    wanted = {"config.yaml", "metrics.jsonl", "result.png", "result.json", "loss.png", "curve.csv", "nst.log"}
    assert wanted | {"snapshots", "film.webp", "command.txt", "latest.png"} == names
    assert of(made / "result.png", "size") == (32, 24)
    records = [json.loads(line) for line in (made / "metrics.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records] == [0, 2, 4]
    assert records[-1]["total"] < records[0]["total"]
    assert set(records[0]["terms"]) == {"content/relu2_1", "style/relu1_1", "style/relu2_1"}
    assert records[-1]["evaluations"] >= 4
    assert len((made / "curve.csv").read_text().splitlines()) == 5
    assert of(made / "film.webp", "n_frames") >= 2
    assert str(made / "loss.png") in text


def test_provenance_is_in_the_picture_and_beside_it(nst):
    _, text = nst(*PAIR, *SMALL)
    made = folder(text)
    beside = json.loads((made / "result.json").read_text())
    within = of(made / "result.png", "text")
    assert json.loads(within["nst:config"]) == beside["config"]
    assert beside["config"]["size"] == 32
    assert "untrained" in beside["weights"]["source"] or "random" in beside["weights"]["source"]
    assert len(beside["weights"]["sha256"]) == 64
    assert beside["versions"]["jax"] == jax.__version__
    assert beside["terms"]["total"] > 0
    assert beside["finished"] is True


def test_runs_never_share_a_folder(nst):
    made = {folder(nst(*PAIR, *SMALL, "steps=0")[1]) for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "adagrad", "rmsprop", "lbfgs_torch"])
def test_every_optimiser_runs(nst, optimiser):
    code, text = nst(*PAIR, *SMALL, f"optimiser={optimiser}", "steps=2", "size=16")
    assert code == 0, text


@pytest.mark.parametrize("canvas", ["noise", "style", "white", "gray", "blend"])
def test_every_start(nst, canvas):
    code, text = nst(*PAIR, *SMALL, f"canvas={canvas}", "steps=0", "output.every=1")
    assert code == 0, text
    first = np.asarray(Image.open(next((folder(text) / "snapshots").iterdir())), float)
    expected = {"white": 255, "gray": 127.5}.get(canvas)
    assert (first.std() < 1 and abs(first.mean() - expected) < 1) if expected else first.std() > 5


def test_start_from_a_file_and_write_webp(nst):
    code, text = nst(*PAIR, *SMALL, "canvas=file", f"canvas.path={pictures.path('ink')}", "output.file=out.webp")
    assert code == 0, text
    assert of(folder(text) / "out.webp", "format") == "WEBP"


@pytest.mark.parametrize("convention", ["gatys_2016", "neural_style", "neural_style_pt", "keras"])
def test_every_convention_runs_with_its_own_weights(nst, convention):
    code, text = nst(*PAIR, *SMALL, f"convention={convention}", "steps=1")
    assert code == 0, text
    told = json.loads((folder(text) / "result.json").read_text())["config"]
    assert told["style_weight"] == told["convention"]["style_weight"]


class Heard(logging.Handler):
    """Keeps messages; Hydra resets the root logger, so this one hangs at jax's own."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def test_one_program_whatever_the_chunks(nst):
    """The number of steps in a chunk changes while running; the program is compiled once."""
    heard = Heard()
    logging.getLogger("jax").addHandler(heard)
    try:
        with jax.log_compiles():
            code, text = nst(*PAIR, *SMALL, "steps=9", "optimiser=adam")
    finally:
        logging.getLogger("jax").removeHandler(heard)
    assert code == 0, text
    assert sum("Finished XLA compilation of jit(advance)" in message for message in heard.texts) == 1


def test_a_style_without_a_photo(nst):
    """content=null with content_weight=0 is texture synthesis."""
    code, text = nst("content=null", PAIR[1], *SMALL, "content_weight=0", "canvas=noise")
    assert code == 0, text


def test_a_photo_without_a_style(nst):
    code, text = nst(PAIR[0], "style=null", *SMALL, "style_weight=0", "canvas=noise")
    assert code == 0, text


def test_transparency_is_kept_on_request(nst, tmp_path):
    photo = Image.open(pictures.path("landscape")).convert("RGBA")
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save(tmp_path / "clear.png")
    code, text = nst(f"content={tmp_path}/clear.png", PAIR[1], *SMALL, "output.alpha=true")
    assert code == 0, text
    assert "transparency" in text
    alpha = np.asarray(Image.open(folder(text) / "result.png"))[..., 3]
    assert alpha[0].mean() < 30 < 220 < alpha[-1].mean()


def test_a_value_that_is_not_finite_stops_the_run(nst):
    wild = ("optimiser=sgd", "optimiser.learning_rate=1e30", "optimiser.clamp=false")
    code, text = nst(*PAIR, *SMALL, *wild, "steps=40")
    assert code == 1
    assert re.search(r"step \d+: the loss is not finite", text)
    told = json.loads((folder(text) / "result.json").read_text())
    assert told["finite"] is False
    assert told["steps"] < 40
    assert np.asarray(Image.open(folder(text) / "result.png")).std() > 1


def test_a_path_with_a_comma(nst, tmp_path):
    awkward = tmp_path / "a, (b)=c.jpg"
    awkward.write_bytes(pictures.path("landscape").read_bytes())
    code, text = nst(f"content={awkward}", PAIR[1], *SMALL, "steps=0")
    assert code == 0, text


BAD = {
    "content=nothing.jpg": "nothing.jpg",
    "content=bare": "bare: no picture is in this folder",
    "content=*.gif": "as a pattern it matches none",
    "content=notes.jpg": "notes.jpg",
    "content=cut.jpg": "cut.jpg",
    "content=empty.png": "empty.png",
    "content=dot.png": "dot.png",
    "content=bomb.png": "pixels",
    "size=0": "size must be at least 16",
    "size=-5": "size must be at least 16",
    "size=abc": "abc",
    "style_scale=0": "style_scale",
    "+layers.style.relu9_1=1": "relu9_1",
    "sise=3": "Did you mean size",
    "layers.style.relu1_2=2": r"no relu1_2 in layers.style; to add it: \+layers.style.relu1_2=1",
    "+flavour=3": "flavour",
    "optimiser=adm": "Did you mean adam",
    "optimiser.learning_rte=1": "no setting",
    "canvas=noise canvas.sigmaa=1": "Did you mean canvas.sigma",
    "~layers.content.relu2_1": "layers.content is empty",
    "content=null": "content_weight",
    "network.pool=median": "max, avg",
    "network.convolution=fft": "auto, direct, winograd",
    "network.smooth=chanels": "none, channels, all",
    "network.smooth=channels network.temperature=0": "network.temperature must be a number from 1e-6",
    "network.temperature=3": "no effect",
    "network.smooth=all": r"those of 32 x 32 pixels cannot be compared with those of 32 x 24: .*size_rule=area",
    "network.smooth=all size_rule=area device.tiles=32": r"depends on all positions \(smooth=all\): no tiles",
    "device.precision=float16": "float32, tf32, bfloat16",
    "device.memory_fraction=2": "memory_fraction",
    "device.mesh=columns": "lanes, rows, or two numbers such as 2x4",
    "device.mesh=0x4": "lanes, rows, or two numbers such as 2x4",
    "device.mesh=rows network.convolution=winograd": "device.mesh=rows needs network.convolution=direct",
    "device.mesh=2x2 device.deterministic=true": "device.deterministic=true computes each picture on one device",
    "device.mesh=rows device.tiles=64": "device.tiles=64 is for one device",
    "device.distributed=true": "device.distributed=true needs device.mesh=rows",
    "device.distributed=true device.mesh=rows dry_run=true": "leave device.distributed out",
    "output.file=out.tiff": "out.tiff",
    "output.film=film.gif": "webp",
    "content_weight=0 style_weight=0": "nothing to aim at",
    "size=16 style_scale=0.01": "vanishes",
    "weights=file weights.path=nowhere.h5": "nowhere.h5",
    "weights=file weights.path=notes.jpg": "notes.jpg",
    "style=[": "nst:",
}


@pytest.fixture
def bad_files(tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "notes.jpg").write_text("these are notes")
    (tmp_path / "cut.jpg").write_bytes(pictures.path("landscape").read_bytes()[:20_000])
    (tmp_path / "empty.png").write_bytes(b"")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_one_line_and_exit_code_2(nst, bad_files, words):
    code, text = nst(*PAIR, *SMALL, *words.split(" "))
    assert code == 2, text
    last = text.strip().splitlines()[-1]
    assert last.startswith("nst: ")
    assert re.search(BAD[words], last), last
    assert "Traceback" not in text
    assert not Path("runs").exists()


def test_weights_of_another_network_are_refused(nst, data):
    words = ("weights=file", f"weights.path={data}/weights/squeezenet1.1_keras_notop.h5")
    code, text = nst(*PAIR, *SMALL, *words)
    assert code == 2
    assert text.strip().splitlines()[-1].startswith("nst: ")


def test_weights_without_the_layer_asked_for_are_refused_by_its_name(nst, data):
    words = ("weights=file", f"weights.path={data}/weights/vgg19_blocks1-3.safetensors", "layers=gatys")
    code, text = nst(*PAIR, "size=32", *words)
    assert code == 2
    assert "conv4_1" in text


@pytest.mark.slow
@pytest.mark.parametrize("optimiser", [("optimiser=lbfgs", "steps=40"), ("optimiser=adam", "steps=120")])
def test_the_main_job_on_real_pictures_and_weights(nst, data, optimiser):
    """The style term falls at least 100-fold, and the photograph stays in sight."""
    pair = (f"content={data}/images/tubingen.jpg", f"style={data}/images/starry_night.jpg")
    real = ("weights=file", f"weights.path={data}/weights/vgg19_blocks1-3.safetensors", "layers=blocks1-3")
    code, text = nst(*pair, *real, *optimiser, "size=64")
    assert code == 0, text
    made = folder(text)
    lines = [json.loads(line) for line in (made / "metrics.jsonl").read_text().splitlines()]
    assert lines[0]["weighted"]["style"] > 100 * lines[-1]["weighted"]["style"]
    photo = Image.open(data / "images/tubingen.jpg").convert("L").resize((64, 48))
    result = Image.open(made / "result.png").convert("L")
    assert np.corrcoef(np.asarray(photo).ravel(), np.asarray(result).ravel())[0, 1] > 0.4


def test_a_run_that_ends_above_its_start_keeps_its_best_image(nst):
    weights = ("content_weight=1e4", "style_weight=1e-3", "tv_weight=0")  # the photograph itself is the best image
    rate = ("optimiser=adam", "optimiser.learning_rate=0.3", "canvas=content", *weights)
    code, text = nst(*PAIR, *rate, "network=distilled", "size=32", "steps=4", "output.every=1")
    assert code == 0
    assert "ends above its start" in text
    made = folder(text)
    lines = [json.loads(line) for line in (made / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["total"] <= lines[0]["total"] < max(line["total"] for line in lines)
    assert json.loads((made / "result.json").read_text())["kept"] == "best"
    assert "kept: the best image" in (made / "nst.log").read_text()
    code, text = nst("-m", *PAIR, *rate, "network=distilled", "size=32", "steps=4,5", "sweep.folder=climbs")
    assert code == 0
    assert text.count("kept: the best image") == 2


def test_missing_pictures_are_asked_for(nst):
    code, text = nst("size=64")
    assert code == 2
    assert "content" in text
    assert "style" in text


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["--version"]])
def test_help_and_version(nst, words):
    code, text = nst(*words)
    assert code == 0
    assert "nst" in text


def test_help_names_every_setting_and_group(nst):
    _, text = nst("--help")
    for name in ("content_weight", "style_weight", "tv_weight", "style_scale", "size", "seed", "steps", "optimiser"):
        assert name in text
    assert "lbfgs" in text
    assert "hydra:" not in text


def start(tmp_path, *words):
    command = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *PAIR, *SMALL, *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def until_running(tmp_path):
    for _ in range(600):
        if len(list(tmp_path.glob("runs/*/*/snapshots/step_*.png"))) > 2:
            return
        time.sleep(0.1)
    pytest.fail("the run did not start")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_what_there_is(tmp_path, number, code):
    process = start(tmp_path, "steps=1000000")
    until_running(tmp_path)
    process.send_signal(number)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == code, text
    made = tmp_path / folder(text)
    told = json.loads((made / "result.json").read_text())
    assert told["finished"] is False
    assert 0 < told["steps"] < 1_000_000
    assert of(made / "result.png", "size") == (32, 24)
    assert "Traceback" not in text


def test_sigkill_leaves_only_whole_files(tmp_path):
    process = start(tmp_path, "steps=1000000", "output.every=1")
    until_running(tmp_path)
    process.kill()
    process.communicate(timeout=60)
    pictures_left = [p for p in tmp_path.glob("runs/*/*/snapshots/*.png") if not p.name.startswith(".")]
    for path in pictures_left:
        Image.open(path).load()
    for line in next(tmp_path.glob("runs/*/*/metrics.jsonl")).read_text().splitlines():
        json.loads(line)


def test_tab_completion_does_not_load_jax(tmp_path):
    code = (
        "import sys; sys.argv = ['nst', '-sc', 'query=bash']; from nst_jax.shell.cli.nst import main\n"
        "try: main()\nexcept SystemExit: pass\nsys.exit(3 if 'jax' in sys.modules else 0)"
    )
    environment = {**os.environ, "COMP_LINE": "nst optimiser=", "COMP_POINT": "14"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "optimiser=adam" in done.stdout


def test_a_dry_run_says_what_it_would_take_and_writes_nothing(nst):
    """The picture is large: its memory is the compiler's account, its time that of a smaller one."""
    code, text = nst(*PAIR, *SMALL, "dry_run=true", "steps=7200", "size=400")
    assert code == 0, text
    known = [f"{n}: " for n in ("compiling", "weights, aims and the solver's state", "working memory", "memory")]
    for words in (
        *known,
        "MiB free",
        "measures a few steps at 256 x 192 pixels",
        "a step: about ",
        "all 7200 steps: about ",
    ):
        assert words in text
    assert " to " not in text[text.index("a step:") :]
    assert not Path("runs").exists()


@pytest.mark.parametrize("words", [("device.checkpoint=true",), ("device.precision=bfloat16",)])
def test_large_pictures_have_levers(nst, words):
    code, text = nst(*PAIR, *SMALL, *words)
    assert code == 0, text
    records = [json.loads(line) for line in (folder(text) / "metrics.jsonl").read_text().splitlines()]
    assert records[-1]["total"] < records[0]["total"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_limit_within_which_jax_aborts(tmp_path):
    """Of 0.9 GB of addresses."""
    line = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *PAIR, *SMALL]
    limited = ["bash", "-c", 'ulimit -v 900000; exec "$@"', "nst", *line]
    done = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "0.92 GB of addresses (ulimit -v), and jax needs 2 GB" in done.stderr


def test_a_device_that_is_not_there(tmp_path):
    line = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *PAIR, *SMALL]
    environment = {**os.environ, "JAX_PLATFORMS": "cuda"}
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        pytest.skip("there is one")
    assert done.returncode == 2, done.stderr
    assert "JAX_PLATFORMS=cuda: " in done.stderr
    assert "JAX_PLATFORMS=cpu computes on the CPU" in done.stderr
    assert done.stderr.count("\n") <= 3
    assert "Traceback" not in done.stderr


def test_memory_that_runs_out_names_the_levers():
    with pytest.raises(UserError, match=r"device\.tiles=512"), device.enough_memory():
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 99 bytes")
    with pytest.raises(UserError, match="smaller size"), device.enough_memory():
        raise MemoryError
    with pytest.raises(jax.errors.JaxRuntimeError), device.enough_memory():
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")


def command(tmp_path, *words):
    line = [sys.executable, "-c", "from nst_jax.shell.cli.nst import main; main()", *PAIR, *SMALL, *words]
    environment = {**os.environ, "NST_JAX_CACHE": str(tmp_path / "cache")}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)  # the tests' own
    return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_programs_are_kept_and_a_damaged_one_is_made_again(tmp_path):
    assert command(tmp_path, "steps=1", "optimiser=adam").returncode == 0
    programs = tmp_path / "cache" / "programs"
    kept = {p: p.stat().st_mtime_ns for p in programs.glob("*-cache")}
    assert kept
    assert command(tmp_path, "steps=1", "optimiser=adam").returncode == 0
    assert {p: p.stat().st_mtime_ns for p in programs.glob("*-cache")} == kept, "nothing was compiled again"
    first, second, third, *_ = sorted(kept, key=lambda path: -path.stat().st_size)
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)  # each is whole, and under the other's key
    second.write_bytes(one)
    third.write_bytes(third.read_bytes()[:100])
    done = command(tmp_path, "steps=1", "optimiser=adam")
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("a damaged entry of the cache of compiled programs is removed") == 1
    assert "Error reading" not in done.stderr
    done = command(tmp_path, "steps=1", "optimiser=adam")
    assert done.returncode == 0, done.stderr
    assert "damaged" not in done.stdout + done.stderr


def test_programs_are_not_kept_where_the_user_does_not_want_it(tmp_path):
    assert command(tmp_path, "steps=0", "device.cache=false").returncode == 0
    assert not (tmp_path / "cache" / "programs").exists()
