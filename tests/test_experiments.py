"""Every saved experiment: it composes, has its page of Python, and runs. `make experiments-smoke`."""

import ast
import csv
import importlib
from itertools import zip_longest
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from PIL import Image

from experiments.__main__ import listed
from experiments.common import index, reading, study
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings import config
from nst_jax.shell.sweeps.composing import Composer

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in (ROOT / "conf/experiment").glob("*.yaml"))

SMALL = ("network=distilled", "size=48", "steps=2")
PLAIN = ("optimiser=adam",)  # where the optimiser is not the point: it compiles fastest
SHALLOW = "layers=content_relu2_2_style_3"
WORDS = {  # of an experiment that needs others than PLAIN to run small
    "content_layer": (
        *PLAIN,
        "layers=content_relu2_2_style_5,content_relu4_2_style_5",
        "style_weight=1e3,1e4",
        "seed=0",
    ),
    "conventions_reconciled": (*PLAIN, "convention=gatys_released,neural_style", SHALLOW),
    "coarse_to_fine": (*PLAIN, SHALLOW),
    "content_reconstruction": (*PLAIN, "layers=content_relu1_1,content_relu3_1", "seed=0,1"),
    "layers_by_ratio": (*PLAIN, "layers=nested_1,nested_2", "style_weight=1e2,1e4"),
    "optimisers": (
        *("optimiser=adam,lbfgs_torch", "optimiser.learning_rate=0.01,0.1", "seed=0", SHALLOW),
        *("content=nst_jax/pictures/landscape.jpg", "style=nst_jax/pictures/brush.jpg"),
    ),
    "pooling": (*PLAIN, SHALLOW, "network.pool=max,avg", "canvas=content,noise", "seed=0,0"),
    "start": (*PLAIN, SHALLOW, "canvas=content,style,noise,noise", "seed=0,0,0,1"),
    "style_reconstruction": (*PLAIN, "layers=nested_1,nested_3", "seed=0"),
    "gram_alternatives": (*PLAIN, SHALLOW, "convention=adain,covariance"),
    "precision": (*PLAIN, SHALLOW),
    "random_weights": (*PLAIN, SHALLOW, "weights.random_from=null,3"),
    "resolution": (*PLAIN, SHALLOW, "size=32,48", "convention.resolution=published"),
    "search": (*PLAIN, SHALLOW, "hydra.sweeper.trials=4", "hydra.sweeper.batch=4"),
    "seeds": (*PLAIN, SHALLOW, "seed=0,1,2"),
    "total_variation": (*PLAIN, SHALLOW, "tv_weight=0,1e-3"),
}


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """The bundled pictures are named from the repository's root."""
    monkeypatch.chdir(ROOT)


def run(name, home):
    """The small run of an experiment, recorded in `home`."""
    if name == "search":
        pytest.importorskip("optuna", reason="the search needs the extra optuna")
    return importlib.import_module(f"experiments.papers.{name}").main(*SMALL, *WORDS.get(name, PLAIN), home=home)


@pytest.mark.parametrize("name", NAMES)
def test_it_composes_with_every_value_that_it_sweeps(name):
    params = config.plain_yaml(ROOT / f"conf/experiment/{name}.yaml")["hydra"]["sweeper"]["params"]
    parsed = OverridesParser.create().parse_overrides([f"{key}={value}" for key, value in params.items()])
    swept = [each for each in parsed if each.is_discrete_sweep()]
    lists = [[f"{o.key_or_group}={v}" for v in o.sweep_string_iterator()] for o in swept]
    with initialize_config_dir(str(ROOT / "conf"), **config.VERSION_BASE):
        composer = Composer(GlobalHydra.instance().config_loader(), compose("config", return_hydra_config=True))
        for words in zip_longest(*lists):
            found = composer.read([f"+experiment={name}", *(w for w in words if w)])
            assert not isinstance(found, UserError), found


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_page_with_its_source_its_cost_and_its_command(name):
    text = ast.get_docstring(ast.parse((ROOT / f"experiments/papers/{name}.py").read_text(encoding="utf-8"))) or ""
    assert f"\n    python -m experiments.papers.{name} " in text
    assert "Cost: " in text
    assert "Expected: " in text


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, tmp_path):
    folder = run(name, tmp_path)
    with Image.open(folder / "figure.png") as figure:
        figure.load()
    with (folder / "table.csv").open(encoding="utf-8") as file:
        assert list(csv.DictReader(file))
    assert f"    python -m experiments.papers.{name} {' '.join(SMALL)}" in (folder / "README.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["start", "search"])
def test_again_runs_nothing_anew(name, tmp_path):
    """The second time every job is found, those of a search too, and the table is the same."""
    table = run(name, tmp_path).joinpath("table.csv").read_text(encoding="utf-8")
    ended = {path: path.stat().st_mtime_ns for path in tmp_path.glob("sweeps/*/*/mark.json")}
    assert len(ended) == 4
    assert run(name, tmp_path).joinpath("table.csv").read_text(encoding="utf-8") == table
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("sweeps/*/*/mark.json")} == ended


def test_they_are_listed_with_their_cost():
    text = listed()
    assert all(f"{name}: " in text for name in NAMES)
    assert text.count("Cost: ") == len(NAMES)


def test_a_small_size_has_nothing_to_download(monkeypatch, capsys):
    given = []
    monkeypatch.setattr(study.nst, "sweep", lambda *words: given.extend(words) or [{"status": "done"}])
    study.sweep("start", "size=small", "seed=0")
    assert {"network=distilled", "size=128", "steps=100", "seed=0"} <= set(given)
    assert "Cost: 6 runs" in capsys.readouterr().out


def test_a_mistake_in_the_line_ends_with_2_and_says_it(capsys):
    with pytest.raises(SystemExit) as end:
        study.sweep("start", "sise=32")
    assert end.value.code == 2
    assert "Did you mean size?" in capsys.readouterr().err


def test_a_key_with_one_value_is_in_the_rows_too():
    assert study.fixed_values("start") == {}
    assert study.fixed_values("start", "canvas=noise", "seed=3,4") == {"canvas": "noise"}
    assert study.fixed_values("layers_by_ratio", "style_weight=1e2") == {"style_weight": 100.0}


def test_distances():
    assert reading.rms_difference([0, 1], [0, 0]) == pytest.approx(0.5**0.5)
    assert reading.relative_difference([3, 3], [1, 1]) == pytest.approx(2)


def test_the_page_keeps_the_sections_without_a_record_here(tmp_path, monkeypatch):
    """But for their question, which is the first line of the experiment's own page."""
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs/gallery/experiments.md").read_text(encoding="utf-8")
    assert list(index.sections(page)) == NAMES
    question = importlib.import_module("experiments.papers.search").__doc__.splitlines()[0]
    other = page.replace(question, "A question of before?").replace("## seeds\n", "Kept.\n\n## seeds\n")
    (tmp_path / "experiments.md").write_text(other, encoding="utf-8")
    monkeypatch.setattr(index, "DOCS", tmp_path)
    monkeypatch.setattr(index, "HOME", tmp_path / "nothing")
    made = index.main().read_text(encoding="utf-8")
    assert made.replace("Kept.\n\n", "") == page
    assert "Kept." in made
