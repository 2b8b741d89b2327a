"""conf/convention/ and conf/preset/: every name leads to something, and an unknown one lists the names."""

import re
import shlex

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException

from nst_jax import pictures, transfer
from nst_jax.conventions import CONVENTIONS
from nst_jax.extractors import BLOCKS
from nst_jax.shell import config, prepare, presets
from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.weights import SOURCES
from nst_jax.vgg import layers

PRESETS = sorted(p.stem for p in (conf() / "preset").glob("*.yaml"))
REPORTS = ("report_keras", "report_tf2", "report_matconvnet", "report_textbook", "report_noise_ratio")
# losses, not programs
WITHOUT_PRESET = {"relative", "whitened", "adain", "batch_statistics", "covariance", "activation_shift", "histogram"}


def settings(*words):
    with initialize_config_dir(str(conf()), version_base=config.HYDRA):
        return config.read(compose("config", overrides=["content=a", "style=b", *words]))


def test_every_convention_has_its_weights_and_every_file_its_convention():
    files = {p.stem for p in (conf() / "convention").glob("*.yaml")}
    assert set(CONVENTIONS) <= files
    assert {settings(f"convention={name}").convention.name for name in files - set(CONVENTIONS)} <= set(CONVENTIONS)


def test_every_row_of_the_tables_and_every_report_has_a_preset():
    programs = set(CONVENTIONS) - WITHOUT_PRESET - {"keras"} | {"keras_example"}
    assert set(PRESETS) == programs | set(REPORTS)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_leads_to_a_run(name):
    """The network has its layers, the solver takes its settings, and the start is one there is."""
    c = settings(f"+preset={name}")
    net = prepare.network(c)
    assert net.taps
    solver, options, hyper = prepare.method(c)
    solver(**dict(options), **hyper)
    assert c.convention.name in CONVENTIONS
    assert set(c.layers.content) | set(c.layers.style) <= set(layers(BLOCKS[c.network.name]))
    assert c.weights.source in SOURCES
    assert (conf() / f"canvas/{c.canvas['start']}.yaml").is_file()
    if c.content_weight:
        assert c.layers.content


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_its_weights(name):
    text = (conf() / f"preset/{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# @package _global_\n")
    assert "eights" in text.split("defaults:")[0], "say which weights it needs"


@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_convention_can_be_chosen(name):
    c = settings(f"convention={name}")
    assert c.convention.name == name
    assert (c.content_weight, c.style_weight, c.tv_weight) == (
        c.convention.content_weight,
        c.convention.style_weight,
        c.convention.tv_weight,
    )


def test_a_setting_beside_a_preset_wins():
    c = settings("+preset=keras_example", "weights=random", "size=64", "content_weight=3")
    assert (c.weights.source, c.size, c.content_weight, c.convention.name) == ("random", 64, 3, "keras")


@pytest.mark.parametrize("word", ["+preset=kerras_example", "convention=gatys_2015"])
def test_an_unknown_name_lists_the_names(word):
    with pytest.raises(HydraException) as caught:
        settings(word)
    text = config.explained(caught.value)
    assert "Did you mean" in text
    assert "gatys_released" in text


def test_letters_of_the_reports():
    a, b, c, d, e = (settings(f"+preset={name}") for name in REPORTS)
    assert (a.content_weight, a.style_weight, a.tv_weight, a.steps, a.output.every) == (0.025, 1, 1e-4, 400, 20)
    assert (b.content_weight, b.style_weight, b.steps, b.network.pool) == (1e4, 1e-2, 1000, "avg")
    assert b.optimiser["learning_rate"] * 255 == pytest.approx(80, rel=1e-3)
    assert (len(b.layers.content), len(b.layers.style)) == (5, 5)
    assert (c.content_weight, c.style_weight, list(c.layers.content)) == (1e-6, 1, ["relu4_2"])
    assert CONVENTIONS[c.convention.name].profile(64, len(c.layers.style)) == 0.2
    assert d.convention.name == "gatys_2016"
    assert d.optimiser["name"] == "adam"
    assert (e.size, e.size_rule, e.network.pool, e.canvas["ratio"]) == (400, "width", "avg", 0.6)
    assert e.weights.source == c.weights.source == "matconvnet"


PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
SMALL = ("weights=random", "size=32", "size_rule=long", "layers=blocks1-3", "steps=2")


@pytest.mark.parametrize("name", ["sliced_wasserstein", "mrf", "style_transfer_pytorch", "report_keras"])
def test_a_job_of_a_preset_moves_the_image(name):
    """What the command prepares, two steps of it: aims that are not moments take the same way."""
    job = prepare.prepare(settings(f"+preset={name}", *PAIR, *SMALL, "content_weight=1"), print)
    result = transfer.stylise(job.spec, job.problem, job.start, steps=2)
    assert np.isfinite(result.infos.value).all()
    assert not np.array_equal(result.image, job.start)


def test_the_picture_itself_is_a_layer():
    job = prepare.prepare(settings(*PAIR, *SMALL, "convention=laplacian", "+layers.content.input=20"), print)
    assert job.problem.weights.content.keys() == {"input", "relu3_3"}
    assert job.problem.targets.content["input"].shape == (*job.start.shape[:2], 3)


def test_resolution_invariant_says_what_it_changes():
    said = []
    words = (*PAIR, *SMALL, "convention=keras", "convention.resolution=invariant", "convention.reference=64")
    job = prepare.prepare(settings(*words), said.append)
    assert any("resolution=invariant: content times" in line for line in said)
    assert job.spec.convention != CONVENTIONS["keras"]
    assert job.problem.weights == prepare.prepare(settings(*words[:-2]), said.append).problem.weights


def test_a_resolution_that_is_none():
    with pytest.raises(UserError, match=r"convention.resolution must be one of published, invariant"):
        settings("convention.resolution=invariable")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_which_weights_it_needs_and_what_others_change(name):
    told = presets.needs(["content=a", f"+preset={name}"])
    assert told is not None
    assert re.search(r"(Weights: |Needs )\S", told)
    assert re.search(r"[Ww]ith the original values|torchvision's are another training", told)


def test_weights_that_are_not_at_hand_are_told_of_the_preset(nst):
    code, text = nst(*PAIR, "+preset=nis_normalised", "size=32", "steps=1")
    assert code == 2
    assert "the preset nis_normalised: Needs weights.path=FILE with vgg_normalised" in text
    advice = re.search(r"this works now: nst (.*network=texnet)$", text, re.MULTILINE)
    assert advice
    code, text = nst(*shlex.split(advice.group(1)))
    assert code == 0, text
    assert presets.needs(["content=a"]) is None
    assert presets.needs(["+preset=no_such"]) is None
