"""conf/convention/ and conf/preset/: every name leads to something, and an unknown one lists the names."""

import re
import shlex
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException

from nst_jax import pictures
from nst_jax.extractors import architecture
from nst_jax.extractors.base import features
from nst_jax.losses.moments import Sized
from nst_jax.losses.term import part
from nst_jax.methods import transfer
from nst_jax.published import CONVENTIONS, PROGRAMS
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.weights import SOURCES
from nst_jax.shell.places import conf
from nst_jax.shell.running import dry, networks, prepare
from nst_jax.shell.running.job import Job
from nst_jax.shell.settings import config, presets

PRESETS = sorted(p.stem for p in (conf() / "preset").glob("*.yaml"))
REPORTS = ("report_keras", "report_tf2", "report_matconvnet", "report_textbook", "report_noise_ratio")
# losses, not programs
WITHOUT_PRESET = {"relative", "whitened", "adain", "batch_statistics", "covariance", "activation_shift", "histogram"}


def settings(*words):
    with initialize_config_dir(str(conf()), **config.VERSION_BASE):
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
    arch, net = networks.network(c)
    assert net.taps
    assert arch == architecture(c.network.name)
    solver, options, hyper = prepare.method(c)
    solver(**dict(options), **hyper)
    assert c.convention.name in CONVENTIONS
    assert set(c.layers.content) | set(c.layers.style) <= {*arch.layers, *arch.raw}
    assert c.weights.source in SOURCES
    assert (conf() / f"canvas/{c.canvas['start']}.yaml").is_file()
    if c.content_weight:
        assert c.layers.content


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


@cache
def plain_settings(*words):
    """Of a line without a preset."""
    return settings(*words)


@pytest.mark.parametrize("name", PRESETS)
def test_another_optimiser_or_start_takes_the_place_of_the_presets(name):
    optimiser = "adam" if PROGRAMS[name].solver.name == "lbfgs" else "lbfgs"
    own = (f"optimiser={optimiser}", "canvas=content")
    c, plain = settings(f"+preset={name}", *own), plain_settings(*own)
    assert (c.optimiser, c.canvas) == (plain.optimiser, plain.canvas)
    assert prepare.method(c)[0].__name__ == optimiser


@pytest.mark.parametrize("word", ["+preset=kerras_example", "convention=gatys_2015"])
def test_an_unknown_name_lists_the_names(word):
    with pytest.raises(HydraException) as caught:
        settings(word)
    text = config.explain(caught.value)
    assert "Did you mean" in text
    assert "gatys_released" in text


def test_letters_of_the_reports():
    a, b, c, d, e = (settings(f"+preset={name}") for name in REPORTS)
    assert (a.content_weight, a.style_weight, a.tv_weight, a.steps, a.output.every) == (0.025, 1, 1e-4, 400, 20)
    assert (b.content_weight, b.style_weight, b.steps, b.output.every) == (1e4, 1e-2, 1000, 90)
    assert (b.network.name, b.weights.source) == ("inception_v3_keras", "keras")  # extractor="inception_v3"
    assert b.optimiser["learning_rate"] * 255 == pytest.approx(80, rel=1e-3)
    assert b.optimiser["falloff"] ** 100 == pytest.approx(0.8, rel=1e-3)
    assert (len(b.layers.content), len(b.layers.style)) == (5, 5)
    assert (c.content_weight, c.style_weight, list(c.layers.content)) == (1e-6, 1, ["relu4_2"])
    assert CONVENTIONS[c.convention.name].share(64, len(c.layers.style)) == 0.2
    assert d.convention.name == "gatys_2016"
    assert d.optimiser["name"] == "adam"
    assert (e.size, e.size_rule, e.network.pool, e.canvas["ratio"]) == (400, "width", "avg", 0.6)
    assert e.weights.source == c.weights.source == "matconvnet"


def test_a_rate_that_an_older_record_does_not_let_fall_stays():
    """Its config.yaml has no falloff. What no default stands for is still asked for."""
    c = settings("optimiser=adam")
    del c.optimiser["falloff"]
    solver, options, numbers = prepare.method(c)
    solver(**dict(options), **numbers)
    assert "falloff" not in numbers
    for change in (lambda o: o.pop("b1"), lambda o: o.update(speed=1)):
        c = settings("optimiser=adam")
        change(c.optimiser)
        with pytest.raises(UserError, match="optimiser adam takes learning_rate, b1"):
            prepare.method(c)


def test_the_layers_of_a_report_are_those_that_its_class_takes():
    """Of the convolutions in the order of Keras' model, the first five; and five backwards from the last but one."""
    known, b = architecture("inception_v3_keras"), settings("+preset=report_tf2")
    by_name = {name: raw for raw, name in known.raw.items()}
    in_order = [by_name[name] for name in known.keras_order]
    assert list(b.layers.style) == in_order[:5]
    assert list(b.layers.content) == in_order[-2:-7:-1]


