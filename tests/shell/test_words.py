"""What people type: pictures by their place, options, words of other programs, and every file name."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from campaign import times
from hydra.core.override_parser.overrides_parser import OverridesParser
from names_of_files import names
from omegaconf import OmegaConf
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.cli import words
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings import synonyms

PAIR = (str(pictures.path("landscape")), str(pictures.path("brush")))
SMALL = ("network=distilled", "size=24", "steps=1", "output.every=0", "optimiser=adam")


def hydra(line):
    return words.read(shlex.split(line)).hydra()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a.jpg b.jpg size=256", ["size=256", "content=a.jpg", "style=b.jpg"]),
        ("a.jpg b.jpg -o out.png", ["output.to=out.png", "content=a.jpg", "style=b.jpg"]),
        ("a.jpg b.jpg --output=out.png", ["output.to=out.png", "content=a.jpg", "style=b.jpg"]),
        ("a.jpg style=b.jpg", ["style=b.jpg", "content=a.jpg"]),
        ("content=a.jpg b.jpg", ["content=a.jpg", "style=b.jpg"]),
        ("a.jpg b.jpg c.jpg", ["-m", "content=a.jpg,b.jpg", "style=c.jpg"]),
        ("-m a.jpg b.jpg seed=0,1", ["-m", "seed=0,1", "content=a.jpg", "style=b.jpg"]),
        ("--content a.jpg --style b.jpg --style-weight 1e4", ["content=a.jpg", "style=b.jpg", "style_weight=1e4"]),
        ("a.jpg b.jpg --dry-run --seed=3", ["dry_run=true", "seed=3", "content=a.jpg", "style=b.jpg"]),
        ("optimizer=adam iterations=9 lr=0.1", ["optimiser=adam", "steps=9", "optimiser.learning_rate=0.1"]),
        ("preset=keras_example --preset gatys_2016", ["+preset=keras_example", "+preset=gatys_2016"]),
        ("--init random --pooling average", ["canvas=noise", "network.pool=avg"]),
        ("--width 300", ["size_rule=width", "size=300"]),
        ("~layers.content.relu2_1 ++size=3", ["~layers.content.relu2_1", "++size=3"]),
        ("-- -a.jpg --b.jpg", ["content=-a.jpg", "style=--b.jpg"]),
        ("--cfg job a b", ["--cfg", "job", "content=a", "style=b"]),
        ("size=-5 tv_weight=-1", ["size=-5", "tv_weight=-1"]),
        ("-m content=a.jpg,'b c.jpg'", ["-m", "content=a.jpg,'b c.jpg'"]),
        ("style='[a.jpg,b.jpg]'", ["style=[a.jpg,b.jpg]"]),
        (
            f"-m seed={','.join(map(str, range(200)))}.",
            ["-m", f"seed={','.join(map(str, range(200)))}."],
        ),  # no name of a file
    ],
)
def test_lines(line, expected):
    assert hydra(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg", r"one picture only: say nst a.jpg PAINTING.jpg"),
        ("a.jpg b.jpg --foo 3", "there is no option --foo"),
        ("a.jpg b.jpg --stile-weight 3", "Did you mean style_weight"),
        ("a.jpg b.jpg -o", "-o takes a value"),
        ("a.jpg b.jpg hydra.run.dir=x", "hydra.run.dir has no effect here: output.folder"),
        ("content=a.jpg b.jpg c.jpg", r"content= is given, and these pictures beside it: b.jpg"),
        ("a.jpg b.jpg -zz 3", "there is no option -zz"),
        ("a.jpg b.jpg --tw1 0.9", "one smoothness term here"),
    ],
)
def test_lines_that_cannot_be_read(line, message):
    with pytest.raises(UserError, match=message):
        words.read(shlex.split(line))


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (
            "-content_image a.jpg -style_image b.jpg -num_iterations 500 -style_weight 100 -optimizer lbfgs",
            "nst content=a.jpg style=b.jpg steps=500 style_weight=100 optimiser=lbfgs_torch +preset=neural_style_pt",
        ),
        ("a.jpg b.jpg -cw 0.01 -s 512", "nst content_weight=0.01 size=512 +preset=style_transfer_pytorch"),
        ("-content_image a.jpg -style_image b.jpg -init_image c.jpg -init image", "canvas=file canvas.path=c.jpg"),
    ],
)
def test_lines_of_other_programs_are_answered_with_the_line_that_does_it(line, answer):
    with pytest.raises(UserError) as caught:
        words.read(shlex.split(line))
    said = str(caught.value)
    assert all(word in said for word in answer.split())
    found = re.search(r"here: (nst .*?)(?: \(left out|$)", said)
    assert words.read(shlex.split(found.group(1))[1:]).hydra()  # it can be read


def test_every_synonym_names_a_setting():
    from nst_jax.shell.cli.manual import groups, settings

    known = {e.key for e in settings()} | set(groups())
    known |= {f"optimiser.{k}" for k in ("learning_rate", "memory")} | {"canvas.path", "network.pool"}
    known |= {"layers.content", "layers.style", "scale.from", "scale.then"}
    for each in synonyms.SYNONYMS:
        for setting in (*each.also, each.means):
            assert not setting or setting.lstrip("+").partition("=")[0] in known, each


def test_the_page_for_those_who_come_from_elsewhere_is_up_to_date():
    from tools import coming_from

    assert coming_from.PAGE.read_text(encoding="utf-8") == coming_from.render()


def test_a_folder_and_a_pattern(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("photos/b.jpg", "photos/a.PNG", "photos/notes.txt"):
        Path(name).touch()
    assert hydra("photos style=s.jpg") == ["-m", "style=s.jpg", "content=photos/a.PNG,photos/b.jpg"]
    assert hydra("'photos/*.jpg' s.jpg") == ["content=photos/b.jpg", "style=s.jpg"]
    assert hydra("-m 'content=glob(photos/[ab]*)' style=s.jpg")[1] == "content=photos/a.PNG,photos/b.jpg"
    Path("empty").mkdir()
    with pytest.raises(UserError, match="no picture is in this folder"):
        hydra("empty s.jpg")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Two pictures in a folder, one in another, and a painting."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos/b.jpg", "photos/a.PNG", "photos/notes.txt", "more/it's, [c].jpg", "s.jpg", "empty/none.txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()


AB, C = "photos/a.PNG,photos/b.jpg", "'more/it\\'s, [c].jpg'"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("content=photos/", "style=s.jpg"), ["-m", f"content={AB}", "style=s.jpg"]),
        (("content=photos", "s.jpg"), ["-m", f"content={AB}", "style=s.jpg"]),
        (("content=photos/*", "style=s.jpg"), ["-m", f"content={AB}", "style=s.jpg"]),  # pictures alone
        (("content=photos/*.jpg", "style=s.jpg"), ["content=photos/b.jpg", "style=s.jpg"]),  # one: no sweep
        (("--content", "photos/[ab].*", "--style=s.jpg"), ["-m", f"content={AB}", "style=s.jpg"]),
        (("content=**/*.PNG", "style=s.jpg"), ["content=photos/a.PNG", "style=s.jpg"]),
        (("content=photos/*.txt", "style=s.jpg"), ["content=photos/notes.txt", "style=s.jpg"]),  # as it was asked for
        (("content=more", "style=s.jpg"), [f"content={C}", "style=s.jpg"]),
        (("content=more/*, [[]c].jpg", "style=s.jpg"), [f"content={C}", "style=s.jpg"]),  # a comma of the pattern's own
        (("s.jpg", "style=photos/"), ["-m", f"style={AB}", "content=s.jpg"]),
        (("-m", "content=photos/", "style=s.jpg,t.jpg"), ["-m", f"content={AB}", "style=s.jpg,t.jpg"]),
        (("content=photos/", "style=s.jpg,t.jpg"), ["-m", f"content={AB}", "style=s.jpg,t.jpg"]),
        (("style=s.jpg,mor*/*", "content=photos/"), ["-m", f"style=s.jpg,{C}", f"content={AB}"]),
        (("-m", "content=s.jpg,photos/,mo*/*", "style=s.jpg"), ["-m", f"content=s.jpg,{AB},{C}", "style=s.jpg"]),
        (("s.jpg", "style=[photos/*,s.jpg]"), ["style=['photos/*',s.jpg]", "content=s.jpg"]),  # a list: as it is
        (("-m", "s.jpg", "style=[s.jpg,t.jpg],mor*/*"), ["-m", f"style=[s.jpg,t.jpg],{C}", "content=s.jpg"]),
        (("content='photos/*'", "style=s.jpg"), ["content='photos/*'", "style=s.jpg"]),  # in Hydra's quotes: a name
        (("content=null", "style=s.jpg"), ["content=null", "style=s.jpg"]),
        (("content=???", "style=s.jpg"), ["content=???", "style=s.jpg"]),
        (("content=glob(photos/*)", "style=s.jpg"), ["-m", f"content={AB}", "style=s.jpg"]),
    ],
)
def test_folders_and_patterns_in_a_setting(photos, line, expected):
    given = words.read(line).hydra()
    assert given == expected
    assert words.read(given).hydra() == expected  # what is recorded can be pasted
    for word in given:
        if "=" in word:
            assert OverridesParser.create().parse_override(word)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("content=empty", "style=s.jpg"), "empty: no picture is in this folder"),
        (("content=photos/*.gif", "style=s.jpg"), r"photos/\*.gif: there is no such file, and as a pattern it matches"),
        (("s.jpg", "style=photos/?"), "as a pattern it matches none"),
        (("photos/*.gif", "s.jpg"), "as a pattern it matches none"),
        (("-m", "content=s.jpg,photos/*.gif", "style=s.jpg"), r"photos/\*.gif: there is no such file"),
    ],
)
def test_a_folder_or_a_pattern_without_pictures(photos, line, message):
    with pytest.raises(UserError, match=message):
        words.read(line)


def test_names_that_look_like_patterns(photos):
    """A file or a folder that is there is meant, whatever its letters say as a pattern."""
    for name in ("set[1]/b*.jpg", "set[1]/bb.jpg", "set1/other.jpg", "x,y/one.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert words.read(("content=set[1]/b*.jpg", "style=s.jpg")).hydra()[0] == "content='set[1]/b*.jpg'"
    assert words.read(("content=set[1]/b?.jpg", "style=s.jpg")).hydra()[1] == "content='set[1]/b*.jpg','set[1]/bb.jpg'"
    assert words.read(("-m", "content=x,y", "style=s.jpg")).hydra()[1] == "content='x,y/one.jpg'"


def test_every_name_of_a_folder_reaches_the_settings(tmp_path, monkeypatch):
    """By a folder and by a pattern, as the values of a sweep."""
    monkeypatch.chdir(tmp_path)
    folder = Path("of, [these]")
    folder.mkdir()
    for name in names(max(100, times(100))):
        if len(os.fsencode(f"{name}.jpg")) < 250:
            (folder / f"{name}.jpg").touch()
    for value in (str(folder), f"{folder}/*"):
        (word,) = (w for w in words.read([f"content={value}", "style=s.jpg"]).hydra() if w.startswith("content="))
        override = OverridesParser.create().parse_override(word)
        found = [OmegaConf.create({"c": each}).c for each in values_of(override)]
        hidden = set() if value == str(folder) else {p for p in folder.iterdir() if p.name.startswith(".")}
        assert sorted(found) == sorted(str(p) for p in set(folder.iterdir()) - hidden)


def values_of(override):
    """The values of a key that is swept."""
    each = [f"content={value}" for value in override.sweep_string_iterator()]
    return [OverridesParser.create().parse_override(word).value() for word in each]


def test_every_name_reaches_the_settings(tmp_path, monkeypatch):
    """Of files that are there and of files that are not, by key and by place; and what is recorded can be pasted."""
    monkeypatch.chdir(tmp_path)
    for name in names(max(100, times(100))):
        path = f"{name}.jpg"
        if len(os.fsencode(path)) < 250:
            Path(path).touch()
        for line in ([f"content={path}", "style=s.jpg"], ["--", path, "s.jpg"]):
            given = words.read(line).hydra()
            assert content_of(given) == path, given
            assert content_of(words.read(shlex.split(shlex.join(given))).hydra()) == path, given


def content_of(overrides):
    """What Hydra and OmegaConf take the photograph's name to be."""
    (word,) = (o for o in overrides if o.startswith("content="))
    return OmegaConf.create({"content": OverridesParser.create().parse_override(word).value()}).content


