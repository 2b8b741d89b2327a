"""Every command on every page is run, small, and so is every block of Python.

The commands are the lines of code blocks of README.md and docs/**/*.md, and pieces of code within sentences that begin
with a command and a word behind it. "Run" means, by command:

- `nst`: the command's own reader takes the line (without `from=RUN`, which needs a run). Hydra composes it, and every
  check that `nst` makes before it loads weights is made: settings, options of groups, files of pictures, layers of the
  network. One line of each kind, RUN, is really run: 48 pixels, one step.
- `nst -m`: the same for every job of the sweep, launchers and searches included. One is really run.
- `nst-train`: every training of the line is composed and checked. One is really run, for one step.
- `nst-convert`, `nst-weights list | verify`: they really run, and so does `nst-gallery` on the sweep that ran.
- `nst-export`: the reader takes the line. Its packages are extras; tests/shell/sweeps/test_export.py and
  tests/shell/test_export_models.py run them.
- `nst-weights fetch | convert`: the reader takes the line. They need a network, or a file of 80 MB.
- `python -m`: the module is there. Lines of experiments are composed as the sweeps that they are; lines of other
  modules are checked by the module's own reader of settings. They take minutes to hours.
- `make`, `pip install`: the target and the extra are there. tests/test_packaged.py builds and installs.
- SKIPPED lists the rest, and why.

Pictures, folders and weight files that the lines name are made up in a temporary folder.
"""

import ast
import importlib
import importlib.util
import inspect
import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import model_files
import pytest
import readable
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from PIL import Image

import nst_jax
from experiments.common import study
from experiments.networks.texnet import config as texnet
from nst_jax.extractors import architecture
from nst_jax.parallel import layout
from nst_jax.shell.cli import convert, export, gallery, train, weights, words
from nst_jax.shell.cli import nst as main
from nst_jax.shell.cli import sweep as sweeping
from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.reports import export as reports_export
from nst_jax.shell.running import instant, portable, single
from nst_jax.shell.settings import config as settings
from nst_jax.shell.sweeps import launching
from nst_jax.shell.sweeps import search as searching
from nst_jax.shell.training import config as distil
from nst_jax.shell.training.feedforward import config as feedforward

ROOT = Path(__file__).parents[1]
PAGES = readable.of_repository()
OURS = ("nst", "nst-train", "nst-convert", "nst-gallery", "nst-export", "nst-weights", "python", "make", "pip")
SKIPPED = {
    "srun": "SLURM starts the line that follows, and it is checked as a line of nst",
    "gcloud": "Google's command; the line of nst within it is checked",
    "eval": "the shell's: tab completion of nst, which tests/shell/test_command.py runs",
    "jupyter": "notebooks; tests/test_notebooks.py executes them",
    "pre-commit": "installs a hook into the reader's repository",
    "pytest": "the tests themselves",
    "tensorboard": "another project's viewer",
    "docker": "needs a container engine",
    "nst-serve": "a server; its own tests start it",
    "uvx": "downloads the package; tests of the release run its script",
    "git": "the reader's repository",
}
ELSEWHERE = {  # pieces of blocks of Python that need more than a page, and the tests that run them
    "export.deserialize": "a file that nst-export has written: tests/shell/test_export_models.py",
    "nst.lpips": "weights that are downloaded: tests/shell/test_measures.py, with made-up ones",
    "nst_jax.app": "the extra app, and a server: tests/shell/test_app.py",
    "from=": "a former run: tests/shell/test_again.py",
}
NAMES = {"+experiment=NAME": "+experiment=start", "METHOD": "johnson"}  # what stands for a name of the reader's choice
SMALL = ("size=48", "steps=1", "output.every=0")
RUN = (  # really run, one of each kind
    "nst photo.jpg painting.jpg network=distilled size=256 steps=100 look=strong -o out.jpg",
    "nst photo.jpg painting.jpg method=instant",
    "nst photo.jpg model=eight_styles style=ink",
    "nst -m photo.jpg painting.jpg style_weight=1e2,1e3,1e4 seed=0,1",
)
PORTABLE = portable.run
PICTURE = re.compile(r"[\w./-]+\.(?:jpg|png)\b")
FILE = re.compile(r"=([\w./-]+\.(?:pth|pt|h5|mat|safetensors))\b")


