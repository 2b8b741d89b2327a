"""`nst from=RESULT`: a former run's settings as the base of a line."""

import copy
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.cli import words
from nst_jax.shell.cli.sweep import sweep
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache, records
from nst_jax.shell.places import conf
from nst_jax.shell.running import again as runs
from nst_jax.shell.running import origin
from nst_jax.shell.settings import again
from nst_jax.shell.settings import config as settings

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
FLAT = (  # two blocks of a network without weights
    *("layers=blocks1-3", "~layers.content.relu3_3", "+layers.content.relu2_1=1"),
    *("~layers.style.relu3_1", "~layers.style.relu3_4"),
)
SMALL = ("weights=random", "size=24", "steps=2", "output.every=0", "optimiser=adam", *FLAT)


def read(line, base="config"):
    """The settings that a line of words gives on a base."""
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        found = compose(base, overrides=words.read(line).hydra())
    return settings.plain(settings.read(found))


def base_of(recorded):
    """The name of the base that recorded settings make."""
    return again.store(again.understand(copy.deepcopy(recorded)), {"path": "result.json", "sha256": "0"})


def without_origin(plain):
    """Settings without what says where they come from, and without what no run hands on."""
    plain = copy.deepcopy(plain)
    for key in ("origin", "sweep"):
        plain.pop(key)
    plain["output"]["to"] = None
    return plain


LINES = (
    (),
    ("steps=7", "size=64", "seed=3", "style_weight=12"),
    ("optimiser=adam", "optimiser.learning_rate=0.5"),
    ("+preset=neural_style_pt",),
    ("+preset=style_transfer_pytorch", "content_weight=3"),
    ("network=texnet",),
    ("network=squeezenet", "weights=random"),
    ("look=painterly",),
    ("look=balanced", "colour=luminance"),
    ("convention=keras", "convention.positions=own"),
    ("layers=blocks1-3", "~layers.content.relu3_3", "+layers.content.relu2_1=2"),
    ("scale=multi", "scale.from=32", "scale.then=[3,2]"),
    ("canvas=noise", "canvas.sigma=0.3", "photo.laplacian=2"),
    ("style=[one.jpg,two.jpg]", "style_blend=[0.7,0.3]", "style_scale=[1,2]", "style_mix=terms"),
    ("regions.sky={content: sky.png, style: night.jpg}", "regions.sea.content=sea.png", "masks.grow=3"),
    ("weights=file", "weights.path=w.pth"),
    ("device.precision=tf32", "output.every=3", "output.film=film.webp", "output.file=x.jpg"),
    ("style_weight=3", "output.film=it's ${odd}.webp", "output.every=3"),
    ("strokes.style=fine.jpg", "strokes.mix=layers"),
    ("network.smooth=channels", "network.temperature=3", "average=0.9"),
)
TEXTURE = ("texture=brick.jpg", "pattern.shifts=3")


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_the_settings_of_a_run_come_back(line):
    recorded = read([*PAIR, *line])
    found = read([], base_of(recorded))
    assert without_origin(found) == without_origin(recorded)
    assert found["origin"] == {"path": "result.json", "sha256": "0"}


def test_the_settings_of_a_texture_come_back():
    recorded = read(list(TEXTURE))
    former = again.understand(recorded)
    assert without_origin(read([], again.store(former, {}))) == without_origin(recorded)
    free = again.free_layers(former).settings
    assert recorded["pattern"]["layers"] == ["relu3_1"]
    assert free["pattern"]["layers"] is None  # another network has other ones
    own = again.free_layers(again.understand(read([*TEXTURE, "pattern.layers=[relu2_1]"])))
    assert own.settings["pattern"]["layers"] == ["relu2_1"]


