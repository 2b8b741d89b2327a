"""Published programs as records: complete, of things that exist, and the same as the generated files say."""

import re

import pytest
import sources
import yaml
from hydra import compose, initialize_config_dir

from nst_jax import published
from nst_jax.extractors import MODULES, architecture
from nst_jax.optim.solvers import SOLVERS
from nst_jax.published import CONVENTIONS, LOSSES, PROFILES, PROGRAMS
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.scale import stages
from tools import newton_schulz
from tools import published as tool

CONF = tool.ROOT / "conf"


def options(group):
    return {file.stem for file in (CONF / group).glob("*.yaml")}


def test_the_generated_files_are_up_to_date():
    assert tool.stale() == [], "run python -m tools.published"


@pytest.fixture
def copy(tmp_path):
    """A folder with the generated files."""
    (tmp_path / "docs/explanations").mkdir(parents=True)
    (tmp_path / tool.PAGE).write_text((tool.ROOT / tool.PAGE).read_text(encoding="utf-8"), encoding="utf-8")
    for group in ("convention", "layers", "preset", "look"):
        (tmp_path / "conf" / group).mkdir(parents=True)
    tool.write(tmp_path)
    return tmp_path


def test_what_is_out_of_date_is_named_and_mended(copy):
    assert tool.stale(copy) == []
    preset, convention, gone = (
        copy / "conf" / name for name in ("preset/nis.yaml", "convention/nis.yaml", "layers/x.yaml")
    )
    preset.write_text(preset.read_text(encoding="utf-8").replace("steps: 500", "steps: 501"), encoding="utf-8")
    convention.unlink()
    gone.write_text(f"# A profile without a record.\n{tool.MARK}nowhere.py\n", encoding="utf-8")
    own = copy / "conf/layers/own.yaml"
    own.write_text("# Written by hand.\ncontent: {}\n", encoding="utf-8")
    page = copy / tool.PAGE
    page.write_text(page.read_text(encoding="utf-8").replace("| `nis` |", "| `nix` |", 1), encoding="utf-8")
    wrong = {path.relative_to(copy) for path in (preset, convention, gone, page)}
    assert set(tool.stale(copy)) == wrong
    assert set(tool.write(copy)) == wrong
    assert tool.stale(copy) == []
    assert own.exists()
    assert not gone.exists()


def test_a_page_without_a_place_for_a_table_is_refused():
    with pytest.raises(ValueError, match="presets"):
        tool.fill("<!-- generated: layers -->\n<!-- end -->\n", {"layers": "", "presets": ""})


@pytest.mark.parametrize("value", [1e-8, 2.5e-8, 0.0029325513196, 0.0, 1.0, 0.3137, 1e4, 3e4, 123456.5, 1e9, 7, True])
def test_a_number_is_read_back_as_it_was(value):
    again = yaml.safe_load(tool.render(value))
    assert (again, type(again)) == (value, type(value))


def test_no_name_is_taken_twice():
    for table, kind in ((LOSSES, "LOSSES"), (PROFILES, "PROFILES"), (PROGRAMS, "PROGRAMS")):
        names = [record.name for family in published.FAMILIES for record in getattr(family, kind)]
        assert sorted(names) == sorted(table)


def test_every_convention_has_a_record_and_every_option_of_the_command_line_too():
    assert {record.same_as or name for name, record in LOSSES.items()} == set(CONVENTIONS)
    assert options("convention") == set(LOSSES)
    assert options("preset") == set(PROGRAMS)
    by_hand = {file.stem for file in (CONF / "layers").glob("*.yaml") if tool.MARK not in file.read_text("utf-8")}
    assert options("layers") == set(PROFILES) | by_hand
    for record in LOSSES.values():
        same = CONVENTIONS[record.same_as or record.name]
        assert record.convention == same
        assert same.smooth_term is not None or record.tv_weight == 0, f"{record.name} has no smoothness term"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_names_what_exists(name):
    program = PROGRAMS[name]
    assert program.network in MODULES
    profile, network = PROFILES[program.layers], architecture(program.network)
    assert {*profile.content, *profile.style} <= {*network.layers, *network.raw}
    assert program.convention in LOSSES
    assert program.solver.name in SOLVERS
    assert program.start.name in options("canvas")
    assert program.weights.name in options("weights")
    scale = [("scale", program.scale)] if program.scale else []
    for group, option in (
        ("weights", program.weights),
        ("optimiser", program.solver),
        ("canvas", program.start),
        *scale,
    ):
        known = yaml.safe_load((CONF / group / f"{option.name}.yaml").read_text(encoding="utf-8"))
        assert dict(option.settings).keys() <= known.keys() - {"name", "start"}
    body = yaml.safe_load((CONF / f"preset/{name}.yaml").read_text(encoding="utf-8"))
    groups = {word.split("/")[1] for item in body["defaults"] for word in item}
    assert {key for key, _ in program.remarks} <= groups | body.keys()


