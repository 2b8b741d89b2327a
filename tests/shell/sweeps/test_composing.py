"""A job's settings are those that Hydra composes for its line, and its mistakes are Hydra's."""

import ast
import re

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from nst_jax.shell.places import PACKAGE, conf
from nst_jax.shell.settings import config as settings
from nst_jax.shell.sweeps.composing import Composer

PICTURES = ("content=a.jpg", "style=b.jpg")


@pytest.fixture
def composer():
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        yield Composer(
            GlobalHydra.instance().config_loader(), compose("config", overrides=[], return_hydra_config=True)
        )


@pytest.mark.parametrize(
    "line",
    [
        "style_weight=10 seed=3",
        "optimiser=adam optimiser.learning_rate=0.5 steps=7",
        "+preset=neural_style_pt style_weight=5 seed=1",
        "style=[a.jpg,b.jpg] style_blend=[1,3]",
        "layers.style.relu1_1=2 +layers.style.relu4_2=1",
        "++layers.style.relu4_2=1 layers.style.relu4_2=3",
        "+regions.sky={content:sky.png,style:night.jpg}",
        "~layers.style.relu1_1",
        "layers.style.relu1_1=5 ~layers.style.relu1_1=5 +layers.style.relu1_1=2",
        "+layers.style={relu1_1:4}",
        "steps=5 steps=6",
        "output.to=null size=${steps}",
    ],
)
def test_a_job_is_what_hydra_composes(composer, line):
    words = [*PICTURES, *line.split()]
    for _ in range(2):  # from Hydra and from what is kept
        assert composer.compose(words) == compose("config", overrides=words)


@pytest.mark.parametrize(
    "line",
    [
        "stepz=5",
        "optimiser=adam optimiser.memory=5",
        "+steps=5",
        "~stepz",
        "~steps=7",
        "steps@here=4",
        "layers.style.relu9_9=1",
    ],
)
def test_a_mistake_is_hydras(composer, line):
    words = [*PICTURES, *line.split()]
    with pytest.raises(Exception) as hydras:  # noqa: PT011  whatever Hydra raises
        compose("config", overrides=words)
    assert settings.is_mistake(hydras.value)
    with pytest.raises(type(hydras.value)) as ours:
        composer.compose(words)
    assert str(ours.value) == str(hydras.value)


def test_jobs_that_differ_in_numbers_are_composed_once(composer, monkeypatch):
    """Hydra takes 0.2 s each, and a sweep may have thousands."""
    asked = []
    load = composer.loader.load_sweep_config
    monkeypatch.setattr(composer.loader, "load_sweep_config", lambda *a: asked.append(a) or load(*a))
    for seed in range(5):
        composer.compose([*PICTURES, "optimiser=adam", f"seed={seed}", f"+layers.style.relu4_2={seed}"])
    assert len(asked) == 1


def test_what_is_private_to_hydra_is_left_alone():
    for path in (*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "hydra_plugins").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            private = [n for n in names if n.startswith(("hydra.", "omegaconf.")) and re.search(r"\._(?!_)", n)]
            assert not private, f"{path}: {private}"