# (the line of a run, the words behind from=, the line that is the same)
LATER = (
    ("", "steps=9", "steps=9"),
    ("optimiser=adam optimiser.b1=0.5", "optimiser.b2=0.6", "optimiser=adam optimiser.b1=0.5 optimiser.b2=0.6"),
    ("optimiser=adam optimiser.b1=0.5", "optimiser=lbfgs", "optimiser=lbfgs"),
    ("", "convention=keras", "convention=keras"),  # and its weights
    ("style_weight=7", "convention=keras", "style_weight=7 convention=keras"),  # but what was said stays
    (
        "convention=fzliu convention.positions=own",
        "tv_weight=2",
        "convention=fzliu convention.positions=own tv_weight=2",
    ),
    ("network=texnet", "network=vgg19", ""),  # nor its layers nor its convention
    ("network=texnet layers=texnet size=99", "network=vgg19", "size=99"),
    ("layers=crowson", "network=texnet", "network=texnet"),
    ("layers=crowson", "network=vgg16", "layers=crowson network=vgg16"),
    ("look=balanced", "look=strong", "look=strong"),  # nor its Laplacian
    ("look=painterly", "look=plain", ""),  # nor its start, nor its scale
    ("look=painterly", "style_scale=1", "look=painterly style_scale=1"),
    ("look=balanced photo.pool=8", "size=99", "look=balanced photo.pool=8 size=99"),
    ("optimiser=adam size=99 average=0.5", "+preset=neural_style_pt", "average=0.5 +preset=neural_style_pt"),
    ("+preset=neural_style_pt", "+preset=gordicaleksa", "+preset=gordicaleksa"),
    ("scale=multi scale.from=32", "scale.from=40", "scale=multi scale.from=40"),
    ("scale=multi scale.from=32", "scale=single", ""),
    ("weights=file weights.path=w.pth", "weights=own", ""),  # nor its file
    ("+layers.style.relu3_2=4", "~layers.style.relu5_1", "+layers.style.relu3_2=4 ~layers.style.relu5_1"),
    ("canvas=noise canvas.sigma=2", "canvas=gray", "canvas=gray"),
)


@pytest.mark.parametrize(("line", "later", "same"), LATER)
def test_words_behind_from_mean_what_they_mean_elsewhere(line, later, same):
    recorded = read([*PAIR, *line.split()])
    found = read(later.split(), base_of(recorded))
    assert without_origin(found) == without_origin(read([*PAIR, *same.split()]))


def test_of_a_saved_base_nothing_is_left_in_the_next():
    base_of(read([*PAIR, "look=balanced", "network=texnet", "regions.sky={content: s.png}"]))
    recorded = read([*PAIR, "optimiser=adam"])
    assert without_origin(read([], base_of(recorded))) == without_origin(recorded)


# ------------------------------------------------------------------------------------------------ what was understood


def test_what_another_version_wrote_is_sorted():
    recorded = read([*PAIR, "optimiser=adam"])
    recorded |= {"old_setting": 3, "strokes": "none"}
    recorded["network"]["depth"] = 19
    recorded["optimiser"] |= {"nesterov": True}
    for key in ("average", "masks"):
        del recorded[key]
    del recorded["network"]["smooth"], recorded["optimiser"]["falloff"], recorded["device"]["tiles"]
    former = again.understand(recorded)
    unknown = {"old_setting=3", "strokes=none", "network.depth=19", "optimiser.nesterov=True"}
    assert set(former.unknown) == unknown
    assert former.absent == ["average", "masks"]
    found = read([], again.store(former, {}))
    assert without_origin(found) == without_origin(read([*PAIR, "optimiser=adam"]))


def test_what_is_not_taken_over():
    line = ("output.to=out.jpg", "sweep.folder=there", "device.distributed=true", "device.mesh=rows")
    former = again.understand(read([*PAIR, *line, "output.quality=50"]) | {"dry_run": True})
    found = read([], again.store(former, {}))
    assert former.to == "out.jpg"
    assert (found["output"]["to"], found["sweep"]["folder"], found["device"]["distributed"]) == (None, None, False)
    assert (found["output"]["quality"], found["dry_run"]) == (50, False)


