"""`nst photo.jpg painting.jpg model=FILE`: one photograph and many, what is said, and what is refused."""

import json
import re
import shlex
import shutil
from pathlib import Path

import jax.numpy as jnp
import model_files
import numpy as np
import pytest
from PIL import Image

import nst_jax
from nst_jax import pictures
from nst_jax.shell.cli import words
from nst_jax.shell.errors import UserError
from nst_jax.shell.running import instant as running
from nst_jax.shell.running import one_pass

PHOTO, BRUSH, MOSAIC = (str(pictures.path(name)) for name in ("landscape", "brush", "mosaic"))
SKY = str(pictures.path(pictures.MASKS[0]))
SMALL = "size=48"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return {name: str(path) for name, path in model_files.write_all(tmp_path_factory.mktemp("models")).items()}


@pytest.fixture
def photos(tmp_path):
    """A folder of three photographs of two sizes, a broken one, and a text."""
    place = tmp_path / "photos"
    place.mkdir()
    with Image.open(PHOTO) as photo:
        for number, size in enumerate([(64, 48), (48, 64), (64, 48)]):
            photo.convert("RGB").resize(size).save(place / f"{number}.png")
    (place / "broken.jpg").write_bytes(Path(PHOTO).read_bytes()[:900])
    (place / "text.txt").write_text("no picture")
    return place


def same(image, result, *, atol=0.51 / 255):
    np.testing.assert_allclose(image, np.clip(np.asarray(result.image), 0, 1), atol=atol)


STYLES = {"johnson": (), "cin": ("style=mosaic",), "adain": (f"style={BRUSH}",), "wct": (BRUSH,)}


@pytest.mark.parametrize("method", STYLES)
def test_each_kind_paints_as_it_does_in_python(run_line, files, method):
    image, record, text, folder = run_line(PHOTO, f"model={files[method]}", SMALL, *STYLES[method])
    style = {"johnson": None, "cin": "mosaic"}.get(method, "brush")
    kept = nst_jax.paint(nst_jax.load_model(files[method]), "landscape", style, size=48)
    same(image, kept)
    assert record["model"]["method"] == method
    assert len(record["model"]["files"][0]["sha256"]) == 64
    assert record["size"] == [48, 36]
    assert record["files"]["content"]["path"] == PHOTO
    if method in ("adain", "wct"):
        assert record["alpha"] == 1
        assert len(record["files"]["style"]["sha256"]) == 64
        assert "distilled" in record["encoder"]["source"]
    assert record["shares"] == {"johnson": None, "cin": {"brush.png": 0, "mosaic.jpg": 1, "ink.png": 0}}.get(
        method, {"style": 1}
    )
    assert "steps" not in record["config"]
    assert re.search(r"^1 picture in [\d.]+ s, [\d.]+ a second \(and [\d.]+ s to compile\)$", text, re.MULTILINE)
    assert {"result.png", "result.json", "config.yaml", "command.txt", "nst.log"} <= {p.name for p in folder.iterdir()}
    with Image.open(folder / "result.png") as picture:
        assert json.loads(picture.info["nst:model"])["method"] == method


def test_strength_blend_scale_and_colours(run_line, files):
    model = nst_jax.load_model(files["adain"])
    line = (PHOTO, f"model={files['adain']}", SMALL)
    image, record, _, _ = run_line(*line, f"style=[{BRUSH},{MOSAIC}]", "style_blend=[3,1]", "alpha=0.5")
    same(image, nst_jax.paint(model, "landscape", ["brush", "mosaic"], shares=[3, 1], alpha=0.5, size=48))
    assert record["shares"] == {"style_1": 0.75, "style_2": 0.25}
    image = run_line(*line, BRUSH, "colour=keep", "style_scale=0.5").image
    same(image, nst_jax.paint(model, "landscape", "brush", colour="keep", style_scale=0.5, size=48))
    image = run_line(*line, BRUSH, "--alpha", "0.25", "colour=luminance").image
    inside = np.all((image > 0.02) & (image < 0.98), -1)
    shades = lambda x: np.asarray(nst_jax.gray(jnp.asarray(x)))
    photo = np.asarray(nst_jax.picture("landscape", size=48))
    np.testing.assert_allclose((image - shades(image))[inside], (photo - shades(photo))[inside], atol=2 / 255)
    assert np.abs(shades(image) - shades(photo))[inside].mean() > 0.01