class Begun(Exception):
    """An experiment has come to its sweep, with these words."""


class Command(NamedTuple):
    """A command of a page."""

    page: str
    text: str  # the line, without a comment

    def words(self) -> list[str]:
        """As the shell divides it, without variables of the environment before it."""
        found = shlex.split(self.text, comments=True)
        while found and re.fullmatch(r"[A-Z_]+=\S*", found[0]):
            found = found[1:]
        return [NAMES.get(word, word) for word in found]


def blocks(text):
    """The code blocks of a page that are not Python: fenced ones, and indented ones."""
    fence = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
    for found in fence.finditer(text):
        if found[2] not in ("python", "yaml"):
            yield found[3]
    rest, kept, blank = fence.sub("\n", text), [], True
    for line in rest.splitlines():
        if blank and re.match(r" {4,}\S", line):
            kept.append(line)
            continue
        blank = not line.strip()
        if not blank and kept:
            yield "\n".join(kept)
            kept = []
    yield "\n".join(kept)


def commands_of(page):
    """Every command of a page, in order."""
    text, name = page.read_text(encoding="utf-8"), str(page.relative_to(ROOT))
    starts = re.compile(rf"(?:[A-Z_]+=\S+ )*({'|'.join((*OURS, *SKIPPED))})(?= |$)")
    lines = [line.strip() for block in blocks(text) for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`((?:nst(?:-\w+)?|python -m) (?!-m`|help`)[^`]*[=.][^`]*)`", " ".join(prose.split()))
    for line in [*lines, *inline]:
        if starts.match(line) and "..." not in line.split(" #")[0]:
            yield Command(name, line)
        for inner in re.findall(r'--command="(nst [^"]+)"|^srun (nst .*)', line):
            yield Command(name, "".join(inner))


def python_of(page):
    """The blocks of Python of a page."""
    text = page.read_text(encoding="utf-8")
    return [found[2] for found in re.finditer(r"^( *)```python\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)]


COMMANDS = list(dict.fromkeys(command for page in PAGES for command in commands_of(page)))


def of(*names):
    """The commands of these names, as parameters of a test."""
    chosen = [command for command in COMMANDS if command.words()[:1] and command.words()[0] in names]
    once = {command.text: command for command in reversed(chosen)}
    return pytest.mark.parametrize("command", list(once.values()), ids=list(once))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with everything that the lines name."""
    folder = tmp_path_factory.mktemp("commands")
    with Image.open(nst_jax.pictures.path("landscape")) as picture:
        small = picture.convert("RGB").resize((48, 36))
    for command in COMMANDS:
        for name in [*PICTURE.findall(command.text), "image.jpg"]:
            path = folder / name
            if not path.is_relative_to(folder) or ".." in name or name.startswith("/"):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                small.save(path)
        for name in FILE.findall(command.text):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        for name in re.findall(r"\b(photos|paintings|others|pictures|photographs|textures)/?", command.text):
            (folder / name).mkdir(exist_ok=True)
            for number in range(3):
                small.save(folder / name / f"{number}.jpg")
    for name in nst_jax.pictures.NAMES + nst_jax.pictures.MASKS:
        file = nst_jax.pictures.path(name)
        shutil.copy(file, folder / file.name)
    (folder / "FOLDER").mkdir()
    shutil.copy(conf() / "preset" / "keras_example.yaml", folder / "FOLDER" / "x.yaml")
    for group in ("preset", "canvas"):
        (folder / "FOLDER" / group).mkdir()
        file = next((conf() / group).glob("*.yaml"))
        shutil.copy(file, folder / "FOLDER" / group / "mine.yaml")
    for page in PAGES:  # a block of Python whose docstring names a file is that file
        for code in python_of(page):
            if found := re.match(r'"""(\w+\.py):', code):
                (folder / found[1]).write_text(code, encoding="utf-8")
    return folder


@pytest.fixture
def here(place, monkeypatch):
    """In that folder, with its modules at hand and a cache of its own."""
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("NST_JAX_CACHE", str(place / "cache"))
    GlobalHydra.instance().clear()
    yield place
    GlobalHydra.instance().clear()


def check(config, contents=()):
    """What `nst` checks before it loads weights, and that the network has the layers."""
    if config.model is not None:
        instant.check(config, list(contents) or [str(config.content)])
        return
    single.check(config)
    kind = architecture(config.network.name)
    taps = (*config.layers.content, *config.layers.style)
    shape = {"pool": config.network.pool, "rounding": config.network.rounding, "padding": config.network.padding}
    kind.shapes(kind.tap(tuple(taps), **shape), height=512, width=512)


def read_one(given, monkeypatch):
    """One line of `nst`: its settings, checked."""
    line = words.read(given)
    if line.is_sweep():
        read_many(line, monkeypatch)
        return None
    if line.help:
        main.manual.page(line.words)
        return None
    if any(word.startswith("resume=") for word in line.words):
        keys = {word.partition("=")[0] for word in line.words}
        assert keys <= {"resume", "steps"}
        return None
    path = []
    for flag, value in zip(line.flags, line.flags[1:], strict=False):
        path += [f"hydra.searchpath=[file://{Path(value).resolve()}]"] if flag == "--config-dir" else []
    plain = [word for word in line.hydra() if word not in line.flags]
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        config = settings.read(compose("config", overrides=[*path, *plain]))
    check(config, line.contents)
    return config


def new_words(jobs):
    """The first job and the last, and each that has a word which no job before it has: enough to read every word."""
    seen = set()
    for number, job in enumerate(jobs):
        if set(job) - seen or number + 1 == len(jobs):
            yield job
        seen |= set(job)


def read_many(line, monkeypatch):
    """One line of `nst -m`: the settings of all of its jobs, checked."""
    found = []

    def launch(launcher, jobs, keys):
        for job in new_words(jobs):
            config = launcher.composer.read(job)
            if isinstance(config, UserError):
                raise config
            check(config)
            found.append(config)
        return []

    def search(composer, launch, params, how, sweeper, own):
        assert sweeper["trials"] >= 1
        given = sweeping.line.parse(composer.loader, params, own)
        for end in (0, -1):  # the first and the last of the choices, and of an interval
            job = []
            for override in given:
                if override.is_sweep_override() and not override.is_discrete_sweep():
                    value: Any = override.value()
                    job.append(f"{override.get_key_element()}={(value.start, value.end)[end]}")
                else:
                    job.append(sweeping.line.words(override)[end])
            launch([job], [])

    monkeypatch.setattr(launching, "launch", launch)
    monkeypatch.setattr(searching, "search", search)
    monkeypatch.setattr(sweeping, "trials", lambda *_: [])
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        sweeping.run([word for word in line.hydra() if word not in line.flags], "config")
    assert found, "no job"
    return found


def like_a_former_run(given):
    """The line as one of its own: a photograph and a painting stand for the former run's. model=null undoes its model.

    tests/shell/test_again.py runs lines with `from=`.
    """
    rest = [word for word in given if not word.startswith("from=") and word not in ("-m", "model=null")]
    pictures = [word for word in rest if "=" not in word]
    many = ["-m"] if "-m" in given else []
    return [*many, *(pictures or ["photo.jpg"]), "painting.jpg", *(word for word in rest if "=" in word)]


@of("nst")
def test_lines_of_nst(command, here, monkeypatch):
    given = command.words()[1:]
    if given == ["--version"]:
        return
    if any(word.startswith("from=") for word in given):
        given = like_a_former_run(given)
    plain = [word for word in given if "=" not in word or word.startswith(("content=", "style=", "texture=", "+exp"))]
    if not PICTURE.search(" ".join(plain)) and not re.search(r"photos|texture|resume|help|\+exp", command.text):
        given = ["photo.jpg", "painting.jpg", *given]  # a piece of a line, within a sentence
    read_one(given, monkeypatch)


@pytest.mark.parametrize("text", RUN)
def test_one_line_of_each_kind_really_runs(text, called, here, place):
    """In the folder that also holds a sweep afterwards, for the gallery."""
    assert text in [" ".join(c.words()) for c in COMMANDS], "RUN names a line that no page has"
    given = [word for word in shlex.split(text)[1:] if not word.startswith(("size=", "steps="))]
    small = SMALL if "model=" not in text and "method=" not in text else SMALL[:1]
    given = [word.replace("1e2,1e3,1e4", "1e2,1e3") if "," in word else word for word in given]
    network = () if "network=" in text or small != SMALL else ("network=distilled",)
    code, said = called(main.main, "nst", *given, *small, *network)
    assert code == 0, said
    assert re.search(r"^(result|gallery): +(\S+)$", said, re.MULTILINE), said
    if "-m" in given:
        code, said = called(gallery.main, "nst-gallery", next((place / "runs/sweeps").iterdir()))
        assert code == 0, said


@of("nst-train")
def test_trainings(command, here):
    given = command.words()[1:]
    if given == ["--help"]:
        return
    method, rest = train.split(given)
    jobs = list(train.combine(method, rest)) if set(train.MANY) & set(given) else [rest]
    for job in jobs:
        config = train.read(method, job)
        (distil if method == "distil" else feedforward).check(config)


def test_one_training_really_runs(called, here):
    text = "nst-train johnson style=painting.jpg data=photos/"
    assert text in [" ".join(c.words()) for c in COMMANDS]
    small = "side=32 batch=1 steps=1 width=0.125 style_size=32 threads=1 sheet=0 network=distilled devices=1"
    code, said = called(train.main, *text.split(), *small.split())
    assert code == 0, said
    assert (here / "runs/train/johnson/model.safetensors").is_file()


@of("nst-convert")
def test_translations(command, here, capsys):
    assert convert.main([*command.words()[1:], "--size", "64"]) == 0
    assert "nst " in capsys.readouterr().out


@of("nst-export")
def test_exports(command, here, monkeypatch):
    given, taken = command.words()[1:], []
    if given[1] in export.FORMATS:
        monkeypatch.setattr(portable, "run", lambda *a, **k: taken.append((a, k)) or "a file")
        export.run(given[0], given[1], given[2:])
        (_, kind), named = taken[0]
        assert kind in export.FORMATS
        assert named.keys() <= set(inspect.signature(PORTABLE).parameters)
    else:
        assert f"nst-export FOLDER {given[1]}" in export.USAGE
        assert given[1] in reports_export.TRACKERS or "=" in "".join(given[2:]) or len(given) == 2


@of("nst-gallery")
def test_galleries(command, called, here, tmp_path):
    given = command.words()[1:]
    assert len(given) == 1
    code, said = called(gallery.main, "nst-gallery", tmp_path)
    assert code == 2, said  # a folder without a sweep is refused; above, the gallery of a sweep is built


@of("nst-weights")
def test_weights(command, here):
    options = weights._parser().parse_args(command.words()[1:])
    if options.run in (weights.list_published, weights.verify):
        assert options.run(options) == 0


@of("python")
def test_modules(command, here, monkeypatch):
    given = command.words()[1:]
    assert given[0] == "-m" or (ROOT / given[0]).is_file()
    if given[0] != "-m":
        return
    module, rest = given[1], given[2:]
    file = importlib.util.find_spec(module)
    assert file is not None, f"there is no {module}"
    assert file.origin is not None
    text = Path(file.origin).read_text(encoding="utf-8")
    if module.startswith("experiments.papers."):

        def sweep(*given):
            raise Begun([word for word in given if word != "size=small"])

        monkeypatch.setattr(study.nst, "sweep", sweep)
        with pytest.raises((Begun, UserError)) as stopped:
            importlib.import_module(module).main(*rest, home=here)
        line = stopped.value.args[0]
        if isinstance(stopped.value, UserError):  # it reads the weights before its sweep; the file here is empty
            assert ": empty; " in str(stopped.value)
            line = [f"+experiment={module.rpartition('.')[2]}", *rest]
        read_many(words.read(["-m", *line]), monkeypatch)
        return
    if module == "experiments.networks.train_texnet":
        texnet.read(rest)
        return
    for key in [word.partition("=")[0].partition(".")[0] for word in rest if "=" in word]:
        assert re.search(rf"\b{key}\b", text), f"{module} knows no {key}"


@of("make", "pip")
def test_targets_and_extras(command):
    given = command.words()
    if given[0] == "make":
        made = (ROOT / "Makefile").read_text(encoding="utf-8")
        for target in [word for word in given[1:] if "=" not in word]:
            assert re.search(rf"^{target}:", made, re.MULTILINE), f"make has no {target}"
        return
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extras in re.findall(r"(?:\.|nst-jax|nst_jax)\[([\w,]+)\]", command.text):
        assert set(extras.split(",")) <= project["optional-dependencies"].keys()


def test_what_is_skipped_is_no_command_of_ours():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    for name in {command.words()[0] for command in COMMANDS}:
        assert name in OURS or name in SKIPPED
    assert not {name for name in scripts if name not in OURS and name not in SKIPPED and name.startswith("nst-")} - {
        "nst-jax"
    }


SMALLER = {"size": 32, "steps": 1, "lanes": 1, "rows": 1}


class Small(ast.NodeTransformer):
    """A block of Python, small: `size` 32, `steps` 1, and no network that would be downloaded."""

    def visit_keyword(self, node):
        """size=512 is size=32."""
        self.generic_visit(node)
        if node.arg in SMALLER and isinstance(node.value, ast.Constant) and isinstance(node.value.value, int):
            node.value = ast.Constant(min(node.value.value, SMALLER[node.arg]))
        return node

    def visit_Constant(self, node):
        """The default network is one that is downloaded."""
        return ast.Constant("distilled") if node.value in ("vgg19", "my_file.pth") else node


def tiny():
    """A network of one convolution, by VGG's name of its layer."""

    def see(params, image, taps):
        return dict.fromkeys(taps, jax.nn.relu(image @ params))

    weights = {"relu1_1": 1.0}
    return nst_jax.Network(
        nst_jax.Function(see, ("relu1_1",)), jnp.eye(3, 4), content_layers=weights, style_layers=weights
    )


def known_to(page):
    """What the reader of a page has made before its first block."""
    photo, brush = (nst_jax.picture(name, size=32) for name in ("landscape", "brush"))
    problem = nst_jax.problem(tiny(), photo, brush, convention="gatys_released")
    known = {"nst": nst_jax, "jnp": jnp, "net": tiny(), "problem": problem, "start": photo}
    if page == "sweeps":
        both = [problem, problem._replace(parts={**problem.parts, "style": 2.0})]
        parts = [nst_jax.split(one) for one in both]
        spec = parts[0][0]
        known |= {"layout": layout, "spec": spec, "problem_a": parts[0][1], "problem_b": parts[1][1]}
        known |= {"starts": jnp.stack([photo, photo])}
    if page == "instant":
        Path("model.safetensors").write_bytes(model_files.write("adain", Path("adain")).read_bytes())
        known |= {"style": brush, "images": photo[None]}
    return known


@pytest.mark.filterwarnings("ignore:.*the objective ends above its start")  # after one step
@pytest.mark.parametrize("page", [page for page in PAGES if python_of(page)], ids=lambda page: page.stem)
def test_python(page, here, monkeypatch):
    """Every block, one after the other, in one module. README's are run by test_readme.py, at their own size."""
    if page.stem == "README":
        pytest.skip("test_readme.py runs them")

    def sweep(*given):
        return read_many(words.read(["-m", *given]), monkeypatch)

    monkeypatch.setattr(nst_jax, "sweep", sweep)  # composed and checked, as a line of nst -m
    known = known_to(page.stem)
    for code in python_of(page):
        if any(words_of_it in code for words_of_it in ELSEWHERE):
            continue
        tree = ast.fix_missing_locations(Small().visit(ast.parse(code)))
        exec(compile(tree, str(page), "exec"), known)


@pytest.mark.parametrize(
    "line",
    [
        "nst photo.jpg painting.jpg stile_weight=2",
        "nst photo.jpg painting.jpg optimiser=lbfgz",
        "nst a.jpg b.jpg layers.style.relu9_9=1",
        "nst -m photo.jpg painting.jpg style_weight=1,x",
        "nst photo.jpg painting.jpg network=distiled",
    ],
)
def test_a_mistyped_line_is_found(line, here, monkeypatch):
    with pytest.raises(Exception, match=r"\S"):
        read_one(shlex.split(line)[1:], monkeypatch)