def test_differences():
    former = again.understand(read([*PAIR, "steps=5", "output.to=a.png", "regions.sky.content=s.png"])).settings
    now = read([*PAIR, "steps=6", "optimiser=adam", "regions.sea.content=t.png"])
    found = again.differences(former, now)
    assert found["steps"] == (5, 6)
    assert found["optimiser.name"] == ("lbfgs", "adam")
    assert found["optimiser.memory"] == (50, None)
    assert found["optimiser.b1"] == (None, 0.9)
    assert found["regions.sky.content"] == ("s.png", None)
    assert found["regions.sea.content"] == (None, "t.png")
    assert {key.partition(".")[0] for key in found} == {"steps", "optimiser", "regions"}


# ------------------------------------------------------------------------------------------------------- the records


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with two pictures, and the settings of a run with them."""
    monkeypatch.chdir(tmp_path)
    for name in ("landscape", "brush"):
        shutil.copy(pictures.path(name), f"{name}.jpg")
    return read(["content=landscape.jpg", "style=brush.jpg", "steps=5"])


def record_of(config, directory="", **more):
    """A record of a result, as a run writes it."""
    named = {key: {"path": config[key], "sha256": cache.sha256(Path(config[key]))} for key in ("content", "style")}
    return {"config": config, "files": named, "directory": directory or str(Path.cwd()), **more}


def write_record(config, name="result.json", **more):
    """The record as a file."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(json.dumps(record_of(config, **more)))
    return name


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.webp"])
def test_a_picture_has_its_record_within(here, name):
    from nst_jax.shell.io.saving import write
    from nst_jax.shell.running.provenance import text_chunks

    record = record_of(here, weights={"sha256": "7"}, device="cpu")
    write(name, np.zeros((8, 9, 3), np.float32), metadata=text_chunks(record))
    assert records.extract(Path(name)) == record
    found = origin.find(name)
    assert found.record == record
    assert (found.path, found.sha256) == (name, cache.sha256(Path(name)))
    assert found.hashes == {("content", "landscape.jpg"): record["files"]["content"]["sha256"]} | {
        ("style", "brush.jpg"): record["files"]["style"]["sha256"]
    }


def test_a_picture_without_a_record_has_it_beside(here):
    Image.new("RGB", (8, 8)).save("result.jpg")
    write_record(here)
    assert origin.find("result.jpg").path == "result.json"


def test_a_folder_and_the_pictures_in_it(here):
    run = Path("runs/a_b/2026-01-01_10-00-00")
    (run / "snapshots").mkdir(parents=True)
    (run / "config.yaml").write_text(settings.yaml(settings.from_plain(here)))
    for name in ("latest.png", "snapshots/step_000002.png"):
        Image.new("RGB", (8, 8)).save(run / name)
    Path("runs/latest").symlink_to("a_b/2026-01-01_10-00-00", target_is_directory=True)
    unfinished = origin.find("runs/latest")
    assert unfinished.path == str(run / "config.yaml")  # the run's own name: latest is another tomorrow
    assert any("no result" in line for line in runs.describe(unfinished, settings.from_plain(here)))
    write_record(here, str(run / "result.json"))
    for name in ("", "config.yaml", "latest.png", "snapshots/step_000002.png", "result.json"):
        assert origin.find(str(run / name)).path == str(run / "result.json"), name