def test_several_names_are_a_sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photos = [f"{name}.jpg" for name in names(40)]
    for photo in photos:
        Path(photo).touch()
    line = words.read(["--", *photos, "s.jpg"])
    (sweep,) = [word for word in line.hydra() if word.startswith("content=")]
    (override,) = OverridesParser.create().parse_overrides([sweep])
    found = [OverridesParser.create().parse_override(f"content={v}").value() for v in override.sweep_string_iterator()]
    assert [str(value).replace("\\${", "${") for value in found] == photos


@pytest.mark.slow
def test_names_in_runs_and_outputs(tmp_path, nst):
    """Single runs with awkward names of photographs and of outputs; the command that is kept makes the same picture."""
    for name in names(60)[:: 60 // min(60, times(60))]:
        photo = tmp_path / f"{name}.jpg"
        shutil.copyfile(PAIR[0], photo)
        out = tmp_path / "out" / f"{name}.png"
        code, text = nst("--quiet", "-o", str(out), *SMALL, "--", str(photo), PAIR[1])
        assert code == 0, (name, text)
        assert text.rstrip("\n") == str(out), name
        (folder,) = (p.parent for p in tmp_path.glob("runs/*/*/result.png"))
        command = shlex.split((folder / "command.txt").read_text(errors="surrogateescape"))
        first = Image.open(out).tobytes()
        out.unlink()
        code, text = nst(*command[1:])
        assert code == 0, (name, text)
        assert Image.open(out).tobytes() == first, name
        shutil.rmtree(tmp_path / "runs")


@pytest.mark.slow
def test_a_folder_of_photographs(tmp_path, nst):
    """Results are named after their photographs."""
    photos = tmp_path / "photos"
    photos.mkdir()
    chosen = [name for name in names(60) if not name.startswith("..")][:8]
    for number, name in enumerate(chosen):  # each of its own bytes: copies of one photograph are one job
        (photos / f"{name}.jpg").write_bytes(Path(PAIR[0]).read_bytes() + bytes(number))
    code, text = nst(str(photos), PAIR[1], *SMALL, "-o", f"{tmp_path}/painted/")
    assert code == 0, text
    assert {p.stem for p in (tmp_path / "painted").iterdir()} == {p.stem for p in photos.iterdir()}
    assert text.count("picture:") == len(chosen)


def test_a_pattern_in_a_setting_is_one_program(tmp_path, nst):
    """Photographs of one shape are lanes of one program; the results are in one folder, named after both pictures."""
    (tmp_path / "photos").mkdir()
    for number in range(3):
        shutil.copyfile(PAIR[0], tmp_path / "photos" / f"it's {number}.jpg")
        with (tmp_path / "photos" / f"it's {number}.jpg").open("ab") as file:  # copies of one picture are one job
            file.write(bytes(number))
    code, text = nst("content=photos/*.jpg", f"style={PAIR[1]},{PAIR[0]}", *SMALL, "output.to=painted/", "--json")
    assert code == 0, text
    stems = {f"it's {number}_style={style}" for number in range(3) for style in ("brush", "landscape")}
    assert {path.stem for path in (tmp_path / "painted").iterdir()} == stems
    rows = json.loads(text.splitlines()[0])["rows"]
    assert {row["lane"] for row in rows} == set(range(6))
    code, text = nst("content=photos/", f"style={PAIR[1]},{PAIR[0]}", *SMALL, "output.to=painted/", "--json")
    assert (code, json.loads(text.splitlines()[0])["rows"]) == (0, rows)  # the same jobs, and none is new


def test_a_sweep_from_python_takes_folders_and_patterns(tmp_path, monkeypatch):
    import nst_jax

    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    shutil.copyfile(PAIR[0], "photos/a.jpg")
    rows = nst_jax.sweep("content=photos/*.jpg", f"style={PAIR[1]}", *SMALL)
    assert [row["status"] for row in rows] == ["done"]
    with pytest.raises(UserError, match="matches none"):
        nst_jax.sweep("content=photos/*.gif", f"style={PAIR[1]}", *SMALL)


def test_one_file_for_several_pictures_is_refused(nst):
    code, text = nst("-m", *PAIR, *SMALL, "style_weight=1,2", "-o", "out.png")
    assert code == 2
    assert "2 pictures need a folder" in text
    assert not Path("runs").exists() or not list(Path("runs").rglob("result.png"))


def test_the_picture_where_it_is_wanted(nst, tmp_path):
    code, text = nst(*PAIR, *SMALL, "-o", "a/b/out.jpg", "output.quality=80")
    assert code == 0, text
    with Image.open("a/b/out.jpg") as image, Image.open(Path("runs/latest/result.png")) as result:
        assert image.format == "JPEG"
        assert image.size == result.size
    assert "picture: a/b/out.jpg" in text
    assert (tmp_path / "runs/latest").is_symlink()
    code, text = nst(*PAIR, *SMALL, "-o", "a/b/")
    assert Path("a/b/landscape.png").is_file()
    for bad, message in (
        ("x.tiff", "tiff"),
        ("~nobody_of_that_name/x.png", "home"),
        ("/proc/none/x.png", "no file can be made there"),
    ):
        code, text = nst(*PAIR, *SMALL, "-o", bad)
        assert code == 2
        assert message in text


def test_quiet_and_json(nst):
    code, text = nst(*PAIR, *SMALL, "--quiet")
    assert code == 0
    assert Path(text.strip()).is_file()
    code, text = nst(*PAIR, *SMALL, "--json")
    told = json.loads(text)
    assert told["config"]["size"] == 24
    assert Path(told["picture"]).is_file()
    assert told["files"]["content"]["path"] == PAIR[0]
    assert len(told["files"]["style"]["sha256"]) == 64
    assert told["directory"] == str(Path.cwd())
    code, text = nst("-m", *PAIR, *SMALL, "style_weight=1,2", "--json")
    assert [row["style_weight"] for row in json.loads(text)["rows"]] == [1, 2]


@pytest.mark.parametrize("line", ["help", "--help", "-h", "size=3 --help", "help optimiser", "optimiser=adam --help"])
def test_help(nst, line):
    code, text = nst(*line.split())
    assert code == 0
    if "optimiser" in line:
        assert "learning_rate" in text
    assert not Path("runs").exists()


def test_help_for_what_is_not_there(nst):
    code, text = nst("help", "optimizr")
    assert code == 2
    assert "Did you mean optimiser" in text


def test_options_of_ones_own(nst, tmp_path):
    (tmp_path / "own" / "preset").mkdir(parents=True)
    (tmp_path / "own" / "preset" / "mine.yaml").write_text("# @package _global_\nsteps: 2\n")
    line = ("--config-dir", f"{tmp_path}/own", *PAIR, *SMALL[:2], "optimiser=adam", "output.every=0")
    code, text = nst(*line, "+preset=mine")
    assert code == 0, text
    assert "2 steps" in text
    code, text = nst(*line, "+preset=mime")
    assert code == 2
    assert "Did you mean mine?" in text


def test_streams(tmp_path):
    """Results on standard output, errors on standard error, progress on neither unless it is a terminal."""
    code = "from nst_jax.shell.cli.nst import main; main()"
    import sys

    done = subprocess.run([sys.executable, "-c", code, *PAIR, *SMALL], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "result:" in done.stdout
    done = subprocess.run([sys.executable, "-c", code, "no.jpg", PAIR[1]], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
