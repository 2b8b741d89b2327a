"""`nst-train johnson | cin | adain | wct`: pictures, files, resuming, sweeps and mistakes."""

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from on_hosts import DEVICES
from PIL import Image
from safetensors.numpy import load_file, save_file

from nst_jax.extractors import vgg
from nst_jax.methods.feedforward import models as core
from nst_jax.methods.feedforward import training
from nst_jax.methods.feedforward.records import DISTILLED, mirror
from nst_jax.shell.cli import train
from nst_jax.shell.errors import Ended, UserError
from nst_jax.shell.io import models
from nst_jax.shell.running.stop import Stop
from nst_jax.shell.training import corpus
from nst_jax.shell.training.corpus import Piece
from nst_jax.shell.training.feed import ahead
from nst_jax.shell.training.feedforward import run as feedforward

NET = vgg.describe("tiny", ((8, 1), (12, 1), (16, 1)))
SIGHT = (
    "network.name=test_feedforward_train:NET",
    "weights=random",
    *("~layers.style.relu2_2", "~layers.style.relu3_3", "~layers.style.relu4_3", "~layers.style.relu1_2"),
    *("+layers.style.relu1_1=1", "+layers.style.relu2_1=1", "~layers.content.relu3_3", "+layers.content.relu2_1=1"),
)
SHORT = ("side=32", "batch=2", "steps=4", "report=1", "sheet=2", "warmup=2", "held_out=2", "threads=2")
JOHNSON = (*SIGHT, *SHORT, "width=0.125", "style_size=40")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve pictures, of which one is too small, and a file that is none."""
    place, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    (place / "more").mkdir()
    for number in range(11):
        cells = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        size = (72 + 4 * number, 60) if number % 2 else (50, 64)
        kind = "jpg" if number % 3 else "png"
        Image.fromarray(cells).resize(size, Image.Resampling.NEAREST).save(place / "more" / f"{number:02}.{kind}")
    Image.new("RGB", (100, 20), "red").save(place / "small.png")
    (place / "text.jpg").write_text("no picture")
    return place


@pytest.fixture(scope="module")
def paintings(tmp_path_factory):
    """Six paintings of several sizes."""
    place, rng = tmp_path_factory.mktemp("paintings"), np.random.default_rng(1)
    for number in range(6):
        cells = rng.integers(0, 256, (9, 8, 3), dtype=np.uint8)
        Image.fromarray(cells).resize((48 + 8 * number, 44), Image.Resampling.BICUBIC).save(place / f"{number}.png")
    return place


def start(method, *words, stop=None):
    return feedforward.run(method, train.read(method, list(words)), stop or Stop())


@pytest.fixture(scope="module")
def whole(folder, paintings, tmp_path_factory):
    """A training of four steps without a break."""
    place = tmp_path_factory.mktemp("whole")
    words = (f"style={paintings / '0.png'}", f"data={folder}", f"folder={place}", *JOHNSON)
    return start("johnson", *words)[0], place, words


def lines(place):
    return [json.loads(line) for line in (place / "metrics.jsonl").read_text().splitlines()]


def test_the_file_has_the_network_and_what_it_came_from(whole, folder):
    path, _, _ = whole
    model = models.load(path)
    assert model.method == "johnson"
    assert [layer.width for layer in model.record.layers] == [4, 8, 16, *[16] * 5, 8, 4, 3]
    said = model.notes
    assert json.loads(said["styles"])[0]["name"] == "0.png"
    pictures = json.loads(said["pictures"])["data"]
    assert (pictures["number"], pictures["held_out"]) == (11, 2)
    assert len(pictures["sha256"]) == len(said["encoder_sha256"]) == 64
    assert said["steps"] == "4"
    assert "untrained" in said["encoder"]
    assert "licence" in said
    assert str(folder) not in json.dumps(dict(said))
    assert json.loads(said["config"])["data"] == [folder.name]
    images = jnp.full((1, 32, 36, 3), 0.5)
    variables = jax.tree.map(jnp.asarray, model.variables)
    painted: Any = core.module(model.record).apply(variables, images, training=False)
    assert painted.shape == images.shape
    assert np.isfinite(painted).all()


def test_what_is_kept_is_the_mean_of_the_parameters(whole):
    path, place, _ = whole
    from flax import serialization

    told: Any = serialization.msgpack_restore((place / "checkpoint.msgpack").read_bytes())
    state = told["state"]
    flat = core.flatten(state["ema"])
    assert flat.keys() == load_file(str(path)).keys()
    for name, values in load_file(str(path)).items():
        np.testing.assert_array_equal(values, flat[name])
    last = core.flatten(state["variables"])
    assert any((last[name] != flat[name]).any() for name in flat)


def test_the_log_and_the_contact_sheets(whole):
    _, place, _ = whole
    told = lines(place)
    assert [line["step"] for line in told] == [1, 2, 3, 4]
    for line in told:
        assert {"content/relu2_1", "style/relu1_1", "style/relu2_1", "tv", "loss", "gradient"} <= line.keys()
        assert line["pictures_per_second"] > 0
        assert line["not_finite"] == 0
    assert ["held_out/tv" in line for line in told] == [False, True, False, True]
    assert sorted(path.name for path in (place / "sheets").iterdir()) == ["step_000002.jpg", "step_000004.jpg"]
    with Image.open(place / "sheets" / "step_000004.jpg") as sheet:
        assert sheet.size == (4 * 32, 32)


def interrupt(monkeypatch, stop, *, after):
    """Let a signal come during a step."""
    summary, steps = feedforward.summary, iter(range(1, 100))

    def counted(*given):
        if next(steps) == after:
            stop.asked = signal.SIGINT
        return summary(*given)

    monkeypatch.setattr(feedforward, "summary", counted)


def test_a_stopped_training_goes_on_and_ends_with_the_same_bits(whole, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "nst_jax")
    path, _, words = whole
    words, stop = (*words, f"folder={tmp_path}"), Stop()
    interrupt(monkeypatch, stop, after=3)
    with pytest.raises(Ended) as ended:
        start("johnson", *words, stop=stop)
    assert ended.value.code == 130
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.undo()
    again = start("johnson", *words)[0]
    assert "going on from step 3" in caplog.text
    first, second = load_file(str(path)), load_file(str(again))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)
    with pytest.raises(UserError, match="is of other settings"):
        start("johnson", *words, "style_weight=7")
    more = start("johnson", *words, "steps=5")[0]  # the number of steps may grow
    assert models.load(more).notes["steps"] == "5"


def test_several_styles(folder, paintings, tmp_path):
    words = (f"styles={paintings}", f"data={folder}", f"folder={tmp_path}", *JOHNSON, "network.pool=max")
    path = start("cin", *words, "steps=2", "precision=float16")[0]
    model = models.load(path)
    assert (model.record.styles, model.record.norm) == (6, "conditional")
    assert model.variables["params"]["conv1"]["scale"].shape == (6, 4)
    assert load_file(str(path))["params/conv1/scale"].dtype == np.float16
    assert model.variables["params"]["conv1"]["scale"].dtype == np.float32
    assert [style["name"] for style in json.loads(model.notes["styles"])] == [f"{n}.png" for n in range(6)]
    with Image.open(tmp_path / "sheets" / "step_000002.jpg") as sheet:
        assert sheet.size == (7 * 32, 2 * 32)


def test_another_style_of_a_trained_network(whole, paintings, tmp_path):
    path, _, words = whole
    words = (*words, f"style={paintings / '3.png'}", f"folder={tmp_path}", f"start={path}", "learns=norms", "steps=2")
    made = models.load(start("johnson", *words)[0])
    before = models.load(path).variables["params"]
    for name, layer in made.variables["params"].items():
        np.testing.assert_array_equal(layer["kernel"], before[name]["kernel"])
        assert name == "conv4" or (layer["scale"] != before[name]["scale"]).any()
    assert json.loads(made.notes["config"])["start"] == ["model.safetensors"]
    with pytest.raises(UserError, match="it is another network"):
        start("johnson", *words, "width=0.25", f"folder={tmp_path / 'more'}")


DECODE = ("network=distilled", "record=collaborative", *SHORT, "steps=2")


def test_any_style_by_adain(folder, paintings, tmp_path):
    words = (f"styles={paintings}", f"data={folder}", f"folder={tmp_path}", *DECODE, "level=relu2_1")
    layers = ("~layers.style.relu3_1", "~layers.style.relu4_1", "~layers.content.relu4_1", "+layers.content.relu2_1=1")
    model = models.load(start("adain", *words, *layers)[0])
    assert model.method == "adain"
    assert model.record.layers == (16, "up", 16, 3)
    assert model.record.divisor > 1
    assert set(json.loads(model.notes["pictures"])) == {"data", "styles"}
    last = lines(tmp_path)[-1]
    assert {"content/relu2_1", "style/relu1_1", "style/relu2_1", "held_out/style/relu1_1"} <= last.keys()
    with Image.open(tmp_path / "sheets" / "step_000002.jpg") as sheet:  # a row of paintings, two rows of photographs
        assert sheet.size == (2 * 32, 3 * 32)


def test_any_style_by_covariances_is_a_level_of_wct(folder, paintings, tmp_path):
    words = (f"styles={paintings}", f"data={folder}", f"folder={tmp_path}", *DECODE, "level=relu2_1")
    layers = ("~layers.style.relu3_1", "~layers.style.relu4_1", "~layers.content.relu4_1", "+layers.content.relu2_1=1")
    path = start("adain", *words, *layers, "mix=covariances", "more=2")[0]
    model = models.load(path)
    assert model.method == "wct"
    assert model.record.layers == (32, 32, 16, "up", 16, 3)
    told = lines(tmp_path)
    assert {"content/relu2_1", "style/relu1_1", "style/relu2_1"} <= told[-1].keys()
    assert told[-1]["not_finite"] == 0
    with pytest.raises(UserError, match=r"mix: there is no averages"):
        start("adain", *words, *layers, "mix=averages")


def test_a_decoder_for_any_style_begins_with_one_that_gives_pictures_back(folder, paintings, tmp_path):
    sight = (f"data={folder}", *SHORT)
    texnet = ("network.name=texnet", "network.pool=avg", "record=texnet")
    first = start("wct", *sight, *texnet, f"folder={tmp_path / 'wct'}", "level=relu3_1", "steps=2", "draw=he")[0]
    layers = ("layers=adain", "~layers.content.relu4_1", "+layers.content.relu3_1=1")
    terms = ("network=texnet", "convention=adain", *layers)
    words = (*sight, *terms, f"styles={paintings}", f"folder={tmp_path / 'adain'}", "level=relu3_1", f"start={first}")
    second = models.load(start("adain", *words, "steps=1", "learning_rate=0", "ema=0")[0])
    assert second.record.layers == (64, "up", 64, 32, "up", 32, 3)
    known = load_file(first)
    assert all(np.array_equal(known[name], values) for name, values in core.flatten(second.variables).items())


def test_decoders_of_two_levels(folder, tmp_path):
    words = (f"data={folder}", f"folder={tmp_path}", "network=distilled", *SHORT, "steps=2", "level=[relu2_1,relu1_1]")
    paths = start("wct", *words)
    assert paths == [tmp_path / level / "model.safetensors" for level in ("relu2_1", "relu1_1")]
    for level, path in zip(("relu2_1", "relu1_1"), paths, strict=True):
        record = models.load(path).record
        assert record._replace(divisor=1.0) == mirror(DISTILLED, level=level)
        assert f"content/{level}" in lines(path.parent)[-1]
        assert "content/image" in lines(path.parent)[-1]


def test_a_sweep_of_trainings(whole, tmp_path):
    path, _, words = whole
    words = [word for word in words if not word.startswith("folder=")]
    found = train.run(["johnson", "-m", *words, f"folder={tmp_path}", "style_weight=1,5.0", "seed=0"])
    assert [made.parent.name for made in found] == ["style_weight=1", "style_weight=5.0"]
    first, second = (load_file(str(made)) for made in found)
    assert any((first[name] != second[name]).any() for name in first)
    for name, values in load_file(str(path)).items():  # 5 is the default
        np.testing.assert_array_equal(values, second[name], err_msg=name)


def test_a_training_that_blows_up_ends(whole, tmp_path):
    _, _, words = whole
    with pytest.raises(UserError, match=r"step \d+: .*not finite, as in the 2 steps before"):
        start("johnson", *words, f"folder={tmp_path}", "steps=60", "learning_rate=1e38", "patience=3", "warmup=0")
    assert (tmp_path / "checkpoint.msgpack").exists()
    assert lines(tmp_path)[-1]["not_finite"] == 1
    assert not (tmp_path / "model.safetensors").exists()


def test_signal_before_the_first_step(whole, tmp_path):
    stop = Stop()
    stop.asked = signal.SIGTERM
    with pytest.raises(Ended) as ended:
        start("johnson", *whole[2], f"folder={tmp_path}", stop=stop)
    assert (ended.value.code, ended.value.early) == (143, True)


def moments(place):
    """Adam's mean of the gradients, by the parameter's name, of a training in a folder."""
    from flax import serialization

    told: Any = serialization.msgpack_restore((place / "checkpoint.msgpack").read_bytes())
    found = {}
    for path, values in jax.tree_util.tree_leaves_with_path(told["state"]["opt_state"]):
        names = [part.key for part in path]
        if "mu" in names:
            found["/".join(names[names.index("mu") + 1 :])] = values
    return found


@pytest.mark.slow
def test_a_batch_over_two_devices(whole, tmp_path):
    """At a small rate: Adam moves a parameter whose gradient is nothing but rounding by the whole rate."""
    _, _, words = whole
    words, place = (*words, "learning_rate=1e-6"), tmp_path / "one"
    start("johnson", *words, f"folder={place}")
    code = "from nst_jax.shell.cli.train import main; main()"
    flags = f"{os.environ.get('XLA_FLAGS', '')} {DEVICES}=2"
    env = os.environ | {"XLA_FLAGS": flags, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    line = [sys.executable, "-c", code, "johnson", *words, f"folder={tmp_path / 'two'}", "devices=0"]
    done = subprocess.run(line, capture_output=True, text=True, env=env, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for one, two in zip(lines(place), lines(tmp_path / "two"), strict=True):
        for name in ("loss", "gradient", "style/relu1_1", "content/relu2_1"):
            assert two[name] == pytest.approx(one[name], rel=1e-4), name
    one, two = moments(place), moments(tmp_path / "two")
    assert one.keys() == two.keys()
    whole_gradient = np.sqrt(sum(float((values**2).sum()) for values in one.values()))
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, atol=1e-5 * whole_gradient, rtol=1e-4, err_msg=name)


def test_pictures_in_memory_and_on_the_disk(folder):
    how = {"side": 32, "largest": 60, "held_out": 3, "threads": 2}
    told = []
    kept = corpus.load("data", [str(folder)], **how, memory=10.0, log=told.append)
    assert (kept.number, len(kept.paths), len(kept.held)) == (11, 9, 2)  # a fifth at most
    assert kept.kept is not None
    assert max(max(picture.shape) for picture in (*kept.kept, *kept.held)) == 60
    assert len(told) == 1
    assert "text.jpg" in told[0]
    read = corpus.load("data", [str(folder)], **how, memory=0.0, log=told.append)
    assert read.kept is None
    assert (read.paths, len(read.held)) == (kept.paths, 2)
    piece = Piece(32, (0.6, 1.0), True)
    for store in (kept, read):
        first, again = (corpus.pieces(store, piece, seed=1, stream=2, step=3, count=4) for _ in range(2))
        assert (first.shape, first.dtype) == ((4, 32, 32, 3), np.uint8)
        np.testing.assert_array_equal(first, again)
        other = corpus.pieces(store, piece, seed=1, stream=2, step=4, count=4)
        assert (first != other).any()


def test_each_picture_comes_once_in_each_turn():
    number = 7
    flat = tuple(np.full((40, 48, 3), 10 * i, np.uint8) for i in range(number))
    store = corpus.Corpus(tuple(Path(f"{i}.png") for i in range(number)), flat, (), "", number)
    seen = [
        int(corpus.take(store, Piece(32, (0.8, 1.0), True), seed=0, stream=0, place=place)[0, 0, 0]) // 10
        for place in range(3 * number)
    ]
    for turn in range(3):
        assert sorted(seen[turn * number : (turn + 1) * number]) == list(range(number))
    assert seen[:number] != seen[number : 2 * number]


def test_a_piece_is_cut_where_it_is_said():
    columns = np.arange(64, dtype=np.uint8)[None, :, None].repeat(48, 0).repeat(3, 2)
    picture = Image.fromarray(columns)
    piece = corpus.cut(picture, side=32, part=32 / 48, where=np.array([0.0, 0.999]), flip=False)
    np.testing.assert_array_equal(piece, columns[:32, 32:])
    mirrored = corpus.cut(picture, side=32, part=32 / 48, where=np.array([0.0, 0.999]), flip=True)
    np.testing.assert_array_equal(mirrored, columns[:32, 32:][:, ::-1])
    small = corpus.cut(picture, side=24, part=1.0, where=np.array([0.5, 0.0]), flip=False)
    assert small.shape == (24, 24, 3)
    assert abs(int(small[12, 12, 0]) - 24.5) <= 1  # the middle of the first 48 columns


def test_a_large_jpeg_is_decoded_at_a_smaller_size(tmp_path):
    ramp = np.linspace(0, 255, 800, dtype=np.uint8)[None, :, None].repeat(600, 0).repeat(3, 2)
    Image.fromarray(ramp).save(tmp_path / "ramp.jpg", quality=95)
    store = corpus.load("data", [str(tmp_path)], side=32, largest=800, held_out=0, memory=0.0, threads=1, log=print)
    drafted = corpus.open_at(store, 0, short=64.0)
    assert drafted is not None
    assert drafted.size == (100, 75)
    assert corpus.open_at(store, 0, short=100.0).size == (200, 150)
    piece = corpus.cut(drafted, side=64, part=1.0, where=np.array([0.5, 0.5]), flip=False)
    expected = corpus.cut(Image.fromarray(ramp), side=64, part=1.0, where=np.array([0.5, 0.5]), flip=False)
    assert np.abs(piece.astype(int) - expected).max() <= 3


def test_a_damaged_picture_on_the_disk_is_left_out(tmp_path, caplog):
    for number in range(3):
        Image.new("RGB", (40, 40), (number * 100, 0, 0)).save(tmp_path / f"{number}.png")
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) - 30])
    store = corpus.load("data", [str(tmp_path)], side=32, largest=40, held_out=0, memory=0.0, threads=1, log=print)
    pieces = corpus.pieces(store, Piece(32, (1.0, 1.0), False), seed=0, stream=0, step=0, count=3)
    assert {int(red) for red in pieces[:, 0, 0, 0]} <= {0, 200}
    assert "1.png is damaged" in caplog.text


def test_batches_are_made_ahead():
    made = []

    def make(number):
        made.append(number)
        return 10 * number

    with ahead(make, last=6, threads=2) as feed:
        assert [feed(number) for number in range(2, 6)] == [20, 30, 40, 50]
    assert sorted(made) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("method", "words", "message"),
    [
        ("johnson", ["stepz=3"], "there is no setting stepz"),
        ("johnson", ["steps=0"], "steps=0: it must be 1 or more"),
        ("johnson", ["side=30"], "side=30: give a multiple of 4"),
        ("johnson", ["learns=norms"], "give start=MODEL.safetensors"),
        ("johnson", ["start=none.safetensors"], "start=none.safetensors: there is no such file"),
        ("johnson", ["learns=some"], "learns=some: it is one of all, norms"),
        ("johnson", ["ema=1"], "ema=1: give a number from 0 to below 1"),
        ("johnson", ["schedule=cosine"], "schedule=cosine: it is one of constant, inverse, steps"),
        ("johnson", ["schedule=steps"], "every=0: with schedule=steps"),
        ("johnson", ["crop=[1,0.5]"], r"crop=\[1, 0.5\]: give two numbers"),
        ("johnson", ["record=dumoulin"], "there is no dumoulin"),
        ("johnson", ["record=johnson", "batch=1"], "its normalisation is by the batch"),
        ("johnson", ["width=0.01"], "leaves a layer without channels"),
        ("johnson", ["+layers.style.relu9_1=1"], "there is no relu9_1"),
        ("johnson", ["layers.style.relu1_1=-1"], "layers.style.relu1_1=-1: give a number, 0 or more"),
        ("johnson", ["convention=adain"], "tv_weight=0.4: convention=adain has no smoothness term"),
        ("johnson", ["style_weight=0", "content_weight=0"], "there is nothing to learn"),
        ("johnson", ["devices=64", "batch=64"], "devices=64: there"),
        ("johnson", ["data=/nowhere"], "data=/nowhere: there is no such folder"),
        ("johnson", ["style=/nowhere.png"], "no file /nowhere.png"),
        ("johnson", ["side=512"], "no picture has 512 pixels"),
        ("johnson", ["network=vgg17"], "network has no option vgg17"),
        ("cin", ["record=johnson"], "there is no johnson"),
        ("cin", ["styles=[]"], "there is no picture in it"),
        ("adain", ["level=relu4_2"], "level: there is no relu4_2"),
        ("adain", ["record=big"], "there is no big"),
        ("adain", ["form=other"], "form: there is no other"),
        ("adain", ["draw=she"], "draw: there is no she"),
        ("wct", ["level=relu1_2"], "level: there is no relu1_2"),
        ("wct", ["style_weight=1"], "there is no setting style_weight"),
    ],
)
def test_mistakes(method, words, message, folder, paintings, tmp_path):
    own = {"johnson": (f"style={paintings / '0.png'}", *JOHNSON), "cin": (f"styles={paintings}", *JOHNSON)}
    own |= {"adain": (f"styles={paintings}", *DECODE), "wct": (*DECODE, "level=relu1_1")}
    with pytest.raises(UserError, match=message):
        start(method, f"data={folder}", f"folder={tmp_path}", *own[method], *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["jonson"], "there is no jonson. Did you mean johnson?"),
        (["style=a.png"], "say what to train: johnson, cin, adain, wct, distil"),
        (["johnson", "data=x"], "style=PAINTING.jpg is missing"),
        (["cin", "data=x"], "styles=FOLDER is missing"),
        (["wct"], "data=FOLDER is missing"),
        (["johnson", "a.png"], "write KEY=VALUE, such as style=a.png"),
        (["-m", "johnson", "style=a.png", "data=x"], "-m: no setting has several values"),
        (["-m", "johnson", "style=a.png", "data=x", "seed=interval(0,1)"], "an interval has no list of values"),
    ],
)
def test_command_says_what_is_wrong(words, message, called):
    code, text = called(train.main, "nst-train", *words)
    assert code == 2
    assert message in text


def test_files_that_hold_no_network(tmp_path, whole):
    with pytest.raises(UserError, match="no file"):
        models.load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(UserError, match=r"is damaged, or no \.safetensors file"):
        models.load(tmp_path / "text.safetensors")
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="holds no feed-forward network"):
        models.load(tmp_path / "other.safetensors")
    path = tmp_path / "header.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path, metadata={"format": models.FORMAT, "method": "x", "record": "{}"})
    with pytest.raises(UserError, match="its header says no network"):
        models.load(path)


def test_the_step_is_compiled_once_for_a_sweep(whole, tmp_path):
    _, _, words = whole
    step: Any = training.step
    before = step._cache_size()
    start("johnson", *words, f"folder={tmp_path}", "style_weight=2", "steps=1", "sheet=0")
    assert step._cache_size() == before