MISTAKES = {
    "none.png": "from=none.png: there is no such file or folder",
    "landscape.jpg": "no record of a run is in this file, nor beside it",
    "list.json": "not the record of a result",
    "damaged.json": "not the record of a result",
    "bytes.png": "no record of a run is in this file",
    "empty": "no run is in this folder",
    "many": "within it are 2, of which to name one: many/",
    "broken": "config.yaml cannot be read",
    "painted": "this run painted 2 pictures; name one of them: a.json, b.json",
    "landscape.jpg,brush.jpg": "a line begins from one run",
    "": "takes a result, the .json beside it, or the folder",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_name_that_is_no_run(here, name):
    Path("list.json").write_text("[1]")
    Path("damaged.json").write_text('{"config": {"a"')
    Path("bytes.png").write_bytes(bytes(range(200)))
    for folder, text in (("many/a", ""), ("many/b", ""), ("broken", "steps: ["), ("empty", None), ("painted", None)):
        Path(folder).mkdir(parents=True)
        if text is not None:
            (Path(folder) / "config.yaml").write_text(text)
    Path("painted/config.yaml").write_text(settings.yaml(settings.from_plain(here | {"model": "m"})))
    for each in ("a", "b"):
        write_record(here, f"painted/{each}.json")
    with pytest.raises(UserError, match=re.escape(MISTAKES[name])):
        words.read([f"from={name}", "steps=3"])


def test_paths_belong_to_where_the_run_was_started(here, monkeypatch):
    here["regions"] = {"sky": {"content": "landscape.jpg", "style": "brush.jpg"}}
    record = Path(write_record(here)).absolute()
    there = Path.cwd()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    found = origin.find(str(record))
    assert found.former.settings["content"] == str(there / "landscape.jpg")
    assert found.former.settings["regions"]["sky"]["style"] == str(there / "brush.jpg")
    now = settings.from_plain(read([], found.base()))
    assert runs.look_at_files(found, [now]) == []
    assert not [line for line in runs.describe(found, now) if "->" in line]
    assert found.hashes[("style", str(there / "brush.jpg"))] == cache.sha256(there / "brush.jpg")


def test_a_picture_that_has_moved_or_changed(here):
    found = origin.find(write_record(here))
    now = settings.from_plain(here)
    shutil.copy("landscape.jpg", "brush.jpg")
    assert runs.look_at_files(found, [now]) == ["style=brush.jpg has other bytes than it had in that run"]
    Path("brush.jpg").unlink()
    with pytest.raises(UserError, match=r"style=brush\.jpg is not there any more.*say where it is, style=FILE"):
        runs.look_at_files(found, [now])
    healed = settings.from_plain(read(["style=landscape.jpg"], found.base()))
    assert runs.look_at_files(found, [healed]) == []


def test_other_surroundings_and_weights_are_said(here):
    config = settings.plain(settings.from_plain(here))
    name = Path(write_record(config, versions={"jax": "0.0.1"}, device="cpu", weights={"source": "s", "sha256": "1"}))
    facts = {"config": config, "weights": {"source": "s", "sha256": "2"}}
    facts["from"] = {"path": str(name.absolute()), "sha256": cache.sha256(name)}
    said = "\n".join(runs.others(facts))
    assert "jax 0.0.1, now " in said
    assert "other weights than in that run: s (sha256 1); now s (sha256 2)" in said
    other = facts | {"config": config | {"network": config["network"] | {"name": "vgg16"}}}
    assert "other weights" not in "\n".join(runs.others(other))  # the line asks for others
    name.write_text(name.read_text() + " ")  # another record by now
    assert runs.others(facts) == []
    assert runs.others({"config": config}) == []


# --------------------------------------------------------------------------------------------------------- the lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from=result.json steps=9", ["+from=result.json", "steps=9"]),
        ("--from result.json --steps 9", ["+from=result.json", "steps=9"]),
        ("again=result.json", ["+from=result.json"]),
        ("+from=result.json", ["+from=result.json"]),
        ("\"from='result.json'\"", ["+from=result.json"]),  # as Hydra quotes it
        ("from=result.json landscape.jpg", ["+from=result.json", "content=landscape.jpg"]),
        ("from=result.json -o x.png", ["+from=result.json", "output.to=x.png"]),
        ("-m from=result.json seed=1,2", ["-m", "+from=result.json", "seed=1,2"]),
        ("from=result.json content=*.jpg", ["-m", "+from=result.json", "content=brush.jpg,landscape.jpg"]),
        ("'from=it is, [1].json'", ["+from='it is, [1].json'"]),
    ],
)
def test_the_word_in_a_line(here, line, expected):
    for name in ("result.json", "it is, [1].json"):
        write_record(here, name)
    assert words.read(shlex.split(line)).hydra() == expected