def test_regions(run_line, files):
    sky = f"regions.sky={{content: {SKY}, style: {MOSAIC}}}"
    image, record, _, _ = run_line(PHOTO, BRUSH, f"model={files['adain']}", SMALL, sky)
    assert record["files"]["regions.sky.content"]["path"] == SKY
    assert record["files"]["regions.sky.style"]["path"] == MOSAIC
    plain = run_line(PHOTO, BRUSH, f"model={files['adain']}", SMALL).image
    assert np.abs(image - plain)[:8].max() > 0.05
    kept = run_line(PHOTO, f"model={files['adain']}", SMALL, sky).image
    photo = np.asarray(nst_jax.picture("landscape", size=48))
    np.testing.assert_allclose(kept[-8:], photo[-8:], atol=1 / 255)
    assert np.abs(kept - photo)[:8].max() > 0.05


def test_a_folder_is_painted_by_one_process(nst, files, photos):
    code, text = nst("photos/", BRUSH, f"model={files['adain']}", SMALL, "-o", "painted/")
    assert code == 1, text
    assert "not painted: photos/broken.jpg: photos/broken.jpg is damaged" in text
    assert "1 of 4 pictures could not be painted: photos/broken.jpg" in text
    assert re.search(r"^3 pictures in [\d.]+ s, [\d.e+]+ a second", text, re.MULTILINE)
    assert sorted(p.name for p in Path("painted").iterdir()) == ["0.png", "1.png", "2.png"]
    made = next(p for p in Path("runs").glob("photos_brush/*") if p.is_dir())
    assert sorted(p.name for p in made.glob("*.json")) == ["0.json", "1.json", "2.json"]
    record = json.loads((made / "1.json").read_text())
    assert record["files"]["content"]["path"] == "photos/1.png"
    assert record["config"]["content"] == "photos/1.png"
    assert record["size"] == [36, 48]
    with Image.open("painted/1.png") as picture:
        image = np.asarray(picture, np.float32) / 255
    model = nst_jax.load_model(files["adain"])
    same(image, nst_jax.paint(model, str(photos / "1.png"), "brush", size=48))


def test_one_program_for_each_size_and_one_look_for_all(nst, files, photos, monkeypatch):
    made, looks = [], []
    compile_one, look = one_pass.Programs.compile, one_pass.look
    monkeypatch.setattr(one_pass.Programs, "compile", lambda self, *given: made.append(1) or compile_one(self, *given))
    monkeypatch.setattr(one_pass, "look", lambda *given: looks.append(1) or look(*given))
    (photos / "broken.jpg").unlink()
    code, text = nst("content=photos/*.png", f"style={BRUSH}", f"model={files['adain']}", SMALL)
    assert code == 0, text
    assert (len(made), len(looks)) == (2, 1)
    code, text = nst("content=photos/", f"style={BRUSH}", f"model={files['adain']}", SMALL, "colour=match")
    assert code == 0, text
    assert len(looks) == 4  # the painting has the colours of each photograph


def test_several_photographs_by_their_names(nst, files, photos):
    shutil.copytree("photos", "more")
    code, text = nst("photos/0.png", "more/0.png", "0", f"model={files['cin']}", SMALL, "output.file=x.jpg")
    assert code == 0, text
    made = next(p for p in Path("runs").glob("*/*") if p.is_dir())
    assert sorted(p.name for p in made.glob("*.jpg")) == ["0.jpg", "0_2.jpg"]
    code, text = nst("photos/0.png", "more/0.png", "0", f"model={files['cin']}", SMALL, "-o", "one.jpg")
    assert code == 2
    assert "2 pictures need a folder" in text


def test_quiet_and_json(nst, files, photos):
    (photos / "broken.jpg").unlink()
    code, text = nst("photos/0.png", f"model={files['johnson']}", SMALL, "--quiet", "-o", "out.webp")
    assert (code, text) == (0, "out.webp\n")
    code, text = nst("photos", f"model={files['johnson']}", SMALL, "--json")
    assert code == 0
    records = json.loads(text)
    assert [Path(record["picture"]).name for record in records] == ["0.png", "1.png", "2.png"]
    code, text = nst("photos", f"model={files['johnson']}", SMALL, "--quiet")
    assert re.fullmatch(r"runs/photos_johnson/[\d_-]+\n", text)