@pytest.mark.slow
def test_the_terms_of_a_report_are_those_of_its_class():
    """Sums over the layers of mean((G/M - A/M)^2) and of mean((F - P)^2) / 2, and |dx| + |dy| of 0..255, with 2."""
    size = ("weights=random", "size=112", "size_rule=long", "steps=1")
    job = prepare.prepare(settings("+preset=report_tf2", *PAIR, *size), print)
    image = jnp.asarray(np.random.default_rng(0).random(job.start.shape), jnp.float32)
    see = jax.jit(lambda x: features(job.spec.network, job.problem.params, x))
    own, content, style = (see(jnp.asarray(x)) for x in (image, job.content, job.style.pictures[0]))
    gram = lambda f: jnp.einsum("hwc,hwd->cd", f, f, precision="highest") / (f.shape[0] * f.shape[1])
    wanted = 0.0
    for layer in (f"conv2d{f'_{i}' if i else ''}" for i in range(5)):
        wanted += 1e-2 * ((gram(own[layer]) - gram(style[layer])) ** 2).mean()
    for layer in (f"conv2d_{i}" for i in (85, 92, 91, 88, 87)):
        wanted += 1e4 * 0.5 * ((own[layer] - content[layer]) ** 2).mean()
    steps = sum(jnp.abs(jnp.diff(255 * image, axis=axis)).sum() for axis in (0, 1))
    value = jax.jit(partial(transfer.objective, job.spec))(job.problem, image)
    np.testing.assert_allclose(value, wanted + 2 * steps, rtol=1e-4)


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
    assert {name for name in job.problem.weights if part(name) == "content"} == {"content/input", "content/relu3_3"}
    assert job.problem.aims["content/input"].local.shape == (*job.start.shape[:2], 3)


def test_resolution_invariant_says_what_it_changes():
    lines = []
    words = (*PAIR, *SMALL, "convention=keras", "convention.resolution=invariant", "convention.reference=64")
    job = prepare.prepare(settings(*words), lines.append)
    assert any("resolution=invariant: content times" in line for line in lines)
    published = prepare.prepare(settings(*words[:-2]), lines.append)
    assert job.spec.terms != published.spec.terms
    assert job.problem.weights == published.problem.weights


@pytest.mark.parametrize("name", ["cysmith", "keras"])
def test_positions_own_makes_the_number_of_the_style_pictures_positions_no_matter(name):
    """An aim of twice the positions, all sums doubled, is the same aim with `own` and another one with `image`."""
    words = (*PAIR, *SMALL, f"convention={name}", "content_weight=0", "style_weight=1", "tv_weight=0")
    values = {}
    for positions in ("image", "own"):
        job = prepare.prepare(settings(*words, f"convention.positions={positions}"), print)
        problems = job.problem, job.problem._replace(aims={key: double(aim) for key, aim in job.problem.aims.items()})
        measured = (transfer.measure(job.spec, problem, job.start) for problem in problems)
        values[positions] = [np.array([float(v) for key, v in m.items() if key != "tv"]) for m in measured]
    np.testing.assert_allclose(*values["own"], rtol=1e-4)
    assert not np.isclose(*values["image"], rtol=0.1).any()


def double(aim):
    """The aim of a style picture of twice the positions."""
    whole = aim.whole
    if isinstance(whole, Sized):
        return aim._replace(whole=whole._replace(moments=jax.tree.map(lambda x: 2 * x, whole.moments)))
    return aim._replace(whole=jax.tree.map(lambda x: 2 * x, whole))


@pytest.mark.parametrize(("key", "known"), [("resolution", "published, invariant"), ("positions", "image, own")])
def test_a_value_that_is_none_of_the_choices(key, known):
    with pytest.raises(UserError, match=rf"convention.{key} must be one of {known}"):
        settings(f"convention.{key}=other")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_which_weights_it_needs_and_what_others_change(name):
    """Of the last preset of the line, as the command takes it."""
    program, advice = PROGRAMS[name], presets.needs(["content=a", "+preset=nis", f"+preset={name}"])
    assert advice is not None
    assert f"preset {name} " in advice
    assert program.needs in advice
    assert program.otherwise in advice


def test_a_line_without_a_published_program_has_no_needs():
    assert presets.needs(["content=a", "steps=3"]) is None
    assert presets.needs(["+preset=no_such"]) is None


def test_weights_that_are_missing_come_with_the_presets_needs_and_a_line_that_works(nst):
    code, text = nst(*PAIR, "+preset=nis_normalised", "size=32", "steps=1")
    assert code == 2
    assert f"nst: {presets.needs(['+preset=nis_normalised'])}" in text
    advice = re.search(r"this works now: nst (.*network=distilled)$", text, re.MULTILINE)
    assert advice
    code, text = nst(*shlex.split(advice.group(1)))
    assert code == 0, text


@pytest.mark.parametrize(("name", "quadratic"), [("mrf", True), ("gatys_released", False)])
def test_a_dry_run_gives_a_range_where_all_positions_are_compared(name, quadratic):
    """Its time then grows with the square of the pixels at most. Nothing is computed: the shapes tell."""
    config = settings(*PAIR, *SMALL, f"convention={name}", "content_weight=1", "size=64")
    whole, half = (prepare.prepare(config, print, scale=scale, compute=jax.eval_shape) for scale in (1.0, 0.5))
    assert half.content.shape == (24, 32, 3)
    assert dry.grows(whole, half) is quadratic


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (lambda steps: 0.01 + 0.004 * steps, 0.004),  # quick: repeated 36 times
        (lambda steps: 3.0 + 2.0 * steps, 2.0),
        (lambda steps: 0.09 if steps == 1 else 0.07, 0.01),  # the clock says less than for the first alone: 7 in all
    ],
)
def test_a_dry_run_never_finds_that_a_step_takes_no_time(measure, expected):
    assert dry.seconds_of_a_step(measure) == pytest.approx(expected)


def test_a_dry_run_measures_a_smaller_image():
    blank: Any = dict.fromkeys(Job._fields)
    for shape, scale in (((192, 256), 1), ((768, 1024), 0.25), ((2400, 200), 96 / 200)):
        assert dry.smaller(Job(**blank | {"content": np.zeros((*shape, 3))})) == pytest.approx(scale)