def test_a_texture_is_settled_by_its_run(here):
    name = write_record(here | {"texture": "brush.jpg"})
    assert words.read([f"from={name}", "texture=landscape.jpg"]).words == ["texture=landscape.jpg"]
    write_record(here)
    assert "canvas=noise" in words.read([f"from={name}", "texture=landscape.jpg"]).words


@pytest.mark.parametrize("line", ["-cp RUN -cn config steps=5", "--config-path=RUN --config-name config", "-cn config"])
def test_hydras_way_to_a_config_is_answered(line):
    with pytest.raises(UserError, match=r"is not there.*nst from=RUN steps=1000"):
        words.read(line.split())


# ------------------------------------------------------------------------------------------------------------ the runs


def test_a_run_again_is_the_same_to_the_bit(run_line):
    first = run_line(*PAIR, *SMALL, "canvas=noise", "seed=3", "output.to=out.jpg")
    for source in (first.folder, first.folder / "result.png", first.folder / "result.json", "out.jpg"):
        second = run_line(f"from={source}")
        assert second.folder != first.folder
        assert np.array_equal(first.image, second.image)
        assert second.record["terms"] == first.record["terms"]
        assert "with the settings that it had" in second.text
        assert "not taken over: output.to=out.jpg" in second.text
        assert "not as in that run" not in second.text
        read_from = second.record["from"]
        assert read_from["sha256"] == cache.sha256(Path(read_from["path"]))
    third = run_line(f"from={second.folder}", "steps=3", "style_weight=5")
    assert third.record["config"] == first.record["config"] | {
        "steps": 3,
        "style_weight": 5.0,
        "output": first.record["config"]["output"] | {"to": None},
    }
    assert "  steps: 2 -> 3" in third.text
    assert (third.folder / "command.txt").read_text().startswith("nst from=runs/")


def test_a_moved_picture_ends_the_line_and_a_word_heals_it(nst, run_line):
    shutil.copy(pictures.path("landscape"), "photo.jpg")
    first = run_line("content=photo.jpg", PAIR[1], *SMALL)
    Path("photo.jpg").rename("moved.jpg")
    code, text = nst(f"from={first.folder}")
    assert code == 2
    assert text.count("\n") == 1
    assert "content=photo.jpg is not there any more" in text
    assert "content=FILE" in text
    assert np.array_equal(run_line(f"from={first.folder}", "moved.jpg").image, first.image)


def test_a_sweep_from_a_run_and_a_run_from_a_sweep(nst, run_line):
    first = run_line(*PAIR, *SMALL)
    code, text = nst("-m", f"from={first.folder}", "style_weight=1,10", "sweep.folder=s")
    assert code == 0, text
    assert "again: " in text
    lanes = sorted(Path("s").glob("*/result.json"))
    found = {json.loads(p.read_text())["config"]["style_weight"]: p.parent for p in lanes}
    assert sorted(found) == [1, 10]
    assert json.loads((found[1] / "mark.json").read_text())["words"][0].startswith("from=runs/")
    assert (found[1] / "command.txt").read_text().startswith("nst from=runs/")
    alone = run_line(f"from={found[10]}", "sweep.folder=null")
    assert alone.record["config"]["style_weight"] == 10
    assert "one of 2 lanes" in alone.text
    rows = sweep([f"from={found[10]}", "style_weight=1,20", "sweep.folder=t"])
    assert [row["style_weight"] for row in rows] == [1, 20]
    assert rows[0]["total"] == pytest.approx(json.loads((found[1] / "mark.json").read_text())["row"]["total"], rel=1e-4)
    code, text = nst("-m", f"from={found[10]}", "style=none.jpg,gone.jpg")
    assert code != 0