def test_a_stop_keeps_what_is_painted(nst, files, photos, monkeypatch):
    import signal

    from nst_jax.shell.running.stop import Stop

    paint_one = one_pass.paint_one

    def interrupt(*given):
        found = paint_one(*given)
        signal.raise_signal(signal.SIGINT)
        return found

    assert Stop.asked is None
    monkeypatch.setattr(running, "paint_one", interrupt)
    code, text = nst("content=photos/*.png", f"model={files['johnson']}", SMALL)
    assert code == 130, text
    assert "stopped after 1 of 3 pictures" in text
    assert len([p for p in Path("runs").rglob("*.png") if p.is_file() and "latest" not in str(p)]) == 1


def test_a_picture_that_does_not_fit_into_memory_is_refused_before_it_is_computed(nst, files, monkeypatch):
    monkeypatch.setattr(one_pass, "free_memory", lambda: 100_000)
    code, text = nst(PHOTO, f"model={files['johnson']}", SMALL)
    assert code == 2
    assert re.search(r"at 48 x 36 pixels: the network sees the whole picture at once, which needs .* A size", text)


def test_a_network_that_is_not_finite_is_said(nst, files, tmp_path):
    from nst_jax.shell.io import models

    model = models.load(files["johnson"])
    model.variables["params"]["conv1"]["bias"][:] = np.nan
    models.save(model, tmp_path / "bad.safetensors")
    code, text = nst(PHOTO, "model=bad.safetensors", SMALL)
    assert code == 2
    assert "values are not finite: the network is damaged, or not trained" in text


WRONG = {
    ("johnson", BRUSH): "this network has learnt one style, brush.png, and takes no other: leave style out",
    ("johnson", "alpha=0.5"): "alpha=0.5: this network (johnson) has a strength of its own",
    ("johnson", "colour=match"): "colour=match recolours a painting",
    ("johnson", "style_scale=2"): "has learnt the size of its strokes",
    ("johnson", f"regions.sky={{content: {SKY}, style: {MOSAIC}}}"): "paints the whole picture",
    ("johnson", "device.precision=bfloat16"): "a model computes in float32",
    ("cin",): "several styles, and none is chosen: 0 brush.png, 1 mosaic.jpg, 2 ink.png",
    ("cin", "style=4"): "this network has no style 4: it has 0 brush.png",
    ("cin", "style_blend=[1,2]"): "2 shares for 3 styles",
    ("adain",): "a model of adain paints in the style of a picture: give style=PAINTING.jpg",
    ("adain", f"style=[{BRUSH},{MOSAIC}]", "style_blend=[1,2,3]"): "style_blend has 3 shares for 2 styles",
    ("adain", BRUSH, "alpha=-1"): "alpha must be a finite number, 0 or more; got -1",
    ("adain", "style=nowhere.jpg"): "no file nowhere.jpg",
    ("adain", BRUSH, "weights=file", f"weights.path={BRUSH}"): "brush",
    ("adain", BRUSH, "weights=random"): "was trained with the encoder distilled, the weights that come with nst_jax",
    ("adain", BRUSH, f"regions.sky={{content: {SKY}, weight: 2}}"): "a model has no weights",
    ("adain", BRUSH, f"regions.sky={{content: {SKY}, style: null}}", "masks.grow=-60"): "its mask is empty",
    ("wct", BRUSH, "steps=20"): "steps=20: a model paints in one pass, and steps has no meaning for it: leave it out",
    ("wct", BRUSH, "optimiser=adam"): "canvas=instant canvas.model=FILE",
    ("wct", BRUSH, "convention=gatys_2016"): "convention has no meaning",
    ("wct", BRUSH, "+preset=gatys_2016"): "preset has no meaning",
    ("wct", BRUSH, "layers.content.relu2_1=3"): "layers.content.relu2_1 has no meaning",
    ("wct", BRUSH, "look=strong"): "look has no meaning",
    ("wct", BRUSH, "-m"): "-m: a model paints at once",
}


@pytest.mark.parametrize("given", WRONG, ids=lambda given: " ".join(given)[:60])
def test_mistakes_are_said(nst, files, given):
    code, text = nst(PHOTO, f"model={files[given[0]]}", SMALL, *given[1:])
    assert code == 2
    assert WRONG[given] in text, text
    assert "Traceback" not in text