NEAR = 5e-3  # records round to three digits


@pytest.mark.parametrize("name", LOSSES)
def test_the_weights_of_a_convention_are_its_sources(name):
    record = LOSSES[name]
    wanted = (sources.WEIGHTS | sources.OWN_WEIGHTS)[name]
    assert (record.content_weight, record.style_weight, record.tv_weight) == pytest.approx(wanted, rel=NEAR)


def test_the_profiles_are_their_sources():
    own = {"blocks1-3", "texnet", "squeezenet"}  # for networks that no program uses
    own |= {"inception_v3", "googlenet", "resnet18", "resnet34", "resnet50", "resnet101", "resnet50_keras"}
    assert set(PROFILES) == set(sources.PROFILES) | own
    for name, (content, style) in sources.PROFILES.items():
        assert dict(PROFILES[name].content) == pytest.approx(content, rel=1e-9)
        assert dict(PROFILES[name].style) == pytest.approx(style, rel=1e-9)
        assert list(PROFILES[name].style) == list(style)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_settings_of_a_program_are_its_sources(name):
    program, wanted = PROGRAMS[name], sources.PROGRAMS[name]
    assert (program.weights.name, program.network, program.layers) == (wanted.weights, wanted.network, wanted.layers)
    assert f"{program.pool} {program.rounding} {program.padding}" == wanted.how
    assert ((program.size, program.size_rule), program.steps) == (wanted.size, wanted.steps)
    for option, (kind, numbers) in ((program.solver, wanted.solver), (program.start, wanted.start)):
        assert option.name == kind
        assert dict(option.settings) == pytest.approx(numbers, rel=NEAR)
    assert program.average == wanted.average
    scale = settings_of_scale(program)
    assert bool(scale) == bool(wanted.sizes)
    if scale:
        with initialize_config_dir(str(CONF), **settings.VERSION_BASE):
            config = settings.read(compose("config", overrides=["content=a", "style=b", f"+preset={name}"]))
        found = stages(config)
        assert tuple(round(stage.scale * config.size) for stage in found) == wanted.sizes
        assert {stage.until - stage.first for stage in found[1:]} == {wanted.then}
        assert (scale["kernel"], scale["moments"]) == wanted.passage
        assert config.scale == scale


def settings_of_scale(program):
    """All settings of `scale` of a program, as its preset has them; none where it has one size."""
    if program.scale is None:
        return {}
    own = CONF / f"scale/published_{program.name}.yaml"
    file = own if own.exists() else CONF / f"scale/{program.scale.name}.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SOLVERS)
def test_the_defaults_of_an_optimiser(name):
    option = yaml.safe_load((CONF / f"optimiser/{name}.yaml").read_text(encoding="utf-8"))
    assert option == {"name": name, **sources.OPTIMISERS[name]}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_says_where_it_is_from_and_what_it_needs(name):
    program = PROGRAMS[name]
    assert program.source
    assert program.needs
    assert program.otherwise.endswith(".")
    for phrase in program.not_reproduced:
        assert not phrase.endswith("."), "a phrase: the sentence is made where it is written"
    for note in program.notes:
        assert note.endswith("."), note


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_file_of_a_preset_says_all_that_the_record_says(name):
    program = PROGRAMS[name]
    text = (CONF / f"preset/{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# @package _global_\n"), "Hydra looks for it in the first line"
    assert max(map(len, text.splitlines())) <= tool.WIDTH
    said = " ".join(re.sub(r"(?m)^# *", "", text.split("defaults:")[0]).split())
    phrases = (program.source, f"Weights: {program.needs}", program.otherwise, *program.not_reproduced, *program.notes)
    for phrase in phrases:
        assert phrase in said
    for _, remark in program.remarks:
        assert f"# {remark}" in text


@pytest.mark.parametrize("name", ["cysmith", "hwalsuklee", "fzliu"])
def test_programs_that_compare_sums_say_what_a_style_picture_of_another_size_does(name):
    assert any("convention.positions=own" in note for note in PROGRAMS[name].notes)
    assert any("convention.positions=own" in note for note in LOSSES[name].notes)


def test_how_far_twelve_newton_schulz_iterations_are_from_the_root():
    """The ranges that the record of style_transfer_pytorch and the docs give."""
    rows = newton_schulz.compare(size=128, seed=0, layers=("relu1_1", "relu2_1"))
    for row in rows:
        assert 0.04 < row.error < 0.20, row
        assert 0.10 < row.gradient < 0.21, row
    assert max(row.error for row in rows) > 0.1
    program = PROGRAMS["style_transfer_pytorch"]
    assert "4 to 20 %" in program.notes[0]
    assert "11 to 21 %" in program.not_reproduced[-1]