@pytest.mark.parametrize(
    ("recorded", "line", "message"),
    [
        ({"network": {"name": "vgg20"}}, "steps=3", "network.name: there is no vgg20. Did you mean vgg19?"),
        ({"steps": "many"}, "", "steps"),
        ({}, "stepps=3", "there is no setting stepps. Did you mean steps?"),
        ({}, "optimiser=adams", "optimiser has no option adams"),
        ({}, "resume=runs/latest", "it takes no from"),
        ({"optimiser": {"name": "newton", "rate": 3}}, "", "newton"),
    ],
)
def test_mistakes_are_a_line(nst, recorded, line, message):
    config = read([*PAIR, *SMALL])
    write_record({**config, **{k: {**config[k], **v} if isinstance(v, dict) else v for k, v in recorded.items()}})
    code, text = nst("from=result.json", *line.split())
    assert code == 2, text
    assert message in text
    assert "Traceback" not in text


def test_a_model_again(run_line, nst):
    first = run_line(*PAIR, "method=instant", "size=32", "alpha=0.7")
    again_ = run_line(f"from={first.folder}")
    assert np.array_equal(first.image, again_.image)
    assert again_.record["from"]["path"] == str(first.folder.absolute() / "result.json")
    assert run_line(f"from={first.folder}", "alpha=0.2").record["config"]["alpha"] == 0.2
    code, text = nst(f"from={first.folder}", "steps=5")
    assert code == 2
    assert "was painted by a model (model=null: optimise instead)" in text
    code, text = nst("-m", f"from={first.folder}", "alpha=0.1,0.2")
    assert code == 2
    optimised = run_line(f"from={first.folder}", "model=null", *SMALL)
    assert optimised.record["config"]["optimiser"]["name"] == "adam"


def test_all_kinds_of_runs_again(run_line):
    sky = Path(pictures.__file__).with_name("landscape_sky.png")
    several = (f"style=[{pictures.path('brush')},{pictures.path('ink')}]", "style_blend=[0.7,0.3]")
    for line in (
        (f"texture={pictures.path('brick')}", *SMALL),
        (*PAIR, f"regions.sky={{content: {sky}, style: {pictures.path('ink')}}}", *SMALL),
        (PAIR[0], *several, *SMALL, "scale=multi", "scale.from=16", "scale.then=1"),
    ):
        first = run_line(*line)
        second = run_line(f"from={first.folder}")
        assert np.array_equal(first.image, second.image)
        assert "with the settings that it had" in second.text
        assert second.record["config"] == first.record["config"]


PAGE = Path(__file__).parents[2] / "docs" / "how_to" / "again.md"


@pytest.mark.slow
def test_the_lines_of_the_page(nst, monkeypatch):
    """Each line of the page, at a small size and with few steps; the last block is Python."""
    shorter = {"size=256": "size=24", "steps=200": "steps=2", "steps=1000": "steps=3"}
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines() if line]
    assert len(lines) == 10
    for number, line in enumerate(lines):
        if not number:
            for name, source in (("photo", "landscape"), ("painting", "brush"), ("other", "portrait")):
                shutil.copy(pictures.path(source), f"{name}.jpg")
        given = [shorter.get(word, word) for word in shlex.split(line, comments=True)[1:]]
        fresh, quick = not any(word.startswith("from=") for word in given), "method=instant" in given
        given += ["size=24"] if quick else ["optimiser=adam"] if fresh or "model=null" in given else []
        code, said = nst(*given)
        assert code == 0, f"{line}\n{said}"
        assert fresh or said.startswith("again: ")
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        names: dict = {}
        exec(compile(code, "again.md", "exec"), names)
        assert [row["style_weight"] for row in names["rows"]] == [1e3, 1e4]