def test_other_mistakes_are_said(nst, files):
    for words_, message in (
        (("model=nowhere.safetensors",), "model=nowhere.safetensors: there is no such file"),
        ((f"model={BRUSH}",), "is damaged, or no .safetensors file"),
        ((f"model=[{files['johnson']},{files['adain']}]",), "several files are the levels of wct"),
        ((f"content={PHOTO}", f"model={files['johnson']}"), "content= is given, and these pictures beside it"),
    ):
        code, text = nst(PHOTO, BRUSH, *words_)
        assert code == 2
        assert message in text, text
    code, text = nst(f"content={PHOTO}", f"style={BRUSH}", "alpha=0.5", "network=distilled", "size=24", "steps=0")
    assert code == 0  # as ever: alpha is a word for content_weight
    assert "alpha=0.5 is read as content_weight=0.5" in text


def test_a_run_of_a_model_is_not_resumed(nst, run_line, files):
    folder = run_line(PHOTO, f"model={files['johnson']}", SMALL).folder
    code, text = nst(f"resume={folder}")
    assert code == 2
    assert "a model painted here, in one pass; run its line again" in text


@pytest.mark.parametrize(
    ("line", "contents", "rest"),
    [
        ("a.jpg model=m", ["a.jpg"], ["model=m", "style=null"]),
        ("a.jpg b.jpg model=m alpha=0.5", ["a.jpg"], ["model=m", "alpha=0.5", "style=b.jpg"]),
        ("a.jpg b.jpg c.jpg --model m", ["a.jpg", "b.jpg"], ["model=m", "style=c.jpg"]),
        ("content=photos b.jpg model=m", ["photos/1.png", "photos/2.png"], ["model=m", "style=b.jpg"]),
        ("content=a.jpg,photos model=m style=2", ["a.jpg", "photos/1.png", "photos/2.png"], ["model=m", "style=2"]),
        ("content=photos/*2* model='[m,n]'", ["photos/2.png"], ["model=[m,n]", "style=null"]),
    ],
)
def test_lines(tmp_path, monkeypatch, line, contents, rest):
    monkeypatch.chdir(tmp_path)
    for name in ("photos/1.png", "photos/2.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    read = words.read(shlex.split(line))
    assert read.contents == contents
    assert read.hydra() == [*rest, f"content={contents[0]}"]


def test_words_of_others_are_what_they_were():
    assert words.read(["a.jpg", "b.jpg", "model=vgg16"]).hydra()[0] == "network=vgg16"
    assert words.read(["a.jpg", "b.jpg", "--alpha", "3"]).hydra()[0] == "content_weight=3"
    with pytest.raises(UserError, match="give one, or several to mix"):
        words.read(["a.jpg", f"style={Path(BRUSH).parent}", "model=m"])


def test_canvas_instant_begins_with_what_the_model_paints(run_line, nst, files):
    line = (PHOTO, BRUSH, "network=distilled", SMALL, "canvas=instant")
    image, record, _, _ = run_line(*line, f"canvas.model={files['adain']}", "steps=0", "canvas.alpha=0.5")
    same(image, nst_jax.paint(nst_jax.load_model(files["adain"]), "landscape", "brush", size=48, alpha=0.5))
    assert record["config"]["canvas"]["model"] == files["adain"]
    image = run_line(*line, f"canvas.model={files['cin']}", "canvas.style=ink", "steps=0").image
    same(image, nst_jax.paint(nst_jax.load_model(files["cin"]), "landscape", "ink", size=48))
    for wrong, message in (
        ((), "canvas.model"),
        (("canvas.model=nowhere",), "there is no such file"),
        ((f"canvas.model={files['cin']}",), "none is chosen"),
        ((f"canvas.model={files['johnson']}", "canvas.alpha=0.5"), "has a strength of its own"),
        ((f"canvas.model={files['adain']}", "canvas.style=1"), "has none to choose from"),
        ((f"canvas.model={files['adain']}", "canvas.alpha=x"), "canvas.alpha must be a finite number"),
    ):
        code, text = nst(*line, *wrong, "steps=0")
        assert code == 2
        assert message in text, text


def test_canvas_instant_says_that_it_knows_no_regions(nst, files):
    mask = np.zeros((36, 48), np.uint8)
    mask[:, :20] = 255
    Image.fromarray(mask).save("left.png")
    line = (PHOTO, BRUSH, "network=distilled", SMALL, "canvas=instant", f"canvas.model={files['adain']}", "steps=0")
    said = "the network paints the whole picture in its style, whatever the regions"
    assert said not in nst(*line)[1]
    code, text = nst(*line, f"regions.left={{content: left.png, style: {MOSAIC}}}")
    assert code == 0, text
    assert said in text


def test_method_instant_is_the_packaged_model():
    line = words.read([PHOTO, BRUSH, "method=instant"])
    assert f"model={words.PACKAGED}" in line.words
    assert f"style={BRUSH}" in line.words
    assert line.notes == [f"method=instant is read as model={words.PACKAGED}"]
    assert words.read([PHOTO, BRUSH, "--method", "instant"]).words == line.words
    named = words.read([PHOTO, BRUSH, "method=instant", "model=one.safetensors"])
    assert [word for word in named.words if word.startswith("model=")] == ["model=one.safetensors"]
    plain = words.read([PHOTO, BRUSH, "method=optimise"])
    assert not plain.model
    assert plain.words == words.read([PHOTO, BRUSH]).words
    with pytest.raises(UserError, match="method=magic: it is instant"):
        words.read([PHOTO, BRUSH, "method=magic"])


def test_the_packaged_models_paint(run_line):
    found = run_line(PHOTO, BRUSH, "method=instant", SMALL)
    assert "method=instant is read as model=any_style" in found.text
    assert found.image.std() > 0.05
    other = run_line(PHOTO, "model=eight_styles", "style=ink", SMALL)
    assert "ink" in json.dumps(other.record)
    assert other.image.std() > 0.05


def test_names_that_are_packaged_are_found(nst, files, monkeypatch, tmp_path):
    from nst_jax.shell.running import trained

    place = tmp_path / "trained" / "models"
    place.mkdir(parents=True)
    shutil.copy(files["johnson"], place / "waves.safetensors")
    monkeypatch.setattr(trained, "package_file", lambda name: tmp_path / name)
    monkeypatch.setattr(trained, "PACKAGE", tmp_path)
    assert trained.paths_of("waves") == [place / "waves.safetensors"]
    with pytest.raises(UserError, match="or one that comes with nst_jax: waves"):
        trained.paths_of("wavess")


@pytest.mark.slow
def test_lanes_begin_with_what_the_model_paints(nst, files):
    line = (PHOTO, BRUSH, "network=distilled", SMALL, "canvas=instant", f"canvas.model={files['adain']}")
    code, text = nst("-m", *line, "style_weight=1e2,1e3", "canvas.alpha=0.5,1", "steps=1")
    assert code == 0, text
    assert "program 1/1: 4 lanes" in text


TERMS = ("network=distilled", "layers=johnson", "convention=lengstrom", "style_weight=100", "tv_weight=0.4", "seed=0")


@pytest.mark.slow
def test_from_what_a_trained_model_paints_a_loss_is_reached_in_fewer_evaluations(run_line, photos, tmp_path):
    """A narrow network of a short training, by the terms of the optimisation."""
    from nst_jax.shell.cli import train

    for name in ("landscape", "portrait"):
        shutil.copy(pictures.path(name), tmp_path / "photos")
    short = ("width=0.25", "side=64", "batch=2", "steps=120", "learning_rate=5e-3", "warmup=10", "ema=0.9", "sheet=0")
    given = (f"style={MOSAIC}", "style_size=64", "data=photos", "folder=trained", "largest=128", "held_out=0")
    (path,) = train.run(["johnson", *given, *short, *TERMS])
    curves = {}
    for canvas in ("canvas=content", f"canvas=instant canvas.model={path}"):
        line = (PHOTO, MOSAIC, "size=64", "steps=12", "output.every=0", *TERMS, *canvas.split(" "))
        folder = run_line(*line).folder
        curves[canvas[:14]] = np.genfromtxt(folder / "curve.csv", delimiter=",", names=True)
    content, instant = curves["canvas=content"], curves["canvas=instant"]
    reached = lambda curve, goal: int(np.cumsum(curve["evaluations"])[np.argmax(curve["total"] <= goal)])
    goal = content["total"][7]
    assert content["total"][0] > 2 * instant["total"][0]
    assert instant["total"].min() <= goal
    assert reached(instant, goal) < reached(content, goal)
