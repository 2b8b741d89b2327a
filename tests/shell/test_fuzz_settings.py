"""Settings drawn at random: each line gives settings, or a mistake in a line."""

import random

import jax
import jax.numpy as jnp
import pytest
from campaign import times
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from nst_jax import pictures
from nst_jax.shell.cli.quoting import quote
from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.running import colours, networks, prepare, starts, terms
from nst_jax.shell.settings import config as settings
from nst_jax.shell.sweeps.composing import Composer

LINES = times(500)
PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
VALUES = (
    *("null", "-1", "0", "1", "1.5", "-0.0", "1e-300", "1e400", "nan", "inf", "-inf", "99999999999999999999", "true"),
    *("off", "no", "''", "abc", "é", "../x", "/", "a b", "[1,2]", "[]", "{a:1}", "{}", "???", "${size}", "${nothing}"),
    *("3000000000", "0x10", "1_000", "2e3", "keras", "vgg19", "random", "adam", "noise", "0.5", "-3", "16", "1e9"),
)
GROUPS = (
    "weights",
    "layers",
    "convention",
    "optimiser",
    "canvas",
    "colour",
    "output",
    "device",
    "network",
    "+preset",
    "look",
    "scale",
)


def lines():
    """One or two settings each: a key of conf/, or a group."""
    rng = random.Random(14)
    keys = [*settings.known_keys(), *GROUPS]
    for _ in range(LINES):
        yield [f"{rng.choice(keys)}={rng.choice(VALUES)}" for _ in range(rng.choice((1, 1, 2)))]


def use(config):
    """What a run makes of its settings before the pictures and the weights are read."""
    networks.network(config)
    prepare.method(config)
    terms.convention(config, (16, 16, 3), lambda _: None)
    image = jnp.zeros((16, 16, 3))
    colours.colours(config.colour)
    if config.canvas.get("start") != "file":
        starts.start(config.canvas, jax.random.key(config.seed), image, image, lambda _: image)


@pytest.mark.slow
def test_settings_drawn_at_random():
    """Nothing but settings, a mistake of the user's, or what Hydra and OmegaConf say in their own words."""
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        composer = Composer(GlobalHydra.instance().config_loader(), compose("config", return_hydra_config=True))
        wrong, good = [], 0
        for words in lines():
            try:
                found = composer.read([*PAIR, *map(quote, words)])
                if not isinstance(found, UserError):
                    use(found)
                    good += 1
            except UserError:
                pass
            except Exception as error:
                if settings.is_mistake(error) and settings.explain(error) and "\n" not in settings.explain(error):
                    continue
                wrong.append(f"{' '.join(words)}: {type(error).__name__}: {error}")
    assert not wrong, "\n".join(wrong)
    assert LINES / 50 < good < LINES


@pytest.mark.parametrize(
    "word",
    ["layers.content=${size}", "layers.style=${network.pool}", "layers.content=${network}", "layers.style=${canvas}"],
)
def test_what_stands_for_names_and_numbers_is_checked(word):
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        composer = Composer(GlobalHydra.instance().config_loader(), compose("config", return_hydra_config=True))
        found = composer.read([*PAIR, word])
    assert isinstance(found, UserError)
    assert word.partition("=")[0] in str(found)
